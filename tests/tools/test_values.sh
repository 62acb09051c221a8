#!/bin/sh
# Values as JSON, lines of text, plain bytes and words of the command line; outputs as .npz, JSON and text; classes by name.
# usage: test_values.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
cat >"$work/test.py" <<'PY'
import io, json, math, os, random, re, struct, sys, zipfile
from array_reader import npy, read
from expect import expect, fail, finish
from model_writer import *
tool, work = sys.argv[1:]
os.chdir(work)
DOUBLE, INT32, UINT64, FLOAT16, COMPLEX64 = 11, 6, 13, 10, 14

def run(*words, **how):
    return expect([tool, "run", *words], **how)

def result(name="y.npy"):
    shape, values = read(open(name, "rb").read())[:2]
    return list(shape), [v.decode() if isinstance(v, bytes) else v for v in values]

types = {"float": FLOAT, "double": DOUBLE, "int": INT32, "long": INT64, "byte": UINT8, "bool": BOOL, "string": STRING, "half": FLOAT16, "u64": UINT64}
for name, dtype in types.items():
    identity(name + ".onnx", dtype)
identity("rank2.onnx", INT64, ["n", "m"])
identity("scalar.onnx", INT64, [])

def takes(model, text, shape, values, file=False):
    word = text
    if file:
        open("v.json", "w").write(text)
        word = "v.json"
    run(model + ".onnx", "-i", "x=" + word, "-o", "y.npy")
    if result() != (shape, values):
        fail(model, text, result(), (shape, values))
for file in (False, True):
    takes("float", "[[1, 2.5], [-3e2, 4]]", [2, 2], [1, 2.5, -300, 4], file)
    takes("double", "0.1", [], [0.1], file)
    takes("long", "[9007199254740992, -5]", [2], [9007199254740992, -5], file)
    takes("byte", "[0, 255]", [2], [0, 255], file)
    takes("bool", "[true, false, 1]", [3], [True, False, True], file)
    takes("string", '["a", "d\\u00e9j\\u00e0", ""]', [3], ["a", "d\u00e9j\u00e0", ""], file)
    takes("half", "[0.5]", [1], [0.5], file)
    takes("float", "[[], []]", [2, 0], [], file)
    takes("rank2", "[7, 8]", [1, 2], [7, 8], file)
    takes("scalar", "16000", [], [16000], file)
    takes("u64", "[4294967296]", [1], [1 << 32], file)
    takes("long", "[9007199254740993, -9223372036854775808, 9223372036854775807, true]", [4], [(1 << 53) + 1, -1 << 63, (1 << 63) - 1, 1], file)
    takes("u64", "[[18446744073709551615], [-0]]", [2, 1], [(1 << 64) - 1, 0], file)
    takes("string", '["\\\\u0000", "1"]', [2], ["\\u0000", "1"], file)
    takes("float", "[1e38] \n", [1], [struct.unpack("<f", struct.pack("<f", 1e38))[0]], file)
takes("long", '{"a-1\\"2": [[3, "4"], {"b": -5e1}], "x": [9007199254740993, 2], "y": 6}', [2], [(1 << 53) + 1, 2], True)
takes("half", "[65504, 65519]", [2], [65504, 65504])
takes("float", '{"x": [1, 2], "other": 3}', [2], [1, 2], True)
# What nobody gives is random, in every type that has numbers, and within what it has.
for dtype, least, most in ((FLOAT, -1, 1), (DOUBLE, -1, 1), (FLOAT16, -1, 1), (16, -1, 1), (COMPLEX64, -1, 1), (INT64, 0, 9), (UINT8, 0, 9), (UINT64, 0, 9), (21, 0, 9), (22, 0, 7), *((t, -1, 1) for t in (17, 18, 19, 20, 23, 27, 28))):
    identity("any.onnx", dtype, [64])
    data = json.loads(run("any.onnx", "--json").stdout)["y"]["data"]
    values = [v for pair in data for v in pair] if dtype == COMPLEX64 else data
    if len(set(values)) < (4 if dtype == 23 else 6) or min(values) < least or max(values) > most or (least < 0 and not min(values) < -0.5 < 0.5 < max(values)):
        fail("random", dtype, values)
identity("scale.onnx", 24, [64])  # float8e8m0: powers of 2
data = json.loads(run("scale.onnx", "--json").stdout)["y"]["data"]
if len(set(data)) < 4 or any(math.frexp(v)[0] != 0.5 or v > 1 for v in data):
    fail("random scales", data)
