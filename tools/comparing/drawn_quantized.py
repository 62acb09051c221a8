"""Quantized layers whose shapes, types, signs, scales and zero points are drawn: families of tools/compare --sweep --drawn.

What ONNX's tools write: an operator between DequantizeLinear and QuantizeLinear (QDQ), one of bytes (QOperator, com.microsoft's
as well), products of integers, those that find ranges as they run (dynamic), and weights of a few bits (MatMulNBits).
"""

import math

import numpy as np
from onnx import helper, numpy_helper

import drawn
from drawn import pick
from sweeps import FLOAT, INT32, INT8, UINT8, draw, layer, words

MICROSOFT = "com.microsoft"


class Graph:
    """A model that is put together node by node; values are names."""

    def __init__(self, rng):
        self.rng, self.nodes, self.inputs, self.constants, self.outputs = rng, [], [], [], []

    def node(self, op, inputs, outputs=1, domain="", **attributes):
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, array):
        self.constants.append(numpy_helper.from_array(array, f"c{len(self.constants)}"))
        return self.constants[-1].name

    def value(self, name):
        return numpy_helper.to_array(next(c for c in self.constants if c.name == name))

    def input(self, kind, shape):
        self.inputs.append(helper.make_tensor_value_info(f"x{len(self.inputs)}", kind, shape))
        return self.inputs[-1].name

    def grid(self, kind, scale, count=0, is_even=False):
        """Names of a scale and a zero point, or of `count` of each (scales differ, weights' zero points are 0)."""
        of = np.uint8 if kind == UINT8 else np.int8
        scale *= self.rng.uniform(0.7, 1)  # of no simple ratio to another one: their sums would be ties
        zero = 128 * (kind == UINT8) if is_even else int(self.rng.integers(100, 156)) - 128 * (kind == INT8)
        if not count:
            return [self.constant(np.array(scale, np.float32)), self.constant(np.array(zero, of))]
        return [self.constant((scale * self.rng.uniform(0.5, 1, count)).astype(np.float32)), self.constant(np.full(count, zero, of))]

    def bytes(self, kind, shape):
        low = 0 if kind == UINT8 else -128
        return self.constant(np.clip(np.rint(self.rng.normal(low + 128, 40, shape)), low, low + 255).astype(np.uint8 if kind == UINT8 else np.int8))

    def result(self, name, kind):
        self.outputs.append(helper.make_tensor_value_info(name, kind, None))

    def model(self):
        graph = helper.make_graph(self.nodes, "drawn", self.inputs, self.outputs, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)], ir_version=10)


def kinds(rng):
    """Types of activations and weights: ONNX Runtime has U8S8, S8S8 and U8U8."""
    return pick(rng, ((UINT8, INT8), (UINT8, INT8), (INT8, INT8), (UINT8, UINT8)))


def letters(*types):
    return "".join("U" if t == UINT8 else "S" for t in types)


def between(g, op, operands, kind, scale, **attributes):
    """operands: names of bytes with their grids. The op between DequantizeLinear and QuantizeLinear."""
    reals = [o if isinstance(o, str) else g.node("DequantizeLinear", list(o[:3]), **(o[3] if len(o) > 3 else {})) for o in operands]
    return g.node("QuantizeLinear", [g.node(op, reals, **attributes), *g.grid(kind, scale)])


def convolution(rng):
    while True:
        name, float_model = drawn.convolution(rng)
        weight = numpy_helper.to_array(float_model.graph.initializer[0])
        if weight.ndim == 4:  # of a picture: others are float in ONNX Runtime as well
            break
    has_bias = len(float_model.graph.initializer) > 1
    x = [d.dim_value for d in float_model.graph.input[0].type.tensor_type.shape.dim]
    attributes = {a.name: helper.get_attribute_value(a) for a in float_model.graph.node[0].attribute}
    way, (a, b), each = pick(rng, ("QDQ", "QDQ", "QLinear", "integer", "dynamic")), kinds(rng), rng.random() < 0.6
    g, terms = Graph(rng), math.prod(weight.shape[1:])
    if way in ("integer", "dynamic"):
        a, b = UINT8, pick(rng, (UINT8, INT8))
        zero = g.constant(np.array(int(rng.integers(120, 136)) if b == UINT8 else 0, np.uint8 if b == UINT8 else np.int8))
        if way == "integer":
            g.result(g.node("ConvInteger", [g.input(a, x), g.bytes(b, weight.shape), g.constant(np.array(130, np.uint8)), zero], **attributes), INT32)
        else:
            x, scale, x_zero = g.node("DynamicQuantizeLinear", [g.input(FLOAT, x)], outputs=3)
            sums = g.node("Cast", [g.node("ConvInteger", [x, g.bytes(b, weight.shape), x_zero, zero], **attributes)], to=FLOAT)
            reals = g.node("Mul", [sums, g.node("Mul", [scale, g.constant(np.array(0.01, np.float32))])])
            g.result(g.node("Add", [reals, g.constant(draw("b", [weight.shape[0], 1, 1]))]) if has_bias else reals, FLOAT)
        return f"{way} {letters(a, b)} {name}", g.model()
    x_of = [g.input(a, x), *g.grid(a, 0.02)]
    w_of = [g.bytes(b, weight.shape), *g.grid(b, 0.01, weight.shape[0] if each else 0, is_even=True)]
    bias = g.constant(rng.integers(-5000, 5000, weight.shape[0]).astype(np.int32))
    scale = 0.02 * 0.01 * 40 * 70 * terms ** 0.5 / 50
    if way == "QLinear":
        g.result(g.node("QLinearConv", [*x_of, *w_of, *g.grid(a, scale)] + [bias] * has_bias, **attributes), a)
    else:
        scales = g.value(x_of[1]) * g.value(w_of[1])
        b_of = (bias, g.constant(scales), g.constant(np.zeros(scales.shape, np.int32)), {"axis": 0} if each else {})
        g.result(between(g, "Conv", [x_of, (*w_of, {"axis": 0} if each else {})] + [b_of] * has_bias, a, scale, **attributes), a)
    return f"{way} {letters(a, b)}{' by channel' * each} {name}", g.model()


