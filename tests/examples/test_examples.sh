#!/bin/sh
# The examples that want a model of a certain kind, with small models of that kind whose answers Python computes, too.
# usage: test_examples.sh BUILD_DIR
set -u
examples=$(cd "$1" && pwd)/examples
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$here/../tools"
cat >"$work/test.py" <<'PY'
import json, math, os, random, struct, sys
from expect import expect, fail, finish
from model_writer import *
examples, work, nn = sys.argv[1:]
os.chdir(work)

def run(name, *words, **how):
    return expect([f"{examples}/example_{name}", *words], **how).stdout.decode().splitlines()

def softmax(values):
    powers = [math.exp(v - max(values)) for v in values]
    return [p / sum(powers) for p in powers]

# Speech: how loud the frame is with what came before it, and a quarter of how loud the last one was.
write("speech.onnx", [node("Mul", ["input", "input"], ["q"]), node("ReduceMean", ["q"], ["m"], {"keepdims": 0}), node("ReduceMean", ["state"], ["s"], {"keepdims": 0}),
                      node("Mul", ["s", "quarter"], ["t"]), node("Add", ["m", "t"], ["o"]), node("Reshape", ["o", "one"], ["output"]), node("Expand", ["m", "all"], ["stateN"])],
      [("input", FLOAT, [1, None]), ("state", FLOAT, [2, None, 128]), ("sr", INT64, [])], [("output", FLOAT, None), ("stateN", FLOAT, None)],
      [floats("quarter", [], [0.25]), integers("one", [1, 1]), integers("all", [2, 1, 128])])
random.seed(2)
loud = [0.1, 0.9, 0.95, 0.1, 0.1, 0.6, 0.85, 0.2, 0.9, 0.9]
samples = [random.choice((-1, 1)) * int(32767 * level) for level in loud for _ in range(512)]
expected, speaking, last, context = [], False, 0.0, [0.0] * 64
for k in range(len(loud)):
    frame = context + [s / 32768 for s in samples[k * 512:(k + 1) * 512]]
    context = frame[-64:]
    m = sum(v * v for v in frame) / len(frame)
    speech, last = m + last / 4, m
    if speech < 0.35 if speaking else speech >= 0.5:
        speaking = not speaking
        expected.append(f"{k * 512 / 16000:7.2f} s  {'speech' if speaking else 'silence'}  {speech:.2f}")
found = run("speech", "speech.onnx", input=struct.pack(f"<{len(samples)}h", *samples))
if found != expected or len(expected) < 4:
    fail("speech", found, expected)

