#!/bin/sh
# The fuzz targets without libFuzzer: their seeds, and damaged copies of them, the same ones every time.
# usage: test_targets.sh BUILD_DIR [RUNS]      RUNS multiplies the number of copies
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# NAME COPIES
try() {
  python3 "$here/seeds.py" "$1" "$work/$1" "$root/tests/fixtures" "$("$here/../hostile/corpus_folder")" >"$work/log" || { cat "$work/log"; failed=1; return; }
  if ! "$build/tests/fuzz_$1" -runs=$(($2 * factor)) -artifact="$work/artifact" "$work/$1" >"$work/log" 2>&1; then
    cp "$work/artifact" "$build/fuzz_$1.failed" 2>/dev/null
    echo "FAIL: fuzz_$1; what it was given is in $build/fuzz_$1.failed"
    tail -40 "$work/log"
    failed=1
  fi
  tail -1 "$work/log"
}
build=$1
factor=${2:-1}
try load 20000
try run 6000
exit $failed