def product(rng):
    while True:
        m, k, n = (1 if rng.random() < 0.2 else drawn.size(rng, 1, 4096) for _ in range(3))
        if 2e4 < m * k * n < 3e8 and max(m * k, k * n, m * n) < 4e6:
            break
    way, (a, b), each = pick(rng, ("QDQ", "QDQ", "gemm", "QLinear", "integer", "dynamic", "both")), kinds(rng), rng.random() < 0.5
    g, scale = Graph(rng), 0.02 * 0.01 * 40 * 70 * k ** 0.5 / 50
    name = f"{way} {letters(a, b)}{' by channel' * each} {words(m, k)} by {words(k, n)}"
    if way == "dynamic":
        g.result(g.node("DynamicQuantizeMatMul", [g.input(FLOAT, [m, k]), g.bytes(b, [k, n]), *g.grid(b, 0.01, n if each else 0, is_even=True)], domain=MICROSOFT), FLOAT)
        return name, g.model()
    if way == "integer":
        zero = g.constant(np.array(int(rng.integers(120, 136)) if b == UINT8 else 0, np.uint8 if b == UINT8 else np.int8))
        a_zero = g.constant(np.array(130 if a == UINT8 else 3, np.uint8 if a == UINT8 else np.int8))
        g.result(g.node("MatMulInteger", [g.input(a, [m, k]), g.bytes(b, [k, n]), a_zero, zero]), INT32)
        return name, g.model()
    x_of = [g.input(a, [m, k]), *g.grid(a, 0.02)]
    if way == "both":  # no constant: attention's products
        g.result(between(g, "MatMul", [x_of, [g.input(a, [k, n]), *g.grid(a, 0.01)]], a, scale), a)
        return name, g.model()
    turned = way == "gemm" and rng.random() < 0.5
    w_of = [g.bytes(b, [n, k] if turned else [k, n]), *g.grid(b, 0.01, n if each else 0, is_even=True)]
    if way == "QLinear":
        g.result(g.node("QLinearMatMul", [*x_of, *w_of, *g.grid(a, scale)]), a)
        return name, g.model()
    operands, more = [x_of, (*w_of, {"axis": int(not turned)} if each else {})], {}
    if way == "gemm":
        scales = g.value(x_of[1]) * g.value(w_of[1])
        operands.append((g.constant(rng.integers(-5000, 5000, n).astype(np.int32)), g.constant(scales), g.constant(np.zeros(scales.shape, np.int32)), {"axis": 0} if each else {}))
        more = {"transB": int(turned)}
    g.result(between(g, "Gemm" if way == "gemm" else "MatMul", operands, a, scale, **more), a)
    return name, g.model()


