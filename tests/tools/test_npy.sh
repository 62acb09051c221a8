#!/bin/sh
# .npy files: every type and order that NumPy writes, headers in any spelling, strings, and what is no array; written ones read back.
# usage: test_npy.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
cat >"$work/test.py" <<'PY'
import struct, sys, zipfile
from array_reader import npy, read
from expect import expect, fail, finish
from model_writer import BOOL, FLOAT, STRING, identity
tool, work = sys.argv[1:]
checks = 0
TYPES = {"f4": 1, "u1": 2, "i1": 3, "u2": 4, "i2": 5, "i4": 6, "i8": 7, "b1": 9, "f2": 10, "f8": 11, "u4": 12, "u8": 13, "c8": 14, "c16": 15}

def run(name, data, dtype, **how):
    global checks
    checks += 1
    path = f"{work}/{name}"
    open(path, "wb").write(data)
    model = f"{work}/model_{dtype}.onnx"
    identity(model, dtype)
    return expect([tool, "run", model, "-i", path, "-o", work + "/out"], **how)

def good(name, data, dtype, shape, values):
    """The tool reads it, and what it writes has this shape and these values."""
    if not run(name, data, dtype).returncode and read(open(work + "/out/y.npy", "rb").read()) != (shape, values):
        fail(name, "expected", shape, values)

def bad(name, data, text, dtype=FLOAT, code=2):
    done = run(name, data, dtype, code=code, error=text or name)
    if name not in done.stderr.decode():
        fail(name, "is not named", done.stderr)

def header(descr="<f4", fortran=False, shape=(2, 3)):
    return f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"