# What --json writes is what is read.
for dtype, values in ((17, [448, -0.001953125, "NaN", 1.125]), (19, ["Infinity", "-Infinity", "NaN", 57344, -3]), (23, [6, -0.5, 0]), (24, [2.0**-10, 0.5, "NaN"]),
                      (COMPLEX64, [[[1, -2.5], [0, "NaN"]]]), (15, [[0.1, 3]]), (COMPLEX64, [])):
    identity("any.onnx", dtype)
    text = json.dumps(values)
    if values and json.loads(run("any.onnx", "-i", "x=" + text, "--json").stdout)["y"]["data"] != values:
        fail("again", dtype, values, run("any.onnx", "-i", "x=" + text, "--json").stdout)
    if not values:
        run("any.onnx", "-i", "x=" + text, code=2, error="expected complex64 in lists of one shape, found something else than [real, imaginary]")
if b" 1-2.5j 0+3j\n" not in run("any.onnx", "-i", "x=[[1, -2.5], [0, 3]]").stdout:
    fail("complex", run("any.onnx", "-i", "x=[[1, -2.5], [0, 3]]").stdout)
for dtype, value in ((17, "500"), (17, '"Infinity"'), (23, "13"), (24, "-1"), (24, "0"), (19, "70000"), (FLOAT16, "1e6")):
    identity("any.onnx", dtype)
    run("any.onnx", "-i", f"x=[{value}]", code=2, error="a number that its type does not have")
identity("small.onnx", 22)
if json.loads(run("small.onnx", "-i", "x=[-8, 7]", "--json").stdout)["y"] != {"dtype": "int4", "shape": [2], "data": [-8, 7]}:
    fail("int4", run("small.onnx", "-i", "x=[-8, 7]", "--json").stdout)
run("small.onnx", "-i", "x=[8]", code=2, error="expected int4")
# What --json has written of an output is an input of that name, digits that a double loses included.
write("again.onnx", [node("Identity", ["x"], ["x2"]), node("Neg", ["x2"], ["y"])], [("x", INT64, None)], [("y", INT64, None)])
open("v.json", "w").write('{"w": {"shape": [3], "data": [1]}, "x": {"dtype": "int64", "shape": [1, 2], "data": [[9007199254740993, -5]]}}')
if json.loads(run("again.onnx", "-i", "v.json", "--json").stdout)["y"]["data"] != [[-9007199254740993, 5]]:
    fail("outputs as inputs", run("again.onnx", "-i", "v.json", "--json").stdout)
# An archive comes through a pipe, too.
with zipfile.ZipFile("pair.npz", "w") as archive:
    for name, value in (("a", 1.5), ("b", 2.0)):
        archive.writestr(name + ".npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", struct.pack("<f", value)))
write("sum.onnx", [node("Add", ["a", "b"], ["y"])], [("a", FLOAT, [1]), ("b", FLOAT, [1])], [("y", FLOAT, [1])])
archive = open("pair.npz", "rb").read()
if run("sum.onnx", "-i", "-", input=archive).stdout != b"y float32[1] 3.5\n":
    fail("an archive through a pipe", run("sum.onnx", "-i", "-", input=archive).stdout)
run("sum.onnx", "-i", "a=-", input=archive, code=2, error="-: expected one tensor, found 2")
run("sum.onnx", "-i", "-", input=archive[:-30], code=2, error="standard input: ")
run("float.onnx", "-i", 'x=["Infinity", "-Infinity", "NaN", 1]', "-o", "y.npy")
if [str(v) for v in result()[1]] != ["inf", "-inf", "nan", "1.0"]:
    fail("not finite", result())
