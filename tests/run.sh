#!/usr/bin/env bash
# Installs what the tests need and runs them: SQLite with the in-process broker, then PostgreSQL with Redis, both of its
# own; and what speaks to the broker once more on SQLite with Redis.
# usage: tests/run.sh [--full]   (--full: the sizes of the issues instead of those for CI)
set -euo pipefail
cd "$(dirname "$0")/.."
full=0
[ "${1:-}" = "--full" ] && full=1
export LSTEST_FULL=$full
# most tests wait for something (a disk, a clock, a browser) most of the time: more of them than a small machine has cores
export RUST_TEST_THREADS=4

is_updated=0
need() { # command and Debian package, again and again: what is missing comes in one go, because each takes apt seconds
  local sudo="" missing=()
  while [ $# -gt 0 ]; do
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
    shift 2
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || sudo="sudo"
  echo "installing ${missing[*]}"
  [ "$is_updated" = 1 ] || $sudo apt-get update -qq >/dev/null
  is_updated=1
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
need patch patch
# a clean clone takes the allocator as Debian has built it, which is the same: to build it takes two minutes of a processor
if [ ! -d target ] && [ "$(uname -m)" = x86_64 ]; then
  allocator=/usr/lib/x86_64-linux-gnu/libjemalloc_pic.a
  [ -r "$allocator" ] || need "$allocator" libjemalloc-dev || true
  [ ! -r "$allocator" ] || export JEMALLOC_OVERRIDE=$allocator
fi
need make make

# PostgreSQL keeps its programs beside the path, by version
postgres_bin() {
  local bin
  bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  [ -n "$bin" ] || bin=$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/initdb)")
  echo "$bin"
}

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

work=$(mktemp -d)
# Where the tests' databases lie. Nobody pulls the plug on them (tests/powercut does): in the short run they lie in memory
# where there is plenty, because hundreds are made and dropped, and each wants a disk to have written everything.
fast=$work
if [ "$full" = 0 ] && [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)" -gt $((4 << 20)) ] 2>/dev/null &&
  ! findmnt -n -o OPTIONS /dev/shm 2>/dev/null | grep -q noexec; then
  fast=$(mktemp -d -p /dev/shm)
fi
# for PostgreSQL, which runs as somebody else
chmod 755 "$fast"
redis_pid=""
on_redis_pid=""
tools_pid=""
build_pid=""
beside=()
as_postgres=()
finish() {
  [ -z "$tools_pid" ] || kill "$tools_pid" 2>/dev/null || true
  [ -z "$build_pid" ] || kill "$build_pid" 2>/dev/null || true
  for one in "${beside[@]}"; do kill "${one%% *}" 2>/dev/null || true; done
  [ -z "$on_redis_pid" ] || kill "$on_redis_pid" 2>/dev/null || true
  [ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null || true
  [ ! -d "$fast/pg/data" ] || "${as_postgres[@]}" "$PG/pg_ctl" -D "$fast/pg/data" -m immediate stop >/dev/null 2>&1 || true
  # what a parser stumbled over stays
  cp "$fast"/liusheng-fuzz-* /tmp/ 2>/dev/null || true
  rm -rf "$work" "$fast"
}
trap finish EXIT

# What the tests need beside our own programs, while those are built.
tools() {
  set -e
  local more=()
  fc-list :lang=zh 2>/dev/null | grep -q . || more+=(wqy-microhei fonts-wqy-microhei)
  [ -x "$(postgres_bin)/initdb" ] || more+=(initdb postgresql)
  # a venv needs ensurepip, which Debian keeps apart
  python3 -c 'import ensurepip' 2>/dev/null || more+=(ensurepip python3-venv)
  # chromium without the windows that nobody sees
  need redis-server redis-server chromium-headless-shell chromium-headless-shell node nodejs npm npm ffmpeg ffmpeg \
    python3 python3 "${more[@]}"
  (cd tests/browser && npm ci --silent --no-audit --no-fund)
  # one pip serves all, and compiles nothing that nobody asks for
  local pip=tests/clients/.venv/bin/pip
  if ! tests/clients/.venv/bin/python -c 'import centrifuge, wechatpy' 2>/dev/null; then
    python3 -m venv tests/clients/.venv
    "$pip" install --quiet --no-compile --disable-pip-version-check \
      centrifuge-python==0.7.0 'wechatpy[cryptography]==1.8.18'
  fi
  # one of its own: it wants other versions of what both need
  if [ ! -x tests/clients/.kosoku/bin/kosoku ]; then
    python3 -m venv --without-pip tests/clients/.kosoku
    "$pip" --python tests/clients/.kosoku/bin/python install --quiet --no-compile --disable-pip-version-check kosoku==0.1.0
  fi
  # an object store that speaks S3; one of its own, too
  if [ ! -x tests/clients/.moto/bin/moto_server ]; then
    python3 -m venv --without-pip tests/clients/.moto
    "$pip" --python tests/clients/.moto/bin/python install --quiet --no-compile --disable-pip-version-check \
      'moto[s3]==5.2.1' flask==3.1.3 flask-cors==6.0.2
    # what it needs itself, once: several are started at the same time
    tests/clients/.moto/bin/python -c 'import moto.server, moto.s3.responses, moto.s3.urls'
  fi
  bash tests/deploy.sh --only-tools
}
tools >"$work/tools.log" 2>&1 &
tools_pid=$!

# Runs the tests. What failed of tests/it, five at most, runs once more with nothing beside it: a machine too busy for a
# test's clock is told from a fault, and each of them is named, so that nobody takes the run for a clean one.
alone=()
quick=(env "TMPDIR=$fast")
# Every client reads at its start all authorities that the machine trusts, and nobody is asked over TLS here: one will do.
if [ -r /etc/ssl/certs/ca-certificates.crt ]; then
  awk '{ print } /END CERTIFICATE/ { exit }' /etc/ssl/certs/ca-certificates.crt >"$work/authorities.pem"
  quick=(env -u SSL_CERT_DIR "SSL_CERT_FILE=$work/authorities.pem" "TMPDIR=$fast")
fi
tests() { # the command that runs them: cargo, or tests/it, which needs no turn at the build
  local log=$work/tests.log name failed
  "${quick[@]}" "$@" 2>&1 | tee "$log" && return 0
  # nothing but tests/it, which came to its end
  if [ "$1" = cargo ]; then
    grep -A 1 '^error: 1 target failed' "$log" | grep -- '--test it`' >/dev/null || return 1
  fi
  grep -q '^test result: FAILED' "$log" || return 1
  mapfile -t failed < <(sed -n '/^failures:$/,/^test result/p' "$log" | grep -oE '^    [a-z0-9_]+(::[a-z0-9_]+)+$' | tr -d ' ' | sort -u)
  if [ "${#failed[@]}" = 0 ] || [ "${#failed[@]}" -gt 5 ]; then return 1; fi
  for name in "${failed[@]}"; do
    echo "== once more, alone: $name"
    "${quick[@]}" "$it" --quiet --exact "$name" 2>&1 | tee "$log" || return 1
    # a name that is not in tests/it
    grep -q '^test result: ok. 1 passed' "$log" || return 1
    alone+=("$name")
  done
}

# What waits most of the time runs beside tests that do, and gives way to them.
aside() { # what, the command
  nice -n 10 "${@:2}" >"$work/beside.${#beside[@]}.log" 2>&1 &
  beside+=("$! $1")
}

echo "== format, broken twins that still fit"
for twin in tests/broken/*.patch; do
  patch --dry-run --strip 1 --forward --silent <"$twin" >/dev/null || { echo "$twin no longer fits; write it anew"; exit 1; }
done
cargo fmt --all --check
# a clean clone is built once: what makes the next build fast costs time and disk, and so does what a debugger reads
is_clean=0
[ -d target ] || is_clean=1
[ "$is_clean" = 0 ] || export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0
# our own crates are linted where they are compiled
export RUSTC_WORKSPACE_WRAPPER=$PWD/tests/lint.sh

echo "== build, with the lints"
# programs and tests in one go: apart, they want their libraries with other features, and everything is built twice
cargo build --workspace --bins --tests --locked --quiet &
build_pid=$!
# The programs are there a minute before tests/it, which one processor compiles for half of that time: what needs the
# programs alone, and waits most of the time, runs meanwhile.
while kill -0 "$build_pid" 2>/dev/null; do
  # where something was built before, its programs are there from the start
  [ "$is_clean" = 0 ] || [ ! -x target/debug/liusheng ] || [ ! -x target/debug/load-tests ] || break
  sleep 1
done
wait "$tools_pid" || { cat "$work/tools.log"; exit 1; }
tools_pid=""
if [ -x target/debug/liusheng ] && [ -x target/debug/load-tests ]; then
  cuts=2
  [ "$full" = 1 ] && cuts=10
  aside "power cut under load: what was synced is enough" python3 tests/powercut/run.py --cuts "$cuts"
  aside "power cut under load: a disk that forgets the log's syncs is caught" python3 tests/powercut/run.py --cuts 1 --deaf=-wal
  aside "the cases of Autobahn against our frames" bash tests/clients/kosoku.sh
  aside "deploy" bash tests/deploy.sh
fi
# fails the run where the build failed
wait "$build_pid"
build_pid=""
it=$(cargo test --workspace --locked --test it --no-run 2>&1 | sed -n 's/.*Executable tests.*(\(.*\))$/\1/p')
[ -x "$it" ] || { echo "cargo does not say where tests/it is: $it"; exit 1; }
echo "== unit and integration tests: SQLite, in-process broker"
PG=$(postgres_bin)
port=$(free_port)
# a database for each server of the tests
redis-server --port "$port" --bind 127.0.0.1 --databases 8192 --save "" --appendonly no --dir "$work" >"$work/redis.log" 2>&1 &
redis_pid=$!
for _ in $(seq 50); do
  redis-cli -p "$port" ping >/dev/null 2>&1 && break
  sleep 0.1
done
redis_url="redis://127.0.0.1:$port/0"
# One server on a file and a Redis: what a bell, a queue and a wipe do is the same code, which runs on PostgreSQL, too. Most of
# it waits for a Redis that is away: one at a time, beside the others.
on_redis=(redis_wipe:: invariants::doorbell:: live::a_lost_bell_ live::two_sockets_ delivery::a_sick_ story::)
[ "$full" = 0 ] || on_redis=(broker:: redis_wipe:: invariants::doorbell:: live:: delivery:: story::)
"${quick[@]}" RUST_TEST_THREADS=1 "LSTEST_REDIS_URL=$redis_url" "$it" --quiet "${on_redis[@]}" >"$work/on_redis.log" 2>&1 &
on_redis_pid=$!
tests cargo test --workspace --locked --quiet --no-fail-fast

export LSTEST_REDIS_URL=$redis_url
echo "== integration tests of what speaks to the broker: SQLite, Redis"
is_well=1
wait "$on_redis_pid" || is_well=0
on_redis_pid=""
cat "$work/on_redis.log"
if [ "$is_well" = 0 ]; then
  # all of them once more with nothing beside
  tests "$it" --quiet "${on_redis[@]}"
  alone+=("what speaks to the broker: SQLite, Redis")
fi
for number in "${!beside[@]}"; do
  read -r pid what <<<"${beside[$number]}"
  echo "== $what"
  wait "$pid" || { cat "$work/beside.$number.log"; exit 1; }
  cat "$work/beside.$number.log"
done
beside=()

echo "== integration tests: PostgreSQL, Redis"
# fsync stays on: the product refuses a server without it. Nothing is compiled for a statement that runs once in a village
# of fifty: that takes longer than the statement. PostgreSQL refuses to run as root.
mkdir "$fast/pg"
if [ "$(id -u)" = 0 ]; then
  id postgres >/dev/null 2>&1 || useradd --system postgres
  chown postgres "$fast/pg"
  as_postgres=(setpriv --reuid=postgres --regid="$(id -g postgres)" --init-groups env "HOME=$fast/pg")
fi
pg_port=$(free_port)
(
  cd "$fast/pg"
  "${as_postgres[@]}" "$PG/initdb" -D "$fast/pg/data" -U liusheng -A trust -E UTF8 --locale=C.UTF-8 >"$work/initdb.log"
  "${as_postgres[@]}" "$PG/pg_ctl" -D "$fast/pg/data" -l "$fast/pg/log" -w \
    -o "-p $pg_port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$fast/pg -c max_connections=200 -c jit=off" start >/dev/null
)
pg_url="postgres://liusheng@127.0.0.1:$pg_port/postgres"
export LSTEST_DATABASE_URL=$pg_url
# What the short run leaves to SQLite's turn; --full leaves out nothing. Parts of names: a module or the first words of a
# test. What is not named runs on both: races, kills, transactions, queues, plans, the schema, search, counting, how votes
# are cast and end, backups, and one call of every operation by everybody who may (three of them where each call uses up
# what it is about), and by one of those who are refused (authority::).
on_sqlite=(
  # asks no database: the source, the descriptions, what is looked at before a database is opened, a parser, a model
  architecture:: spec:: cli::unknown_ cli::a_settings_ cli::a_wrong_ cli::help_ cli::the_description_
  wechat::crypto:: simulation::device:: simulation::i4_without_ board::archives::
  # what goes over a wire, and ends before or beside what is stored
  hostile::connections:: hostile::fields:: hostile::frames:: hostile::timing:: hostile::tokens::
  hostile::uploads::every_ hostile::uploads::forms_ hostile::sockets::a_foreign_ hostile::sockets::a_handshake_
  live::calls:: live::clients:: live::drain:: live::examples:: live::slow:: live::refusals::rubbish_ live::recovery::heads_
  invariants::memory:: live::recovery::f7_ live::recovery::what_has_ live::recovery::who_writes_ live::resync::
  # faults by seed in streams that are no groups: what fills them, and a restore of a group, run on both
  simulation::i4_letters_ simulation::i4_discussions_
  # pages, in a browser and without: they show what operations answer
  browser:: offline:: live::away:: without_a_script without_javascript by_the_pages the_pages_ the_page_ ::the_desk_
  # providers, programs and shelves of others: their answers, not our rows
  wechat::account:: wechat::sends:: wechat::sms:: aloud:: media::refusing:: media::shelves::
  media::clips::what_we_ media::clips::what_wechat_ media::clips::what_ffmpeg_ media::uploads::a_photo_ media::uploads::bad_
  media::a_photo_ media::only_ media::a_clip_ media::a_long_ media::what_was_
  # rules that are decided in Rust, over rows that others of these tests write and read on both
  accused:: bodies:: escalation:: hiding:: identity::guests:: offices:: paths:: receipts:: routing::
  assists::a_ assists::what_ assists::whoever_ moderation::a_refusal_ moderation::words_ must_read::hours::
  must_read::for_others::a_ promises::days_ promises::hours_ promises::what_nobody_ promises::what_presses_
  promises::what_was_ referrals::a_ referrals::after_ referrals::it_ referrals::what_ referrals::who_ referrals::whom_
  stages::allowed:: stages::meetings:: telling::above:: telling::called:: telling::evening:: telling::loud::
  telling::meetings:: telling::month:: board::charters:: board::inside:: chains::a_ chains::who_ chains::words_
  cosigns::what_ deliberation::a_calendar_ deliberation::a_meeting_ deliberation::a_notice_hangs_
  deliberation::a_notice_that_ deliberation::a_task_ deliberation::a_visit_ deliberation::everybody_ deliberation::the_villagers_
  suggestions::a_form_ suggestions::promises_ suggestions::the_author_ suggestions::what_is_not_
  legal:: stages::doors:: stages::held_up:: stages::works::
  # who may be asked, chosen and represented in which vote; how votes are cast, sealed, counted and ended stays on both
  board::choices::a_tie_ board::choices::what_may_ board::collective:: board::composition:: board::counters:: board::daily::
  board::mobile:: board::of_group:: board::off_roster:: board::posts:: board::recalls:: board::residents:: board::rotated::
  board::selections::
  # tables, doors and talks beside which others of the same module run on both
  figures::whoever_ figures::figures_are_ figures::what_everybody_ telling::doors:: telling::marks::
  wechat::conversation::words_ wechat::conversation::strangers_ wechat::conversation::an_answer_
  wechat::conversation::every_mode_ wechat::conversation::what_wechat_ wechat::conversation::a_touch_
  # what follows from a rule or stands on a page; races, counts, plans and kills of the same modules stay
  answers:: asked_above::a_villagers_ asked_above::each_ asked_above::the_board_ assists:: authority::silence::
  authority::neighbours:: board::after::a_result_ board::after::what_ board::after::without_ board::closed::
  board::ends::a_vote_ board::ends::an_open_ board::ends::who_ board::households::a_household_ board::households::who_
  board::paper::more_ board::paper::of_a_sheet_ board::paper::who_gives_ board::paper::secret::a_secret_
  board::paper::secret::nobody_ board::paper::secret::where_ board::proxies::a_proxy_ board::proxies::of_
  board::proxies::where_ board::proxies::who_ board::rolls::a_secret_ board::rolls::a_vote_ board::rolls::an_objection_
  board::rolls::what_ board::rolls::who_ board::unseen:: board::votes::who_may_ cosigns::a_sheet_ cosigns::photos_
  cosigns::to_whom_ cosigns::who_ councils::in_which_ councils::the_ councils::who_ county::a_private_ county::bodies_
  county::the_county_ county::what_is_open_ delivery::desk:: delivery::halts_ delivery::stages_ elections::a_step_
  elections::who_ groups::the_secretaries_ hostile::codes::a_number_ hostile::codes::an_outsider_ hostile::codes::one_
  hostile::codes::the_county_ hostile::codes::who_ hostile::uploads:: identity::claims::a_ identity::claims::numbers_
  identity::claims::the_ identity::claims::who_ identity::closing::a_correction_ identity::closing::a_group_
  identity::closing::a_withdrawn_ identity::closing::the_files_ identity::desk:: messages::a_conversation_
  messages::a_newcomer_ messages::a_quote_ messages::a_resident_ messages::groups:: messages::masks:: messages::the_office_
  moderation:: must_read::reminders_ must_read::who_was_ next_steps:: people::a_code_ people::a_cookie_ people::a_number_
  people::a_roster_ people::known_ people::signing_ people::who_shares_ promises:: referrals:: skills::nobody_
  skills::what_ skills::whom_ stages::alternatives:: stages::asked::a_rating_ stages::asked::of_few_ stages::asked::what_
  stages::asked::who_ stages::invited::a_ stages::invited::bodies_ stages::invited::what_ stages::invited::who_
  stages::particulars:: stages::withdrawn:: suggestions::a_clip_ suggestions::a_voice_is_ suggestions::who_wants_
  telling::family::a_number_ telling::family::what_ telling::family::who_ telling::news_ telling::votes::
  telling::who_has_not_ wechat::process:: wechat::refused::a_days_ wechat::refused::a_letter_ wechat::refused::a_no_
  wechat::refused::a_stop_ wechat::refused::what_ wechat::refused::who_ wechat::refused::whom_ wechat::ledger::a_page_
  wechat::ledger::a_vote_ withdrawals::a_guest_ withdrawals::what_is_taken_back_counts_ words::who_
)
[ "$full" = 0 ] || on_sqlite=()
# neither browsers nor measures of memory are among them
tests env RUST_TEST_THREADS=5 "$it" --quiet "${on_sqlite[@]/#/--skip=}"
unset LSTEST_DATABASE_URL

if [ "$full" = 1 ]; then
  echo "== the load generators in their smallest size"
  target/debug/load-tests every --small
  echo "== every operation as five people"
  need python3 python3-venv
  bash tests/schemathesis.sh --full
  echo "== broken twins: each must be caught"
  LSTEST_DATABASE_URL=$pg_url env -u RUSTC_WORKSPACE_WRAPPER bash tests/broken/run.sh
fi

[ "${#alone[@]}" = 0 ] || printf 'passed only when run alone (look at its clock): %s\n' "${alone[@]}"