def few_bits(rng):
    """MatMulNBits: weights of 4 and 8 bits in blocks, from one row to many. (ONNX Runtime has 2 bits, but not all blocks of them.)"""
    while True:
        bits, block = int(pick(rng, (4, 4, 4, 8, 2))), int(pick(rng, (16, 32, 32, 64, 128)))
        m, n, k = 1 if rng.random() < 0.5 else drawn.size(rng, 2, 512), drawn.size(rng, 16, 4096), block * drawn.size(rng, 1, 4096 // block)
        if 1e5 < m * k * n < 3e8 and k * n < 8e6:
            break
    has_zeros, level = rng.random() < 0.4, int(pick(rng, (0, 4, 4)))
    g, blocks = Graph(rng), k // block
    inputs = [g.input(FLOAT, [m, k]), g.constant(rng.integers(0, 256, [n, blocks, block * bits // 8]).astype(np.uint8)),
              g.constant(rng.uniform(0.001, 0.01, [n, blocks] if rng.random() < 0.5 else [n * blocks]).astype(np.float32))]
    if has_zeros:
        inputs.append(g.constant(rng.integers(0, 256, [n, (blocks * bits + 7) // 8]).astype(np.uint8)))
    g.result(g.node("MatMulNBits", inputs, domain=MICROSOFT, K=k, N=n, bits=bits, block_size=block, accuracy_level=level), FLOAT)
    return f"{bits} bits in {block}{' with zeros' * has_zeros} level {level} {words(m, k)} by {words(k, n)}", g.model()


BINARY, UNARY = ("Add", "Mul"), ("Sigmoid", "LeakyRelu")
ALONG = ("Softmax", "ReduceMean", "LayerNormalization")
POOLS = ("MaxPool", "AveragePool", "GlobalAveragePool")


def elementwise(rng):
    """What lies between products: sums, activations, pools, concatenations, softmax, in bytes."""
    op = pick(rng, (*BINARY, *BINARY, *UNARY, *ALONG, *POOLS, "Concat", "Resize", "Relu", "Transpose", "HardSwish"))
    way, a, g = pick(rng, ("QDQ", "QDQ", "QLinear")), pick(rng, (UINT8, INT8)), Graph(rng)
    while True:
        x = drawn.shape_of(rng, 4 if op in POOLS or op == "Resize" else int(rng.integers(2, 5)))
        if op not in POOLS or min(x[2:]) >= 3:
            break
    x_of, axis = [g.input(a, x), *g.grid(a, 0.02)], int(rng.integers(1, len(x)))
    made = lambda operands, **more: between(g, op, operands, a, 0.03, **more)
    linear = lambda operands, **more: g.node("QLinear" + op, operands, domain=MICROSOFT, **more)
    name = f"{op} {letters(a)} {words(*x)}"
    if op in BINARY or op == "Concat":
        other = list(x) if op == "Concat" or rng.random() < 0.6 else [1] * axis + x[axis:] if rng.random() < 0.5 else [n if i == axis else 1 for i, n in enumerate(x)]
        y_of = [g.input(a, other), *g.grid(a, 0.015)]
        name += f" with {words(*other)}" + f" axis {axis}" * (op == "Concat")
        if way == "QDQ":
            g.result(made([x_of, y_of], **({"axis": axis} if op == "Concat" else {})), a)
        elif op == "Concat":
            g.result(linear([*g.grid(a, 0.03), *x_of, *y_of], axis=axis), a)
        else:
            g.result(linear([*x_of, *y_of, *g.grid(a, 0.03)]), a)
    elif op in POOLS:
        more = {"kernel_shape": [k := int(pick(rng, (2, 3)))] * 2, "strides": [int(rng.integers(1, 3))] * 2, "pads": [k // 2] * 4} if op[0] != "G" else {}
        name += f" {words(*more.get('kernel_shape', []))} {words(*more.get('strides', []))}"
        if op == "MaxPool" and way != "QDQ":
            g.result(g.node(op, x_of[:1], **more), a)
        else:
            way = "QDQ" if op == "AveragePool" else way
            g.result(linear([*x_of, *g.grid(a, 0.03)], channels_last=0) if way != "QDQ" else made([x_of], **more), a)
    elif op in ("Transpose", "Resize", "Relu", "HardSwish", *ALONG):
        way, more, rest = "QDQ", {}, []
        if op == "Transpose":
            more = {"perm": [int(i) for i in rng.permutation(len(x))]}
        elif op == "Resize":
            more, rest = {"mode": pick(rng, ("nearest", "linear"))}, ["", g.constant(np.array([1, 1, 2, 2], np.float32))]
        elif op == "LayerNormalization":
            more, rest = {"axis": -1}, [g.constant(draw("s", x[-1:])), g.constant(draw("b", x[-1:]))]
        elif op == "Softmax":
            more = {"axis": axis}
        elif op == "ReduceMean":
            rest = [g.constant(np.array([axis]))]
        name += " " + " ".join(f"{k} {v}" for k, v in more.items()) + f" axis {axis}" * (op in ALONG)
        g.result(made([x_of, *rest], **more), a)
    else:
        g.result(made([x_of]) if way == "QDQ" else linear([*x_of, *g.grid(a, 0.03)]), a)
    return f"{way} {name}", g.model()


def convert(rng):
    """Reals to bytes and back."""
    x, a = drawn.shape_of(rng, int(rng.integers(1, 5))), pick(rng, (UINT8, INT8))
    op, axis = pick(rng, ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")), int(rng.integers(len(x)))
    if op[1] == "y":
        return f"{op} {words(*x)}", layer(op, [x], outputs=3)
    each, of = rng.random() < 0.5, np.uint8 if a == UINT8 else np.int8
    shape = [x[axis]] if each else []
    name = f"{op} {letters(a)} {words(*x)}" + f" by axis {axis}" * each
    return name, layer(op, [(FLOAT if op[0] == "Q" else a, x)], [np.full(shape, 0.02, np.float32), np.full(shape, 3, of)], kind=a if op[0] == "Q" else FLOAT, **({"axis": axis} if each else {}))


FAMILIES = {"q_conv": convolution, "q_product": product, "q_bits": few_bits, "q_elementwise": elementwise, "q_convert": convert}
