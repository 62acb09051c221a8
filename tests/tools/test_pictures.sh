#!/bin/sh
# Pictures as inputs: sizes, colours and layouts beside a reference in double, and files that are broken or larger than they say.
# usage: test_pictures.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
cat >"$work/test.py" <<'PY'
import json, os, random, struct, subprocess, sys, zlib
from array_reader import read
from expect import expect, fail, finish
from model_writer import *
tool, work, limit = sys.argv[1:]
os.chdir(work)
FLOAT16 = 10

def run(*words, **how):
    return expect([tool, "run", *words], **how)

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def png(path, pixels, sides=None):
    """pixels[height][width] of (r, g, b); sides: what the header says instead."""
    height, width = len(pixels), len(pixels[0])
    rows = b"".join(b"\0" + bytes(c for pixel in row for c in pixel) for row in pixels)
    head = struct.pack(">IIBBBBB", *(sides or (width, height)), 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    open(path, "wb").write(data)
    return data

def resample(line, size):
    """A triangle as wide as the scale, half-pixel centres, edges renormalised: antialiased linear interpolation."""
    scale = len(line) / size
    support = max(scale, 1)
    out = []
    for i in range(size):
        centre = (i + 0.5) * scale - 0.5
        taps = [(k, 1 - abs(k - centre) / support) for k in range(len(line)) if abs(k - centre) < support]
        total = sum(w for _, w in taps)
        out.append(sum(line[k] * w for k, w in taps) / total)
    return out

def scaled(plane, width, height):
    rows = [resample(row, width) for row in plane]
    columns = [resample([row[x] for row in rows], height) for x in range(width)]
    return [[columns[x][y] for x in range(width)] for y in range(height)]

random.seed(7)
HEIGHT, WIDTH = 20, 30
pixels = [[tuple(random.randrange(256) for _ in range(3)) for _ in range(WIDTH)] for _ in range(HEIGHT)]
data = png("p.png", pixels)
planes = [[[pixel[c] for pixel in row] for row in pixels] for c in range(3)]

def expected(size=None, crop=None, range_=1.0, mean=(0,), std=(1,), channels="RGB", last=False):
    width, height = size or (WIDTH, HEIGHT)
    mixed = planes if channels == "RGB" else planes[::-1] if channels == "BGR" else [
        [[0.299 * r + 0.587 * g + 0.114 * b for r, g, b in row] for row in pixels]]
    out = [scaled(plane, width, height) for plane in mixed]
    if crop:
        top, left = (height - crop[1]) // 2, (width - crop[0]) // 2
        out = [[row[left:left + crop[0]] for row in plane[top:top + crop[1]]] for plane in out]
    out = [[[(v / 255 * range_ - mean[c % len(mean)]) / std[c % len(std)] for v in row] for row in plane] for c, plane in enumerate(out)]
    n, h, w = len(out), len(out[0]), len(out[0][0])
    if last:
        return [h, w, n], [out[c][y][x] for y in range(h) for x in range(w) for c in range(n)]
    return [n, h, w], [v for plane in out for row in plane for v in row]

def check(name, shape, words, want, dtype=FLOAT, tolerance=1e-4, leading=(1,)):
    identity("id.onnx", dtype, shape)
    run("id.onnx", "-i", "p.png", *words, "-o", "y.npy")
    found_shape, found = read(open("y.npy", "rb").read())[:2]
    if list(found_shape) != [*leading, *want[0]] or max(abs(a - b) for a, b in zip(found, want[1])) > tolerance:
        fail(name, list(found_shape), want[0], found[:6], want[1][:6])

any_size = ["n", 3, "h", "w"]
check("as it is", any_size, [], expected())
check("the model's size", [1, 3, 12, 10], [], expected((10, 12)))
check("larger", [1, 3, 33, 47], [], expected((47, 33)))
check("the shorter side", any_size, ["--resize", "10"], expected((15, 10)))
check("both sides", any_size, ["--resize", "9x14"], expected((9, 14)))
check("the middle", any_size, ["--crop", "11x8"], expected(crop=(11, 8)))
check("both", [1, 3, 8, 8], ["--resize", "10", "--crop", "8"], expected((15, 10), (8, 8)))
check("mean and std", any_size, ["--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"],
      expected(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)))
