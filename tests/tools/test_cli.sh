#!/bin/sh
# What the tool says and returns when it is used wrongly, and that its files can be read back.
# usage: test_cli.sh BUILD_DIR
set -u
tool=$1/onnxrun
fixtures=$(cd "$(dirname "$0")/../fixtures" && pwd)
model=$fixtures/linear_2d_dynamo/model.onnx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect CODE PATTERN COMMAND...: the exit code, and one line on stderr that matches.
expect() {
  code=$1
  pattern=$2
  shift 2
  "$@" >"$work/out" 2>"$work/err"
  found=$?
  if [ $found != "$code" ]; then
    echo "FAIL: '$*': expected exit code $code, found $found"
    cat "$work/err"
    failures=$((failures + 1))
  elif [ -n "$pattern" ] && ! grep -q "$pattern" "$work/err"; then
    echo "FAIL: '$*': expected '$pattern' on stderr, found:"
    cat "$work/err"
    failures=$((failures + 1))
  elif [ -n "$pattern" ] && [ "$(wc -l <"$work/err")" != 1 ]; then
    echo "FAIL: '$*': expected one line on stderr, found:"
    cat "$work/err"
    failures=$((failures + 1))
  fi
}

# holds TEXT: stdout of the last command has it.
holds() {
  if ! grep -q "$1" "$work/out"; then
    echo "FAIL: expected '$1' on stdout, found:"
    cat "$work/out"
    failures=$((failures + 1))
  fi
}

input=$("$tool" info --json "$model" | sed -n '/"inputs"/,/]/s/.*"name":[^"]*"\([^"]*\)".*/\1/p' | head -n 1)
expect 0 "" "$tool" help
expect 0 "" "$tool" --version
expect 2 "unknown command" "$tool" walk "$model"
expect 2 "expected a path" "$tool" run
expect 2 "expected one path" "$tool" run "$model" "$model"
expect 5 "no such file" "$tool" run "$work/missing.onnx"
head -c 100 "$model" >"$work/cut.onnx"
expect 3 "PARSE" "$tool" run "$work/cut.onnx"
expect 2 "has no input 'nobody'; it has '$input'" "$tool" run "$model" -i "nobody=$work/x.npy"
expect 5 "cannot be opened" "$tool" run "$model" -i "$input=$work/none.npy"
printf 'no numpy file' >"$work/text.npy"
expect 2 "not a readable .npy" "$tool" run "$model" -i "$input=$work/text.npy"
expect 2 "no dynamic dimension" "$tool" run "$model" --dim nobody=4
expect 2 "expected NAME=SIZE" "$tool" run "$model" --dim 4
expect 2 "whole number" "$tool" bench "$model" --threads many
expect 2 "auto or portable" "$tool" bench "$model" --backend gpu
expect 2 "expected NAME=VALUE" "$tool" run "$model" --limit 5
expect 2 "no limit 'memory'; there are .*total_bytes" "$tool" run "$model" --limit memory=5
expect 2 "2G" "$tool" run "$model" --limit total_bytes=many
expect 5 "LIMIT: the limit total_bytes of 2048 bytes" "$tool" run "$model" --limit total_bytes=2K
expect 0 "" "$tool" run "$model" --limit total_bytes=64M --limit nodes=100
expect 0 "" "$tool" help
holds "total_bytes  .*("
expect 2 "no such folder" "$tool" check "$work/nowhere"

# Outputs are .npy files that are read back, as inputs of another run.
expect 0 "" "$tool" run "$model" --seed 3 -o "$work/results"
[ -n "$(ls "$work/results")" ] || { echo "FAIL: no output files"; failures=$((failures + 1)); }
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
protoc-c -I "$fixtures/../../onnx" --encode=onnx.ModelProto "$fixtures/../../onnx/onnx.proto" <"$work/zip_map.txt" >"$work/zip_map.onnx"
expect 0 "" "$tool" run "$work/zip_map.onnx"
holds 'map { string\[2\] "no" "déjà" float32\[2\]'
expect 0 "" "$tool" run "$work/zip_map.onnx" -o "$work/maps"
for header in "keys.npy '<U4'.*(2,)" "values.npy '<f4'.*(3, 2,)"; do
  grep -aq "${header#* }" "$work/maps/y/${header%% *}" || { echo "FAIL: no $header"; failures=$((failures + 1)); }
done
[ "$(tail -c 16 "$work/maps/y/keys.npy" | tr -d '\0')" = "$(printf 'd\351j\340')" ] || { echo "FAIL: the last key"; failures=$((failures + 1)); }

expect 0 "" "$tool" bench "$model" --seconds 0 --json
for key in load_ms first_ms min_ms median_ms p90_ms runs arena_bytes weight_bytes peak_rss_bytes inputs kernel_library; do holds "\"$key\""; done
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

[ $failures = 0 ] && echo "cli: all as expected"
exit $((failures > 0))
