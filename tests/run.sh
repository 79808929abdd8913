#!/usr/bin/env bash
# Installs what the tests need and runs them: SQLite with the in-process broker, then with a Redis of its own.
# usage: tests/run.sh [--full]   (--full: the sizes of the issues instead of those for CI)
set -euo pipefail
cd "$(dirname "$0")/.."
full=0
[ "${1:-}" = "--full" ] && full=1
export LSTEST_FULL=$full

need() { # command, Debian package
  command -v "$1" >/dev/null 2>&1 && return 0
  local sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  echo "installing $2"
  $sudo apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}
need redis-server redis-server
need chromium chromium
need node nodejs
need npm npm
fc-list :lang=zh 2>/dev/null | grep -q . || need wqy-microhei fonts-wqy-microhei

work=$(mktemp -d)
redis_pid=""
finish() {
  [ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

(cd tests/browser && npm ci --silent --no-audit --no-fund)

echo "== format and lints"
cargo fmt --all --check
cargo clippy --workspace --lib --bins --locked --quiet -- -D warnings

echo "== unit and integration tests: SQLite, in-process broker"
cargo build --workspace --locked --quiet
cargo test --workspace --locked --quiet

echo "== integration tests: SQLite, Redis"
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
redis-server --port "$port" --bind 127.0.0.1 --save "" --appendonly no --dir "$work" >"$work/redis.log" 2>&1 &
redis_pid=$!
for _ in $(seq 50); do
  redis-cli -p "$port" ping >/dev/null 2>&1 && break
  sleep 0.1
done
LSTEST_REDIS_URL="redis://127.0.0.1:$port/0" cargo test --locked --quiet --test it

bash tests/deploy.sh --tools

if [ "$full" = 1 ]; then
  echo "== broken twins: each must be caught"
  bash tests/broken/run.sh
fi
