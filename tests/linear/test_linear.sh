#!/bin/sh
# Loading, planning and running take work in proportion to nodes, values, bodies and iterations: instructions, which valgrind counts, of
# a model and of one four times its size. Two doublings that each multiply by 2.4 are a failure.
# usage: test_linear.sh BUILD_DIR [N [KIND...]]      N: the size of the smaller (default 250; 20000 takes half an hour)
set -u
if ! command -v valgrind >/dev/null; then
  echo "no valgrind, which counts the instructions; apt-get install valgrind"
  exit 77
fi
if grep -q 'fsanitize' "$1/build.ninja" 2>/dev/null; then
  echo "the release build is counted, not one with sanitizers"
  exit 77
fi
program=$1/tests/linear_work
n=${2:-250}
shift
[ $# -gt 0 ] && shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ONNXRUN_CPU=base # valgrind does not know the widest registers

count() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>"$work/log" || { cat "$work/log" >&2; return 1; }
  sed -n 's/.*Collected : *\([0-9]*\).*/\1/p' "$work/log"
}

failed=0
kinds=$*
for kind in ${kinds:-$("$program")}; do
  size=$n
  if [ "$kind" = split ]; then size=$((20 * n)); fi # one node, so that little else takes long
  small=$(count "$kind" "$size") && large=$(count "$kind" $((4 * size))) || { echo "FAIL $kind: does not run"; failed=1; continue; }
  percent=$((large * 100 / small))
  if [ $percent -lt 576 ]; then echo "ok   $kind: $(((large - small) / (3 * size))) instructions each"; else
    echo "FAIL $kind: $size take $small instructions, $((4 * size)) take $large: $percent % (linear: 400)"
    failed=1
  fi
done
exit $failed
