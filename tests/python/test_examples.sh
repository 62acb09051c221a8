#!/bin/sh
# examples/python/serve.py, with the few packages that it needs. tests/python/run_large has the examples that need large ones.
# usage: test_examples.sh BUILD_DIR
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -e "$build/python/onnxrun/_onnxrun.abi3.so" ]; then
  echo "the package was not built: there are no headers of CPython 3.11 or newer (Debian: python3-dev)"
  exit 77
fi
python=$("$here/../../tools/generator" "$here/requirements.txt") || exit 77
cd "$here"
PYTHONPATH=$build/python PYTHONDONTWRITEBYTECODE=1 exec "$python" -W ignore -m unittest -q example_server
