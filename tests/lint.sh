#!/usr/bin/env bash
# Stands before the compiler of our own crates (RUSTC_WORKSPACE_WRAPPER in tests/run.sh): they are linted while they are
# compiled. To lint them beside the tests took four minutes of a processor: what they depend on is read once more for it.
# What clippy compiles lacks the small optimisations of a debug build. So the library that everything runs on is left to
# rustc, whose warnings count, and linted where it is compiled with its unit tests. tests/it is not linted.
# usage: tests/lint.sh RUSTC ARGUMENT...
set -euo pipefail
words=" $* "
if [[ $words == *" -vV "* || $words == *" --print"* ]]; then
  # cargo asks about the compiler
  exec "$@"
elif [[ $words == *" --crate-name liusheng "* ]]; then
  [[ $words != *" --crate-type lib "* ]] || exec "$@" -D warnings
elif [[ $words == *" --test "* ]]; then
  exec "$@"
fi
exec clippy-driver "$@" -D warnings
