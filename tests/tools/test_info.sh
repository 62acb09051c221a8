#!/bin/sh
# onnxrun info: parameters are PyTorch's own count, and the tree of modules is PyTorch's.
# usage: test_info.sh BUILD_DIR
set -u
tool=$1/onnxrun
here=$(cd "$(dirname "$0")" && pwd)
fixtures=$here/../fixtures
failed=0

fail() {
  echo "$*"
  failed=$((failed + 1))
}

checked=0
while read -r name count; do
  case $name in '#'*) continue ;; esac
  found=$("$tool" info --json "$fixtures/$name/model.onnx" | sed -n 's/^\t"parameters":\t\([0-9]*\),*$/\1/p')
  [ "$found" = "$count" ] || fail "$name: PyTorch counts $count parameters, info says $found"
  checked=$((checked + 1))
done <"$here/parameters.txt"
[ $checked -ge 60 ] || fail "only $checked networks were checked"

# A BatchNorm that the exporter folded into its convolution is still in the tree, with its parameters.
tree=$("$tool" info "$fixtures/conv_bn_relu_dynamo/model.onnx" | sed -n '/^module /,/^$/p' | sed 's/  */ /g; s/ *$//')
expected='module output parameters multiply-adds
Sequential float32[1,8,10,10] 232 21,600
├ 0: Conv2d float32[1,8,10,10] 216 21,600
├ 1: BatchNorm2d (in another module) 16
└ 2: ReLU float32[1,8,10,10]'
[ "$tree" = "$expected" ] || fail "tree of conv_bn_relu_dynamo:" "$tree"

# The older exporter names modules in its nodes.
"$tool" info "$fixtures/mlp_ts/model.onnx" | grep -q '0: Linear *float32\[1,16\] *176' || fail "mlp_ts has no module 0 of 176 parameters"
"$tool" info --nodes "$fixtures/mlp_ts/model.onnx" | grep -q '^ *# *layer' || fail "--nodes prints no table of nodes"

echo "$checked networks, $failed failures"
[ $failed -eq 0 ]
