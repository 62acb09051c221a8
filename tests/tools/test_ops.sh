#!/bin/sh
# What `onnxrun ops` lists, against the operators of ONNX: everything is there with ONNX's arity, or listed with a reason.
# usage: test_ops.sh BUILD_DIR
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tool=$1/onnxrun
suite=$here/../onnx/suite
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$tool" ops >"$work/ops"
"$tool" ops --json >"$work/json"
rows=$(($(wc -l <"$work/ops") - 1))
[ "$(grep -c '"op_type"' "$work/json")" = "$rows" ] || { echo "FAIL: text and JSON differ in length"; exit 1; }
awk -v missing="$suite/missing_ops.txt" -v ops="$work/ops" '
  function fail(text) { print "FAIL: " text; failures++ }
  function arity(text) { return text ~ /\.\./ ? text : text ".." text }
  BEGIN {
    while ((getline line < missing) > 0) {
      if (line == "" || line ~ /^#/) continue
      if (split(line, word, " ") < 3) fail("no reason: " line)
      absent[word[1] " " word[2]] = 1
    }
    getline line < ops
    while ((getline line < ops) > 0) {
      split(line, word, " ")
      key = word[1] " " word[2]
      if (word[5] == "withdrawn") continue
      since[key] = since[key] " " word[3]
      inputs[key, word[3]] = arity(word[4])
      outputs[key, word[3]] = arity(word[5])
    }
  }
  { # domain operator since inputs_min inputs_max outputs_min outputs_max
    key = $1 " " $2
    versions++
    row = 0
    count = split(since[key], from, " ")
    for (i = 1; i <= count; i++) if (from[i] + 0 <= $3 && from[i] + 0 > row) row = from[i] + 0
    if (!row) {
      if (!(key in absent) && !((key "@" $3) in absent)) fail(key "@" $3 " is neither read nor in missing_ops.txt")
      next
    }
    # A row serves several versions: it takes at least what each of them allows.
    split(inputs[key, row], in_bounds, /\.\./)
    split(outputs[key, row], out_bounds, /\.\./)
    if (in_bounds[1] + 0 > $4 || (in_bounds[2] != "*" && ($5 == "*" || in_bounds[2] + 0 < $5)))
      fail(key "@" $3 ": inputs " $4 ".." $5 ", the table has " inputs[key, row])
    if (out_bounds[1] + 0 > $6 || (out_bounds[2] != "*" && ($7 == "*" || out_bounds[2] + 0 < $7)))
      fail(key "@" $3 ": outputs " $6 ".." $7 ", the table has " outputs[key, row])
  }
  END {
    if (!versions) fail("no schemas")
    print versions " versions of operators, " failures + 0 " failures"
    exit failures > 0
  }' "$suite/schemas.txt"
