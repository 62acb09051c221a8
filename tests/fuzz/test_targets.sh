#!/bin/sh
# The fuzz targets without libFuzzer: their seeds, and damaged copies of them, the same ones every time.
# usage: test_targets.sh BUILD_DIR [FACTOR]      FACTOR multiplies the number of copies
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$1
factor=${2:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# TARGET COPIES: what it was given when it failed is kept.
try() {
  python3 "$here/seeds.py" "$1" "$work/$1" "$here/../fixtures" "$("$here/../hostile/corpus_folder")" || failed=1
  if ! "$build/tests/fuzz_$1" -runs=$(($2 * factor)) -artifact="$build/fuzz_$1.failed" "$work/$1" >"$work/log" 2>&1; then
    echo "FAIL: fuzz_$1; what it was given: $build/fuzz_$1.failed"
    failed=1
  fi
  tail -2 "$work/log"
}
try load 20000
try run 6000
try values 6000
try packed 2000
try kernels 3000
exit $failed