for model, text, error in (("float", "[1, [2]]", "lists of one shape, found lists of several lengths or depths"), ("float", "[[1, 2], [3]]", "several lengths"), ("float", '["a"]', "expected float32 in lists of one shape, found something that is no number"),
                           ("string", "[1]", "something that is no string"), ("byte", "[256]", "a number that its type does not have"), ("byte", "[-1]", "does not have"), ("int", "[1.5]", "does not have"),
                           ("int", "[9007199254740993]", "does not have"), ("float", "[1, 2", "no JSON: wrong near byte"), ("float", "[null]", "no number"), ("float", "[{}]", "no number"),
                           ("float", "[" * 900 + "]" * 900, "found lists too deep"), ("float", "[" * 5000, "no JSON"),
                           ("long", "[9223372036854775808]", "does not have"), ("u64", "[18446744073709551616]", "does not have"), ("u64", "[-1]", "does not have"), ("long", "[9007199254740993.0]", "does not have"),
                           ("half", "[70000]", "does not have"), ("float", "[1e39]", "does not have"), ("float", "[-1e999]", "does not have"), ("double", "[1e999]", "does not have"),
                           ("string", '["a\\u0000b"]', "a zero character"), ("float", "[[1, 2]] x", "there is more behind the value, at byte 9"), ("float", "[[1, 2]][[3, 4]]", "at byte 8")):
    run(model + ".onnx", "-i", "x=" + text, code=2, error=error)
