#!/usr/bin/env bash
# Installs what the tests need and runs them: SQLite with the in-process broker, then PostgreSQL with Redis, both of its
# own; and what speaks to the broker once more on SQLite with Redis.
# usage: tests/run.sh [--full]   (--full: the sizes of the issues instead of those for CI)
set -euo pipefail
cd "$(dirname "$0")/.."
full=0
[ "${1:-}" = "--full" ] && full=1
export LSTEST_FULL=$full
# most tests wait for something (a disk, a clock, a browser) most of the time
export RUST_TEST_THREADS=4

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
need patch patch
need make make
need ffmpeg ffmpeg
fc-list :lang=zh 2>/dev/null | grep -q . || need wqy-microhei fonts-wqy-microhei

# PostgreSQL keeps its programs beside the path, by version
postgres_bin() {
  local bin
  bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  [ -n "$bin" ] || bin=$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/initdb)")
  echo "$bin"
}
[ -x "$(postgres_bin)/initdb" ] || need initdb postgresql
PG=$(postgres_bin)

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

work=$(mktemp -d)
redis_pid=""
as_postgres=()
finish() {
  [ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null || true
  [ ! -d "$work/pg/data" ] || "${as_postgres[@]}" "$PG/pg_ctl" -D "$work/pg/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

(cd tests/browser && npm ci --silent --no-audit --no-fund)
# a venv needs ensurepip, which Debian keeps apart
python3 -c 'import ensurepip' 2>/dev/null || need ensurepip python3-venv
if ! tests/clients/.venv/bin/python -c 'import centrifuge, wechatpy' 2>/dev/null; then
  python3 -m venv tests/clients/.venv
  tests/clients/.venv/bin/pip install --quiet --disable-pip-version-check \
    centrifuge-python==0.7.0 'wechatpy[cryptography]==1.8.18'
fi
# one of its own: it wants other versions of what both need
if [ ! -x tests/clients/.kosoku/bin/kosoku ]; then
  python3 -m venv tests/clients/.kosoku
  tests/clients/.kosoku/bin/pip install --quiet --disable-pip-version-check kosoku==0.1.0
fi

# an object store that speaks S3; one of its own, too
if [ ! -x tests/clients/.moto/bin/moto_server ]; then
  python3 -m venv tests/clients/.moto
  tests/clients/.moto/bin/pip install --quiet --disable-pip-version-check \
    'moto[s3]==5.2.1' flask==3.1.3 flask-cors==6.0.2
fi

# Runs the tests. What failed of tests/it, five at most, runs once more with nothing beside it: a machine too busy for a
# test's clock is told from a fault, and each of them is named, so that nobody takes the run for a clean one.
alone=()
tests() { # arguments of cargo test
  local log=$work/tests.log name failed
  cargo test --workspace --locked --quiet --no-fail-fast "$@" 2>&1 | tee "$log" && return 0
  # nothing but tests/it, which came to its end
  grep -A 1 '^error: 1 target failed' "$log" | grep -- '--test it`' >/dev/null || return 1
  mapfile -t failed < <(sed -n '/^failures:$/,/^test result/p' "$log" | grep -oE '^    [a-z0-9_]+(::[a-z0-9_]+)+$' | tr -d ' ' | sort -u)
  if [ "${#failed[@]}" = 0 ] || [ "${#failed[@]}" -gt 5 ]; then return 1; fi
  for name in "${failed[@]}"; do
    echo "== once more, alone: $name"
    cargo test --workspace --locked --quiet --test it -- --exact "$name" 2>&1 | tee "$log" || return 1
    # a name that is not in tests/it
    grep -q '^test result: ok. 1 passed' "$log" || return 1
    alone+=("$name")
  done
}

echo "== format, lints, broken twins that still fit"
for twin in tests/broken/*.patch; do
  patch --dry-run --strip 1 --forward --silent <"$twin" >/dev/null || { echo "$twin no longer fits; write it anew"; exit 1; }
done
cargo fmt --all --check
# a clean clone is built once: what makes the next build fast costs time and disk
[ -d target ] || export CARGO_INCREMENTAL=0
cargo clippy --workspace --lib --bins --locked --quiet -- -D warnings

echo "== unit and integration tests: SQLite, in-process broker"
# programs and tests in one go: apart, they want their libraries with other features, and everything is built twice
cargo build --workspace --bins --tests --locked --quiet
tests

echo "== the cases of Autobahn against our frames"
bash tests/clients/kosoku.sh

echo "== power cut under load: what was synced is enough; a disk that forgets the log's syncs is caught"
need python3 python3
cuts=2
[ "$full" = 1 ] && cuts=10
python3 tests/powercut/run.py --cuts "$cuts"
python3 tests/powercut/run.py --cuts 1 --deaf=-wal

echo "== integration tests: PostgreSQL, Redis"
port=$(free_port)
redis-server --port "$port" --bind 127.0.0.1 --save "" --appendonly no --dir "$work" >"$work/redis.log" 2>&1 &
redis_pid=$!
for _ in $(seq 50); do
  redis-cli -p "$port" ping >/dev/null 2>&1 && break
  sleep 0.1
done
export LSTEST_REDIS_URL="redis://127.0.0.1:$port/0"

# fsync stays on: the tests are about what is kept. PostgreSQL refuses to run as root.
chmod 755 "$work"
mkdir "$work/pg"
if [ "$(id -u)" = 0 ]; then
  id postgres >/dev/null 2>&1 || useradd --system postgres
  chown postgres "$work/pg"
  as_postgres=(setpriv --reuid=postgres --regid="$(id -g postgres)" --init-groups env "HOME=$work/pg")
fi
pg_port=$(free_port)
(
  cd "$work/pg"
  "${as_postgres[@]}" "$PG/initdb" -D "$work/pg/data" -U liusheng -A trust -E UTF8 --locale=C.UTF-8 >"$work/initdb.log"
  "${as_postgres[@]}" "$PG/pg_ctl" -D "$work/pg/data" -l "$work/pg/log" -w \
    -o "-p $pg_port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work/pg -c max_connections=200" start >/dev/null
)
pg_url="postgres://liusheng@127.0.0.1:$pg_port/postgres"
export LSTEST_DATABASE_URL=$pg_url
tests --test it
unset LSTEST_DATABASE_URL

echo "== integration tests of what speaks to the broker: SQLite, Redis"
tests --test it -- broker:: redis_wipe:: live:: delivery:: story::

bash tests/deploy.sh --tools

if [ "$full" = 1 ]; then
  echo "== the load generators in their smallest size"
  target/debug/load-tests every --small
  echo "== every operation as five people"
  need python3 python3-venv
  bash tests/schemathesis.sh --full
  echo "== broken twins: each must be caught"
  LSTEST_DATABASE_URL=$pg_url bash tests/broken/run.sh
fi

[ "${#alone[@]}" = 0 ] || printf 'passed only when run alone (look at its clock): %s\n' "${alone[@]}"
