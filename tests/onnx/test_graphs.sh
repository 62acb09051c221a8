#!/bin/sh
# Random graphs and graphs by hand (graphs/) with all rewrites and with none, on portable kernels, and on two threads; the
# random ones as declared, with every size fixed and with every size open.
# usage: test_graphs.sh BUILD_DIR      ONNXRUN_GRAPHS: where tools/test wrote them (default: in the cache)
set -u
tool=$1/onnxrun
here=$(cd "$(dirname "$0")" && pwd)
sum=$(cat "$here"/graphs/*.py "$here/history/requirements.txt" | cksum)
graphs=${ONNXRUN_GRAPHS:-${ONNXRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/onnxrun}/onnx-graphs-${sum%% *}}
if [ ! -e "$graphs/complete" ]; then
  echo "no graphs in $graphs; tools/test writes them"
  exit 77
fi
failed=0
for mode in "" "--disable-passes all" "--backend portable" "--threads 2"; do
  # shellcheck disable=SC2086 # no word, or two
  result=$("$tool" check --rtol 1e-3 --atol 1e-4 $mode "$graphs/cases") || failed=1
  echo "$result" | grep -v '^ok ' | sed "s/^/${mode:-plain}: /"
done
exit $failed
