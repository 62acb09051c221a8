#!/bin/sh
# A sample of the hostile corpus in valgrind's memcheck, which sees memory that is read before it is written, XNNPACK's reads included.
# usage: test_valgrind.sh BUILD_DIR [STEP]      one case of STEP (default 25); ONNXRUN_HOSTILE as in test_hostile.sh
set -u
here=$(cd "$(dirname "$0")" && pwd)
corpus=${ONNXRUN_HOSTILE:-$("$here/corpus_folder")}
step=${2:-25}
if [ ! -e "$corpus/complete" ]; then
  echo "no corpus in $corpus; tools/test writes it"
  exit 77
fi
if ! command -v valgrind >/dev/null; then
  echo "no valgrind; apt-get install valgrind"
  exit 77
fi
if grep -q 'fsanitize' "$1/build.ninja" 2>/dev/null; then
  echo "not together with a sanitizer"
  exit 77
fi
export ONNXRUN_CPU=base # valgrind does not know the widest registers
# shellcheck disable=SC2046 # names are words
exec valgrind -q --error-exitcode=1 --leak-check=full --main-stacksize=8388608 "$1/tests/hostile_run_cases" "$corpus" "$here/differences.txt" \
  $(awk -F'\t' -v step="$step" 'NR % step == 1 { print $1 }' "$corpus/cases.tsv")
