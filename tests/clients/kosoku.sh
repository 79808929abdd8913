#!/usr/bin/env bash
# Runs the cases of the Autobahn suite against the product's own frame code, behind `load-tests echo`. Left out: 12 and 13, compression,
# which we do not offer.
# usage: tests/clients/kosoku.sh   (a build must be there: cargo build --workspace; tests/run.sh makes the environment)
set -euo pipefail
cd "$(dirname "$0")/../.."
echo_server=${LOAD_TESTS_BINARY:-${CARGO_TARGET_DIR:-target}/debug/load-tests}
work=$(mktemp -d)
server=""
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
"$echo_server" echo >"$work/address" &
server=$!
for _ in $(seq 50); do
  [ -s "$work/address" ] && break
  sleep 0.1
done
timeout 300 tests/clients/.kosoku/bin/kosoku --mode fuzzingclient --exclude '12.*' --exclude '13.*' --outdir "$work/report" \
  "$(cat "$work/address")" >"$work/log" 2>&1 || { tail -n 20 "$work/log"; exit 1; }
python3 - "$work/report/index.json" <<'PYTHON'
import collections, json, sys

(cases,) = json.load(open(sys.argv[1])).values()
counts = collections.Counter(case["behavior"] for case in cases.values())
bad = {name: case for name, case in cases.items()
       if case["behavior"] not in ("OK", "NON-STRICT", "INFORMATIONAL") or case["behaviorClose"] not in ("OK", "INFORMATIONAL")}
print(f"{len(cases)} cases: {dict(counts)}, {len(bad)} failed")
for name, case in bad.items():
    print(name, case)
# fewer would mean that a part was not run
sys.exit(bool(bad) or len(cases) < 300)
PYTHON
