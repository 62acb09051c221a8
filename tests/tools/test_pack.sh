#!/bin/sh
# pack and --packed: the same results from weights in a file, for one model and one level of the processor.
# usage: test_pack.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
model=$work/model.onnx other=$fixtures/linear_2d_dynamo/model.onnx
cp "$fixtures/transformer_decoder_layer_ts/model.onnx" "$model"

expect 0 "" "$tool" run "$model" -o "$work/plain.npy"
expect 0 "" "$tool" pack "$model"
holds "^$model.packed: .*of packed weights$"
expect 0 "" "$tool" pack "$model" -o "$model.packed" --threads 2
holds "up to date"
expect 0 "" "$tool" pack "$model" --output="$work/elsewhere"
cmp -s "$model.packed" "$work/elsewhere" || fail "two files of the same weights differ"

# What is there is not lost: the model, and what is no file of packed weights.
cp "$model" "$work/before"
for command in pack report bench run; do
  expect 2 "is the model itself" "$tool" $command "$model" -o "$model"
done
# Nor an input, nor what is no text, no page and no ONNX file.
for file in data input; do cp "$work/plain.npy" "$work/$file.npy"; done
expect 2 "is an input" "$tool" run "$model" -i "$work/input.npy" -o "$work/input.npy"
for command in report bench; do
  expect 2 "of another kind" "$tool" $command "$model" -o "$work/data.npy"
done
cp "$model" "$work/data.onr"
for words in "optimise data.npy" "pack data.onr"; do
  expect 5 "^onnxrun: IO: '$work/${words#* }': there is a file of something else in its place$" "$tool" ${words% *} "$model" -o "$work/${words#* }"
done
cmp -s "$model" "$work/data.onr" || fail "a model was written over by a packed one"
rm "$work/data.onr"
cmp -s "$work/plain.npy" "$work/data.npy" && cmp -s "$work/plain.npy" "$work/input.npy" || fail "data were written over"
cp "$model" "$work/another"
expect 5 "a file of something else in its place" "$tool" pack "$model" -o "$work/another"
cmp -s "$model" "$work/before" && cmp -s "$model" "$work/another" || fail "a file was written over"

for words in "" "--threads 2" "--seed 0"; do
  expect 0 "" "$tool" run "$model" -o "$work/mapped.npy" --packed "$model.packed" $words
  grep -q packed "$work/err" && fail "a good file is complained about: $(cat "$work/err")"
  cmp -s "$work/plain.npy" "$work/mapped.npy" || fail "mapped weights give other results ($words)"
done
expect 0 "" "$tool" info "$model" --packed "$model.packed"
expect 0 "" "$tool" bench "$model" --seconds 0 --json --packed "$model.packed"
holds '"packed":true'
expect 0 "" "$tool" bench "$model" --seconds 0 --json
holds '"packed":false'

# refused WHY WORDS...: one line says why, and the model runs.
refused() {
  why=$1
  shift
  expect 0 "" "$@"
  [ "$(grep -c "weights are packed anew" "$work/err")" = 1 ] || fail "'$*': expected one note"
  grep -q "$why" "$work/err" || fail "'$*': expected '$why', found: $(cat "$work/err")"
}
refused "another model" "$tool" run "$other" --packed "$model.packed"
refused "other options" "$tool" run "$model" --packed "$model.packed" --backend portable
refused "other options" "$tool" run "$model" --packed "$model.packed" --precision fast
refused "no such file" "$tool" run "$model" --packed "$work/nowhere"
refused "not a file of packed weights" "$tool" run "$model" --packed "$model"
ONNXRUN_CPU=base expect 0 "" "$tool" pack "$model" -o "$work/base"
if ! cmp -s "$work/base" "$model.packed"; then # else the processor has no other level
  refused "another processor" "$tool" run "$model" --packed "$work/base" -o "$work/mapped.npy"
  cmp -s "$work/plain.npy" "$work/mapped.npy" || fail "packed anew: other results"
fi
printf x >>"$model.packed"
refused "damaged" "$tool" run "$model" --packed "$model.packed"

# pack itself fails where there is no file in the end, and leaves nothing.
expect 5 "no file can be created" "$tool" pack "$model" -o "$work/nowhere/file"
expect 5 "something else than a file" "$tool" pack "$model" -o "$work"
expect 3 "" "$tool" pack "$model.packed" -o "$work/none"
[ -e "$work/none" ] && fail "a model that is none was packed"
ls "$work" | grep -q "tmp$" && fail "files were left: $(ls "$work")"
expect 0 "" "$tool" pack "$model"
lacks "up to date"
expect 0 "" "$tool" run "$model" --packed "$model.packed"

