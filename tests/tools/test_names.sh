#!/bin/sh
# Names of nodes, modules and lines of Python, of any length and with any characters: as the file has them in what programs read,
# short and escaped where a person does.
# usage: test_names.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
cat >"$work/test.py" <<'PY'
import csv, io, json, os, sys
from expect import expect, fail, finish
from model_writer import *
tool, work = sys.argv[1:]
os.chdir(work)

def run(*words):
    return expect([tool, *words]).stdout.decode()

first, second = "a" * 150 + "\n'\"\\\x1b[31m\u202e\u00e9", "b" * 150 + "1"
path = "encoder." + "layer" * 40 + ".0"
trace = f'  File "/home/x/{"m" * 150}.py", line 41, in forward'
about = {"pkg.torch.onnx.name_scopes": f"['', 'encoder', '{path}', 'exp']", "pkg.torch.onnx.class_hierarchy": "['m.Net', 'm.Encoder', 'm.Layer', 'exp']",
         "pkg.torch.onnx.stack_trace": trace}
write("m.onnx", [node("MatMul", ["x", "w"], ["h"], metadata=about, name=first), node("Softmax", ["h"], ["y"], name=second)],
      [("x", FLOAT, [2, 2])], [("y", FLOAT, [2, 2])], [floats("w", [2, 2], [1, 2, 3, 4])])
source = "m" * 150 + ".py:41"

def check(what, rows, wanted=((first, path, source), (second, "", ""))):
    found = [(row["name"], row.get("module", ""), row.get("source", "")) for row in rows]
    if sorted(found) != sorted(wanted):
        fail(what, found)
check("compare", json.loads(run("compare", "m.onnx", "--json"))["values"])
check("bench", json.loads(run("bench", "m.onnx", "--seconds", "0", "--json", "--profile"))["profile"])
trace = json.loads(run("bench", "m.onnx", "--seconds", "0", "--profile", "--format", "trace"))["traceEvents"]
if path not in [event.get("name") for event in trace]:
    fail("trace", trace)
# A table keeps all letters; what commands a terminal is escaped there, too.
rows = list(csv.DictReader(io.StringIO(run("bench", "m.onnx", "--seconds", "0", "--profile", "--format", "csv"))))
check("csv", rows, ((first.replace("\n", "\\x0a").replace("\x1b", "\\x1b").replace("\u202e", "\\u202e"), path, source), (second, "", "")))
modules = json.loads(run("info", "m.onnx", "--json"))["modules"]
if path not in [module["path"] for module in modules]:
    fail("modules", modules)
# Without d3 and dagre there is no page.
has_page = os.path.exists(os.path.join(os.path.dirname(tool), "share/onnxrun/report/page.html"))
if has_page and path not in run("report", "m.onnx", "--seconds", "0", "-o", "-"):
    fail("the page has no", path)
run("optimise", "m.onnx", "-o", "o.onnx")
data = open("o.onnx", "rb").read()
for name in (first, second):
    if name.encode() not in data:
        fail("optimise lost", name)
for words in (["compare", "m.onnx"], ["bench", "m.onnx", "--seconds", "0", "--profile"], ["info", "m.onnx", "--nodes"]):
    text = run(*words)
    if any(c in text for c in "\x1b\u202e") or max(len(line) for line in text.splitlines()) > 700 or "layerlayer" not in text:
        fail(words, text)
write("wrong.onnx", [node("MatMul", ["x", "w"], ["h"], metadata=about, name=first)], [("x", FLOAT, [2, 3])], [("h", FLOAT, [2, 2])], [floats("w", [2, 2], [1, 2, 3, 4])])
done = expect([tool, "run", "wrong.onnx"], code=3, error="MatMul 'aaa")
if b"\x1b" in done.stderr:
    fail("a message", done.stderr)
run("compile", "m.onnx", "-o", "c")
if any(c in open("c/model.c").read() for c in "\x1b\u202e"):
    fail("compile")
finish()
PY
python3 "$work/test.py" "$tool" "$work" || fail "see above"
finish
