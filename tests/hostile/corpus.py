"""What the cases of the hostile corpus are made with.

case(name, phase, status, why)   registers a builder; phase is load, run, or any
model, op1, init, vi             short forms of onnx.helper
good                             a small model that is sound, to break one thing in
"""

import os
import struct

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as H
from onnx import numpy_helper as NH

F, I = T.FLOAT, T.INT64
BIG, I64MAX, I64MIN = 1 << 40, (1 << 63) - 1, -(1 << 63)
cases = []  # (name, phase, expected status, why, builder)


def case(id, phase, expect, why):
    """Registers a builder: f(folder) gives the file's bytes or a ModelProto, or (that, {input name: array})."""

    def d(f):
        cases.append((id, phase, expect, why, f))
        return f

    return d


def vi(n, t=F, s=None):
    return H.make_tensor_value_info(n, t, s)


def init(n, a):
    return NH.from_array(np.asarray(a), n)


def ints(n, *v):
    return init(n, np.array(v, np.int64))


def model(nodes, ins, outs, inits=(), opset=17, ir=8, **k):
    g = H.make_graph(nodes, 'g', ins, outs, list(inits))
    return H.make_model(g, opset_imports=k.pop('imports', [H.make_opsetid('', opset)]), ir_version=ir, **k)


def op1(op, ins, out_t=F, inits=(), feeds=None, opset=17, n_out=1, **attrs):
    """one node; ins: [(name,type,shape)]; inits: list of TensorProto; node inputs in given order"""
    names = [i[0] if isinstance(i, tuple) else i.name if hasattr(i, 'name') else i for i in ins]
    gi = [vi(*i) for i in ins if isinstance(i, tuple)]
    it = [i for i in ins if isinstance(i, onnx.TensorProto)] + list(inits)
    outs = ['y'] + ['y%d' % k for k in range(1, n_out)]
    m = model([H.make_node(op, names, outs, **attrs)], gi, [vi('y', out_t)], it, opset)
    return m, feeds


X4 = ('x', F, [1, 4, 8, 8])
x4 = {'x': np.zeros((1, 4, 8, 8), np.float32)}
W = lambda *s: init('w', np.zeros(s, np.float32))


def vint(n):
    o = b''
    while True:
        c = n & 127
        n >>= 7
        if n:
            o += bytes([c | 128])
        else:
            return o + bytes([c])


def ld(f, b):
    return vint(f << 3 | 2) + vint(len(b)) + b


def good():
    return model([H.make_node('Relu', ['x'], ['y'])], [vi('x', F, [1, 4])], [vi('y', F, [1, 4])])


x1 = {'x': np.zeros((1, 4), np.float32)}


def nest(d):
    parts, ln = [], 0
    for _ in range(d):
        for f in (6, 5, 1):
            p = vint(f << 3 | 2) + vint(ln)
            parts.append(p)
            ln += len(p)
    return vint(1 << 3) + b'\x08' + ld(7, b''.join(reversed(parts)))


G4 = [vi('x', F, [1, 4])]
O4 = [vi('y', F, [1, 4])]
N = H.make_node
