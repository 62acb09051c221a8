#!/bin/sh
# The Python package as the build has it, by the tests of check_*.py, with the packages that tests/onnx/history is written with.
# usage: test_python.sh BUILD_DIR
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../../tools/generator" "$here/../onnx/history/requirements.txt") || exit 77
. "$here/environment.sh"
cd "$here"
exec "$python" -W error -m unittest discover -q -p 'check_*.py'
