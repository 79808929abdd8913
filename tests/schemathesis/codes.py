"""Codes as people get them: by SMS, and from an authenticator (RFC 6238)."""
import base64
import hashlib
import hmac
import os
import struct
import time
from pathlib import Path

SMS = Path(os.environ["LSTEST_SMS"])


def code_of(phone):
    for _ in range(200):
        lines = SMS.read_text().splitlines() if SMS.exists() else []
        found = [line.split()[1] for line in lines if line.startswith(phone)]
        if found:
            return found[-1]
        time.sleep(0.02)
    raise SystemExit(f"no code for {phone}")


def authenticator(secret):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"
