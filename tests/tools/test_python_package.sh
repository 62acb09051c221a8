#!/bin/sh
# The Python package: its version is the tool's, and what a wheel is made of is there. tests/python runs it; tests/models/run builds
# a wheel.
# usage: test_python_package.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
root=$(cd "$here/../.." && pwd)
version=$("$tool" --version | sed 's/^onnxrun \([^ ]*\).*/\1/')
declared=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$root/python/onnxrun/__init__.py")
[ "$declared" = "$version" ] || fail "onnxrun.__version__ is '$declared', the tool is '$version'"
grep -q 'dynamic = \["version"\]' "$root/pyproject.toml" || fail "pyproject.toml has a version of its own"

module=python/onnxrun/_onnxrun.abi3.so
if [ ! -e "$1/$module" ]; then
  echo "the package was not built: there are no headers of CPython 3.11 or newer"
  [ $failures = 0 ] && exit 77
  finish
fi
# Of CPython it needs the functions of the stable ABI of 3.11, which the headers held it to, and no library.
nm -D --undefined-only "$1/$module" | awk '$2 ~ /^_Py/ && $2 !~ /_SizeT$/ && $2 !~ /^_Py_(NoneStruct|Dealloc|TrueStruct|FalseStruct)$/ { print $2 }' >"$work/private"
[ ! -s "$work/private" ] || fail "it uses what is private to CPython: $(cat "$work/private")"
nm -D --defined-only "$1/$module" | awk '{ print $NF }' >"$work/exported"
[ "$(cat "$work/exported")" = PyInit__onnxrun ] || fail "it exports more than PyInit__onnxrun: $(cat "$work/exported")"

# What a wheel holds of the build, which lies apart from what `cmake --install` gives users of C.
expect 0 "" cmake --install "$1" --prefix "$work/wheel" --component python
[ -e "$work/wheel/onnxrun/_onnxrun.abi3.so" ] || fail "the component python installs no module"
finish
