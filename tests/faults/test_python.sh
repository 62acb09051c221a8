#!/bin/sh
# The Python package where calls into the C library fail, each in turn: python.py says how.
# usage: test_python.sh BUILD_DIR [POINTS]      at most POINTS of the calls of a kind for each deed (default 40), spread over all
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
library=$build/tests/libfaults_inject.so
if [ ! -e "$library" ]; then
  echo "calls can be made to fail on Linux with glibc alone"
  exit 77
fi
python=$("$here/../../tools/generator" "$here/../onnx/history/requirements.txt") || exit 77
. "$here/../python/environment.sh"
if [ -n "${LD_PRELOAD-}" ]; then
  echo "a sanitizer's runtime must come first, before a library that is preloaded"
  exit 77
fi
LD_PRELOAD=$library exec "$python" "$here/python.py" "${2:-40}"
