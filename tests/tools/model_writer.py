"""Writes small ONNX files byte by byte, so that tests of the tool need no package."""
import struct

FLOAT, UINT8, INT64, STRING, BOOL, BFLOAT16, INT4 = 1, 2, 7, 8, 9, 16, 22


def varint(value):
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def piece(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def dimension(size):
    if size is None:
        return b""
    return piece(2, size) if isinstance(size, str) else number(1, size)


def value(name, dtype, shape):
    """dtype: a number, or [dtype] of a sequence. shape: sizes, names and None for dimensions; None: not declared."""
    if isinstance(dtype, list):
        return piece(1, name) + piece(2, piece(4, piece(1, piece(1, number(1, dtype[0])))))
    tensor = number(1, dtype)
    if shape is not None:
        tensor += piece(2, b"".join(piece(1, dimension(size)) for size in shape))
    return piece(1, name) + piece(2, piece(1, tensor))


def attribute(name, content):
    if isinstance(content, int):
        return piece(1, name) + number(3, content) + number(20, 2)
    if content and isinstance(content[0], str):
        return piece(1, name) + b"".join(piece(9, text) for text in content) + number(20, 8)
    return piece(1, name) + b"".join(number(8, i) for i in content) + number(20, 7)


def node(op, inputs, outputs, attributes=None, metadata=None, name="", domain=""):
    data = b"".join(piece(1, i) for i in inputs) + b"".join(piece(2, o) for o in outputs) + piece(3, name) + piece(4, op) + piece(7, domain)
    data += b"".join(piece(5, attribute(*item)) for item in (attributes or {}).items())
    return data + b"".join(piece(9, piece(1, key) + piece(2, text)) for key, text in (metadata or {}).items())


def floats(name, shape, values):
    return b"".join(number(1, size) for size in shape) + number(2, FLOAT) + piece(8, name) + piece(9, struct.pack(f"<{len(values)}f", *values))


def integers(name, values):
    return number(1, len(values)) + number(2, INT64) + piece(8, name) + piece(9, struct.pack(f"<{len(values)}q", *values))


def write(path, nodes, inputs, outputs, initializers=(), producer="", domains=()):
    graph = b"".join(piece(1, n) for n in nodes) + piece(2, "g") + b"".join(piece(5, i) for i in initializers)
    graph += b"".join(piece(11, value(*i)) for i in inputs) + b"".join(piece(12, value(*o)) for o in outputs)
    with open(path, "wb") as file:
        file.write(number(1, 10) + (piece(2, producer) if producer else b"") + piece(7, graph) + piece(8, number(2, 22))
                   + b"".join(piece(8, piece(1, domain) + number(2, 1)) for domain in domains))


def identity(path, dtype=FLOAT, shape=None, name="x", result="y"):
    write(path, [node("Identity", [name], [result])], [(name, dtype, shape)], [(result, dtype, shape)])
