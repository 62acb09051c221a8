#!/bin/sh
# examples/python/serve.py, with the few packages that it needs. tests/python/run_large has the examples that need large ones.
# usage: test_examples.sh BUILD_DIR
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../../tools/generator" "$here/requirements.txt") || exit 77
. "$here/environment.sh"
cd "$here"
exec "$python" -W ignore -m unittest -q example_server
