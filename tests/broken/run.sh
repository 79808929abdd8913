#!/usr/bin/env bash
# Builds each broken twin of the product and requires that the test which guards against it fails, with the right words.
# usage: tests/broken/run.sh [twin ...]     (all when none is named)
# A twin is a patch whose head names the test (`Run:`), what the failure must say (`Must say:`), and `On: postgres` when it
# takes a PostgreSQL (LSTEST_DATABASE_URL) and a Redis (LSTEST_REDIS_URL).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# All twins are built in one place, so that dependencies are compiled once; never in the product's own, because cargo knows
# a workspace's crates by their place in it and would take a twin's for the product's.
export CARGO_TARGET_DIR=${LSTEST_TWINS_DIR:-$root/target/twins}
export RUST_BACKTRACE=0
if [ ! -e "$CARGO_TARGET_DIR" ] && [ -e "$root/target/debug/.fingerprint" ]; then
  mkdir -p "$CARGO_TARGET_DIR/debug"
  tar -C "$root/target/debug" --exclude='*liusheng*' --exclude='it-*' --exclude='*load_tests*' -cf - .fingerprint build deps |
    tar -C "$CARGO_TARGET_DIR/debug" -xf -
fi

# shellcheck disable=SC2046 # names of patches, one word each: to be split
[ $# -gt 0 ] || set -- $(cd "$here" && ls ./*.patch | sed 's#^\./##; s#\.patch$##')
bad=0
for twin in "$@"; do
  patch_file=$here/$twin.patch
  on=(env -u LSTEST_DATABASE_URL)
  if grep -q '^On: postgres$' "$patch_file"; then
    on=()
    if [ -z "${LSTEST_DATABASE_URL:-}" ] || [ -z "${LSTEST_REDIS_URL:-}" ]; then
      echo "skipped, because LSTEST_DATABASE_URL or LSTEST_REDIS_URL is not set: $twin"
      continue
    fi
  fi
  tree=$work/$twin
  mkdir "$tree"
  # with times of now: what the last twin changed and this one does not is older than the last build otherwise
  tar -C "$root" --exclude=./target --exclude=./.git --exclude=node_modules -cf - . | tar -C "$tree" -xmf -
  if ! patch --directory "$tree" --strip 1 --forward --silent <"$patch_file"; then
    echo "BROKEN TWIN $twin: the patch no longer fits; write it anew"
    bad=1
    continue
  fi
  run=$(sed -n 's/^Run: //p' "$patch_file")
  words=$(sed -n 's/^Must say: //p' "$patch_file")
  out=$work/$twin.out
  if ! (cd "$tree" && cargo test --workspace --locked --test it --no-run >"$out" 2>&1); then
    tail -n 40 "$out"
    echo "BROKEN TWIN $twin: does not build; write it anew"
    bad=1
    continue
  fi
  if (cd "$tree" && "${on[@]}" cargo test --workspace --locked --test it -- "$run" --nocapture >"$out" 2>&1); then
    echo "NOT CAUGHT $twin: $run passes although the product is broken"
    bad=1
  elif grep -qF -- "$words" "$out"; then
    echo "caught $twin by $run:"
    grep -F -A 5 -- "$words" "$out" | cut -c 1-160 | sed 's/^/    /'
  else
    tail -n 40 "$out"
    echo "WRONG REASON $twin: $run fails, but does not say: $words"
    bad=1
  fi
  rm -rf "$tree"
done
exit $bad
