#!/bin/sh
# Every allocation of a load, a plan, a run, of packing and of optimising fails in turn: NO_MEMORY or the same result, nothing left behind.
# usage: test_memory.sh BUILD_DIR [POINTS]      at most POINTS allocations of each model and way (default 12), spread over all
set -u
here=$(cd "$(dirname "$0")" && pwd)
points=${2:-12}
corpus=${ONNXRUN_HOSTILE:-$("$here/../hostile/corpus_folder")}
if grep -q fsanitize "$1/build.ninja"; then points=2; fi
set -- "$1/tests/faults_memory" "$points" "$here/../fixtures"
if [ -e "$corpus/complete" ]; then set -- "$@" "$corpus"; fi
exec "$@"