open("v.json", "w").write('{"z": 1}')
run("float.onnx", "-i", "x=v.json", code=2, error="v.json: an object without 'x', the input's name")
open("v.json", "w").write("[" + "1," * (9 << 20) + "1]")
run("float.onnx", "-i", "x=v.json", code=2, error="of JSON, at most 16.0 MiB are read")
# A file of that name goes before a value.
open("12", "wb").write(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", struct.pack("<f", 3)))
takes("float", "12", [1], [3])

# Lines of text.
open("t.txt", "w", newline="").write("one\r\ntwo words\n\nlast")
run("string.onnx", "-i", "t.txt", "-o", "y.npy")
if result() != ([4], ["one", "two words", "", "last"]):
    fail("lines", result())
run("string.onnx", "-i", "x=-", "-o", "y.npy", input=b"a\nb\n")
if result() != ([2], ["a", "b"]):
    fail("lines of standard input", result())
run("float.onnx", "-i", "t.txt", code=2, error="t.txt: lines of text, and input 'x' is float32")

# Plain bytes.
data = struct.pack("<6f", 1, 2, 3, 4, 5, 6)
open("v.bin", "wb").write(data)
identity("shaped.onnx", FLOAT, ["n", 3])
for words, shape in (([], [6]), (["--shape", "2x3"], [2, 3]), (["--dtype", "float32", "--shape", "6x1"], [6, 1])):
    run("float.onnx", "-i", "v.bin", *words, "-o", "y.npy")
    if result() != (shape, [1, 2, 3, 4, 5, 6]):
        fail("plain bytes", words, result())
run("shaped.onnx", "-i", "v.bin", "-o", "y.npy")
if result()[0] != [2, 3]:
    fail("plain bytes of a shape with one open dimension", result())
run("float.onnx", "-i", "x=-", "--dtype", "float32", "--shape", "3x2", "-o", "y.npy", input=data)
if result() != ([3, 2], [1, 2, 3, 4, 5, 6]):
    fail("plain bytes of standard input", result())
run("float.onnx", "-i", "v.bin", "--shape", "7", code=2, error="v.bin: 24 bytes, expected 28 for float32[7]")
run("float.onnx", "-i", "v.bin", "--dtype", "float", code=2, error="--dtype: expected a type, as float32, got 'float'")
run("float.onnx", "-i", "v.bin", "--shape", "2x", code=2, error="--shape: expected sizes")
run("float.onnx", "-i", "v.bin", "--shape", "99999999999x3", code=2, error="--shape")
run("float.onnx", "-i", "v.bin", "--shape", "2147483647x2147483647x2147483647x2147483647", code=2, error="24 bytes")
run("float.onnx", "-i", "v.bin", "--dtype", "int32", "--shape", "6", code=2, error="int32")
run("float.onnx", "-i", "x=-", code=2, error="standard input: expected a .npy, .npz, a picture, sound, JSON", input=b"what is this")

# Outputs: .npz with every name, JSON that reads back as the same numbers.
values = [0.1, -1e-30, 3.4e38, math.nan, math.inf, -math.inf, 1 / 3]
open("v.npy", "wb").write(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (7, 1), }", struct.pack("<7f", *values)))
write("two.onnx", [node("Neg", ["x"], ["a/b"]), node("Cast", ["x"], ["c"], {"to": 9}), node("Shape", ["x"], ["s"])], [("x", FLOAT, ["n", 1])], [("a/b", FLOAT, None), ("c", BOOL, None), ("s", INT64, None)])
run("two.onnx", "-i", "v.npy", "-o", "all.npz")
run("two.onnx", "-i", "v.npy", "-o", "all.json")
printed = json.loads(run("two.onnx", "-i", "v.npy", "--json").stdout)
if printed != json.load(open("all.json")) or list(printed) != ["a/b", "c", "s"]:
    fail("--json is not -o FILE.json", printed)
with zipfile.ZipFile("all.npz") as archive:
    if archive.namelist() != ["a/b.npy", "c.npy", "s.npy"] or archive.testzip():
        fail("members", archive.namelist())
    shape, found = read(archive.read("a/b.npy"))[:2]
expected = [struct.unpack("<f", struct.pack("<f", -v))[0] for v in values]
parsed = [float(row[0]) for row in printed["a/b"]["data"]]
for got in (list(found), [struct.unpack("<f", struct.pack("<f", v))[0] for v in parsed]):
    if str(got) != str(expected):
        fail("values", got, expected)
if printed["s"] != {"dtype": "int64", "shape": [2], "data": [7, 1]} or printed["c"]["data"][0] != [True]:
    fail("other types", printed["s"], printed["c"])
run("two.onnx", "-i", "all.npz", code=2, error="has no input")
os.mkdir("nowhere")
run("two.onnx", "-i", "v.npy", "-o", "nowhere/all.npz")
os.makedirs("plain.npz/x", exist_ok=True)
run("two.onnx", "-i", "v.npy", "-o", "plain.npz")
if not os.path.exists("plain.npz/s.npy"):
    fail("a folder that is called .npz")
if os.path.exists("/dev/full"):
    os.symlink("/dev/full", "full.json")
    run("two.onnx", "-i", "v.npy", "-o", "full.json", code=5, error="full.json: cannot be written: No space left")
text = json.loads(run("string.onnx", "-i", 'x=["\\"q\\\\", "\\u0007\\u202e\\ud83d\\ude00"]', "--json").stdout)
if text["y"]["data"] != ['"q\\', "\u0007\u202e\U0001F600"]:
    fail("strings as JSON", text)

# Text: short ones whole; long ones by their edges, in a few lines that --all takes away.
def lines(shape, *words, dtype=FLOAT):
    identity("shape.onnx", dtype, shape)
    return run("shape.onnx", *words).stdout.decode().splitlines()
if not re.fullmatch(r"y float32\[2,3\]( \S+){6}", lines([2, 3])[0]):
    fail("a short one", lines([2, 3]))
for shape in ([100], [1, 1000], [5, 7], [40, 40], [3, 40, 40], [2, 3, 4, 5, 6], [1000, 1], [1, 100, 1, 1]):
    count = math.prod(shape)
    short, whole = lines(shape), lines(shape, "--all")
    if len(short) > 10 or max(map(len, short)) > 110 or "min " not in short[0] or "max " not in short[0]:
        fail("shortened", shape, short)
    numbers = [word for line in whole[1:] for word in line.split() if re.fullmatch(r"-?[\d.e+-]+", word)]
    if len(numbers) != count or "..." in "".join(whole):
        fail("--all", shape, len(numbers), count)
    if shape == [3, 40, 40] and (short[1].split()[0] != "[0,0]" or short[-1].split()[0] != "[2,39]" or whole[41].split()[0] != "[1,0]"):
        fail("places", short[1], short[-1], whole[41])
many = [float(i) for i in range(20)] + [math.nan] * 3
open("m.npy", "wb").write(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (23,), }", struct.pack("<23f", *many)))
if run("float.onnx", "-i", "m.npy").stdout.decode().splitlines() != ["y float32[23]  min 0  max 19  mean 9.5  3 not finite", "    0   1   2 ... nan nan nan"]:
    fail("summary", run("float.onnx", "-i", "m.npy").stdout)

# Classes by name, with bars in proportion; names as lines, a list, an object, a configuration; beside the model.
scores = [[0.05, 0.7, 0.25], [0.5, 0.5, 0]]
open("s.npy", "wb").write(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", struct.pack("<6f", *sum(scores, []))))
identity("scores.onnx", FLOAT, ["n", 3])
open("names.txt", "w").write("cat\ndog \u00e9\x1b[31m\n" + "long" * 30)
json.dump(["cat", "dog", "cow"], open("names.json", "w"))
json.dump({"id2label": {"0": "cat", "1": "dog", "2": "cow"}, "x": 1}, open("config.json", "w"))
json.dump({"1": "dog"}, open("some.json", "w"))
def top(*words):
    out = run("scores.onnx", "-i", "s.npy", *words).stdout.decode()
    if "\x1b" in out:
        fail("colours without a terminal, or a name that commands one", out)
    return [re.split(r"\s{2,}|\s(?=[\u2588\u2589-\u258f])", line.strip()) for line in out.splitlines()]
for names in ("names.json", "config.json"):
    rows = top("--labels", names)
    if [row[0] for row in rows] != ["row 0", "dog", "cow", "cat", "row 1", "cat", "dog", "cow"]:
        fail(names, rows)
    if [row[-1].strip("\u2588\u2589\u258a\u258b\u258c\u258d\u258e\u258f ") for row in rows[1:4]] != ["70.0 %", "25.0 %", "5.0 %"]:
        fail("shares", rows)
text = run("scores.onnx", "-i", "s.npy", "--labels", "names.json", "--top", "2").stdout.decode().splitlines()
eighths = lambda line: 8 * line.count("\u2588") + sum(line.count(c) * k for k, c in enumerate(" \u258f\u258e\u258d\u258c\u258b\u258a\u2589"[1:], 1))
if len(text) != 6 or abs(eighths(text[1]) - 0.7 * 192) > 1 or abs(eighths(text[2]) - 0.25 * 192) > 1:
    fail("bars", text, eighths(text[1]))
rows = top("--labels", "names.txt")
if "dog \u00e9\\x1b[31m" not in rows[1][0] or not re.fullmatch(r"(long)+l...", rows[2][0]):
    fail("names that hurt or are long", rows)
if [row[0] for row in top("--labels", "some.json", "--top", "2")] != ["row 0", "dog", "2", "row 1", "0", "dog"]:
    fail("some names", top("--labels", "some.json"))
if [row[0] for row in top("--top", "1")] != ["row 0", "1", "row 1", "0"]:
    fail("no names", top("--top", "1"))
json.dump({"labels": "names.json"}, open("scores.json", "w"))
if [row[0] for row in top("--top", "1")] != ["row 0", "dog", "row 1", "cat"]:
    fail("names beside the model", top("--top", "1"))
run("float.onnx", "-i", "x=[[[1,2],[3,4]]]", "--top", "2", code=2, error="--top: expected an output of scores [N,CLASSES]")
run("scores.onnx", "-i", "s.npy", "--labels", "s.npy", code=2, error="s.npy: expected names of classes, a line each or JSON, found no text; numbers are right answers, for --show")
run("scores.onnx", "-i", "s.npy", "--labels", "missing", code=5, error="missing: cannot be opened: No such file")
open("broken.json", "w").write("[1, 2")
run("scores.onnx", "-i", "s.npy", "--labels", "broken.json", code=2, error="broken.json: expected names of classes, found no JSON")
# A recipe's names are used without a word; more is asked for than they show, and they are not.
if [row[0] for row in top()] != ["row 0", "dog", "cow", "cat", "row 1", "cat", "dog", "cow"]:
    fail("names beside the model, without --top", top())
if not run("scores.onnx", "-i", "s.npy", "--all").stdout.startswith(b"y float32[2,3]"):
    fail("names beside the model, with --all")
os.remove("scores.json")
# As many names as classes, and names they are.
for text, said in (("cat\ndog\n", "names for 2 classes, the output has scores of 3"), ("a\nb\nc\nd", "names for 4 classes"), ("\x89PNG\0", "found no text"),
                   ('["cat", 1, "cow"]', "entry 1 is none"), ('{"cat": 0}', "entry 0 is none"), ('{"3": "cat"}', "names for 4 classes"), ('{"id2label": {"0": "cat", "1": "dog"}}', "names for 2 classes"), ("[]", "names for 0 classes"), ("", "names for 0 classes")):
    open("wrong", "w").write(text)
    run("scores.onnx", "-i", "s.npy", "--labels", "wrong", code=2, error=said)
open("empty_end", "w").write("cat\ndog\ncow\n\n")
if [row[0] for row in top("--labels", "empty_end", "--top", "1")] != ["row 0", "dog", "row 1", "cat"]:
    fail("lines at the end", top("--labels", "empty_end"))
# Scores without a batch are those of one row; the score of one class is the second's of two names.
identity("row.onnx", FLOAT, [3])
lines_of = lambda *words: run(*words).stdout.decode().splitlines()
if [line.split()[0] for line in lines_of("row.onnx", "-i", "x=[0.1, 0.6, 0.3]", "--labels", "names.json", "--top", "2")] != ["dog", "cow"]:
    fail("a row alone", lines_of("row.onnx", "-i", "x=[0.1, 0.6, 0.3]", "--top", "2"))
identity("one.onnx", FLOAT, [1, 1])
json.dump(["no", "yes"], open("two.json", "w"))
shares = lambda lines: [(line.split()[0], line.split()[-2]) for line in lines if line.endswith("%")]
for x, words, wanted in ((0.25, ["--labels", "two.json"], [("no", "75.0"), ("yes", "25.0")]), (0.75, ["--labels", "two.json"], [("yes", "75.0"), ("no", "25.0")]),
                         (0.25, ["--labels", "two.json", "--top", "1"], [("no", "75.0")]), (0.25, ["--top", "5"], [("0", "75.0"), ("1", "25.0")]),
                         (0.25, ["--labels", "single"], [("yes", "25.0")]), ('"Infinity"', ["--labels", "two.json"], [("yes", "100.0"), ("no", "0.0")]),
                         ('"-Infinity"', ["--labels", "two.json"], [("no", "100.0"), ("yes", "0.0")])):
    open("single", "w").write("yes")
    found = shares(lines_of("one.onnx", "-i", f"x=[[{x}]]", *words))
    if found != wanted:
        fail("one score", x, words, found)
# Infinite scores share all of it.
for x, wanted in (('["Infinity", 1, 2]', [("cat", "100.0"), ("cow", "0.0"), ("dog", "0.0")]), ('["Infinity", "Infinity", 2]', [("cat", "50.0"), ("dog", "50.0"), ("cow", "0.0")]),
                  ('["-Infinity", 3, "-Infinity"]', [("dog", "100.0"), ("cat", "0.0"), ("cow", "0.0")]), ('["-Infinity", "-Infinity", "-Infinity"]', [("cat", "33.3"), ("dog", "33.3"), ("cow", "33.3")])):
    found = shares(lines_of("row.onnx", "-i", "x=" + x, "--labels", "names.json"))
    if found != wanted:
        fail("infinite scores", x, found)
# A mark of UTF-8 in front is no part of the first name, nor of other text.
open("mark.txt", "wb").write(b"\xef\xbb\xbfcat\r\ndog\r\ncow\r\n")
open("mark.json", "wb").write(b"\xef\xbb\xbf" + json.dumps(["cat", "dog", "cow"]).encode())
for names in ("mark.txt", "mark.json"):
    if [row[0] for row in top("--labels", names, "--top", "1")] != ["row 0", "dog", "row 1", "cat"]:
        fail("a mark in front", names, top("--labels", names))
open("v.json", "wb").write(b"\xef\xbb\xbf[1, 2]")
open("v.txt", "wb").write(b"\xef\xbb\xbfone\ntwo")
for model, file, wanted in (("float", "v.json", [1, 2]), ("string", "v.txt", ["one", "two"])):
    run(model + ".onnx", "-i", file, "-o", "y.npy")
    if result() != ([2], wanted):
        fail("a mark in front of", file, result())
# Maps of classes and scores, as classifiers make them, are scores by their own names.
for kind, classes in (("strings", ["setosa", "", "virginica"]), ("int64s", [7, 3, 5])):
    write("zip.onnx", [node("ZipMap", ["x"], ["y"], {"classlabels_" + kind: classes}, domain="ai.onnx.ml")], [("x", FLOAT, ["n", 3])], [("y", [FLOAT], None)], domains=["ai.onnx.ml"])
    for words, wanted in (([], [str(classes[0]), str(classes[2])]), (["--labels", "names.json"], ["cat", "cow"])):
        lines = lines_of("zip.onnx", "-i", "x=[[0.7, 0.1, 0.2], [0.5, 0.1, 0.4]]", "--top", "2", *words)
        if shares(lines) != list(zip(wanted, ("70.0", "20.0"))) + list(zip(wanted, ("50.0", "40.0"))) or lines[0] != "row 0":
            fail("maps", kind, words, lines)
# NaN has no place in an order.
run("scores.onnx", "-i", 'x=[[0.5, 0.25, 0.25], [0.1, "NaN", 0.9]]', "--top", "2", code=5, error="--top: score 1 of row 1 is NaN")
finish()
PY
python3 "$work/test.py" "$tool" "$work" || fail "see above"
finish
