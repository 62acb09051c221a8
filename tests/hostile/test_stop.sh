#!/bin/sh
# The hostile corpus with default limits: where a case takes long it is cancelled, and ends at once; else as it is made for.
# usage: test_stop.sh BUILD_DIR      ONNXRUN_HOSTILE: where the corpus is (default: in the cache, where tools/test writes it)
set -u
here=$(cd "$(dirname "$0")" && pwd)
corpus=${ONNXRUN_HOSTILE:-$("$here/corpus_folder")}
if [ ! -e "$corpus/complete" ]; then
  echo "no corpus in $corpus; tools/test writes it"
  exit 77
fi
exec "$1/tests/hostile_run_cases" --stop "$corpus" "$here/differences.txt"
