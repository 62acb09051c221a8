#!/bin/sh
# Inputs: which file goes where, what is random, and sizes that nobody gave.
# usage: test_inputs.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
python3 - "$work" <<'PY'
import struct, sys
from model_writer import *
work = sys.argv[1]
identity(work + "/one.onnx", shape=["rows", "columns"])
identity(work + "/equals.onnx", name="a=b")
identity(work + "/bfloat16.onnx", BFLOAT16)
identity(work + "/int4.onnx", INT4)
identity(work + "/undeclared.onnx")
identity(work + "/sequence.onnx", [FLOAT])
write(work + "/two.onnx", [node("Add", ["a", "b"], ["y"])], [("a", FLOAT, ["n"]), ("b", FLOAT, ["n"])], [("y", FLOAT, ["n"])])
# As many inputs as a decoder with a cache.
many = [f"past{i}" for i in range(12)]
write(work + "/many.onnx", [node("Sum", many, ["y"])], [(name, FLOAT, [name + "_length"]) for name in many], [("y", FLOAT, None)])
# 12 features: no size that is guessed fits.
write(work + "/twelve.onnx", [node("MatMul", ["x", "w"], ["y"])], [("x", FLOAT, ["batch", "features"])], [("y", FLOAT, ["batch", 1])],
      [floats("w", [12, 1], [1] * 12)])
# Bad whatever it is given.
write(work + "/static.onnx", [node("MatMul", ["x", "w"], ["y"])], [("x", FLOAT, [2, 5])], [("y", FLOAT, None)], [floats("w", [12, 1], [1] * 12)])
# An operator that nobody has.
write(work + "/strange.onnx", [node("Strange", ["x"], ["y"]), node("Relu", ["y"], ["z"])], [("x", FLOAT, ["n", 3])], [("z", FLOAT, ["n", 3])])
write(work + "/frobnicate.onnx", [node("Frobnicate", ["x"], ["y"])], [("x", FLOAT, [3])], [("y", FLOAT, [3])])
write(work + "/near.onnx", [node("Relo", ["x"], ["y"], name="act_1", metadata={"pkg.torch.onnx.name_scopes": "['', 'layer1', 'layer1.act', 'relu']",
      "pkg.torch.onnx.class_hierarchy": "['Net', 'Block', 'torch.nn.ReLU', 'aten.relu.default']",
      "pkg.torch.onnx.stack_trace": 'File "net.py", line 7, in forward'})], [("x", FLOAT, [3])], [("y", FLOAT, [3])], producer="pytorch")
write(work + "/twice.onnx", [node("Relo", ["x"], ["y"]), node("Relo", ["x"], ["z"])], [("x", FLOAT, [3])], [("y", FLOAT, [3]), ("z", FLOAT, [3])])
write(work + "/several.onnx", [node("Relo", ["x"], ["y"]), node("Cosn", ["y"], ["z"])], [("x", FLOAT, [3])], [("z", FLOAT, [3])])
write(work + "/foreign.onnx", [node("Gelu", ["x"], ["y"], domain="com.example")], [("x", FLOAT, [3])], [("y", FLOAT, [3])], domains=["com.example"])
write(work + "/misplaced.onnx", [node("FastGelu", ["x"], ["y"])], [("x", FLOAT, [3])], [("y", FLOAT, [3])])
write(work + "/divide.onnx", [node("Div", ["one", "x"], ["y"])], [("x", INT64, [1])], [("y", INT64, [1])], [integers("one", [1])])
for name, rows in (("reshape", "rows"), ("fixed", 2)):
    write(f"{work}/{name}.onnx", [node("Reshape", ["x", "s"], ["y"])], [("x", FLOAT, [rows, 3])], [("y", FLOAT, None)], [integers("s", [7, 3])])
