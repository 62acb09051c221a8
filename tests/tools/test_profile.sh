#!/bin/sh
# bench --profile in all its formats: they tell the same, with modules, lines of Python, and the bodies of If and Loop.
# usage: test_profile.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"

for model in conv_bn_relu_dynamo scripted_loop_ts while_loop_dynamo cond_dynamo transformer_encoder_layer_dynamo; do
  for format in json csv trace table; do
    expect 0 "" "$tool" bench "$fixtures/$model/model.onnx" --seconds 0 --profile --format $format -o "$work/$model.$format"
    [ ! -s "$work/out" ] || fail "$model: -o leaves something on standard output"
  done
done
expect 2 "does nothing without --profile" "$tool" bench "$fixtures/cond_dynamo/model.onnx" --format csv
expect 2 "table|json|csv|trace" "$tool" bench "$fixtures/cond_dynamo/model.onnx" --profile --format xml
expect 2 "format does nothing with --json" "$tool" bench "$fixtures/cond_dynamo/model.onnx" --profile --format csv --json
expect 5 "nowhere/x: cannot be written" "$tool" bench "$fixtures/cond_dynamo/model.onnx" --seconds 0 --profile -o "$work/nowhere/x"

python3 - "$work" <<'PY' || fail "profiles"
import csv, json, math, pathlib, sys

work = pathlib.Path(sys.argv[1])
models = sorted(path.stem for path in work.glob("*.json"))
assert {"conv_bn_relu_dynamo", "scripted_loop_ts", "while_loop_dynamo", "cond_dynamo"} <= set(models), models


def near(a, b):
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)


for model in models:
    told = json.loads((work / f"{model}.json").read_text())
    rows = told["profile"]
    by_number = {row["node"]: row for row in rows}
    assert len(by_number) == len(rows), model

    # A node's time is its own and that of its bodies; shares are of all own times.
    inside = {number: 0 for number in by_number}
    for row in rows:
        if "parent" in row:
            inside[row["parent"]] += row["total_ms"]
    for row in rows:
        assert near(row["total_ms"], row["median_ms"] + inside[row["node"]]), (model, row)
    assert near(sum(row["share"] for row in rows), 1), model
    assert near(sum(row["median_ms"] for row in rows), told["profile_ms"]), model

    # Groups add up to the whole; a module has all that is in it.
    for key, field in (("layers", "layer"), ("operators", "operator"), ("sources", "source")):
        sums = {}
        for row in rows:
            sums[row[field]] = sums.get(row[field], 0) + row["median_ms"]
        assert sums.keys() == {group["name"] for group in told[key]}, (model, key)
        assert all(near(sums[group["name"]], group["median_ms"]) for group in told[key]), (model, key)
    for group in told["modules"]:
        name = group["name"]
        own = [row for row in rows if row["module"] == name or (name and row["module"].startswith(name + "."))]
        assert len(own) == group["nodes"] and near(sum(row["median_ms"] for row in own), group["median_ms"]), (model, name)

    lines = list(csv.DictReader((work / f"{model}.csv").open(newline="")))
    assert {int(line["node"]) for line in lines} == set(by_number), model
    for line in lines:
        row = by_number[int(line["node"])]
        for key in ("layer", "kernel", "operator", "name", "module", "source", "output"):
            assert line[key] == row[key], (model, key, line[key], row[key])
        assert int(line["multiply_adds"]) == row["multiply_adds"] and int(line["calls"]) == row["calls"], (model, line)
        assert line["parent"] == str(row.get("parent", "")), (model, line)

    # A trace is one run: every call, those of a body within their node's.
    events = json.loads((work / f"{model}.trace").read_text())["traceEvents"]
    nodes = [event for event in events if event.get("cat") == "node"]
    assert min(event["ts"] for event in nodes) == 0, model
    assert len(nodes) == sum(row["calls"] for row in rows), (model, len(nodes))
    for event in nodes:
        row = by_number[event["args"]["node"]]
        assert event["name"] == row["layer"] and event["args"]["source"] == row["source"], (model, event)
        if "parent" in row:
            around = [e for e in nodes if e["args"]["node"] == row["parent"]
                      and e["ts"] <= event["ts"] + 1e-6 and event["ts"] + event["dur"] <= e["ts"] + e["dur"] + 1e-6]
            assert len(around) == 1, (model, event)
    modules = {event["name"] for event in events if event.get("cat") == "module"}
    assert modules == {group["name"] for group in told["modules"] if group["name"]} - {
        row["module"] for row in rows if "parent" in row} or any("parent" in row for row in rows), (model, modules)

# The loop's body ran as often as the loop turned, and its nodes know where they come from.
loop = json.loads((work / "scripted_loop_ts.json").read_text())["profile"]
assert any(row["layer"] == "loop" for row in loop) and any(row["layer"] == "if" for row in loop)
deep = [row for row in loop if "parent" in row and "parent" in next(r for r in loop if r["node"] == row["parent"])]
assert deep and any(row["operator"] == "Gemm" and row["module"] == "step" for row in deep), loop
while_loop = json.loads((work / "while_loop_dynamo.json").read_text())["profile"]
gemm = next(row for row in while_loop if row["layer"] == "gemm")
assert gemm["multiply_adds"] == gemm["calls"] * 3 * 4 * 4 and gemm["source"], gemm
conv = next(row for row in json.loads((work / "conv_bn_relu_dynamo.json").read_text())["profile"] if row["layer"] == "conv")
assert conv["module"] and ".py:" in conv["source"], conv
PY
for text in "layer (kernel)" "line of Python" " in node " "loop "; do
  grep -q "$text" "$work/while_loop_dynamo.table" || fail "the table of a loop lacks '$text'"
done
finish