check("one mean", any_size, ["--mean", "0.5", "--std", "0.5"], expected(mean=(0.5,), std=(0.5,)))
check("range", any_size, ["--range", "255", "--mean", "104,117,123"], expected(range_=255, mean=(104, 117, 123)), tolerance=1e-2)
check("BGR", any_size, ["--channels", "BGR"], expected(channels="BGR"))
check("grey by the model", [1, 1, 20, 30], [], expected(channels="GRAY"))
check("grey by the option", ["n", "c", "h", "w"], ["--channels", "GRAY"], expected(channels="GRAY"))
check("channels last by the model", ["n", "h", "w", 3], [], expected(last=True))
check("channels last by the option", ["n", "h", "w", "c"], ["--layout", "NHWC"], expected(last=True))
check("without a batch", [3, 20, 30], [], expected(), leading=())
check("a matrix", [20, 30], [], (lambda e: (e[0][1:], e[1]))(expected(channels="GRAY")), leading=())
check("bytes", ["n", "h", "w", 3], [], expected(last=True, range_=255), UINT8, 0.51)
check("signed bytes", ["n", "h", "w", 3], ["--range", "255", "--mean", "128"], expected(last=True, range_=255, mean=(128,)), 3, 0.51)
for dtype, words, said in ((3, [], "a picture from 0 to 255 is outside of int8, the type of input 'x'; see --range, --mean"), (UINT8, ["--mean", "128"], "from -128 to 127 is outside of uint8"), (BOOL, [], "outside of bool")):
    identity("id.onnx", dtype, any_size)
    run("id.onnx", "-i", "p.png", *words, code=2, error=said)
check("half", any_size, [], expected(), FLOAT16, 1e-3)

# Nothing is assumed in silence; what was said is not repeated.
identity("id.onnx", FLOAT, any_size)
run("id.onnx", "-i", "p.png", error="p.png: 30x20 becomes input 'x' float32[1,3,20,30], RGB from 0 to 1")
if run("id.onnx", "-i", "p.png", "--range", "1").stderr:
    fail("says what was said")

# JSON beside the model says the same; options go before it, and other files may be named.
identity("beside.onnx", FLOAT, any_size)
json.dump({"inputs": {"x": {"resize": 10, "crop": "8x8", "mean": [0.5, 0.4, 0.3], "std": 0.25, "channels": "BGR"}}, "labels": "none.txt"}, open("beside.json", "w"))
def beside(words, want):
    run("beside.onnx", "-i", "p.png", *words, "-o", "y.npy")
    shape, found = read(open("y.npy", "rb").read())[:2]
    if list(shape) != [1, *want[0]] or max(abs(a - b) for a, b in zip(found, want[1])) > 1e-4:
        fail("beside", words, shape, want[0])
beside([], expected((15, 10), (8, 8), mean=(0.5, 0.4, 0.3), std=(0.25,), channels="BGR"))
beside(["--crop", "6"], expected((15, 10), (6, 6), mean=(0.5, 0.4, 0.3), std=(0.25,), channels="BGR"))
json.dump({"inputs": {"x": {"resize": [4, 5]}}}, open("bad.json", "w"))
run("beside.onnx", "-i", "p.png", "--recipe", "bad.json", code=2, error="bad.json: resize of input 'x': expected a side or WIDTHxHEIGHT, 1 to 1048576, got 4,5")
json.dump({"inputs": {"x": {"resise": 4}}}, open("bad.json", "w"))
run("beside.onnx", "-i", "p.png", "--recipe", "bad.json", code=2, error="there is no 'resise' of an input; did you mean 'resize'?")
open("bad.json", "w").write("[" * 5000)
run("beside.onnx", "-i", "p.png", "--recipe", "bad.json", code=2, error="bad.json: no JSON object")
open("list.json", "w").write("[1]")
run("beside.onnx", "-i", "p.png", "--recipe", "list.json", code=2, error="list.json: no JSON object")
identity("list.onnx", FLOAT, any_size)
run("list.onnx", "-i", "p.png", error="becomes input 'x'")  # a list beside a model is no recipe
open("beside2.json", "w").write("{")
identity("beside2.onnx", FLOAT, any_size)
run("beside2.onnx", "-i", "p.png", code=2, error="beside2.json: no JSON object")
run("beside.onnx", "-i", "p.png", "--recipe", "nowhere.json", code=5, error="nowhere.json: cannot be opened")