# A model with its weights in a file beside it: both count.
python3 - "$work" <<'PY'
import struct, sys
from model_writer import *
work = sys.argv[1]
where = piece(13, piece(1, "location") + piece(2, "weights"))
tensor = number(1, 256) + number(1, 128) + number(2, FLOAT) + piece(8, "w") + where + number(14, 1)
write(work + "/external.onnx", [node("MatMul", ["x", "w"], ["y"])], [("x", FLOAT, [2, 256])], [("y", FLOAT, [2, 128])], [tensor])
open(work + "/weights", "wb").write(struct.pack("<32768f", *[(i % 97 - 48) / 50 for i in range(32768)]))
PY
expect 0 "" "$tool" run "$work/external.onnx" -o "$work/plain.npy"
expect 0 "" "$tool" pack "$work/external.onnx"
expect 0 "" "$tool" run "$work/external.onnx" -o "$work/mapped.npy" --packed "$work/external.onnx.packed"
grep -q packed "$work/err" && fail "$(cat "$work/err")"
cmp -s "$work/plain.npy" "$work/mapped.npy" || fail "external weights: other results"
printf '\001\002\003\004' | dd of="$work/weights" bs=1 seek=70000 conv=notrunc 2>/dev/null
refused "another model" "$tool" run "$work/external.onnx" --packed "$work/external.onnx.packed"

# One file of all: it stands by itself, holds no weight twice, and answers as the model does, for every command.
stands_alone() { # MODEL, a folder of its own
  expect 0 "" "$tool" run "$1" -o "$work/plain.npy"
  mkdir -p "$work/alone"
  expect 0 "" "$tool" pack "$1" -o "$work/alone/m.onr" --threads 2
  holds "m.onr: "
  [ "$(ls "$work/alone")" = m.onr ] || fail "packing left files: $(ls "$work/alone")"
  expect 0 "" "$tool" run "$work/alone/m.onr" -o "$work/mapped.npy"
  cmp -s "$work/plain.npy" "$work/mapped.npy" || fail "$1 packed: other results"
  for words in "info" "info --json" "bench --seconds 0 --json --threads 2" "pack"; do expect 0 "" "$tool" $words "$work/alone/m.onr"; done
  holds "m.onr: sound"
  expect 0 "" "$tool" pack "$1" -o "$work/again.onr"
  cmp -s "$work/alone/m.onr" "$work/again.onr" || fail "$1: two packed models differ"
}
stands_alone "$model"
# One bit of its data, wherever it lies: a packed model of which one is not as it was is not sound.
size=$(wc -c <"$work/alone/m.onr")
for part in 3 5 7; do
  python3 -c 'import sys; b = bytearray(open(sys.argv[1], "rb").read()); b[len(b) * int(sys.argv[3]) // 8] ^= 64; open(sys.argv[2], "wb").write(b)' \
    "$work/alone/m.onr" "$work/damaged.onr" $part
  "$tool" pack "$work/damaged.onr" >"$work/out" 2>"$work/err" && fail "damaged at $part/8 of $size bytes: $(cat "$work/out")"
done
stands_alone "$work/external.onnx"
[ "$(wc -c <"$work/alone/m.onr")" -lt 160000 ] || fail "external weights are held twice: $(wc -c <"$work/alone/m.onr")" # 131072 of weights
mkdir -p "$work/case"
cp -r "$fixtures/transformer_decoder_layer_ts/." "$work/case"
expect 0 "" "$tool" pack "$work/case/model.onnx" -o "$work/case/m.onr"
mv "$work/case/m.onr" "$work/case/model.onnx"
rm -f "$work/case/model.onnx.data"
expect 0 "" "$tool" check "$work/case"
expect 2 "the model is a packed one already, with its weights in it" "$tool" run "$work/again.onr" --packed "$work/elsewhere"
expect 2 "packed one already" "$tool" pack "$work/again.onr" -o "$work/twice.onr"

