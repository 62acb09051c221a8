#!/bin/sh
# Every fixture and every case of the suite, written by 'onnxrun optimise', against optimise/expected.txt: accepted by onnx.checker, with no more nodes,
# and with the same results in onnxrun and in ONNX Runtime.
# usage: test_optimise.sh BUILD_DIR
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^onnx==//p' "$here/suite/requirements.txt")
suite=${ONNXRUN_SUITE:-${ONNXRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/onnxrun}/onnx-suite-$version}
if [ ! -e "$suite/complete" ]; then
  echo "no suite in $suite; tools/test writes it"
  exit 77
fi
python=$("$here/../../tools/generator" "$here/history/requirements.txt") || exit 77
exec "$python" -B "$here/optimise/check_optimise.py" "$build/onnxrun" "$here/optimise/expected.txt" "$here/../fixtures" \
  "$suite/node" "$suite/simple" "$suite/pytorch-converted" "$suite/pytorch-operator" "$suite/light"
