#!/bin/sh
# Every committed model and ONNX's suite in memory that ends at pages that cannot be touched; tests/guards/guard.c says what is looked at.
# usage: test_guards.sh BUILD_DIR
set -eu
here=$(cd "$(dirname "$0")" && pwd)
guard=$1/tests/guards_guard
version=$(sed -n 's/^onnx==//p' "$here/../onnx/suite/requirements.txt")
suite=${ONNXRUN_SUITE:-${ONNXRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/onnxrun}/onnx-suite-$version}
"$guard" "$here/../fixtures"
if grep -q fsanitize "$1/build.ninja"; then exit; fi # the rest would take too long
if [ -e "$suite/complete" ]; then "$guard" "$suite/node" "$suite/simple" "$suite/pytorch-converted" "$suite/pytorch-operator"; fi