# Standard input; and a model that decodes by itself gets the bytes.
run("id.onnx", "-i", "x=-", "--range", "1", "-o", "z.npy", input=data)
run("id.onnx", "-i", "p.png", "--range", "1", "-o", "y.npy")
if open("z.npy", "rb").read() != open("y.npy", "rb").read():
    fail("standard input")
identity("bytes.onnx", UINT8, ["n"])
run("bytes.onnx", "-i", "p.png", "-o", "y.npy")
if bytes(read(open("y.npy", "rb").read())[1]) != data:
    fail("the bytes themselves")

# Words that do not fit.
for words, error in ((["--resize", "0"], "--resize: expected a side or WIDTHxHEIGHT, 1 to 1048576, got '0'"), (["--resize", "1x"], "--resize: expected"), (["--resize", "9999999999"], "--resize: expected"),
                     (["--crop", "40"], "p.png: --crop 40x40 of a picture of 30x20; --resize makes it larger first"), (["--std", "0,1,1"], "none of them 0"), (["--mean", "nan"], "--mean: expected"),
                     (["--mean", "1,2"], "--mean and --std have one number, or one for each of 3 channels"), (["--mean", "1,2,3,4,5"], "--mean: expected"), (["--channels", "CMYK"], "RGB, BGR or GRAY"),
                     (["--channels", "GRAY"], "--channels makes a picture of 1 channel, input 'x' float32[n,3,h,w] has 3"), (["--layout", "HWC"], "NCHW or NHWC"), (["--range", "0"], "--range: expected a number above 0")):
    run("id.onnx", "-i", "p.png", *words, code=2, error=error)
run("id.onnx", "--resize", "5", code=2, error="--resize does nothing without --input")
run("id.onnx", "-i", "p.png", "--resize", "1048576x1048576", code=5, error="LIMIT: p.png: ")
identity("list.onnx", FLOAT, ["n"])
run("list.onnx", "-i", "p.png", code=2, error="p.png: a picture becomes 2 to 4 dimensions, input 'x' has 1")
identity("two.onnx", FLOAT, ["n", 2, "h", "w"])
run("two.onnx", "-i", "p.png", code=2, error="1 or 3 channels")
identity("words.onnx", STRING, any_size)
run("words.onnx", "-i", "p.png", code=2, error="a picture cannot become string")

# Pictures that hurt: each is one line, in little memory.
open("cut.png", "wb").write(data[:200])
open("bent.png", "wb").write(data[:60] + bytes(40) + data[100:])
png("huge.png", pixels, (1 << 30, 1 << 30))
png("long.png", pixels, (30, 100000))
open("head.png", "wb").write(data[:16])
open("head.jpg", "wb").write(b"\xff\xd8\xff\xe0" + bytes(30))
for name in ("cut.png", "bent.png", "huge.png", "long.png", "head.png", "head.jpg"):
    done = subprocess.run(["sh", "-c", f"{limit} exec '{tool}' run id.onnx -i {name}"],
                          capture_output=True, timeout=60)
    if done.returncode not in (2, 5) or done.stderr.count(b"\n") != 1 or name.encode() not in done.stderr:
        fail(name, done.returncode, done.stderr)
random.seed(1)
for round in range(60):
    broken = bytearray(data)
    for _ in range(random.randrange(1, 6)):
        broken[random.randrange(len(broken))] = random.randrange(256)
    open("m.png", "wb").write(broken)
    done = subprocess.run([tool, "run", "id.onnx", "-i", "m.png"], capture_output=True, timeout=60)
    if done.returncode not in (0, 2, 5) or done.stderr.count(b"\n") != 1:
        fail("mutated", round, done.returncode, done.stderr)
finish()
PY
# A build without PNG says so.
python3 - "$work" <<'PY'
import sys
from model_writer import *
identity(sys.argv[1] + "/id.onnx", FLOAT, ["n", 3, "h", "w"])
PY
if "$tool" run "$work/id.onnx" -i "$fixtures/demo/digit.png" 2>&1 | grep -q "this build does not read PNG: install libpng"; then
  echo "built without libpng"
  exit 77
fi
limit="ulimit -v 1500000;"
grep -q 'fsanitize' "$1/build.ninja" 2>/dev/null && limit=
python3 "$work/test.py" "$tool" "$work" "$limit" || fail "see above"
finish
