#!/bin/sh
# compare: every value that is there after all rewrites is what plain C computes without them, and what ONNX Runtime computes;
# what is wrong is found at the first layer. run --dump-all writes such values.
# usage: test_compare.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"

# Whatever was fused, or is stored in another order, has the name and the values of the file.
count=0
for folder in "$fixtures"/*/; do
  set -- "${folder}model.onnx"
  [ -f "$1" ] || continue
  for file in "$folder"test_data_set_0/input_*.pb; do [ -f "$file" ] && set -- "$@" -i "$file"; done
  expect 0 "" "$tool" compare "$@"
  holds " values compared with plain C without rewrites, 0 differ"
  count=$((count + 1))
done
[ $count -gt 250 ] || fail "only $count fixtures"

# PyTorch's own outputs and inputs, as backend tests have them; a folder of .npy; an .npz.
model=$fixtures/conv_bn_relu_dynamo/model.onnx
expect 0 "" "$tool" compare "$model" --reference "$fixtures/conv_bn_relu_dynamo/test_data_set_0"
# An input that is given is taken, also where the reference has one.
sets=$fixtures/causal_transformer_dynamo
expect 0 "" "$tool" compare "$sets/model.onnx" --reference "$sets/test_data_set_0" -i "$sets/test_data_set_0/input_0.pb"
expect 1 "" "$tool" compare "$sets/model.onnx" --reference "$sets/test_data_set_0" -i "$sets/test_data_set_1/input_0.pb"
holds "^1 values compared"
lacks random
expect 0 "" "$tool" run "$model" --backend portable --disable-passes all --dump-all "$work/values"
holds " values -> $work/values"
expect 0 "" "$tool" compare "$model" --reference "$work/values"
expect 1 "" "$tool" compare "$model" --seed 7 --reference "$work/values"
python3 - "$work" <<'PY' || fail "what was dumped"
import json, os, struct, sys, zipfile
work = sys.argv[1]
rows = json.load(open(work + "/values/index.json"))
assert {row["file"] for row in rows} | {"index.json"} == set(os.listdir(work + "/values")), rows
assert len(rows) >= 2 and any(row["operator"] == "Conv" and row["layer"] == "conv" and ".py:" in row["source"] for row in rows), rows
# One element of what the fused layer ends in is changed, in an archive; what lies behind it is as it was.
(relu,) = (row for row in rows if row["operator"] == "Relu")
with zipfile.ZipFile(work + "/wrong.npz", "w") as archive, zipfile.ZipFile(work + "/right.npz", "w") as right:
    for row in rows:
        data = bytearray(open(f"{work}/values/{row['file']}", "rb").read())
        right.writestr(row["name"] + ".npy", bytes(data))
        if row is relu:
            data[-4:] = struct.pack("<f", 41.5)
        archive.writestr(row["name"] + ".npy", bytes(data))
open(work + "/relu", "w").write(relu["name"])
PY
expect 0 "" "$tool" compare "$model" --reference "$work/right.npz"
expect 1 "" "$tool" compare "$model" --reference "$work/wrong.npz"
holds "^first: node [0-9]*, conv (.* at .*\.py:[0-9]*), writes '$(cat "$work/relu")': 1 of [0-9]* elements differ; worst at \[.*\]: expected 41.5, found "
expect 1 "" "$tool" compare "$model" --reference "$work/wrong.npz" --json
python3 - "$work/out" "$(cat "$work/relu")" <<'PY' || fail "a comparison as JSON: $(cat "$work/out")"
import json, sys
told = json.load(open(sys.argv[1]))
wrong = [row for row in told["values"] if not row["agrees"]]
assert told["different"] == len(wrong) == 1 and told["compared"] == len(told["values"]), told
assert wrong[0]["value"] == sys.argv[2] and wrong[0]["layer"] == "conv" and 30 < wrong[0]["largest_difference"] < 42, wrong
assert sys.argv[2] in told["first"], told
PY
expect 0 "" "$tool" compare "$model" --reference "$work/wrong.npz" --atol 50
expect 5 "nowhere.npz" "$tool" compare "$model" --reference "$work/nowhere.npz"
mkdir "$work/empty"
expect 2 "has none of the values that the model writes: it has .*, the model writes '[^']*'" "$tool" compare "$model" --reference "$work/empty"

# Each turn of a loop is compared with the same turn; dumped values of turns have files of their own.
expect 0 "" "$tool" compare "$fixtures/while_loop_dynamo/model.onnx" --json
grep -q '#2"' "$work/out" || fail "only one turn of a loop was compared"
expect 0 "" "$tool" run "$fixtures/while_loop_dynamo/model.onnx" --dump-all "$work/turns"
[ "$(ls "$work/turns" | wc -l)" = "$(($(grep -c '"file"' "$work/turns/index.json") + 1))" ] || fail "turns of a loop share files"

# Names that are one as names of files, or longer than those may be; text, sequences, optionals, floats of 8 bits, what has no elements.
python3 - "$work" <<'PY'
import sys
from model_writer import *
long = "n" * 500
nodes = [node("StringConcat", ["text", "text"], ["a/b"]), node("StringConcat", ["a/b", "a/b"], ["a:b"]), node("StringConcat", ["a:b", "a/b"], [long + "1"]),
         node("SequenceConstruct", ["a/b", "a:b"], ["index.json"]), node("SequenceInsert", ["index.json", long + "1"], ["list"]),
         node("SequenceAt", ["list", "two"], ["y"]), node("Neg", ["x"], ["-x"]), node("Optional", ["-x"], ["maybe"]),
         node("OptionalGetElement", ["maybe"], [long + "2"]), node("Cast", [long + "2"], ["small"], {"to": 19}), node("Cast", ["small"], ["z"], {"to": 1}),
         node("IsNaN", ["x"], ["none"]), node("NonZero", ["none"], ["empty"])]
write(sys.argv[1] + "/odd.onnx", nodes, [("text", STRING, ["n"]), ("x", FLOAT, ["m"])],
      [("y", STRING, ["n"]), ("z", FLOAT, ["m"]), ("list", [STRING], None), (long + "2", FLOAT, ["m"]), ("empty", INT64, [1, None])],
      [number(2, INT64) + piece(8, "two") + piece(7, varint(2))])
PY
set -- -i 'text=["\u00e9", "b"]' -i 'x=[1, -2.5, 3]'
expect 0 "" "$tool" compare "$work/odd.onnx" "$@"
holds "^13 values compared with plain C without rewrites, 0 differ"
expect 0 "" "$tool" run "$work/odd.onnx" "$@" --disable-passes all --backend portable --dump-all "$work/odd"
expect 0 "" "$tool" compare "$work/odd.onnx" "$@" --reference "$work/odd" --json
python3 - "$work" <<'PY' || fail "odd names and types"
import json, struct, sys
work = sys.argv[1]
rows = {row["name"]: row for row in json.load(open(work + "/odd/index.json"))}
told = json.load(open(work + "/out"))
seen = {row["value"] for row in told["values"]}
assert told["different"] == 0 and seen == set(rows) and len(rows) == 13, (told, list(rows))
assert {"a/b", "a:b", "n" * 500 + "1", "n" * 500 + "2"} < seen, seen
assert len({row["file"] for row in rows.values()}) == len(rows) and rows["index.json"]["type"] == "sequence", rows
assert [entry["type"] for entry in rows["list"]["entries"]] == ["string[2]"] * 3 and rows["maybe"]["type"] == "optional", rows
def change(file, old, new):
    data = open(f"{work}/odd/{file}", "rb").read()
    assert data.count(old) == 1, (file, data)
    open(f"{work}/odd/{file}", "wb").write(data.replace(old, new))
change(rows["list"]["entries"][1]["file"], "bbbb".encode("utf-32-le"), "bcbb".encode("utf-32-le"))
change(rows["small"]["file"], bytes([0xBC, 0x41, 0xC2]), bytes([0xBC, 0x41, 0x42]))  # -1, 2.5, -3 become -1, 2.5, 3
PY
expect 1 "" "$tool" compare "$work/odd.onnx" "$@" --reference "$work/odd"
holds "^first: node .*, writes 'list': entry 1: element 1 of 2 differs"
holds "^FAIL .*float8e5m2\[3\] .* small"
holds ", 2 differ"
expect 0 "" "$tool" run "$work/odd.onnx" "$@" --dump-all "$work/odd"
expect 0 "" "$tool" compare "$work/odd.onnx" "$@" --reference "$work/odd"
mv "$work/odd/z.npy" "$work/z"
expect 5 "odd/z.npy: cannot be opened" "$tool" compare "$work/odd.onnx" "$@" --reference "$work/odd"
for index in '{}' '[{"file": "y.npy"}]' '[{"name": "y"}]' '[{"name": "y", "type": "float32", "entries": []}]' '[1'; do
  printf %s "$index" >"$work/odd/index.json"
  expect 2 "odd/index.json: .*run --dump-all" "$tool" compare "$work/odd.onnx" "$@" --reference "$work/odd"
done

# ONNX Runtime.
if ! python=$("$here/../../tools/generator" "$here/../onnx/history/requirements.txt" 2>/dev/null); then
  echo "no onnxruntime: not compared with it"
  finish
fi
for name in conv_bn_relu_dynamo transformer_encoder_layer_dynamo23 lstm_ts scripted_loop_ts; do
  expect 0 "" "$python" "$here/../../python/onnxrun/reference.py" "$fixtures/$name/model.onnx" -o "$work/$name.npz"
  expect 0 "" "$tool" compare "$fixtures/$name/model.onnx" --reference "$work/$name.npz"
  holds ", 0 differ"
done
finish
