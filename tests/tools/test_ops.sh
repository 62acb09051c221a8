#!/bin/sh
# What `onnxrun ops` lists, against the operators of ONNX and against what runs: every operator is there with ONNX's arity and
# types, or in a list with a reason; no type is listed whose case in the history is refused; every kernel that a node of a model
# reports is listed for its operator and type.
# usage: test_ops.sh BUILD_DIR [MODEL_FOLDER...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tool=$1/onnxrun
shift
[ $# -gt 0 ] || set -- "$(dirname "$0")/../fixtures"
suite=$here/../onnx/suite
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$tool" ops >"$work/ops"
"$tool" ops --json >"$work/json"
rows=$(grep -c '^  ' "$work/ops")
[ "$(grep -c '"op_type"' "$work/json")" = "$rows" ] || { echo "FAIL: text and JSON differ in length"; exit 1; }
"$tool" ops $("$tool" ops | sed -n 's/^  \([^ ]*\).*/\1/p' | sort -u) >"$work/each"
for text in ops each; do
  [ -z "$(awk 'length($0) > 80' "$work/$text")" ] || { echo "FAIL: lines of more than 80 columns:"; awk 'length($0) > 80' "$work/$text"; exit 1; }
done
[ "$("$tool" ops Conv | grep -c 'layers *conv$')" = 1 ] || { echo "FAIL: ops Conv does not say what Conv becomes"; exit 1; }
[ "$("$tool" ops NoSuchOperator 2>&1 >/dev/null | wc -l)" = 1 ] || { echo "FAIL: an unknown operator is no error"; exit 1; }

# One line a row: domain operator since inputs_min inputs_max outputs_min outputs_max layers types_of_input_0 kernel=types...
awk '
  function list(text) { gsub(/[][" \t]/, "", text); sub(/,$/, "", text); return text == "" ? "-" : text }
  function bounds(text) { text = list(text); sub(/null/, "*", text); sub(/,/, " ", text); return text }
  function flush() { if (op != "" && !withdrawn) print domain, op, since, inputs, outputs, layers, types, kernels; op = "" }
  { key = $1; gsub(/[":]/, "", key); value = $0; sub(/^[^:]*:/, "", value) }
  key == "domain" { flush(); domain = list(value); kernels = "" }
  key == "op_type" { op = list(value) }
  key == "since_version" { since = list(value) }
  key == "withdrawn" { withdrawn = value ~ /true/ }
  key == "inputs" { inputs = bounds(value) }
  key == "outputs" { outputs = bounds(value) }
  key == "layers" { layers = list(value) }
  key == "input_types" { sub(/\].*/, "", value); types = list(value) }
  key == "vector" || key == "xnnpack" { kernels = kernels " " key "=" list(value) }
  END { flush() }' "$work/json" >"$work/table"

# The kernels of the nodes of models: operator kernel type model
for folder in "$@"; do
  for model in "$folder"/*/model.onnx; do
    [ -e "$model" ] || continue
    "$tool" info --json "$model" 2>/dev/null | awk -v model="$model" '
      { value = $2; gsub(/[",]/, "", value) }
      $1 == "\"layer\":" { layer = value }
      $1 == "\"op_type\":" { op = value }
      $1 == "\"kernel\":" { kernel = value }
      $1 == "\"input_type\":" && kernel != "portable" { print op, kernel, value, layer, model }'
  done
done >"$work/ran"

awk -v missing="$suite/missing_ops.txt" -v narrower="$suite/missing_types.txt" -v table="$work/table" -v ran="$work/ran" \
  -v history="$here/../onnx/history/expected.txt" '
  function fail(text) { print "FAIL: " text; failures++ }
  function has(list, name) { return index("," list ",", "," name ",") > 0 }
  function read(file, absent,    word, line) {
    while ((getline line < file) > 0) {
      if (line == "" || line ~ /^#/) continue
      if (split(line, word, " ") < 3) fail("no reason: " line)
      absent[word[1] " " word[2]] = 1
    }
  }
  BEGIN {
    read(missing, absent)
    read(narrower, refused)
    while ((getline line < table) > 0) {
      split(line, word, " ")
      key = word[1] " " word[2]
      since[key] = since[key] " " word[3]
      for (i = 4; i <= 9; i++) field[key, word[3], i] = word[i]
      if (word[8] == "-" && word[2] != "Constant") {
        unlisted[word[2]] = 1
        unknown++
        if (word[1] == "ai.onnx" && !((key "@" word[3]) in refused)) fail(key "@" word[3] ": no specimen shows what it becomes")
      }
      for (i = 10; i in word; i++) { split(word[i], part, "="); kernels[word[2], part[1]] = kernels[word[2], part[1]] "," part[2]; delete word[i] }
    }
  }
  { # domain operator since inputs_min inputs_max outputs_min outputs_max variable types
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
    for (i = 4; i <= 6; i += 2) {
      least = field[key, row, i]; most = field[key, row, i + 1]
      if (least + 0 > $i || (most != "*" && ($(i + 1) == "*" || most + 0 < $(i + 1))))
        fail(key "@" $3 ": " (i == 4 ? "inputs " : "outputs ") $i ".." $(i + 1) ", the table has " least ".." most)
    }
    types = field[key, row, 9]
    variable[$2] = $8
    newest[$2] = types
    if ($9 == "-" || types == "-") next
    count = split($9, type, ",")
    for (i = 1; i <= count; i++)
      if (!has(types, type[i]) && !((key ":" type[i]) in refused)) fail(key "@" $3 ": " type[i] " is not listed")
  }
  END {
    if (!versions) fail("no schemas")
    # Cases of types that are refused.
    while ((getline line < history) > 0) {
      if (line !~ /^type_[A-Za-z0-9]+_[A-Za-z0-9]+_[a-z0-9]+ fail (TYPE|UNSUPPORTED)/) continue
      split(line, word, " "); split(word[1], part, "_")
      refusal = part[4] == "float" ? "float32" : part[4] == "double" ? "float64" : part[4]
      if (part[3] == variable[part[2]] && has(newest[part[2]], refusal) && !(("ai.onnx " part[2] ":" refusal) in refused)) fail(part[2] ": " refusal " is listed, but " line)
    }
    while ((getline line < ran) > 0) {
      split(line, word, " ")
      nodes++
      if (word[4] == "fused_elementwise" || unlisted[word[1]]) continue # of several operators; of one that is not listed
      if (!has(kernels[word[1], word[2]], word[3])) fail(word[1] " of " word[3] " ran with " word[2] ", which is not listed: " word[5])
    }
    print versions " versions of operators, " nodes + 0 " nodes, " unknown + 0 " rows that depend on the node, " failures + 0 " failures"
    exit failures > 0
  }' "$suite/schemas.txt"