# It is for one processor and one set of options: without the weights it says so, and does not guess.
cp "$work/again.onr" "$work/m.onr"
expect 3 "VERSION: .*for other options; it has no other weights: pack the model again" "$tool" run "$work/m.onr" --backend portable
if ! cmp -s "$work/base" "$model.packed"; then
  ONNXRUN_CPU=base expect 3 "VERSION: .*another processor; it has no other weights" "$tool" run "$work/m.onr"
fi
# Weights that a caller may replace are all kept: other options pack them anew.
python3 - "$work" <<'PY'
import sys
from model_writer import *
write(sys.argv[1] + "/default.onnx", [node("MatMul", ["x", "w"], ["y"])], [("x", FLOAT, [2, 64]), ("w", FLOAT, [64, 32])], [("y", FLOAT, [2, 32])],
      [floats("w", [64, 32], [(i % 97 - 48) / 50 for i in range(2048)])])
identity(sys.argv[1] + "/w.onnx", shape=[64, 32])
PY
expect 0 "" "$tool" run "$work/w.onnx" --seed 5 -o "$work/w.npy"
for words in "" "--backend portable"; do
  for given in "" "-i w=$work/w.npy"; do
    expect 0 "" "$tool" run "$work/default.onnx" $given $words -o "$work/plain.npy"
    expect 0 "" "$tool" pack "$work/default.onnx" -o "$work/default.onr"
    expect 0 "" "$tool" run "$work/default.onr" $given $words -o "$work/mapped.npy"
    cmp -s "$work/plain.npy" "$work/mapped.npy" || fail "a default in a packed model ($words, $given)"
  done
done

# Damage: in what a load reads it is found by any load, in blocks by 'pack FILE.onr'.
printf x >>"$work/m.onr"
expect 3 "PARSE: .*a packed model that is damaged: its length" "$tool" run "$work/m.onr"
cp "$work/again.onr" "$work/m.onr"
printf '\001\002\003\004' | dd of="$work/m.onr" bs=1 seek=300 conv=notrunc 2>/dev/null
expect 3 "PARSE: .*a packed model that is damaged" "$tool" run "$work/m.onr"
cp "$work/again.onr" "$work/m.onr"
printf '\001\002\003\004' | dd of="$work/m.onr" bs=1 seek=$(($(wc -c <"$work/m.onr") - 4000)) conv=notrunc 2>/dev/null
expect 0 "" "$tool" run "$work/m.onr"
expect 3 "VERSION: .*it is damaged" "$tool" pack "$work/m.onr"
expect 5 "no file can be created" "$tool" pack "$model" -o "$work/nowhere/file.onr"
expect 3 "" "$tool" pack "$work/plain.npy" -o "$work/none.onr"
[ -e "$work/none.onr" ] && fail "a model that is none was packed"
ls "$work" | grep -q "tmp$" && fail "files were left: $(ls "$work")"

# A signal while it packs: the program ends by it, and nothing is left of what was begun.
python3 - "$tool" "$work" <<'PY' || fail "signals, see above"
import os, signal, subprocess, sys, time
from model_writer import *
tool, work = sys.argv[1:]
size, count = 1024, 24
folder = work + "/signals"
os.mkdir(folder)
write(folder + "/large.onnx", [node("MatMul", [f"x{i}", f"w{i}"], [f"x{i + 1}"]) for i in range(count)], [("x0", FLOAT, [1, size])],
      [(f"x{count}", FLOAT, [1, size])], [floats(f"w{i}", [size, size], [float(i + 1)] * size * size) for i in range(count)])
caught = 0
for target in ("w.packed", "m.onr", "o.onnx"):
    for number in (signal.SIGINT, signal.SIGTERM):
        command = ["optimise" if target == "o.onnx" else "pack", folder + "/large.onnx", "-o", f"{folder}/{target}"]
        process = subprocess.Popen([tool, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while process.poll() is None and not [name for name in os.listdir(folder) if name.endswith(".tmp")]:
            time.sleep(0.0005)
        process.send_signal(number)
        error = process.communicate(timeout=60)[1]
        left = sorted(os.listdir(folder))
        caught += process.returncode == -number
        if process.returncode not in (0, -number) or error or left not in (["large.onnx"], sorted(["large.onnx", target])):
            sys.exit(f"{command}: {process.returncode}, {error}, {left}")
        for name in left[:]:
            if name != "large.onnx":
                os.remove(f"{folder}/{name}")
if caught < 2:
    sys.exit(f"only {caught} signals came in time")
PY
finish
