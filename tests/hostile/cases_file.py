"""Hostile files: bytes that are no model, versions, functions."""

from corpus import *

case('A01_empty', 'load', 'PARSE', 'zero-byte file')(lambda d: b'')
case('A02_random', 'load', 'PARSE', '4 KiB of seeded random bytes')(lambda d: np.random.default_rng(1).bytes(4096))
case('A03_truncated', 'load', 'PARSE', 'valid model cut at half its length')(
    lambda d: (lambda b: b[: len(b) // 2])(good().SerializeToString())
)
case('A04_text', 'load', 'PARSE', 'a JSON text file')(lambda d: b'{"ir_version": 8}\n')
case('A05_trailing', 'load', 'PARSE', 'valid model + 0xff bytes')(lambda d: good().SerializeToString() + b'\xff' * 7)
case('A06_depth100', 'load', 'LIMIT', '100 nested graph attributes (300 message levels)')(lambda d: nest(100))
case('A07_depth10000', 'load', 'LIMIT', '10000 nested graph attributes, 100 KB file')(lambda d: nest(10000))
case('A08_wide_nodes', 'load', 'LIMIT', '1M empty NodeProto in 2 MB (protobuf-c took 93 times as much)')(
    lambda d: b'\x08\x08' + ld(7, b'\x0a\x00' * 1000000)
)
case('A09_unknown_fields', 'load', 'LIMIT', '1M unknown fields after a valid model')(
    lambda d: good().SerializeToString() + b'\xf8\x07\x00' * 1000000
)
case('A10_overlong_varint', 'load', 'PARSE', '11-byte varint for ir_version')(
    lambda d: b'\x08' + b'\xff' * 10 + b'\x01'
)
case('A11_len_huge', 'load', 'PARSE', 'graph length = 2^63-1, 4 bytes follow')(
    lambda d: b'\x08\x08\x3a' + vint(I64MAX) + b'abcd'
)
case('A12_wiretype', 'load', 'PARSE', 'field graph sent as a varint')(lambda d: b'\x08\x08\x38\x01')
case('A13_two_graphs', 'load', 'PARSE', 'ModelProto.graph twice: protobuf merges the two')(
    lambda d: good().SerializeToString() + ld(7, good().graph.SerializeToString())
)
case('A14_sgroup', 'load', 'PARSE', '10000 nested start-group tags')(lambda d: b'\x08\x08' + b'\x7b' * 10000)


@case('A15_bad_utf8', 'load', 'PARSE', 'node name bytes ff fe (invalid UTF-8)')
def _(d):
    b = good()
    b.graph.node[0].name = 'ZZZZ'
    return b.SerializeToString().replace(b'ZZZZ', b'\xff\xfe\xff\xfe')


@case('A16_nul_name', 'load', 'PARSE', 'tensor name "x\\0b": a C string would alias it with "x"')
def _(d):
    m = model([H.make_node('Relu', ['x\0b'], ['y'])], [vi('x', F, [1, 4]), vi('x\0b', F, [1, 4])], [vi('y', F, [1, 4])])
    return m


@case('A17_ansi_name', 'load', 'UNSUPPORTED', 'op_type "\\x1b[2J": error text must be escaped')
def _(d):
    return model([H.make_node('\x1b[2J\x1b]0;pwn\x07', ['x'], ['y'])], [vi('x', F, [1, 4])], [vi('y', F, [1, 4])])


case('A18_rank_1M', 'load', 'LIMIT', 'initializer with 1M packed dims')(
    lambda d: b'\x08\x08' + ld(7, ld(5, ld(1, b'\x01' * 1000000) + b'\x10\x01' + ld(8, b'w')))
)
case('A19_name_16M', 'load', 'LIMIT', 'node name of 16 MB')(
    lambda d: (lambda m: (setattr(m.graph.node[0], 'name', 'n' * (16 << 20)), m)[1])(good())
)
case('B01_no_graph', 'load', 'GRAPH', 'ModelProto with only ir_version')(lambda d: b'\x08\x08')


def mut(f):
    def g(d):
        m = good()
        f(m)
        return m

    return g


case('B02_ir_missing', 'load', 'VERSION', 'ir_version cleared')(mut(lambda m: m.ClearField('ir_version')))
case('B03_ir_huge', 'load', 'VERSION', 'ir_version 2^62')(mut(lambda m: setattr(m, 'ir_version', 1 << 62)))
case('B04_no_opset', 'load', 'VERSION', 'opset_import removed')(mut(lambda m: m.ClearField('opset_import')))
case('B05_opset_9999', 'load', 'VERSION', 'opset 9999')(mut(lambda m: setattr(m.opset_import[0], 'version', 9999)))
case('B06_opset_neg', 'load', 'VERSION', 'opset -1')(mut(lambda m: setattr(m.opset_import[0], 'version', -1)))
case('B07_opset_twice', 'load', 'VERSION', 'domain "" imported as 17 and 9')(
    mut(lambda m: m.opset_import.append(H.make_opsetid('', 9)))
)
case('B08_domain', 'load', 'UNSUPPORTED', 'node in domain "evil.example"')(
    mut(
        lambda m: (
            setattr(m.graph.node[0], 'domain', 'evil.example'),
            m.opset_import.append(H.make_opsetid('evil.example', 1)),
        )
    )
)
case('B09_unknown_op', 'load', 'UNSUPPORTED', 'op_type NotAnOp')(
    mut(lambda m: setattr(m.graph.node[0], 'op_type', 'NotAnOp'))
)


def funcs(defs, top):
    oi = [H.make_opsetid('', 17), H.make_opsetid('f', 1)]
    fs = [H.make_function('f', n, ['a'], ['b'], nodes, oi) for n, nodes in defs]
    return model(
        [H.make_node(top, ['x'], ['y'], domain='f')],
        [vi('x', F, [1, 4])],
        [vi('y', F, [1, 4])],
        imports=oi,
        functions=fs,
    )


case('B10_func_recursive', 'load', 'GRAPH', 'model-local function that calls itself')(
    lambda d: funcs([('r', [H.make_node('r', ['a'], ['b'], domain='f')])], 'r')
)


@case('B11_func_laughs', 'load', 'LIMIT', '9 functions each calling the next 10 times = 10^9 nodes inlined')
def _(d):
    defs = []
    for k in range(9):
        ns = [
            H.make_node(
                'l%d' % (k + 1), ['a' if j == 0 else 't%d' % (j - 1)], ['b' if j == 9 else 't%d' % j], domain='f'
            )
            for j in range(10)
        ]
        defs.append(('l%d' % k, ns))
    defs.append(('l9', [H.make_node('Relu', ['a'], ['b'])]))
    return funcs(defs, 'l0')


def tp_bytes(dims, data):
    return b''.join(vint(1 << 3) + vint(n) for n in dims) + b'\x10\x01' + data + ld(8, b'w')


@case('A20_raw_twice', 'load', 'PARSE', 'raw_data in two pieces: protobuf takes the last')
def _(d):
    w = tp_bytes([600], ld(9, bytes(2400)) + ld(9, bytes(2400)))
    return vint(1 << 3) + b'\x08' + ld(7, ld(5, w))


case('B12_func_no_output', 'load', 'GRAPH', 'function that does not make its output')(
    lambda d: funcs([('r', [H.make_node('Relu', ['a'], ['c'])])], 'r')
)
case('B13_1000_opsets', 'load', 'LIMIT', '1000 operator sets')(
    mut(lambda m: m.opset_import.extend([H.make_opsetid('d%d' % i, 1) for i in range(1000)]))
)
