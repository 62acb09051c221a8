#!/bin/sh
# What a terminal is given: names that cannot command it, pictures that fit into it, percentages that are probabilities, and units.
# usage: test_terminal.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
cat >"$work/test.py" <<'PY'
import fcntl, json, math, os, pty, re, struct, subprocess, sys, termios, threading, unicodedata
from array_reader import npy
from expect import fail, finish
from model_writer import *
tool, work, fixtures = sys.argv[1:]
os.chdir(work)

def run(*words, columns=None):
    environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    if columns:
        environment["COLUMNS"] = str(columns)
    return subprocess.run([tool, *words], capture_output=True, timeout=60, env=environment)

END = b"\0end\0"

def in_terminal(columns, rows, *words, errors=False, **variables):
    """Standard output on a terminal of that size. What was written may reach the master after the writer is gone, and is lost when the
    last slave is closed: the slave stays open and a mark behind the output says where it ends."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")} | variables
    process = subprocess.Popen([tool, *words], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave if errors else subprocess.DEVNULL, env=environment)
    def mark():
        process.wait()
        os.write(slave, END)
    marker = threading.Thread(target=mark)
    marker.start()
    data = b""
    while not data.endswith(END):
        data += os.read(master, 65536)
    marker.join()
    os.close(slave)
    os.close(master)
    return data[:-len(END)].decode().replace("\r\n", "\n")

# --- names ---

def is_harmless(data):
    text = data.decode("utf-8")  # well-formed
    return not any(ord(c) < 32 and c not in "\n\t" or 127 <= ord(c) < 160 or unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI")
                   or c in "\u2028\u2029" for c in text)
evil = "n\x1b[31m\x9b1m\x07\r\n\u202e\u2028\x7f"
write("evil.onnx", [node("Identity", [evil], ["good\u00e9\U0001F600" + evil]), node("Identity", [evil], ["\t"])], [(evil, FLOAT, [evil, 2])],
      [("good\u00e9\U0001F600" + evil, FLOAT, [evil, 2]), ("\t", FLOAT, None)], producer=evil)
write("evil_op.onnx", [node(evil, ["x"], ["y"])], [("x", FLOAT, [2])], [("y", FLOAT, [2])])
write("evil_string.onnx", [node("Identity", ["x"], ["y"])], [("x", STRING, [2])], [("y", STRING, [2])])
open("s.npy", "wb").write(npy("{'descr': '|S9', 'fortran_order': False, 'shape': (2,), }", b"\x1b[31m\xff\0\0\0\xc2\x9b\x07\n\xc3\xa9abc"))
open("evil\x1b[31m.npy", "wb").write(b"no array")
os.makedirs("evil\x1b[2J/test_data_set_0", exist_ok=True)
open("evil\x1b[2J/model.onnx", "wb").write(open("evil.onnx", "rb").read())
for words in (["info", "evil.onnx"], ["info", "--nodes", "evil.onnx"], ["info", "--json", "evil.onnx"], ["run", "evil.onnx"], ["run", "evil.onnx", "-o", "files"],
              ["bench", "evil.onnx", "--seconds", "0", "--profile"], ["bench", "evil.onnx", "--seconds", "0", "--json", "--profile"], ["bench", "evil.onnx", "--seconds", "0", "--profile", "--format", "csv"],
              ["bench", "evil.onnx", "--seconds", "0", "--profile", "--format", "trace"], ["run", "evil.onnx", "--dim", "x=1"],
              ["run", "evil.onnx", "-i", "x=y"], ["run", "evil.onnx", "-i", "s.npy"], ["run", "evil_op.onnx"], ["run", "evil_string.onnx", "-i", "s.npy"],
              ["run", "evil.onnx", "-i", evil + "=evil\x1b[31m.npy"], ["run", "\x1b[31m.onnx"], ["\x1b[31m"], ["run", "--\x1b[31m"], ["ops", "\x1b[31m"],
              ["check", "evil\x1b[2J"], ["check", "--json", "evil\x1b[2J"], ["check", "\x1b[2J"], ["run", "evil.onnx", "--limit", "\x1b[2J=3"],
              ["run", "evil.onnx", "--backend", "\x1b[2J"], ["run", "evil.onnx", "--disable-passes", "\x1b[2J"], ["run", "evil.onnx", "--external-data", "\x1b[2J"]):
    done = run(*words)
    if not is_harmless(done.stdout) or not is_harmless(done.stderr):
        fail(words, done.stdout, done.stderr)
done = run("info", "evil.onnx")
if "good\u00e9\U0001F600n\\x1b[31m" not in done.stdout.decode():
    fail("printable characters are not shown as they are", done.stdout)
if json.loads(run("info", "--json", "evil.onnx").stdout)["inputs"][0]["name"] != evil:
    fail("JSON holds another name")
done = run("run", "evil_string.onnx", "-i", "s.npy")
if '"\\x1b[31m\\xff" "\\u009b\\x07\\x0a\u00e9abc"' not in done.stdout.decode():
    fail("strings", done.stdout)

# --- colours: in a terminal that wants them ---

good = fixtures + "/mlp_ts"
os.makedirs("bad/test_data_set_0", exist_ok=True)
open("bad/model.onnx", "wb").write(b"no model")
for words, text, coloured in ((["check", good], "ok mlp_ts", "\x1b[32mok\x1b[0m mlp_ts"), (["check", "bad"], "FAIL bad: ", "\x1b[31mFAIL\x1b[0m bad: "),
                              (["run"], "onnxrun: run: ", "\x1b[31monnxrun:\x1b[0m run: ")):
    for variables, expected in (({}, coloured), ({"TERM": "xterm"}, coloured), ({"NO_COLOR": ""}, coloured), ({"NO_COLOR": "1"}, text), ({"TERM": "dumb"}, text)):
        found = in_terminal(80, 24, *words, errors=True, **variables)
        if not found.startswith(expected):
            fail(words, variables, "begins with", found[:40], "instead of", expected)
    done = run(*words)
    if b"\x1b" in done.stdout + done.stderr:
        fail(words, "has colours where there is no terminal")

# --- progress: a line that comes and goes on a terminal, and is not there elsewhere ---

model = fixtures + "/demo/model.onnx"
for variables, wanted in (({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False)):
    found = in_terminal(80, 24, "bench", model, "--seconds", "0.9", errors=True, **variables)
    told = found.count("\r\x1b[K")
    if wanted and (not re.search(r"\r\d+ runs, 0\.\d s to go\x1b\[K", found) or told != 1) or not wanted and ("to go" in found or told):
        fail("progress", variables, repr(found[:300]))
if "to go" in run("bench", model, "--seconds", "0.9").stderr.decode():
    fail("progress where there is no terminal")

# --- bars have a colour in a terminal that wants them ---

for variables, wanted in (({"TERM": "xterm"}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
    found = in_terminal(80, 24, "run", model, "-i", fixtures + "/demo/digit.png", "--channels", "GRAY", "--labels", fixtures + "/demo/names.txt", **variables)
    if ("\x1b[32m\u2588" in found) != wanted or "three" not in found or "\u2588" * 24 not in found:
        fail("bars", variables, repr(found[:300]))

# --- pictures ---

def scorer(path, scores, shape, dtype=FLOAT):
    """Pictures in, the same scores for each."""
    size = 1
    for side in shape:
        size *= side
    write(path, [node("Reshape", ["x", "flat"], ["f"]), node("Gemm", ["f", "w", "b"], ["scores"])], [("x", dtype, ["n", *shape])],
          [("scores", FLOAT, ["n", len(scores)])], [floats("w", [size, len(scores)], [0] * size * len(scores)), floats("b", [len(scores)], scores), integers("flat", [-1, size])])

def answer(name, scores, expected, note):
    scorer("scores.onnx", scores, [1, 8, 8])
    text = run("run", "scores.onnx", "--show").stdout.decode()
    if expected not in text or (note not in text if note else "percent" in text):
        fail(name, "expected", expected, note, "found", text)
answer("probabilities", [0.1, 0.2, 0.7], "2  70.0 %", None)
answer("logits", [1, 1 + math.log(2), 1 + math.log(7)], "2  70.0 %", "softmax")
answer("large logits", [900, 900 + math.log(2), 900 + math.log(7)], "2  70.0 %", "softmax")
answer("negative logits", [-1, -1 + math.log(2), -1 + math.log(7)], "2  70.0 %", "softmax")
answer("log probabilities", [math.log(0.1), math.log(0.2), math.log(0.7)], "2  70.0 %", "exponents")
answer("small logits", [0.1, 0.1 + math.log(1.5)], "1  60.0 %", "softmax")
answer("one logit", [2 * math.log(3)], "1  90.0 %", "sigmoid")
answer("one negative logit", [-2 * math.log(3)], "0  90.0 %", "sigmoid")
answer("one probability", [0.2], "0  80.0 %", None)

def width(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line.rstrip())

def fits(name, text, columns, rows, pictures):
    lines = text.split("\n")
    widest = max(width(line) for line in lines)
    blocks = [block for block in re.split(r"\n\n", text) if "%" in block and "percent" not in block]
    tallest = max(block.strip("\n").count("\n") + 1 for block in blocks)
    if widest > max(columns, 19) or tallest > rows or sum(block.count("%") for block in blocks) != pictures:
        fail(f"{name} at {columns}x{rows}: {widest} columns, {tallest} rows, {[block.count('%') for block in blocks]} pictures\n{text}")
    return blocks

for shape in ([1, 8, 8], [1, 28, 28], [3, 224, 224], [1, 16, 640], [1, 640, 16], [224, 224, 3], [1, 1, 1]):
    scorer("scores.onnx", [0.1, 0.2, 0.7], shape)
    for columns, rows in ((80, 24), (200, 60), (40, 20), (20, 10), (10, 5), (3, 5)):
        fits(shape, in_terminal(columns, rows, "run", "scores.onnx", "--show", "--dim", "n=5"), columns, rows, 5)
    for columns in (80, 30):
        fits(shape, run("run", "scores.onnx", "--show", "--dim", "n=5", columns=columns).stdout.decode(), columns, 60, 5)
demo = ["run", fixtures + "/demo/model.onnx", "-i", fixtures + "/demo/digits.npy", "--show"]
if len(fits("digits", in_terminal(80, 24, *demo), 80, 24, 12)) != 3 or len(fits("digits", in_terminal(160, 24, *demo), 160, 24, 12)) != 2:
    fail("pictures stand side by side as far as there is room")
text = run(*demo, "--labels", fixtures + "/demo/labels.npy").stdout.decode()
if "12 of 12 right" not in text:
    fail("labels", text)

# Scaling down takes the mean: a picture whose left half is bright stays so, bright and dark lines become grey.
scorer("scores.onnx", [0.1, 0.9], [1, 64, 64])
half = b"".join(struct.pack("<64f", *([1] * 32 + [0] * 32)) for _ in range(64))
lines = b"".join(struct.pack("<64f", *([k % 2] * 64)) for k in range(64))
open("half.npy", "wb").write(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 64, 64), }", half))
open("lines.npy", "wb").write(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 64, 64), }", lines))
rows = in_terminal(80, 23, "run", "scores.onnx", "-i", "half.npy", "--show").split("\n")
if rows[0] != "\u2588" * 20 + " " * 20 or len(rows[:20]) != 20 or rows[19] != rows[0]:
    fail("half a picture", rows)
rows = in_terminal(80, 35, "run", "scores.onnx", "-i", "lines.npy", "--show").split("\n")
if set(rows[3]) - {" "} and len(set(rows[3])) != 1:
    fail("lines", rows)

# What is no picture, and labels that do not fit, say what was expected and found.
scorer("scores.onnx", [0.1, 0.9], [7, 5, 5])
done = run("run", "scores.onnx", "--show")
if done.returncode != 2 or b"expected pictures [N,C,H,W]" not in done.stderr or b"found float32[1,7,5,5]" not in done.stderr:
    fail("no pictures", done.stderr)
identity("same.onnx", shape=[1, 1, 4, 4])
done = run("run", "same.onnx", "--show")
if done.returncode != 2 or b"expected scores [1,CLASSES] in output 0, found float32[1,1,4,4]" not in done.stderr:
    fail("no scores", done.stderr)
done = run(*demo, "--labels", fixtures + "/demo/digits.npy")
if done.returncode != 2 or b"expected 12 whole numbers, found float32[12,1,8,8]" not in done.stderr:
    fail("no labels", done.stderr)
scorer("scores.onnx", [0.1, 0.9], [1, 4, 4])
nan = struct.pack("<f", math.nan)
open("nan.npy", "wb").write(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 4, 4), }", nan * 16))
open("none.npy", "wb").write(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 1, 4, 4), }", b""))
if run("run", "scores.onnx", "-i", "nan.npy", "--show").returncode != 0 or run("run", "scores.onnx", "-i", "none.npy", "--show").returncode != 2:
    fail("pictures of NaN, or none")
done = run(*demo, "-o", "both")
if done.returncode or not os.path.exists("both/probabilities.npy") or b"%" not in done.stdout:
    fail("--show with -o does both", done.stdout)

# --- units ---

text = run("bench", fixtures + "/demo/model.onnx", "--seconds", "0", "--profile").stdout.decode()
for name in ("load", "first", "min", "median", "p90"):
    if not re.search(rf"^{name} +\d+(\.\d+)? (ns|us|ms|s)\b", text, re.MULTILINE):
        fail("no unit of time at", name, text)
    found = re.search(rf"^{name} +(\S+) (ns|us|ms)", text, re.MULTILINE)
    if found and float(found[1]) >= 1000:
        fail("a unit that does not suit", found[0])
if not re.search(r"memory \d\S* KiB weights, \d\S* KiB arena, \d\S* MiB peak", text):
    fail("units of memory", text)
if not re.search(r"\d\S* KiB weights, .* arena", run("info", fixtures + "/demo/model.onnx").stdout.decode()):
    fail("units of memory in info")
finish()
PY
python3 "$work/test.py" "$tool" "$work" "$(cd "$fixtures" && pwd)" || fail "see above"
finish
