#!/usr/bin/env bash
# Lets schemathesis call every operation of the API as five people, against a demo server of its own.
# usage: tests/schemathesis.sh [--full]   (a debug build must be there: cargo build)
# SCHEMATHESIS_VENV: where the tool is kept between runs. Without --full it takes three minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
examples=8
[ "${1:-}" = "--full" ] && examples=60
binary=${LSTEST_BINARY:-${CARGO_TARGET_DIR:-target}/debug/liusheng}
[ -x "$binary" ] || { echo "no $binary: cargo build first"; exit 2; }

venv=${SCHEMATHESIS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/liusheng-schemathesis}
if ! "$venv/bin/schemathesis" --version 2>/dev/null | grep -q "4.32.5"; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==4.32.5"
fi

work=$(mktemp -d)
server=""
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$server" ] || wait "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

LIUSHENG_DATA_DIR="$work/data" LIUSHENG_LISTEN="127.0.0.1:$port" LIUSHENG_LOG_LEVEL=warn \
  LIUSHENG_REQUESTS_PER_SECOND=100000 LIUSHENG_REQUESTS_BURST=100000 LIUSHENG_WRITES_PER_SECOND=10000 \
  LIUSHENG_WRITES_BURST=100000 LIUSHENG_WRITES_PER_DAY=1000000 LIUSHENG_CODES_PER_ADDRESS_AND_DAY=1000000 \
  LIUSHENG_WEBHOOK_ALLOW_PRIVATE=true "$binary" demo >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 600); do
  python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/readyz', timeout=1)" 2>/dev/null && break
  kill -0 "$server" 2>/dev/null || { cat "$work/server.log"; exit 1; }
  sleep 0.2
done

export LSTEST_WORLD="$work/world.json" LSTEST_COUNTS="$work/counts" LSTEST_BASE="http://127.0.0.1:$port" PYTHONPATH="$PWD/tests/schemathesis"
export LSTEST_SMS="$work/data/sms.txt" LSTEST_ROSTER="$PWD/deploy/demo/roster_dongheng.csv" PYTHONDONTWRITEBYTECODE=1
mkdir "$LSTEST_COUNTS"
"$venv/bin/python" tests/schemathesis/world.py
cp api-spec/openapi.json "$work/openapi.json"

failed=0
# what fits the description, with what is there put in; then also what does not fit it
for role in visitor resident clerk chair town; do
  for mode in positive negative; do
    echo "== $role, $mode"
    (cd "$work" && LSTEST_ROLE=$role LSTEST_MODE=$mode SCHEMATHESIS_HOOKS=hooks timeout 1800 "$venv/bin/schemathesis" --no-color run "$work/openapi.json" \
      --url "$LSTEST_BASE" --mode "$mode" --max-examples "$examples" --phases examples,fuzzing --seed 20260501 --workers 1 --request-timeout 20 \
      --checks no_broken_server,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method \
      --max-failures 1000 --generation-database none --continue-on-failure >"$work/$role-$mode.log" 2>&1) || failed=1
    sed -n '/= FAILURES =/,/= SUMMARY =/p' "$work/$role-$mode.log" | head -n "${LSTEST_LINES:-120}"
    sed -n '/= SUMMARY =/,$p' "$work/$role-$mode.log" | head -n 30
    grep -q "= SUMMARY =" "$work/$role-$mode.log" || { tail -n 30 "$work/$role-$mode.log"; failed=1; }
  done
done
"$venv/bin/python" tests/schemathesis/judge.py || failed=1
# 501 is how a secret vote is refused by design
if grep "panicked\|ERROR" "$work/server.log"; then failed=1; fi
exit "$failed"
