"""A second reader of .npy files, after NumPy's description of the format and with Python's own parser for the header; and a writer of
files that are right, odd or hostile."""
import ast
import re
import struct

MAGIC = b"\x93NUMPY"
CODES = {"f4": "f", "f8": "d", "f2": "e", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "b1": "?"}


# What Python reads but no writer of arrays writes: signs, comments, escapes, other bases, words side by side.
ODD = re.compile(r"""[#+\\]|\d_|0[xXoObB]|\d[jJeE.]|\b00|\(\s*\(|(?<=[\s{,:(\[])[rRfFbBU]['"]|['"]\s*['"]""")


class Bad(Exception):
    pass


def need(condition):
    if not condition:
        raise Bad


def header_of(data):
    need(len(data) >= 10 and data[:6] == MAGIC and data[6] in (1, 2, 3) and data[7] == 0)
    width = 2 if data[6] == 1 else 4
    length = int.from_bytes(data[8 : 8 + width], "little")
    start = 8 + width
    need(len(data) >= start + length)
    text = re.sub(r"(?<=\d)L(?=\s*[,)])", "", data[start : start + length].decode("latin1").strip(" \t\r\n\f"))
    need(not ODD.search(text))
    try:
        header = ast.literal_eval(text)
        need(isinstance(header, dict) and set(header) == {"descr", "fortran_order", "shape"})
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise Bad from None
    return header, data[start + length :]


def elements_of(descr, data, count):
    """Values in the order of the file."""
    need(isinstance(descr, str) and descr)
    order, letters = (descr[0], descr[1:]) if descr[0] in "<>=|" else ("<", descr)
    swapped = ">" if order == ">" else "<"
    if letters[:1] in ("U", "S") and letters[1:].isdigit():
        size = int(letters[1:]) * (4 if letters[0] == "U" else 1)
        need(size < 1 << 31)
        need(count * size <= len(data))
        pieces = [data[i * size : (i + 1) * size] for i in range(count)]
        if letters[0] == "S":
            return [piece.rstrip(b"\0") for piece in pieces]
        try:
            return [piece.decode("utf-32-be" if order == ">" else "utf-32-le").rstrip("\0").encode() for piece in pieces]
        except UnicodeDecodeError:
            raise Bad from None
    need(letters in CODES)
    size = struct.calcsize(CODES[letters])
    need(count * size <= len(data))
    if letters == "b1":
        return [byte != 0 for byte in data[:count]]
    return list(struct.unpack(f"{swapped}{count}{CODES[letters]}", data[: count * size]))


def read(data):
    """Shape and values in C order; Bad when it is no array of a simple type."""
    header, data = header_of(data)
    shape = header["shape"]
    need(isinstance(shape, tuple) and all(type(size) is int and 0 <= size < 1 << 63 for size in shape) and len(shape) <= 8)
    need(isinstance(header["fortran_order"], bool))
    count = 1
    for size in shape:
        count *= size
    need(count < 1 << 24)
    values = elements_of(header["descr"], data, count)
    if not header["fortran_order"] or count == 0:
        return shape, values
    result = []
    for index in range(count):
        places, rest = [], index
        for size in reversed(shape):
            places.append(rest % size)
            rest //= size
        offset, step = 0, 1
        for place, size in zip(reversed(places), shape):
            offset += place * step
            step *= size
        result.append(values[offset])
    return shape, result


def npy(header, data, version=1):
    text = header if isinstance(header, bytes) else header.encode()
    return MAGIC + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data
