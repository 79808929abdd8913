"""Runs deploy/verify/verify_vote.py over many archives: a JSON line each in, or its text, `ok` or the word of the fault out;
of an archive with a `ballot` what became of that."""
import importlib.util
import json
import sys

spec = importlib.util.spec_from_file_location("verify_vote", sys.argv[1])
verify_vote = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify_vote)
for line in sys.stdin:
    asked = json.loads(line)
    try:
        archive = verify_vote.read(asked["text"]) if "text" in asked else asked["archive"]
    except ValueError:
        print("format")
        continue
    try:
        verify_vote.verify(archive, asked["fingerprint"])
        print(verify_vote.ballot(archive, asked["ballot"]) if "ballot" in asked else "ok")
    except verify_vote.Wrong as wrong:
        print(wrong)