# Classification: the mean of each channel is its score.
write("classes.onnx", [node("GlobalAveragePool", ["x"], ["p"]), node("Flatten", ["p"], ["y"])], [("x", FLOAT, [1, 3, 224, 224])], [("y", FLOAT, None)])
colour = (200, 30, 90)
open("p.ppm", "wb").write(b"P6\n70 50\n255\n" + bytes(colour) * 3500)
open("names.txt", "w").write("red\ngreen\nblue\n")
scores = [(c / 255 - m) / s for c, m, s in zip(colour, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
order = sorted(range(3), key=lambda i: -scores[i])
# A network may end in softmax itself.
write("shares.onnx", [node("GlobalAveragePool", ["x"], ["p"]), node("Flatten", ["p"], ["f"]), node("Softmax", ["f"], ["y"])], [("x", FLOAT, [1, 3, 224, 224])], [("y", FLOAT, None)])
for model, words, names in (("classes.onnx", ["names.txt"], ["red", "green", "blue"]), ("classes.onnx", [], ["0", "1", "2"]), ("shares.onnx", [], ["0", "1", "2"])):
    found = run("classify", model, "p.ppm", *words)
    if found != [f"{100 * softmax(scores)[i]:5.1f} %  {names[i]}" for i in order]:
        fail("classify", found, scores)
open("cut.ppm", "wb").write(b"P6\n70 50\n255\n" + bytes(100))
open("huge.ppm", "wb").write(b"P6\n999999999 999999999\n255\n")
for name in ("cut.ppm", "huge.ppm", "names.txt", "nowhere"):
    run("classify", "classes.onnx", name, code=1)
    run("detect", "classes.onnx", name, code=1)

# Detection: of boxes that overlap in one class the best stays; pixels are those of the picture, here a quarter as many.
boxes = [(100, 100, 40, 20, 0.9, 0), (102, 101, 40, 20, 0.8, 0), (100, 100, 40, 20, 0.7, 1), (200, 60, 10, 10, 0.5, 1), (10, 10, 5, 5, 0.2, 0)]
rows = [[b[k] for b in boxes] for k in range(4)] + [[b[4] if b[5] == c else 0 for b in boxes] for c in range(2)]
write("boxes.onnx", [node("Identity", ["all"], ["y"])], [("x", FLOAT, [1, 3, 280, 280])], [("y", FLOAT, None)], [floats("all", [1, 6, 5], sum(rows, []))])
found = run("detect", "boxes.onnx", "p.ppm")
expected = [f"class {b[5]}  {b[4]:.2f}  {(b[0] - b[2] / 2) / 4:.0f},{(b[1] - b[3] / 2) / 4:.0f} to {(b[0] + b[2] / 2) / 4:.0f},{(b[1] + b[3] / 2) / 4:.0f}" for b in (boxes[0], boxes[2], boxes[3])]
if [line.split()[:3] for line in found] != [line.split()[:3] for line in expected] or len(found) != 3:
    fail("detect", found, expected)

# Embedding: the mean of each token's row.
table = [[random.uniform(-1, 1) for _ in range(8)] for _ in range(50)]
write("bert.onnx", [node("Gather", ["table", "input_ids"], ["h"])], [("input_ids", INT64, ["b", "n"]), ("attention_mask", INT64, ["b", "n"]), ("token_type_ids", INT64, ["b", "n"])],
      [("h", FLOAT, None)], [floats("table", [50, 8], sum(table, []))])
texts = ["1,2,3", "3,2,1", "4,5", "49"]
def embed(text):
    ids = [int(i) for i in text.split(",")]
    mean = [sum(table[i][k] for i in ids) for k in range(8)]
    length = math.sqrt(sum(v * v for v in mean))
    return [v / length for v in mean]
expected = [sum(a * b for a, b in zip(embed(texts[0]), embed(text))) for text in texts[1:]]
found = [float(line.split()[0]) for line in run("embed", "bert.onnx", *texts)]
if len(found) != 3 or max(abs(a - b) for a, b in zip(found, expected)) > 1e-3:
    fail("embed", found, expected)

# Weights by name: network.bin has them in the order of state_dict().
if os.path.exists(f"{examples}/example_safetensors"):
    shapes = {"stem.weight": [8, 3, 3, 3], "stem.bias": [8], "block.conv.weight": [8, 8, 3, 3], "block.norm.weight": [8], "block.norm.bias": [8], "block.norm.running_mean": [8],
              "block.norm.running_var": [8], "head.weight": [10, 128], "head.bias": [10]}
    data = open(nn + "/network.bin", "rb").read()
    w, header, at = {}, {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes.items():
        size = 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        w[name] = struct.unpack(f"<{size // 4}f", data[at:at + size])
        at += size
    def save(header, cut=None, length=None):
        text = json.dumps(header).encode()
        open("n.safetensors", "wb").write((struct.pack("<Q", len(text) if length is None else length) + text + data[:at])[:cut])
    def conv(x, weight, bias):
        n = len(x)
        get = lambda c, i, k: x[c][i][k] if 0 <= i < 8 and 0 <= k < 8 else 0.0
        return [[[bias[o] + sum(get(c, i + a - 1, k + b - 1) * weight[((o * n + c) * 3 + a) * 3 + b] for c in range(n) for a in range(3) for b in range(3))
                  for k in range(8)] for i in range(8)] for o in range(8)]
    x = conv([[[1.0] * 8] * 8] * 3, w["stem.weight"], w["stem.bias"])
    y = conv(x, w["block.conv.weight"], [0.0] * 8)
    normed = lambda v, c: (v - w["block.norm.running_mean"][c]) / math.sqrt(w["block.norm.running_var"][c] + 1e-5) * w["block.norm.weight"][c] + w["block.norm.bias"][c]
    x = [[[max(0.0, x[c][i][k] + normed(y[c][i][k], c)) for k in range(8)] for i in range(8)] for c in range(8)]
    flat = [max(x[c][2 * i + a][2 * k + b] for a in range(2) for b in range(2)) for c in range(8) for i in range(4) for k in range(4)]
    expected = softmax([w["head.bias"][o] + sum(flat[k] * w["head.weight"][o * 128 + k] for k in range(128)) for o in range(10)])
    save(header)
    found = [float(line) for line in run("safetensors", "n.safetensors")]
    if len(found) != 10 or max(abs(a - b) for a, b in zip(found, expected)) > 1e-5:
        fail("safetensors", found, expected)
    size = len(json.dumps(header)) + 8 + at
    for cut in (0, 4, 8, 100, size - 1):
        save(header, cut)
        run("safetensors", "n.safetensors", code=1)
    for length in (2**64 - 1, 2**63, 2**40, 0, 3, size):
        save(header, length=length)
        run("safetensors", "n.safetensors", code=1)
    good = header["head.bias"]
    for change in ({"dtype": "F16"}, {"dtype": 1}, {"data_offsets": [0, 2**62]}, {"data_offsets": [-40, 0]}, {"data_offsets": [good["data_offsets"][1], good["data_offsets"][1] + 40]},
                   {"data_offsets": [40, 0]}, {"data_offsets": [0.5, 40.5]}, {"data_offsets": "x"}, {"data_offsets": [0, 36]}):
        save(header | {"head.bias": good | change})
        run("safetensors", "n.safetensors", code=1)
    save({k: v for k, v in header.items() if k != "stem.bias"})
    run("safetensors", "n.safetensors", code=1)
# A network of code: results that are no numbers are not taken for equal.
network = open(nn + "/network.bin", "rb").read()
for value, code in ((None, 0), (math.nan, 1), (math.inf, 1)):
    open("network.bin", "wb").write(network if value is None else network[:-4] + struct.pack("<f", value))
    run("network", "network.bin", code=code)
open("network.bin", "wb").write(network[:-4])
run("network", "network.bin", code=1)

# Files that are not there, or are something else, are named; a usage is for wrong words.
open("no picture", "w").write("text")
missing = "No such file or directory"
for name, words, text in (("network", ["nowhere"], missing), ("classify", ["classes.onnx", "nowhere"], missing), ("detect", ["classes.onnx", "nowhere"], missing),
                          ("classify", ["classes.onnx", "no picture"], "no picture: expected a picture"), ("detect", ["classes.onnx", "no picture"], "expected a picture"),
                          ("network", ["no picture"], "floats, found fewer")):
    run(name, *words, code=1, error=text)
for name in ("network", "classify", "detect", "generate", "embed", "run_model", "own_layer"):
    run(name, code=2, error="usage: ")
finish()
PY
python3 "$work/test.py" "$examples" "$work" "$here/../nn"
