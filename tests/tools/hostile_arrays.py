"""Makes arrays that are nearly right, runs the tool on them, and compares it with array_reader.
usage: hostile_arrays.py TOOL FOLDER FILES SEED"""
import io
import math
import random
import re
import struct
import subprocess
import sys
import warnings
import zipfile

from array_reader import CODES, Bad, npy, read
from model_writer import identity

TYPES = {"f4": 1, "u1": 2, "i1": 3, "u2": 4, "i2": 5, "i4": 6, "i8": 7, "U": 8, "S": 8, "b1": 9, "f2": 10, "f8": 11, "u4": 12, "u8": 13}
NUMBERS = ["0", "1", "2", "3", "7", "-1", "16", "255", "65536", "2147483647", "2147483648", "4294967296", "9223372036854775807", "1" + "0" * 30]
WORDS = ["True", "False", "None", "'descr'", "'shape'", "'fortran_order'", "'<f4'", "'|O'", "'<U3'", "'|S2'", "'>i8'", "()", "(2,)", "(", ")", "{", "}", ",",
         ":", "'", '"', "\\", "\0", " ", "\n", "#", "[('a', '<f4')]", "u'", "L", "\u00e9", "1e9", "0x10", "+3", "1_0"]


def base(r):
    """A right array: its letters and bytes."""
    letters = r.choice(list(TYPES))
    shape = tuple(r.choice([0, 1, 2, 3, 5]) for _ in range(r.randrange(4)))
    count = math.prod(shape)
    order = r.choice("<>") if letters not in ("S", "u1", "i1", "b1") else "|"
    if letters == "U":
        width = r.randrange(5)
        word = lambda: "".join(chr(r.choice([0, 65, 233, 0x1F600, 0x10FFFF])) for _ in range(width))
        data = b"".join(word().encode("utf-32-le" if order == "<" else "utf-32-be") for _ in range(count))
        descr = f"{order}U{width}"
    elif letters == "S":
        width = r.randrange(5)
        data = r.randbytes(width * count)
        descr = f"|S{width}"
    else:
        values = [r.randrange(100) if CODES[letters] != "?" else r.random() < 0.5 for _ in range(count)]
        data = struct.pack(f"{'<' if order == '|' else order}{count}{CODES[letters]}", *values)
        descr = order + letters
    items = [f"'descr': '{descr}'", f"'fortran_order': {r.random() < 0.5}", f"'shape': {shape}"]
    r.shuffle(items)
    header = "{" + r.choice([", ", ",", " ,\n"]).join(items) + r.choice(["", ", ", ","]) + "}" + " " * r.randrange(20)
    if r.random() < 0.3:
        header = header.replace("'", '"')
    return letters, header, data


def spoil_header(r, header):
    for _ in range(r.choice([0, 0, 1, 1, 2, 3])):
        parts = re.findall(r"[A-Za-z_]+|\d+|\s+|.", header, re.DOTALL)
        at = r.randrange(len(parts))
        change = r.randrange(6)
        if change == 0:
            del parts[at]
        elif change == 1:
            parts.insert(at, r.choice(parts))
        elif change == 2:
            parts[at] = r.choice(WORDS)
        elif change == 3:
            numbers = [i for i, part in enumerate(parts) if part.isdigit()]
            if numbers:
                parts[r.choice(numbers)] = r.choice(NUMBERS)
        elif change == 4:
            parts.insert(at, r.choice(WORDS + NUMBERS))
        else:
            other = r.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        header = "".join(parts) or "{"
    return header


def spoil_bytes(r, data):
    data = bytearray(data)
    for _ in range(r.choice([0, 0, 0, 1, 2])):
        change = r.randrange(5)
        if change == 0 and data:
            data[r.randrange(min(len(data), 16))] = r.choice([0, 1, 2, 3, 4, 127, 128, 255])
        elif change == 1 and data:
            data[r.randrange(len(data))] ^= 1 << r.randrange(8)
        elif change == 2:
            del data[r.randrange(len(data) + 1) :]
        elif change == 3:
            data += r.randbytes(r.randrange(50))
        elif len(data) > 12:
            data[8:12] = struct.pack("<I", r.choice([0, 1, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF]))
    return bytes(data)


def make(r):
    letters, header, data = base(r)
    array = npy(spoil_header(r, header).encode("latin1", "replace"), data, r.choice([1, 1, 2, 3]))
    return letters, spoil_bytes(r, array)


def pack(r, array):
    """A zip archive of it, right or spoilt."""
    warnings.simplefilter("ignore")  # a member that is there twice
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", r.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        archive.writestr(r.choice(["x.npy", "x", "x.npy.npy", "\x1b[31m.npy", "../x.npy"]), array)
        if r.random() < 0.2:
            archive.writestr("x.npy" if r.random() < 0.5 else "z.npy", array)
    data = bytearray(buffer.getvalue())
    for _ in range(r.choice([0, 1, 1, 2, 4])):
        data[r.randrange(len(data))] = r.choice([0, 1, 255, r.randrange(256)])
    if r.random() < 0.1:
        del data[r.randrange(len(data)) :]
    return bytes(data)


def same(found, expected):
    return found[0] == expected[0] and len(found[1]) == len(expected[1]) and all(a == b or (a != a and b != b) for a, b in zip(found[1], expected[1]))


def judge(done, data, is_archive, result):
    """None, or what is wrong."""
    lines = done.stderr.decode("utf-8", "replace").split("\n")
    if done.returncode not in (0, 2, 5):
        return f"exit code {done.returncode}"
    if done.returncode and (len(lines) != 2 or not lines[0].startswith("onnxrun: ")):
        return "not one line on stderr"
    if any(ord(c) < 32 or 127 <= ord(c) < 160 for line in lines for c in line):
        return "a control character on stderr"
    if is_archive:
        return None
    try:
        expected = read(data)
    except Bad:
        expected = None
    if expected is None and done.returncode == 0:
        return "read what the second reader refuses"
    if expected is not None and done.returncode == 2 and "expected " not in lines[0]:
        return f"refused what the second reader takes as {expected}"
    if done.returncode == 0 and not same(read(open(result, "rb").read()), expected):
        return f"other values than {expected}"
    return None


def main():
    tool, work, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    for dtype in set(TYPES.values()):
        identity(f"{work}/{dtype}.onnx", dtype)
    taken = failures = 0
    for i in range(count):
        r = random.Random(seed * 1000003 + i)
        letters, data = make(r)
        is_archive = r.random() < 0.25
        if is_archive:
            data = pack(r, data)
        path = f"{work}/hostile.{'npz' if is_archive else 'npy'}"
        with open(path, "wb") as file:
            file.write(data)
        try:
            done = subprocess.run([tool, "run", f"{work}/{TYPES[letters]}.onnx", "-i", "x=" + path, "-o", work + "/out"], capture_output=True, timeout=20)
        except subprocess.TimeoutExpired:
            print(f"FAIL: file {i} of seed {seed}: 20 seconds")
            failures += 1
            continue
        taken += done.returncode == 0
        wrong = judge(done, data, is_archive, work + "/out/y.npy")
        if wrong:
            failures += 1
            if failures <= 10:
                print(f"FAIL: file {i} of seed {seed}: {wrong}: {data[:200]!r} {done.stderr!r}")
    print(f"{count} files, {taken} of them taken, {failures} failures")
    if taken < count // 10:
        print("FAIL: too few files are right enough to be taken")
        failures += 1
    sys.exit(failures > 0)


main()
