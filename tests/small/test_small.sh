#!/bin/sh
# A build for one model (ONNXRUN_OPS_FROM, docs/small.md): its program prints what the whole library's prints, refuses a model of other
# operators, and is small. Its size and the tool's are printed.
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
file=tests/fixtures/mlp_ts/model.onnx
model=$root/$file
most=120000 most_tool=3798000 # bytes, by clang 14
compiler=$(sed -n 's/^set(CMAKE_C_COMPILER "\(.*\)")$/\1/p' "$build"/CMakeFiles/*/CMakeCCompiler.cmake)

fail() {
  echo "$1" >&2
  exit 1
}

{
  cmake -G Ninja -S "$root" -B "$build/small" "-DCMAKE_C_COMPILER=$compiler" -DCMAKE_BUILD_TYPE=MinSizeRel -DONNXRUN_XNNPACK=OFF \
    -DONNXRUN_MESSAGES=OFF -DONNXRUN_WIDE_LEVELS= "-DONNXRUN_OPS_FROM=$file" "-DONNXRUN_NEEDS=$build/onnxrun_needs" &&
    cmake --build "$build/small"
} >"$build/small.log" 2>&1 || {
  tail -n 40 "$build/small.log" >&2
  fail "the small build failed"
}
program=$build/small/run_model
export ONNXRUN_CPU=base # on both sides the same kernels
[ "$("$program" "$model")" = "$("$build/examples/example_run_model" "$model")" ] || fail "it does not print what the whole library prints"
other=$root/tests/fixtures/conv_bn_relu_ts/model.onnx
if "$program" "$other" 2>"$build/small.log"; then fail "it runs a model whose operators it does not have"; fi
grep -q '^UNSUPPORTED' "$build/small.log" || fail "it does not say that a model is unsupported: $(cat "$build/small.log")"

# Any model runs as in the whole library, or is refused.
for other in "$root"/tests/fixtures/*/model.onnx; do
  if "$program" "$other" >"$build/small.out" 2>"$build/small.log"; then
    [ "$(cat "$build/small.out")" = "$("$build/examples/example_run_model" "$other")" ] || fail "$other: it does not print what the whole library prints"
  else
    grep -q '^UNSUPPORTED' "$build/small.log" || fail "$other: it is not refused as unsupported: $(cat "$build/small.log")"
  fi
done

# What other levels of the processor need is asked of this one, too: at the first level this convolution transposes.
cmake "-DNEEDS=$build/onnxrun_needs" "-DMODELS=$root/tests/fixtures/conv1d_strided_ts/model.onnx" "-DLAYERS=$root/src/layers/layers.inc" \
  -DLEVELS=avx2 "-DTARGET=$build/small/conv.h" -P "$root/cmake/only.cmake"
for line in ONRI_HAS_LAYER_conv ONRI_HAS_LAYER_transpose; do
  grep -q "^#define $line ONRI_PRESENT$" "$build/small/conv.h" || fail "a build for a convolution lacks $line"
done

# Sizes count where they are those of what is delivered.
bytes() { wc -c <"$1"; }
strip -o "$build/small/onnxrun" "$build/onnxrun"
tool=$(bytes "$build/small/onnxrun")
echo "an MLP, without XNNPACK: $(bytes "$program") bytes; the tool: $tool"
[ "$(bytes "$program")" -lt $most ] || fail "a program for an MLP has more than $most bytes"
if grep -q '^CMAKE_BUILD_TYPE:[A-Z]*=Release$' "$build/CMakeCache.txt"; then
  [ "$tool" -lt $most_tool ] || fail "the tool has more than $most_tool bytes"
fi
