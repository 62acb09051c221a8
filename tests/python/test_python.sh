#!/bin/sh
# The Python package as the build has it, by the tests of check_*.py, with the packages that tests/onnx/history is written with.
# usage: test_python.sh BUILD_DIR
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -e "$build/python/onnxrun/_onnxrun.abi3.so" ]; then
  echo "the package was not built: there are no headers of CPython 3.11 or newer (Debian: python3-dev)"
  exit 77
fi
python=$("$here/../../tools/generator" "$here/../onnx/history/requirements.txt") || exit 77
cd "$here"
PYTHONPATH=$build/python PYTHONDONTWRITEBYTECODE=1 exec "$python" -W error -m unittest discover -q -p 'check_*.py'