write(work + "/constant.onnx", [node("Gather", ["table", "nine"], ["y"])], [], [("y", FLOAT, [1])], [floats("table", [2], [1, 2]), integers("nine", [9])])
# Rows of a table of two: random numbers up to 9 lie outside.
write(work + "/rows.onnx", [node("Gather", ["table", "x"], ["y"])], [("x", INT64, [64])], [("y", FLOAT, [64])], [floats("table", [2], [1, 2])])
# A batch dimension that is not the first, and one name at two places.
write(work + "/shared.onnx", [node("MatMul", ["x", "x"], ["y"])], [("x", FLOAT, ["n", "n"])], [("y", FLOAT, ["n", "n"])])
def npy(name, letters, shape, data):
    text = str({"descr": letters, "fortran_order": False, "shape": shape}).encode()
    with open(f"{work}/{name}", "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data)
npy("x.npy", "<f4", (2, 3), struct.pack("<6f", 1, 2, 3, 4, 5, 6))
npy("nines.npy", "<i8", (64,), struct.pack("<64q", *[9] * 64))
npy("zero.npy", "<i8", (1,), bytes(8))
npy("n4.npy", "<f4", (4,), bytes(16))
npy("u2.npy", "<u2", (2,), struct.pack("<2H", 0x3FC0, 0xC000))
npy("v2.npy", "|V2", (2,), struct.pack("<2H", 0x3FC0, 0xC000))
npy("i1.npy", "|i1", (2,), bytes([7, 0xF8]))
npy("i1_large.npy", "|i1", (2,), bytes([7, 8]))
open(work + "/named.pb", "wb").write(floats("x", [2, 3], [6, 5, 4, 3, 2, 1]))
open(work + "/foreign.pb", "wb").write(floats("something", [2, 3], [6, 5, 4, 3, 2, 1]))
PY
cd "$work" || exit 1

# A file without a name belongs to the only input, whatever its own name is and however the file is called.
for file in x.npy named.pb foreign.pb; do
  expect 0 "" "$tool" run one.onnx -i $file
  holds "float32\[2,3\] [16] [25]"
  [ -s err ] && fail "nothing is random, but: $(cat err)"
done
cp x.npy data.bin
expect 0 "" "$tool" run one.onnx -i data.bin
holds "float32\[2,3\] 1 2"
expect 0 "" "$tool" run one.onnx -i x=x.npy --dim rows=2
mkfifo pipe
cat x.npy >pipe &
expect 0 "" "$tool" run one.onnx -i x=pipe
holds "float32\[2,3\] 1 2"
expect 0 "" "$tool" run equals.onnx -i a=b=x.npy
cp x.npy "p=q.npy"
expect 0 "" "$tool" run one.onnx -i "p=q.npy"
expect 2 "say for which input, as in -i NAME=n4.npy; the model has 'a', 'b'" "$tool" run two.onnx -i n4.npy
expect 2 "foreign.pb: the model has no input 'something'; it has 'a', 'b'" "$tool" run two.onnx -i foreign.pb
expect 2 "input 'a' is given twice, by n4.npy and by x.npy" "$tool" run two.onnx -i a=n4.npy -i a=x.npy
expect 2 "input 'x' is given twice, by x.npy and by named.pb" "$tool" run one.onnx -i x.npy -i named.pb
expect 5 "none.npy: cannot be opened: No such file" "$tool" run one.onnx -i x=none.npy
expect 5 "cannot be read: Is a directory" "$tool" run one.onnx -i x=.
expect 2 "ARGUMENT: n4.npy: input 'x': expected rank 2" "$tool" run one.onnx -i n4.npy

# Types that NumPy lacks are read from their bits, where the model says so, and only bits that they have.
for file in u2.npy v2.npy; do
  expect 0 "" "$tool" run bfloat16.onnx -i $file
  holds "bfloat16\[2\] 1.5 -2\$"
done
expect 0 "" "$tool" run int4.onnx -i i1.npy
holds "int4\[2\] 7 -8"
expect 2 "element 1 is 8, which is no int4" "$tool" run int4.onnx -i i1_large.npy

# What is random is told, once and by name, and so are sizes that were guessed.
expect 0 "inputs 'a' float32\[1\], 'b' float32\[1\] are random (seed 0); .*guessed: n = 1" "$tool" run two.onnx
expect 0 "input 'b' float32\[4\] is random (seed 7); -i NAME=FILE gives it\$" "$tool" run two.onnx -i a=n4.npy --seed 7
expect 0 "inputs 'past0' float32\[1\], .*'past5' float32\[1\] and 6 others are random .*guessed: past0_length = 1, .* = 1 and 6 others, set" "$tool" run many.onnx
grep -q "past6" err && fail "a line of all inputs: $(cat err)"
expect 2 "it has 'past0', 'past1', 'past2', 'past3', 'past4', 'past5' and 6 others; did you mean 'past7'" "$tool" run many.onnx -i pasd7=n4.npy
expect 0 "input 'x' float32\[3,4\] is random" "$tool" run one.onnx --dim rows=3 --dim columns=4
expect 0 "" "$tool" bench two.onnx --seconds 0 --json
holds '"random_inputs":\["a","b"\],"guessed_dims":{"n":1}'
expect 0 "guessed: n = 1" "$tool" run shared.onnx

# --dim against the file's size.
expect 2 "--dim rows=4: x.npy has 2 there (dimension 0 of input 'x')" "$tool" run one.onnx -i x.npy --dim rows=4
expect 2 "--dim n=5: n4.npy has 4 there" "$tool" run two.onnx -i a=n4.npy --dim n=5

# A guess that does not fit is not the model's fault, and info tells what the model takes all the same.
expect 2 "SHAPE: twelve.onnx: .*--dim NAME=SIZE gives the right sizes, guessed were batch = 1, features = 1\$" "$tool" run twelve.onnx
expect 2 "guessed were features = 1\$" "$tool" bench twelve.onnx --dim batch=3 --seconds 0
expect 0 "" "$tool" run twelve.onnx --dim features=12
expect 0 "" "$tool" info twelve.onnx
holds "x  *float32\[batch,features\]"
holds "y  *float32\[batch,1\]"
holds "12 parameters"
holds "Shapes and costs are not known: .*--dim NAME=SIZE.*guessed were batch = 1, features = 1"
expect 0 "" "$tool" info --json twelve.onnx
holds '"type":.*"float32\[batch,features\]"'
holds '"problem":.*features = 1'
expect 0 "" "$tool" info twelve.onnx --dim features=12
holds "batch = 1 (guessed), features = 12\$"
lacks "not known"
expect 0 "" "$tool" info undeclared.onnx
holds "x  *float32\[?\]"
holds "does not say what input 'x' is; give it with -i x=FILE"
expect 2 "does not say what input 'x' is" "$tool" run undeclared.onnx
expect 0 "" "$tool" info sequence.onnx
holds "x  *seq(tensor(float))$"
holds "input 'x' is a seq(tensor(float)); give it with -i x=FILE.pb$"
expect 2 "sequence.onnx: input 'x' is a seq(tensor(float)); give it with -i x=FILE.pb$" "$tool" run sequence.onnx
expect 2 "input 'x' is a seq(tensor(float)), which a .pb holds" "$tool" run sequence.onnx -i "[[1, 2], [3]]"
expect 2 "x.npy: input 'x': expected seq(tensor(float)), got float32" "$tool" run sequence.onnx -i x.npy
expect 2 "SHAPE: twelve.onnx.*; it was given --dim batch=1, --dim features=5" "$tool" info twelve.onnx --dim batch=1 --dim features=5
holds "x  *float32\[batch,features\]"
expect 3 "SHAPE: static.onnx" "$tool" run static.onnx

# So it does of a model that cannot even be loaded.
expect 3 "SHAPE: static.onnx" "$tool" info static.onnx
holds "x  *float32\[2,5\]"
# A fault of an operator is one line: what, where it comes from, what to do. More are a list.
expect 4 "there is no code for Frobnicate (ai.onnx 22, float32); 'onnxrun ops' lists what there is; docs/your_own_layer.md says how" "$tool" run frobnicate.onnx
expect 4 "no code for Relo (ai.onnx 22, float32), 'act_1' (layer1.act, net.py:7); did you mean 'Relu'?$" "$tool" run near.onnx
expect 4 "no code for 2 x Relo (ai.onnx 22, float32).*; did you mean 'Relu'?$" "$tool" run twice.onnx
expect 4 "no code for Gelu (com.example 1, float32); nothing of domain 'com.example' is known, but com.microsoft has one of that name; docs/your_own_layer.md" "$tool" run foreign.onnx
expect 4 "no code for FastGelu (ai.onnx 22, float32); there is one in domain 'com.microsoft'" "$tool" run misplaced.onnx
"$tool" run several.onnx 2>err
[ $? = 4 ] && [ "$(wc -l <err)" = 3 ] && head -1 err | grep -q "UNSUPPORTED: several.onnx: there is no code for these nodes:$" &&
  grep -q "^  Relo (ai.onnx 22, float32); did you mean 'Relu'?$" err && grep -q "^  Cosn (ai.onnx 22); did you mean 'Cos'?$" err ||
  fail "two operators that nobody has: $(cat err)"
expect 4 "" "$tool" info strange.onnx
holds "x  *float32\[n,3\]"
holds "z  *float32\[n,3\]"
expect 4 "" "$tool" info --json strange.onnx
holds '"type":.*"float32\[n,3\]"'
holds '"problem":.*Strange'

expect 2 "INDEX: rows.onnx: .*random" "$tool" run rows.onnx

# What fails for the values or sizes that it was given is no fault of the model.
expect 2 "INDEX: rows.onnx: .*; it was given nines.npy$" "$tool" run rows.onnx -i nines.npy
expect 2 "INDEX: rows.onnx: .*; it was given nines.npy$" "$tool" bench rows.onnx -i x=nines.npy --seconds 0
expect 2 "ARITHMETIC: divide.onnx: .*; it was given zero.npy$" "$tool" run divide.onnx -i zero.npy
expect 2 "SHAPE: twelve.onnx: .*; it was given x.npy$" "$tool" run twelve.onnx -i x.npy
expect 2 "SHAPE: reshape.onnx: .*; it was given x.npy$" "$tool" run reshape.onnx -i x.npy
expect 3 "SHAPE: fixed.onnx: " "$tool" run fixed.onnx -i x.npy
expect 3 "INDEX: constant.onnx" "$tool" run constant.onnx

# Standard input, also of several arrays.
cat x.npy | "$tool" run one.onnx -i - >out 2>err
holds "float32\[2,3\] 1 2"
"$tool" run one.onnx -i x=- <x.npy >out 2>err
holds "float32\[2,3\] 1 2"
cat n4.npy n4.npy >two.stream
"$tool" run two.onnx -i a=- -i b=- <two.stream >out 2>err || fail "two arrays of a file: $(cat err)"
cat two.stream | "$tool" run two.onnx -i a=- -i b=- >out 2>err || fail "two arrays of a pipe: $(cat err)"
holds "float32\[4\] 0 0 0 0"
"$tool" run one.onnx -i - --dim rows=4 <x.npy >out 2>err
grep -q "standard input has 2 there (dimension 0 of input 'x')" err || fail "standard input has no name of its own: $(cat err)"
expect 2 "standard input: expected a .npy or .npz, found nothing" "$tool" run one.onnx -i -
for file in named.pb two.onnx; do
  "$tool" run one.onnx -i - <$file >out 2>err
  [ $? = 2 ] && grep -q "standard input: expected a .npy" err || fail "$file as standard input: $(cat err)"
done
head -c 90 x.npy | "$tool" run one.onnx -i - >out 2>err
[ $? = 2 ] && grep -q "standard input: not a readable .npy" err || fail "half an array: $(cat err)"
finish
