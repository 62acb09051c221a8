#!/bin/sh
# onnxrun info: parameters are PyTorch's own count, and the tree of modules is PyTorch's.
# usage: test_info.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"

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

# What the exporter puts where it knows of no module is none.
expect 0 "" "$tool" info "$fixtures/causal_transformer_dynamo/model.onnx"
lacks "hook"
tree=$(sed -n '/^module /,/^$/p' "$work/out" | sed '1d; s/^\([^A-Z]*[A-Za-z]*\) .*/\1/; s/^. //' | tr '\n' ' ')
[ "$tree" = "Causal tokens: Embedding places: Embedding norm: LayerNorm qkv: Linear out: Linear head: Linear  " ] ||
  fail "the tree of causal_transformer_dynamo: $tree"
python3 - "$work" <<'PY'
import sys
from model_writer import *
def scopes(names, classes):
    return {"pkg.torch.onnx.name_scopes": str(names), "pkg.torch.onnx.class_hierarchy": str(classes)}
write(sys.argv[1] + "/hooks.onnx",
      [node("Neg", ["x"], ["a"], metadata=scopes(["_some_hook", "neg"], ["_some_hook", "aten.neg.default"])),
       node("Abs", ["a"], ["b"], metadata=scopes(["", "layer", "wrapper_fn", "abs"], ["__main__.Net", "__main__.Block", "wrapper_fn", "aten.abs.default"])),
       node("Exp", ["b"], ["y"], metadata=scopes(["", "layer", "layer.act", "exp"], ["__main__.Net", "__main__.Block", "torch.nn.ReLU", "aten.exp.default"]))],
      [("x", FLOAT, ["batch", None, 3])], [("y", FLOAT, ["batch", None, "features"])], producer="pytorch")
PY
expect 0 "" "$tool" info "$work/hooks.onnx"
lacks "hook \|_hook\|wrapper"
holds "^Net "
holds "^└ layer: Block"
holds "^  └ act: ReLU"

# Dimensions of outputs are what they are of the inputs', whatever the file calls them; where that is not known, they
# have their declared names.
holds "  y  *float32\[batch,?,3\]"
holds "  batch = 1 (guessed), x.1 = 1 (guessed)\$"
expect 0 "" "$tool" info --json "$fixtures/lstm_dynamic_dynamo/model.onnx"
holds '"float32\[batch,time,8\]"'
holds '"float32\[2,batch,4\]"'

python3 - "$work" <<'PY'
import sys
from model_writer import *
write(sys.argv[1] + "/sizes.onnx",
      [node("Concat", ["x", "x", "one"], ["twice"], {"axis": 1}), node("NonZero", ["x"], ["where"]),
       node("Gather", ["x", "all"], ["some"], {"axis": 1})],
      [("x", FLOAT, ["batch", "seq"]), ("one", FLOAT, ["batch", 1]), ("all", INT64, [5])],
      [("twice", FLOAT, ["b", "s"]), ("where", INT64, [2, "found"]), ("some", FLOAT, ["some_0", "some_1"])])
PY
expect 0 "" "$tool" info "$work/sizes.onnx"
holds "  twice  *float32\[batch,2\*seq + 1\]"
holds "  where  *int64\[2,found\]"
holds "  some  *float32\[batch,5\]"

# Of a quantized model, what stays float32 is named, and why.
python3 - "$work" <<'PY'
import sys
from model_writer import *
def dequantize(x, y):
    return node("DequantizeLinear", [x, "step"], [y])
write(sys.argv[1] + "/quantized.onnx",
      [dequantize("x", "a"), dequantize("w", "c"), node("Hardmax", ["a"], ["b"], name="hard"),
       node("MatMul", ["b", "c"], ["y"], name="product"), dequantize("x", "d"), node("MatMul", ["d", "c"], ["z"], name="bytes")],
      [("x", UINT8, [3, 4]), ("w", UINT8, [4, 4])], [("y", FLOAT, [3, 4]), ("z", FLOAT, [3, 4])], [floats("step", [], [0.5])])
PY
expect 0 "" "$tool" info "$work/quantized.onnx"
holds "^between quantized tensors these stay float32\$"
holds "^  1 hardmax: there is no kernel of bytes for it: hard\$"
holds "^  1 matmul: what it multiplies its quantized weights by is not quantized: product\$"
expect 0 "" "$tool" info --json "$work/quantized.onnx"
holds '"reason":.*"there is no kernel of bytes for it"'
expect 0 "" "$tool" info "$fixtures/mlp_ts/model.onnx"
lacks "stay float32"

# A model of several outputs has all of them in its row of the tree.
expect 0 "" "$tool" info "$fixtures/lstm_dynamic_dynamo/model.onnx" --dim time=7 --dim batch=3
tree=$(sed -n '/^module /,/^$/p' "$work/out" | sed '1d; s/  */ /g; s/ *$//')
[ "$tree" = 'LSTM float32[3,7,8] 352 6,048
 float32[2,3,4]
 float32[2,3,4]' ] || fail "the outputs of lstm_dynamic_dynamo: $tree"
expect 0 "" "$tool" info --json "$fixtures/lstm_dynamic_dynamo/model.onnx" --dim time=7 --dim batch=3
python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)["modules"][0]["outputs"] != ["float32[3,7,8]", "float32[2,3,4]", "float32[2,3,4]"])' \
  <"$work/out" || fail "the outputs of lstm_dynamic_dynamo as JSON"

# What its maker has written into a model: fields may follow those that are there.
python3 - "$fixtures/mlp_ts/model.onnx" "$work/told.onnx" <<'PY'
import sys
from model_writer import *
with open(sys.argv[1], "rb") as file, open(sys.argv[2], "wb") as out:
    out.write(file.read() + piece(4, "com.example") + number(5, 12) + piece(6, "About\nit") +
              piece(14, piece(1, "classes") + piece(2, "cat,dog")) + piece(14, piece(1, "odd") + piece(2, b"\xff\x1b")))
PY
expect 0 "" "$tool" info "$work/told.onnx"
grep -q '^model version 12 of com.example$' "$work/out" || fail "info does not tell the model's version"
grep -q '^  classes  *cat,dog$' "$work/out" || fail "info does not tell the property classes"
"$tool" info --json "$work/told.onnx" | python3 -c '
import json, sys
told = json.load(sys.stdin)
assert told["domain"] == "com.example" and told["model_version"] == 12 and told["doc_string"] == "About\nit", told
assert told["properties"]["classes"] == "cat,dog" and told["opsets"]["ai.onnx"] == told["opset"], told' || fail "info --json tells other properties"

# With --precision fast, layers that multiply say that they do so in float16, or why not.
"$tool" info --precision fast "$fixtures/mlp_ts/model.onnx" | grep -q 'layers compute in float16; exact stay' || fail "info says nothing of the precision"
"$tool" info --precision fast --json "$fixtures/mlp_ts/model.onnx" | grep -qE '"note":|"method":.*"half"' || fail "info --json says nothing of the precision"
"$tool" info --precision half "$fixtures/mlp_ts/model.onnx" 2>&1 | grep -q "expected exact|fast, got 'half'" || fail "any precision is taken"

echo "$checked networks"
finish
