#!/bin/sh
# The commands as other programs use them: files that are read back, JSON, exit codes.
# usage: test_cli.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
model=$fixtures/linear_2d_dynamo/model.onnx
input=$("$tool" info --json "$model" | sed -n '/"inputs"/,/]/s/.*"name":[^"]*"\([^"]*\)".*/\1/p' | head -n 1)

# Outputs are .npy files that are read back, as inputs of another run.
expect 0 "" "$tool" run "$model" --seed 3 -o "$work/results"
[ -n "$(ls "$work/results")" ] || fail "no output files"
output=$(ls "$work/results"/*.npy)
expect 2 "ARGUMENT: .*fixed to\|expected" "$tool" run "$model" -i "$input=$output"
expect 0 "" "$tool" run "$model" -i "$input=$fixtures/linear_2d_dynamo/test_data_set_0/input_0.pb"
holds "float32"

# The maps of a classifier become one list of keys and a row of values for each; strings are NumPy's.
cat >"$work/zip_map.txt" <<'TEXT'
ir_version: 8
opset_import { domain: "ai.onnx.ml" version: 1 }
graph {
  node {
    input: "x" output: "y" op_type: "ZipMap" domain: "ai.onnx.ml"
    attribute { name: "classlabels_strings" type: 8 strings: "no" strings: "d\303\251j\303\240" }
  }
  input { name: "x" type { tensor_type { elem_type: 1 shape { dim { dim_value: 3 } dim { dim_value: 2 } } } } }
  output { name: "y" type { sequence_type: "" } }
}
TEXT
protoc-c -I "$fixtures/../../onnx/file" --encode=onnx.ModelProto "$fixtures/../../onnx/file/onnx.proto" <"$work/zip_map.txt" >"$work/zip_map.onnx"
expect 0 "" "$tool" run "$work/zip_map.onnx"
holds 'map { string\[2\] "no" "déjà" float32\[2\]'
expect 0 "" "$tool" run "$work/zip_map.onnx" -o "$work/maps"
for header in "keys.npy '<U4'.*(2,)" "values.npy '<f4'.*(3, 2,)"; do
  grep -aq "${header#* }" "$work/maps/y/${header%% *}" || fail "no $header"
done
[ "$(tail -c 16 "$work/maps/y/keys.npy" | tr -d '\0')" = "$(printf 'd\351j\340')" ] || fail "the last key"

# An initializer that is an input, too, is told, used when it is not given, and replaced when it is.
cat >"$work/default.txt" <<'TEXT'
ir_version: 8
opset_import { version: 17 }
graph {
  node { input: "w" output: "y" op_type: "Neg" }
  initializer { name: "w" dims: 2 data_type: 1 float_data: 1 float_data: 2 }
  input { name: "w" type { tensor_type { elem_type: 1 shape { dim { dim_value: 2 } } } } }
  output { name: "y" type { tensor_type { elem_type: 1 } } }
}
TEXT
protoc-c -I "$fixtures/../../onnx/file" --encode=onnx.ModelProto "$fixtures/../../onnx/file/onnx.proto" <"$work/default.txt" >"$work/default.onnx"
expect 0 "" "$tool" info "$work/default.onnx"
holds "inputs with a default"
expect 0 "" "$tool" run "$work/default.onnx" -o "$work/once"
expect 0 "" "$tool" run "$work/default.onnx" -i "w=$work/once/y.npy" -o "$work/twice"
expect 0 "" "$tool" run "$work/default.onnx" -i "w=$work/twice/y.npy" -o "$work/thrice"
cmp "$work/once/y.npy" "$work/thrice/y.npy" || fail "negated thrice is not negated"
cmp "$work/once/y.npy" "$work/twice/y.npy" >/dev/null && fail "an input with a default was not replaced"

expect 0 "" "$tool" bench "$model" --seconds 0 --json
for key in load_ms first_ms min_ms median_ms p90_ms runs arena_bytes weight_bytes peak_rss_bytes inputs kernel_library; do holds "\"$key\""; done
# A profile's times are medians, as that of whole runs, and their shares make a whole.
expect 0 "" "$tool" bench "$model" --seconds 0 --json --profile
python3 - "$work/out" <<'PY' || fail "a profile as JSON: $(cat "$work/out")"
import json, sys
bench = json.load(open(sys.argv[1]))
rows = bench["profile"]
times = [row["median_ms"] for row in rows]
shares_fit = all(abs(row["share"] * sum(times) - row["median_ms"]) < 1e-9 for row in rows)
sys.exit(not rows or not shares_fit or bench["profile_runs"] != bench["runs"] or times != sorted(times, reverse=True))
PY
# Methods beside the one that is chosen, each with a time.
expect 0 "" "$tool" bench "$fixtures/conv2d_dynamo/model.onnx" --seconds 0 --kernels
holds "chosen"
holds "^[0-9]* kinds, .* in all"
expect 0 "" "$tool" bench "$fixtures/conv2d_dynamo/model.onnx" --seconds 0 --kernels --json
python3 - "$work/out" <<'PY' || fail "kernels as JSON: $(cat "$work/out")"
import json, sys
rows = json.load(open(sys.argv[1]))["kernels"]
for row in rows:
    times = {m["method"]: m["ms"] for m in row["methods"]}
    assert row["chosen"] in times and row["best"] in times and times[row["best"]] == min(times.values()), row
    assert row["layer"] == "conv" and row["count"] == 1 and len(row["weight"]) == 4 and all(m["gflops"] > 0 for m in row["methods"])
sys.exit(len(rows) != 1)
PY
expect 0 "" "$tool" bench "$model" --seconds 0 --kernels

expect 0 "" "$tool" bench "$model" --seconds 0 --profile
holds "^profile: medians of 3 runs, "
holds " time  *GFLOP/s"

expect 0 "" "$tool" info "$model"
holds "multiply-adds"
expect 0 "" "$tool" check "$fixtures/linear_2d_dynamo"
holds "ok linear_2d_dynamo"
holds "1 passed, 0 failed"
cp -r "$fixtures/linear_2d_dynamo" "$work/other"
cp "$fixtures/linear_2d_ts/test_data_set_0/input_0.pb" "$work/other/test_data_set_0/input_0.pb"
head -c 40 "$fixtures/linear_2d_dynamo/test_data_set_0/output_0.pb" >"$work/other/test_data_set_0/output_0.pb"
expect 1 "" "$tool" check "$work/other"
holds "0 passed, 1 failed"

finish
