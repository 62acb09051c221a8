#!/bin/sh
# The hostile corpus: every case must end with the status that it is made for, in bounded time and memory, with the widest vectors of the
# machine and with the shortest, which have other kernels.
# usage: test_hostile.sh BUILD_DIR      ONNXRUN_HOSTILE: where the corpus is (default: in the cache, where tools/test writes it)
set -u
here=$(cd "$(dirname "$0")" && pwd)
corpus=${ONNXRUN_HOSTILE:-$("$here/corpus_folder")}
if [ ! -e "$corpus/complete" ]; then
  echo "no corpus in $corpus; tools/test writes it"
  exit 77
fi
failed=0
"$1/tests/hostile_run_cases" "$corpus" "$here/differences.txt" || failed=1
ONNXRUN_CPU=base "$1/tests/hostile_run_cases" "$corpus" "$here/differences.txt" || failed=1
exit $failed
