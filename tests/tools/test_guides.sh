#!/bin/sh
# Every block of code of README.md and docs/ runs as it stands, in the order of its page, or is run by another test that guides.py names.
# usage: test_guides.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
build=$(cd "$1" && pwd)
root=$(cd "$here/../.." && pwd)
python=$("$root/tools/generator" "$here/../onnx/history/requirements.txt") || exit 77
. "$here/../python/environment.sh"
if [ -n "${LD_PRELOAD-}" ]; then
  echo "a sanitizer's runtime for Python is none for the tool, and a block may call either"
  exit 77
fi
export PYTHONPATH="$here:$PYTHONPATH"
compiler=$(sed -n 's/^set(CMAKE_C_COMPILER "\(.*\)")$/\1/p' "$build"/CMakeFiles/*/CMakeCCompiler.cmake)
"$python" "$here/guides.py" "$root" "$tool" "$compiler" "$work" || fail "see above"
finish
