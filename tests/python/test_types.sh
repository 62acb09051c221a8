#!/bin/sh
# The package's types, by mypy --strict: a script that uses it, the modules that need no torch, and that mypy finds a mistake.
# usage: test_types.sh BUILD_DIR
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../../tools/generator" "$here/requirements.txt") || exit 77
cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
export MYPYPATH="$build/python"
mypy() { "$python" -m mypy --strict --follow-imports=silent --cache-dir "$cache" "$@"; }
cd "$cache"
mypy "$here/typed_script.py"
mypy -m onnxrun -m onnxrun._arguments -m onnxrun._values -m onnxrun._operators -m onnxrun._model -m onnxrun.inference_session -m onnxrun.__main__
echo 'import onnxrun; onnxrun.load("model.onnx", threads="two")' >wrong.py
if mypy wrong.py >found; then
  echo "FAIL: mypy takes threads=\"two\""
  exit 1
fi
grep -q 'incompatible type "str"; expected "int"' found