# Each type, in both byte orders.
for letters, code in {"f4": "f", "f8": "d", "f2": "e", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q"}.items():
    values = [1, 2, 100, 0, 7, 3]
    for order in "<>" if letters[1] != "1" else "|":
        good(f"{letters}{'<>|'.index(order)}.npy", npy(header(order + letters), struct.pack(f"{'<' if order == '|' else order}6{code}", *values)), TYPES[letters],
             (2, 3), values)
good("native.npy", npy(header("=i4", shape=(2,)), struct.pack("<2i", 1, -1)), 6, (2,), [1, -1])
good("noorder.npy", npy(header("i4", shape=(2,)), struct.pack("<2i", 1, -1)), 6, (2,), [1, -1])
good("bool.npy", npy(header("|b1", shape=(3,)), bytes([0, 1, 200])), 9, (3,), [False, True, True])
if not run("complex.npy", npy(header(">c8", shape=(1,)), struct.pack(">2f", 1.5, -2)), 14).returncode:
    if open(work + "/out/y.npy", "rb").read()[-8:] != struct.pack("<2f", 1.5, -2):
        fail("complex.npy: expected 1.5 - 2i, each part swapped by itself")

# Fortran order, of any rank; scalars and empty arrays.
six = struct.pack("<6f", 0, 1, 2, 3, 4, 5)
good("fortran.npy", npy(header(fortran=True), six), FLOAT, (2, 3), [0, 2, 4, 1, 3, 5])
good("fortran_big.npy", npy(header(">f4", True), struct.pack(">6f", 0, 1, 2, 3, 4, 5)), FLOAT, (2, 3), [0, 2, 4, 1, 3, 5])
cube = npy(header("<f4", True, (2, 3, 4)), struct.pack("<24f", *range(24)))
good("fortran_cube.npy", cube, FLOAT, *read(cube))
assert read(cube)[1][:5] == [0, 6, 12, 18, 2]
good("fortran_line.npy", npy(header("<f4", True, (6,)), six), FLOAT, (6,), [0, 1, 2, 3, 4, 5])
good("scalar.npy", npy(header(shape=()), six[:4]), FLOAT, (), [0])
good("empty.npy", npy(header(shape=(0, 3)), b""), FLOAT, (0, 3), [])
bad("empty_huge.npy", npy(header(shape=(1 << 62, 1 << 62, 0)), b""), "more elements than 2^63", code=5)
good("empty_fortran.npy", npy(header("<f4", True, (3, 0)), b""), FLOAT, (3, 0), [])

# The header is a Python literal, whoever wrote it; all versions of the format.
spellings = [
    "{'descr':'<f4','fortran_order':True,'shape':(2,3)}",
    '{"shape": (2, 3), "fortran_order": True, "descr": "<f4"}',
    "{ 'fortran_order' :True,\n\t'shape' : ( 2 , 3 , ) , 'descr' : \"<f4\" , }   \n",
    "{'descr': '<f4', 'fortran_order': True, 'shape': (2L, 3L), }\n",
    "{u'descr': u'<f4', u'fortran_order': True, u'shape': (2, 3)}",
    "  {'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }" + " " * 9000 + "\n",
]
for i, text in enumerate(spellings):
    for version in (1, 2, 3):
        good(f"spelling_{i}_{version}.npy", npy(text, six, version), FLOAT, (2, 3), [0, 2, 4, 1, 3, 5])
good("more_behind.npy", npy(header(), six + b"more"), FLOAT, (2, 3), [0, 1, 2, 3, 4, 5])

# Strings: U of both orders, S, and both of them written.
words = ["ab", "d\u00e9", "", "\U0001F600xyz"]
for order, codec in (("<", "utf-32-le"), (">", "utf-32-be")):
    data = b"".join(word.ljust(4, "\0").encode(codec) for word in words)
    good(f"U{'<>'.index(order)}.npy", npy(header(order + "U4", shape=(2, 2)), data), STRING, (2, 2), [word.encode() for word in words])
    good(f"Uf{'<>'.index(order)}.npy", npy(header(order + "U4", True, (2, 2)), data), STRING, (2, 2), [words[i].encode() for i in (0, 2, 1, 3)])
good("S.npy", npy(header("|S3", shape=(3,)), b"ab\0\0\0\0xyz"), STRING, (3,), [b"ab", b"", b"xyz"])
good("S_bytes.npy", npy(header("|S3", shape=(2,)), b"a\xff\0bcd"), STRING, (2,), [b"a\xff", b"bcd"])
good("inner_zero.npy", npy(header("|S3", shape=(1,)), b"a\0b"), STRING, (1,), [b"a\0b"])
good("U0.npy", npy(header("<U0", shape=(2,)), b""), STRING, (2,), [b"", b""])
bad("surrogate.npy", npy(header("<U1", shape=(1,)), struct.pack("<I", 0xD800)), "no character", STRING)
bad("beyond.npy", npy(header("<U1", shape=(1,)), struct.pack("<I", 0x110000)), "no character", STRING)

# What is no array says so, in one line with the file's name, and takes no memory.
bad("records.npy", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", six), "records")
bad("objects.npy", npy(header("|O"), six), "Python objects")
bad("times.npy", npy(header("<M8[ns]"), six), "times")
bad("unknown.npy", npy(header("<f16"), six), "'f16' is not supported")
bad("version.npy", npy(header(), six, 4), "version 4.0, expected 1.0, 2.0 or 3.0")
bad("negative.npy", npy(header(shape="(-2, 3)"), six), "broken 'shape'")
bad("list.npy", npy(header(shape="[2, 3]"), six), "no tuple")
bad("order.npy", npy(header(fortran="None"), six), "neither True nor False")
bad("twice.npy", npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", six), "second 'descr'")
bad("missing.npy", npy("{'descr': '<f4', 'shape': (2,)}", six), "no 'fortran_order'")
bad("behind.npy", npy(header() + "x", six), "behind the dictionary")
bad("no_dictionary.npy", npy("[1, 2]", six), "no dictionary")
bad("rank.npy", npy(header(shape=(1,) * 9), six), "more than 8 dimensions")
bad("cut.npy", npy(header(), six[:-1]), "cut off: expected 24 bytes of data for float32[2,3], found 23")
bad("cut_header.npy", npy(header(), six)[:20], "the header is cut off")
bad("only_magic.npy", npy(header(), six)[:6], "the header is cut off")
bad("text.npy", b"no numpy file", "not a readable .npy: ")
bad("nothing.npy", b"", "is empty")
bad("long_header.npy", npy(header(), six, 2)[:8] + b"\xff\xff\xff\xff", "a header of 4294967295 bytes")
bad("huge.npy", npy(header(shape=(1 << 40,)), six), "cut off")
bad("overflow.npy", npy(header(shape=(1 << 62, 1 << 62)), six), "cut off")
bad("number.npy", npy(header(shape="(99999999999999999999,)"), six), "broken 'shape'")
bad("wide.npy", npy(header("<U2147483647", shape=(1 << 40,)), six), "cut off", STRING)
bad("nothings.npy", npy(header("<U0", shape=(1 << 20,)), b""), "strings of no characters", STRING)
with open(work + "/sparse.npy", "wb") as file:
    file.write(npy(header(shape=(1 << 38,)), b""))
    file.truncate(1 << 41)
identity(work + "/model.onnx")
expect([tool, "run", work + "/model.onnx", "-i", work + "/sparse.npy"], code=5, error="limit tensor_bytes")

# Archives: named members, damage, and those that unpack to far more than they are.
def archive(name, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(f"{work}/{name}", "w", compression) as z:
        for key, data in members:
            z.writestr(key, data)
    return open(f"{work}/{name}", "rb").read()
array = npy(header(), six)
good("one.npz", archive("made.npz", [("x.npy", array)]), FLOAT, (2, 3), [0, 1, 2, 3, 4, 5])
good("stored.npz", archive("made.npz", [("x.npy", array)], zipfile.ZIP_STORED), FLOAT, (2, 3), [0, 1, 2, 3, 4, 5])
good("zeros.npz", archive("made.npz", [("x.npy", npy(header(shape=(1 << 20,)), bytes(4 << 20)))]), FLOAT, (1 << 20,), [0] * (1 << 20))
stored = bytearray(archive("made.npz", [("x.npy", array)], zipfile.ZIP_STORED))
stored[stored.index(six) + 5] ^= 1
bad("damaged.npz", bytes(stored), "damaged: CRC error")
bad("no_array.npz", archive("made.npz", [("x.npy", b"hello")]), "magic bytes")
bad("other.npz", archive("made.npz", [("a.npy", array), ("b.npy", array)]), "no input 'a'")
bad("twice.npz", archive("made.npz", [("x.npy", array), ("x", array)]), "given twice")
bad("cut.npz", archive("made.npz", [("x.npy", array)])[:40], "")
bomb = archive("made.npz", [("x.npy", npy(header(shape=(25 << 20,)), bytes(100 << 20)))])
bad("bomb.npz", bomb, "100 MiB or more, which is refused")
bad("many.npz", archive("made.npz", [(f"x{i}.npy", npy(header(shape=(5 << 20,)), bytes(20 << 20))) for i in range(4)]), "which is refused")
lie = bytearray(bomb)
at = lie.rindex(b"PK\x01\x02")
lie[at + 24 : at + 28] = struct.pack("<I", 1 << 20)
bad("lie.npz", bytes(lie), "lie.npz")
print(checks, "files")
finish()
PY
(
  grep -q 'fsanitize' "$1/build.ninja" 2>/dev/null || ulimit -v 1500000
  python3 "$work/test.py" "$tool" "$work"
) || fail "see above"
finish
