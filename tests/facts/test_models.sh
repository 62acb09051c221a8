#!/bin/sh
# What is deduced of shapes holds for the sizes of each data set: ONNX's suite, old forms, random graphs.
# usage: test_models.sh BUILD_DIR
set -u
checker=$1/tests/facts_check_facts
here=$(cd "$(dirname "$0")/.." && pwd)
cache=${ONNXRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/onnxrun}
sum=$(cat "$here"/onnx/graphs/*.py "$here/onnx/history/requirements.txt" | cksum)
old=$(cat "$here"/onnx/history/*.py "$here/onnx/history/requirements.txt" | cksum)
graphs=${ONNXRUN_GRAPHS:-$cache/onnx-graphs-${sum%% *}}
folders="$here/fixtures/*/ $graphs/cases/*/ $cache/onnx-suite-*/*/*/ ${ONNXRUN_HISTORY:-$cache/onnx-history-${old%% *}}/*/*/"
failed=0
for folder in $folders; do
  if [ -e "$folder/model.onnx" ]; then echo "$folder"; fi
done | xargs -n 500 "$checker" || failed=1
exit $failed
