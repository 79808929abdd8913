"""The other side of the callback's cipher, by PyPI wechatpy: opens what we sealed and seals for us. One JSON line each way."""
import json
import sys

from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

for line in sys.stdin:
    told = json.loads(line)
    crypto = WeChatCrypto(told["token"], told["key"], told["appid"])
    opened = crypto.decrypt_message(
        {"Encrypt": told["encrypt"]}, told["msg_signature"], told["timestamp"], told["nonce"]
    )
    check_signature(told["token"], told["signature"], told["timestamp"], told["nonce"])
    sealed = crypto.encrypt_message(told["answer"], told["nonce"], told["timestamp"])
    print(json.dumps({"opened": opened, "sealed": sealed}), flush=True)
