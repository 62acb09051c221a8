#!/bin/sh
# Sound as an input: samples, channels, rates and frames; states from frame to frame; files that are broken or longer than they say.
# usage: test_sound.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
cat >"$work/test.py" <<'PY'
import math, os, random, struct, subprocess, sys, wave
from array_reader import npy, read
from expect import expect, fail, finish
from model_writer import *
tool, work, limit = sys.argv[1:]
os.chdir(work)

def run(*words, **how):
    return expect([tool, "run", *words], **how)

def result(name="y.npy"):
    shape, values = read(open(name, "rb").read())[:2]
    return list(shape), list(values)

def wav(path, channels, rate, samples, width=2):
    with wave.open(path, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(b"".join(int(s).to_bytes(width, "little", signed=True) for s in samples))

random.seed(3)
mono = [random.randrange(-32768, 32768) for _ in range(1000)]
wav("mono.wav", 1, 8000, mono)
wav("stereo.wav", 2, 8000, [v for s in mono for v in (s // 2, 100)])
wav("deep.wav", 1, 8000, [s * 256 for s in mono], 3)
identity("line.onnx", FLOAT, ["n", "samples"])
identity("plane.onnx", FLOAT, [1, 1, "samples"])
identity("whole.onnx", 5, ["samples"])  # int16
def check(name, words, shape, values, tolerance=1e-6):
    run(*words, "-o", "y.npy")
    found = result()
    if found[0] != shape or any(abs(a - b) > tolerance for a, b in zip(found[1], values)) or len(found[1]) != len(values):
        fail(name, found[0], shape, found[1][:5], values[:5])
scale = [s / 32768 for s in mono]
check("mono", ["line.onnx", "-i", "mono.wav"], [1, 1000], scale)
check("24 bits", ["plane.onnx", "-i", "deep.wav"], [1, 1, 1000], scale)
check("two channels", ["line.onnx", "-i", "stereo.wav"], [1, 1000], [(s // 2 + 100) / 65536 for s in mono])
check("from standard input", ["line.onnx", "-i", "mono.wav", "--rate", "8000"], [1, 1000], scale)
check("16 bits as they are", ["whole.onnx", "-i", "mono.wav"], [1000], mono)
identity("small.onnx", 3, ["samples"])
run("small.onnx", "-i", "mono.wav", code=2, error="mono.wav: sound is numbers from -1 to 1, or 16 bits for int16; input 'x' is int8")
run("line.onnx", "-i", "mono.wav", error="mono.wav: 8000 samples a second; --rate says what input 'x' wants")
if run("line.onnx", "-i", "mono.wav", "--rate", "8000").stderr:
    fail("says what was said")

# Another rate is the same sound: a tone of 440 Hz stays one.
wav("tone.wav", 1, 44100, [round(20000 * math.sin(2 * math.pi * 440 * i / 44100)) for i in range(22050)])
for rate in (8000, 16000, 48000):
    run("line.onnx", "-i", "tone.wav", "--rate", str(rate), "-o", "y.npy")
    shape, values = result()
    if abs(shape[1] - rate / 2) > 2:
        fail("length at", rate, shape)
    middle = range(rate // 8, rate // 4)
    worst = max(abs(values[i] - 20000 / 32768 * math.sin(2 * math.pi * 440 * i / rate)) for i in middle)
    if worst > 2e-3:
        fail("tone at", rate, worst)

# Frames: one run each, outputs put together; frame k ends behind sample (k + 1) * hop.
def frames(size, hop):
    count = -(-len(scale) // hop)
    return [scale[i] if 0 <= i < len(scale) else 0.0 for k in range(count) for i in range((k + 1) * hop - size, (k + 1) * hop)], count
for size, hop in ((100, 100), (300, 300), (160, 128), (1000, 1), (2000, 2000)):
    values, count = frames(size, hop)
    check(f"frames {size}:{hop}", ["line.onnx", "-i", "mono.wav", "--rate", "8000", "--frame", f"{size}:{hop}"], [count, 1, size], values)
identity("fixed.onnx", FLOAT, [1, 160])
check("frames of the model's size", ["fixed.onnx", "-i", "mono.wav", "--rate", "8000"], [7, 1, 160], frames(160, 160)[0])
for words, error in ((["--frame", "0"], "--frame: expected samples, or SAMPLES:HOP"), (["--frame", "5:6"], "--frame: expected"), (["--frame", "5:"], "--frame: expected"),
                     (["--rate", "0"], "--rate: expected samples a second"), (["--rate", "1000001"], "--rate: expected")):
    run("line.onnx", "-i", "mono.wav", *words, code=2, error=error)

# States go on from frame to frame: a running sum, whether its size is declared or open, of sound or of an array.
for name, shape in (("sum.onnx", [2]), ("open.onnx", ["s", 2])):
    write(name, [node("Add", ["x", "s"], ["next"]), node("Identity", ["next"], ["y"])], [("x", FLOAT, [2]), ("s", FLOAT, shape)], [("y", FLOAT, None), ("next", FLOAT, None)])
rows = [[1, 2], [10, 20], [100, 200]]
open("rows.npy", "wb").write(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", struct.pack("<6f", *sum(rows, []))))
run("sum.onnx", "-i", "x=rows.npy", "--state", "next=s", "-o", "out")
if result("out/y.npy") != ([3, 2], [1, 2, 11, 22, 111, 222]):
    fail("states", result("out/y.npy"))
run("sum.onnx", "-i", "x=rows.npy", "-i", "s=[5, 7]", "--state", "next=s", "-o", "out")
if result("out/y.npy") != ([3, 2], [6, 9, 16, 29, 116, 229]):
    fail("states that begin with something", result("out/y.npy"))
run("sum.onnx", "-i", "x=rows.npy", "--state", "next=q", code=2, error="--state")
run("sum.onnx", "-i", "x=rows.npy", code=2, error="got float32[3,2]")
wav("few.wav", 1, 8000, [8192, -8192, 16384, 0, 4096])
run("sum.onnx", "-i", "x=few.wav", "--rate", "8000", "--frame", "2", "--state", "next=s", "-o", "out")
if result("out/y.npy") != ([3, 2], [0.25, -0.25, 0.75, -0.25, 0.875, -0.25]):
    fail("states of sound", result("out/y.npy"))
write("pair.onnx", [node("Neg", ["a"], ["y"]), node("Neg", ["b"], ["z"])], [("a", FLOAT, [1, 2]), ("b", FLOAT, [1, 5])], [("y", FLOAT, None), ("z", FLOAT, None)])
run("pair.onnx", "-i", "a=few.wav", "-i", "b=few.wav", "--rate", "8000", code=2, error="input 'a' has 3 frames, and 'b' has 1")

# What is no sound, or less than it says; each is one line in little memory.
data = open("mono.wav", "rb").read()
open("cut.wav", "wb").write(data[:50])
open("none.wav", "wb").write(data[:44])
open("liar.wav", "wb").write(data[:4] + b"\xff\xff\xff\x7f" + data[8:40] + b"\xff\xff\xff\x7f" + data[44:])
open("many.wav", "wb").write(data[:22] + struct.pack("<HII", 65535, 8000, 8000) + data[32:])
open("kind.wav", "wb").write(data[:20] + struct.pack("<H", 0x7777) + data[22:])
random.seed(5)
names = ["cut.wav", "none.wav", "liar.wav", "many.wav", "kind.wav"]
for k in range(60):
    broken = bytearray(data)
    for _ in range(random.randrange(1, 5)):
        broken[random.randrange(48)] = random.randrange(256)
    names.append(f"m{k}.wav")
    open(names[-1], "wb").write(broken)
for name in names:
    done = subprocess.run(["sh", "-c", f"{limit} exec '{tool}' run line.onnx -i {name}"], capture_output=True, timeout=60)
    if done.returncode not in (0, 2, 5) or done.stderr.count(b"\n") != 1:
        fail(name, done.returncode, done.stderr)
run("line.onnx", "-i", "many.wav", code=2)
# A file that was cut is told; who wrote into a pipe did not know its length.
run("line.onnx", "-i", "cut.wav", code=2, error="cut.wav: its end is missing: 1994 bytes")
big = lambda n: struct.pack(">I", n)
samples = struct.pack(">4h", 1, 2, 3, 16384)
aiff = b"COMM" + big(18) + struct.pack(">hIh", 1, 4, 16) + bytes([0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0]) + b"SSND" + big(8 + 8) + bytes(8) + samples
whole = {"a.aiff": b"FORM" + big(4 + len(aiff)) + b"AIFF" + aiff, "a.au": b".snd" + big(24) + big(8) + big(3) + big(8000) + big(1) + samples,
         "a.rf64": b"RF64" + b"\xff" * 4 + b"WAVEds64" + struct.pack("<IQQQI", 28, 72, 8, 4, 0) + data[12:36] + b"data" + b"\xff" * 4 + struct.pack("<4h", 1, 2, 3, 16384),
         "pipe.wav": data[:40] + b"\xff" * 4 + struct.pack("<4h", 1, 2, 3, 16384)}
for name, content in whole.items():
    open(name, "wb").write(content)
    check(name, ["line.onnx", "-i", name, "--rate", "8000"], [1, 4], [1 / 32768, 2 / 32768, 3 / 32768, 0.5])
    if name != "pipe.wav":
        open("cut", "wb").write(content[:-2])
        run("line.onnx", "-i", "cut", "--rate", "8000", code=2, error="cut: its end is missing: 2 bytes")
open("cut.ogg", "wb").write(b"OggS" + bytes(40))
run("line.onnx", "-i", "cut.ogg", "--rate", "8000", code=2, error="cut.ogg: its end is missing")
run("line.onnx", "-i", "mono.wav", "--limit", "tensor_bytes=3000", code=5, error="mono.wav")
finish()
PY
python3 - "$work" <<'PY'
import sys, wave
from model_writer import *
identity(sys.argv[1] + "/id.onnx", FLOAT, ["n"])
with wave.open(sys.argv[1] + "/s.wav", "wb") as file:
    file.setparams((1, 2, 8000, 0, "NONE", ""))
    file.writeframes(bytes(8))
PY
if "$tool" run "$work/id.onnx" -i "$work/s.wav" 2>&1 | grep -q "this build reads no sound: install libsndfile"; then
  echo "built without libsndfile"
  exit 77
fi
limit="ulimit -v 1500000;"
grep -q 'fsanitize' "$1/build.ninja" 2>/dev/null && limit=
python3 "$work/test.py" "$tool" "$work" "$limit" || fail "see above"
finish
