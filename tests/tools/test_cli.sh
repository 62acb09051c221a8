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
expect 2 "no such folder" "$tool" check "$work/nowhere"

# Outputs are .npy files that are read back, as inputs of another run.
expect 0 "" "$tool" run "$model" --seed 3 -o "$work/results"
[ -n "$(ls "$work/results")" ] || { echo "FAIL: no output files"; failures=$((failures + 1)); }
output=$(ls "$work/results"/*.npy)
expect 2 "ARGUMENT: .*fixed to\|expected" "$tool" run "$model" -i "$input=$output"
expect 0 "" "$tool" run "$model" -i "$input=$fixtures/linear_2d_dynamo/test_data_set_0/input_0.pb"
holds "float32"
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
