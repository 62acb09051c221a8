"""One small model for each operator of com.microsoft, with onnxruntime's outputs.

    python tests/models/make_microsoft.py [NAME ...]

writes tests/fixtures/microsoft_NAME: all of them, or those that are named.
"""

import os
import sys
import zlib

import numpy as np
import onnx
from onnx import helper, numpy_helper

import fixture_io

CASES = {}


def case(name):
    def add(function):
        CASES[name] = function
        return function
    return add


def node(op, inputs, outputs=("y",), domain="com.microsoft", **attributes):
    return helper.make_node(op, list(inputs), list(outputs), domain=domain,
                            **attributes)


def floats(random, *shape, scale=1.0):
    return (random.standard_normal(shape) * scale).astype(np.float32)


def bytes_of(random, *shape, dtype=np.uint8):
    limits = np.iinfo(dtype)
    return random.integers(limits.min, limits.max + 1, shape).astype(dtype)


def f32(value):
    return np.array(value, np.float32)


# Each case gives nodes, data sets of inputs, constants; and, where onnxruntime
# has no code for the CPU, other nodes that compute the same outputs. A dimension
# is fixed where all data sets agree on it.

@case("fused_matmul")
def _(r):
    return ([node("FusedMatMul", ["a", "b"], ["y0"], transA=1, alpha=0.5),
             node("FusedMatMul", ["a", "c"], ["y1"], transB=1)],
            [{"a": floats(r, 2, 5, 3), "b": floats(r, 2, 5, 4)}],
            {"c": floats(r, 7, 3)})


@case("fused_matmul_batch")
def _(r):
    # Batches lie between the rows and the columns.
    op = "FusedMatMul"
    return ([node(op, ["a", "e"], ["y0"], transBatchA=1),
             node(op, ["a", "b"], ["y1"], transBatchA=1, transBatchB=1),
             node(op, ["c", "b"], ["y2"], transBatchA=1, transBatchB=1, transA=1,
                  alpha=0.3),
             node(op, ["a", "d"], ["y3"], transBatchA=1, transBatchB=1, transB=1)],
            [{"a": floats(r, 3, 4, 5), "b": floats(r, 5, 4, 6),
              "e": floats(r, 4, 5, 2), "c": floats(r, 5, 4, 3), "d": floats(r, 2, 4, 5)}], {})


@case("nhwc_conv")
def _(r):
    window = dict(kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
    w = floats(r, 6, 2, 3, 2, scale=0.3)

    def turned(name, result):
        return [node("Transpose", ["x"], [name + "x"], domain="", perm=[0, 3, 1, 2]),
                node("Conv", [name + "x", "w_reference"] + ["b"] * (name == "p"),
                     [name + "y"], domain="", group=2, **window),
                node("Transpose", [name + "y"], [result], domain="",
                     perm=[0, 2, 3, 1])]

    return ([node("NhwcConv", ["x", "w", "b"], ["y0"], group=2, **window),
             node("NhwcConv", ["x", "w"], ["y1"], group=2, **window)],
            [{"x": floats(r, 2, 7, 5, 4)}],
            {"w": np.ascontiguousarray(w.transpose(0, 2, 3, 1)),
             "w_reference": w, "b": floats(r, 6)},
            turned("p", "y0") + turned("q", "y1"))


@case("qlinear_conv")
def _(r):
    # Weights of 6 bits: onnxruntime saturates sums of products on some processors.
    x, last = bytes_of(r, 2, 4, 6, 5), bytes_of(r, 2, 6, 5, 4)
    window = dict(kernel_shape=[3, 3], pads=[1, 0, 1, 1])
    scaled = ["sw", "zw", "sy", "zy"]
    return ([node("QLinearConv", ["x", "sx", "zx", "w", *scaled, "b"], ["y0"],
                  domain="", **window),
             node("QLinearConv", ["x", "sx", "zx", "d", *scaled], ["y1"], domain="",
                  group=4, strides=[2, 1], **window),
             node("QLinearConv", ["x", "sx", "zx", "u", "s1", "z1", "sy", "zy"],
                  ["y2"], domain="", dilations=[2, 1], **window),
             node("QLinearConv", ["l", "sx", "zx", "w", *scaled, "b"], ["y3"],
                  channels_last=1, **window),
             node("ConvInteger", ["x", "u", "zx", "z1"], ["y4"], domain="",
                  **window)],
            [{"x": x, "l": last}],
            {"w": bytes_of(r, 4, 4, 3, 3, dtype=np.int8) // 4,
             "d": bytes_of(r, 4, 1, 3, 3, dtype=np.int8) // 4,
             "u": bytes_of(r, 4, 4, 3, 3) // 4 + 90,
             "b": r.integers(-900, 900, 4).astype(np.int32),
             "sw": np.abs(floats(r, 4)) * 0.01 + 0.01,
             "zw": np.zeros(4, np.int8), "s1": f32(0.0131),
             "z1": np.array(120, np.uint8), "sx": f32(0.031),
             "zx": np.array(120, np.uint8), "sy": f32(0.37),
             "zy": np.array(110, np.uint8)})


@case("gelu")
def _(r):
    return ([node("Gelu", ["x"], ["y0"]), node("FastGelu", ["x"], ["y1"]),
             node("FastGelu", ["x", "b"], ["y2"]),
             node("BiasGelu", ["x", "b"], ["y3"]),
             node("QuickGelu", ["x"], ["y4"]),
             node("QuickGelu", ["x"], ["y5"], alpha=0.7)],
            [{"x": floats(r, 3, 7, scale=3)}], {"b": floats(r, 7)})


@case("fused_conv")
def _(r):
    common = dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    return ([node("FusedConv", ["x", "w", "b"], ["y0"], activation="Relu",
                  strides=[2, 2], **common),
             node("FusedConv", ["x", "w"], ["y1"], activation="LeakyRelu",
                  activation_params=[0.2], **common),
             node("FusedConv", ["x", "w", "b"], ["y2"], activation="Clip",
                  activation_params=[-0.5, 1.0], **common),
             node("FusedConv", ["x", "w", "b"], ["y3"], activation="HardSigmoid",
                  activation_params=[0.3, 0.4], **common),
             node("FusedConv", ["x", "w", "b"], ["y4"], activation="Tanh",
                  group=1, **common),
             node("FusedConv", ["x", "w", "b"], ["y5"], activation="Sigmoid",
                  **common),
             node("FusedConv", ["x", "w", "b", "z"], ["y6"], activation="Relu",
                  **common),
             node("FusedConv", ["x", "w", "b"], ["y7"], **common),
             node("FusedConv", ["x", "w", "b"], ["y8"], activation="HardSwish",
                  **common)],
            [{"x": floats(r, 2, 3, 6, 5), "z": floats(r, 2, 4, 6, 5)}],
            {"w": floats(r, 4, 3, 3, 3, scale=0.3), "b": floats(r, 4)})


@case("skip_norm")
def _(r):
    skip, simple = "SkipLayerNormalization", "SkipSimplifiedLayerNormalization"
    return ([node(skip, ["x", "s", "g", "b"], ["y0"], epsilon=1e-5),
             node(skip, ["x", "s", "g", "b", "c"], ["y1", "", "", "sum1"],
                  epsilon=1e-3),
             node(skip, ["x", "s", "g"], ["y2"]),
             node(simple, ["x", "s", "g"], ["y3"], epsilon=1e-6),
             node(simple, ["x", "s", "g", "c"], ["y4", "", "", "sum4"],
                  epsilon=1e-2),
             node("SimplifiedLayerNormalization", ["x", "g"], ["y5"], domain="",
                  epsilon=1e-2, axis=-1)],
            [{"x": floats(r, 2, 3, 8), "s": floats(r, 2, 3, 8)}],
            {"g": floats(r, 8), "b": floats(r, 8), "c": floats(r, 8)})


@case("embed_layer_norm")
def _(r):
    ids = r.integers(0, 11, (2, 5)).astype(np.int32)
    segments = r.integers(0, 2, (2, 5)).astype(np.int32)
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)
    places = r.integers(0, 9, (2, 5)).astype(np.int32)
    op = "EmbedLayerNormalization"
    return ([node(op, ["ids", "seg", "word", "pos", "type", "g", "b", "mask"],
                  ["y0", "m0"], epsilon=1e-6),
             node(op, ["ids", "", "word", "pos", "", "g", "b"], ["y1", "m1"]),
             node(op, ["ids", "seg", "word", "pos", "type", "g", "b", "mask",
                       "places"], ["y2", "m2", "sum2"])],
            [{"ids": ids, "seg": segments, "mask": mask, "places": places}],
            {"word": floats(r, 11, 6), "pos": floats(r, 9, 6),
             "type": floats(r, 2, 6), "g": floats(r, 6), "b": floats(r, 6)})


@case("qlinear_binary")
def _(r):
    u8, i8 = bytes_of(r, 3, 4), bytes_of(r, 3, 4, dtype=np.int8)
    return ([node("QLinearAdd", ["a", "sa", "za", "b", "sb", "zb", "sc", "zc"],
                  ["y0"]),
             node("QLinearMul", ["a", "sa", "za", "b", "sb", "zb", "sc", "zc"],
                  ["y1"]),
             node("QLinearAdd", ["i", "sa", "zi", "j", "sb", "zj", "sc", "zj"],
                  ["y2"]),
             node("QLinearMul", ["i", "sa", "zi", "j", "sb", "zj", "sc", "zi"],
                  ["y3"])],
            [{"a": u8, "b": bytes_of(r, 4), "i": i8,
              "j": bytes_of(r, 3, 1, dtype=np.int8)}],
            {"sa": f32(0.031), "sb": f32(0.017), "sc": f32(0.043),
             "za": np.array(120, np.uint8), "zb": np.array(7, np.uint8),
             "zc": np.array(130, np.uint8), "zi": np.array(-5, np.int8), "zj": np.array(11, np.int8)})


@case("qlinear_unary")
def _(r):
    return ([node("QLinearSigmoid", ["a", "sa", "za", "sp", "zp"], ["y0"]),
             node("QLinearSigmoid", ["i", "sa", "zi", "sp", "zi"], ["y1"]),
             node("QLinearLeakyRelu", ["a", "sa", "za", "sb", "zb"], ["y2"],
                  alpha=0.2),
             node("QLinearLeakyRelu", ["i", "sa", "zi", "sb", "zi"], ["y3"])],
            [{"a": bytes_of(r, 5, 8), "i": bytes_of(r, 5, 8, dtype=np.int8)}],
            {"sa": f32(0.031), "sb": f32(0.0293), "sp": f32(1 / 256),
             "za": np.array(120, np.uint8), "zb": np.array(100, np.uint8),
             "zp": np.array(0, np.uint8), "zi": np.array(-5, np.int8)})


@case("qlinear_softmax")
def _(r):
    return ([node("QLinearSoftmax", ["a", "sa", "za", "sp", "zp"], ["y0"],
                  axis=-1, opset=13),
             node("QLinearSoftmax", ["i", "sa", "zi", "sp", "zi"], ["y1"],
                  axis=1, opset=12)],
            [{"a": bytes_of(r, 3, 2, 5), "i": bytes_of(r, 3, 2, 5, dtype=np.int8)}],
            {"sa": f32(0.011), "sp": f32(1 / 256),
             "za": np.array(120, np.uint8), "zp": np.array(0, np.uint8),
             "zi": np.array(-100, np.int8)})


@case("qlinear_pool")
def _(r):
    window = dict(kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
    scales = ["sa", "za", "sb", "zb"]
    return ([node("QLinearAveragePool", ["x", *scales], ["y0"], **window),
             node("QLinearAveragePool", ["x", *scales], ["y1"],
                  count_include_pad=1, **window),
             node("QLinearAveragePool", ["x", *scales], ["y2"], channels_last=1,
                  **window),
             node("QLinearGlobalAveragePool", ["x", *scales], ["y3"]),
             node("QLinearGlobalAveragePool", ["x", *scales], ["y4"],
                  channels_last=1)],
            [{"x": bytes_of(r, 2, 7, 5, 4)}],
            {"sa": f32(0.031), "sb": f32(0.0173),
             "za": np.array(120, np.uint8), "zb": np.array(101, np.uint8)})


@case("qlinear_concat")
def _(r):
    return ([node("QLinearConcat", ["sc", "zc", "a", "sa", "za", "b", "sb", "zb"],
                  axis=1)],
            [{"a": bytes_of(r, 3, 4), "b": bytes_of(r, 3, 2)}],
            {"sa": f32(0.031), "sb": f32(0.017), "sc": f32(0.033),
             "za": np.array(120, np.uint8), "zb": np.array(7, np.uint8),
             "zc": np.array(110, np.uint8)})


@case("qlinear_where")
def _(r):
    return ([node("QLinearWhere", ["c", "a", "sa", "za", "b", "sb", "zb", "sc", "zc"])],
            [{"c": r.random((3, 1, 4)) < 0.5, "a": bytes_of(r, 2, 4), "b": bytes_of(r, 3, 2, 1)}],
            {"sa": f32(0.031), "sb": f32(0.017), "sc": f32(0.033),
             "za": np.array(120, np.uint8), "zb": np.array(7, np.uint8),
             "zc": np.array(110, np.uint8)})


@case("qlinear_pool_beyond")
def _(r):
    # The last windows reach beyond the padding.
    return ([node("QLinearAveragePool", ["x", "sa", "za", "sb", "zb"], ceil_mode=1,
                  count_include_pad=1, kernel_shape=[2, 3], strides=[2, 2],
                  pads=[1, 0, 0, 0])],
            [{"x": bytes_of(r, 1, 3, 6, 6)}],
            {"sa": f32(0.031), "sb": f32(0.0173),
             "za": np.array(120, np.uint8), "zb": np.array(101, np.uint8)})


@case("qgemm")
def _(r):
    columns = np.abs(floats(r, 5)) * 0.01 + 0.01
    zeros = bytes_of(r, 5, dtype=np.int8) // 16
    return ([node("QGemm", ["a", "sa", "za", "b", "sb", "zb", "c", "sy", "zy"],
                  ["y0"], transB=1),
             node("QGemm", ["a", "sa", "za", "w", "sw", "zw", "c", "", ""],
                  ["y1"], alpha=1.0),
             node("QGemm", ["t", "sa", "za", "w", "sb", "zb"], ["y2"], transA=1,
                  alpha=0.5)],
            [{"a": bytes_of(r, 3, 8), "t": bytes_of(r, 8, 3)}],
            {"b": bytes_of(r, 5, 8, dtype=np.int8),
             "w": bytes_of(r, 8, 5, dtype=np.int8),
             "c": r.integers(-900, 900, 5).astype(np.int32),
             "sa": f32(0.011), "sb": f32(0.017), "sy": f32(0.21),
             "sw": columns, "zw": zeros,
             "za": np.array(120, np.uint8), "zb": np.array(-3, np.int8),
             "zy": np.array(130, np.uint8)})


@case("matmul_integer_to_float")
def _(r):
    op = "MatMulIntegerToFloat"
    return ([node(op, ["a", "b", "sa", "sb", "za", "zb", "c"], ["y0"]),
             node(op, ["a", "w", "sa", "sw", "za", "zw"], ["y1"]),
             node(op, ["a", "b", "sa", "sb"], ["y2"])],
            [{"a": bytes_of(r, 2, 3, 8)}],
            {"b": bytes_of(r, 8, 5), "w": bytes_of(r, 8, 5, dtype=np.int8),
             "c": floats(r, 5), "sa": f32(0.011), "sb": f32(0.017),
             "sw": np.abs(floats(r, 5)) * 0.01 + 0.01,
             "zw": bytes_of(r, 5, dtype=np.int8) // 16,
             "za": np.array(120, np.uint8), "zb": np.array(99, np.uint8)})


@case("dynamic_quantize_matmul")
def _(r):
    op = "DynamicQuantizeMatMul"
    return ([node(op, ["a", "b", "sb", "zb", "c"], ["y0"]),
             node(op, ["a", "w", "sw"], ["y1"])],
            [{"a": floats(r, 2, 3, 8)}],
            {"b": bytes_of(r, 8, 5), "w": bytes_of(r, 8, 5, dtype=np.int8),
             "c": floats(r, 5), "sb": f32(0.017),
             "sw": np.abs(floats(r, 5)) * 0.01 + 0.01,
             "zb": np.array(99, np.uint8)})


@case("matmul_nbits")
def _(r):
    op = "MatMulNBits"
    sizes = dict(N=6, K=40, block_size=16)
    return ([node(op, ["a", "b4", "s"], ["y0"], bits=4, **sizes),
             node(op, ["a", "b4", "s", "z4"], ["y1"], bits=4, **sizes),
             node(op, ["a", "b8", "s", "z8"], ["y2"], bits=8, **sizes),
             node(op, ["a", "b8", "s"], ["y3"], bits=8, **sizes),
             node(op, ["a", "b4", "s", "", "", "c"], ["y4"], bits=4, **sizes)],
            [{"a": floats(r, 2, 3, 40)}],
            {"b4": bytes_of(r, 6, 3, 8), "b8": bytes_of(r, 6, 3, 16),
             "s": np.abs(floats(r, 6, 3)) * 0.05, "c": floats(r, 6),
             "z4": bytes_of(r, 6, 2), "z8": bytes_of(r, 6, 3)})


@case("matmul_nbits_half")
def _(r):
    op = "MatMulNBits"
    sizes = dict(N=6, K=40, block_size=16)
    half = np.float16
    return ([node(op, ["a", "b4", "s", "z4"], ["y0"], bits=4, **sizes),
             node(op, ["a", "b8", "s", "z8", "", "c"], ["y1"], bits=8, **sizes),
             node(op, ["a", "b4", "s", "zf"], ["y2"], bits=4, **sizes),
             node(op, ["a", "b4", "s", "", "g"], ["y3"], bits=4, **sizes),
             node(op, ["a", "b2", "s", "z2"], ["y4"], bits=2, **sizes)],
            # Values that leave no rounding before the result.
            [{"a": r.integers(-3, 4, (2, 3, 40)).astype(half)}],
            {"b2": bytes_of(r, 6, 3, 4), "b4": bytes_of(r, 6, 3, 8),
             "b8": bytes_of(r, 6, 3, 16),
             "s": (2.0 ** r.integers(-5, -2, (6, 3))).astype(half),
             "zf": r.integers(0, 16, (6, 3)).astype(half),
             "c": r.integers(-3, 4, 6).astype(half),
             "g": r.permutation(np.arange(40) // 16).astype(np.int32),
             "z2": bytes_of(r, 6, 1), "z4": bytes_of(r, 6, 2),
             "z8": bytes_of(r, 6, 3)})


@case("attention_lists")
def _(r):
    # Masks that are lists: ends; ends and starts; lengths and offsets.
    op = "Attention"
    return ([node(op, ["x", "w", "b", "ends"], ["y0"], num_heads=2,
                  unidirectional=1),
             node(op, ["x", "w", "b", "both"], ["y1"], num_heads=2),
             node(op, ["x", "w", "b", "both"], ["y2"], num_heads=2,
                  unidirectional=1),
             node(op, ["x", "w", "b", "offsets"], ["y3"], num_heads=2),
             node(op, ["x", "w", "b", "ends", "past"], ["y4", "p4"], num_heads=2),
             node(op, ["x", "w", "b", "none"], ["y5"], num_heads=2)],
            [{"x": floats(r, 2, 5, 8), "ends": np.array([4, 5], np.int32),
              "both": np.array([4, 5, 1, 0], np.int32),
              "offsets": np.array([4, 5, 0, 4, 9, 0, 4, 9], np.int32),
              "none": np.ones((2, 1), np.int32),
              "past": floats(r, 2, 2, 2, 3, 4)}],
            {"w": floats(r, 8, 24, scale=0.4), "b": floats(r, 24)})


@case("multi_head_masks")
def _(r):
    op = "MultiHeadAttention"
    heads = dict(num_heads=2)
    return ([node(op, ["q", "k", "v", "", "ends"], ["y0"], **heads),
             node(op, ["q", "k", "v", "", "offsets"], ["y1"], **heads),
             node(op, ["q", "k", "v", "", "rows"], ["y2"], **heads),
             node(op, ["q", "k4d", "v4d", "b", "ends"], ["y3"], **heads),
             node(op, ["q", "k", "v", "", "rows"], ["y4"],
                  mask_filter_value=-3.0, **heads),
             node(op, ["q", "n", "m", "b", "past_mask", "", "pk", "pv"],
                  ["y5", "k5", "v5"], **heads)],
            [{"q": floats(r, 2, 5, 8), "k": floats(r, 2, 6, 8),
              "v": floats(r, 2, 6, 12), "ends": np.array([3, 6], np.int32),
              "offsets": np.array([5, 2, 0, 5, 10, 0, 6, 12], np.int32),
              "rows": r.integers(0, 2, (2, 5, 6)).astype(np.int32),
              "past_mask": np.array([[1, 0, 1, 1, 1, 1, 1, 0]] * 2, np.int32),
              "n": floats(r, 2, 5, 8), "m": floats(r, 2, 5, 8),
              "pk": floats(r, 2, 2, 3, 4), "pv": floats(r, 2, 2, 3, 4),
              "k4d": floats(r, 2, 2, 6, 4), "v4d": floats(r, 2, 2, 6, 4)}],
            {"b": floats(r, 24)})


@case("attention")
def _(r):
    op = "Attention"
    mask = np.array([[1, 1, 1, 1, 0], [1, 1, 0, 1, 1]], np.int32)
    return ([node(op, ["x", "w", "b"], ["y0"], num_heads=2),
             node(op, ["x", "w", "b", "mask"], ["y1"], num_heads=2),
             node(op, ["x", "w", "b", "lengths"], ["y2"], num_heads=4),
             node(op, ["x", "w", "b"], ["y3"], num_heads=2, unidirectional=1,
                  scale=0.3),
             node(op, ["x", "w", "b", "", "past"], ["y4", "p4"], num_heads=2,
                  unidirectional=1),
             node(op, ["x", "w", "b", "mask", "", "bias"], ["y5"], num_heads=2)],
            [{"x": floats(r, 2, 5, 8), "mask": mask,
              "lengths": np.array([3, 5], np.int32),
              "past": floats(r, 2, 2, 2, 3, 4), "bias": floats(r, 2, 2, 5, 5)}],
            {"w": floats(r, 8, 24, scale=0.4), "b": floats(r, 24)})


@case("q_attention")
def _(r):
    # One scale or one a column; a list, a mask and a past as Attention has them.
    # Signed weights of 7 bits: onnxruntime's sums of two products saturate
    # where a processor has AVX2 alone.
    op = "QAttention"
    columns = np.abs(floats(r, 24)) * 0.004 + 0.002
    return ([node(op, ["x", "w", "b", "sx", "sw"], ["y0"], num_heads=2),
             node(op, ["x", "u", "b", "sx", "sw", "", "zx", "zu"], ["y1"], num_heads=4),
             node(op, ["x", "w", "b", "sx", "columns", "mask", "zx", "zw"], ["y2"],
                  num_heads=2),
             node(op, ["x", "w", "b", "sx", "sw", "lengths", "zx"], ["y3"],
                  num_heads=2, unidirectional=1, scale=0.3),
             node(op, ["x", "u", "b", "sx", "sw", "", "zx", "zu", "past"],
                  ["y4", "p4"], num_heads=2, unidirectional=1)],
            [{"x": bytes_of(r, 2, 5, 8),
              "mask": np.array([[1, 1, 1, 1, 0], [1, 1, 0, 1, 1]], np.int32),
              "lengths": np.array([3, 5], np.int32), "past": floats(r, 2, 2, 2, 3, 4)}],
            {"w": bytes_of(r, 8, 24, dtype=np.int8) // 2, "u": bytes_of(r, 8, 24),
             "b": floats(r, 24), "sx": f32(0.012), "sw": f32(0.012), "columns": columns,
             "zx": np.array(120, np.uint8), "zu": np.array(131, np.uint8),
             "zw": np.array(0, np.int8)})


@case("multi_head_attention")
def _(r):
    op = "MultiHeadAttention"
    mask = np.array([[1, 1, 1, 1, 0, 1], [1, 1, 0, 1, 1, 1]], np.int32)
    return ([node(op, ["q", "k", "v"], ["y0"], num_heads=2),
             node(op, ["q", "k", "v", "b"], ["y1"], num_heads=4, scale=0.4),
             node(op, ["q", "k", "v", "", "mask"], ["y2"], num_heads=2),
             node(op, ["q", "k", "v", "b", "", "bias"], ["y3"], num_heads=2),
             node(op, ["q", "n", "m", "", "", "", "pk", "pv"],
                  ["y4", "k4", "v4"], num_heads=2),
             node(op, ["q", "k4d", "v4d"], ["y5"], num_heads=2),
             node(op, ["q", "n", "m"], ["y6"], num_heads=2, unidirectional=1)],
            [{"q": floats(r, 2, 5, 8), "k": floats(r, 2, 6, 8),
              "v": floats(r, 2, 6, 8), "n": floats(r, 2, 5, 8),
              "m": floats(r, 2, 5, 8), "mask": mask,
              "bias": floats(r, 1, 2, 5, 6), "pk": floats(r, 2, 2, 3, 4),
              "pv": floats(r, 2, 2, 3, 4), "k4d": floats(r, 2, 2, 6, 4),
              "v4d": floats(r, 2, 2, 6, 4)}],
            {"b": floats(r, 24)})


@case("rotary_embedding")
def _(r):
    op = "RotaryEmbedding"
    places = r.integers(0, 12, (2, 5)).astype(np.int64)
    return ([node(op, ["x", "places", "cos", "sin"], ["y0"]),
             node(op, ["x", "first", "cos", "sin"], ["y1"], interleaved=1),
             node(op, ["h", "places", "cos", "sin"], ["y2"]),
             node(op, ["w", "places", "cos", "sin"], ["y3"], num_heads=2,
                  rotary_embedding_dim=8)],
            [{"x": floats(r, 2, 5, 24), "h": floats(r, 2, 3, 5, 8),
              "w": floats(r, 2, 5, 32), "places": places,
              "first": np.array([4], np.int64)}],
            {"cos": floats(r, 12, 4), "sin": floats(r, 12, 4)})


def group_query(r, batch, length, past, lengths, capacity):
    """The inputs of one call: `past` places of cache, of which `lengths` of
    each sequence are in use when the new elements are in."""
    data = {"q": floats(r, batch, length, 64), "k": floats(r, batch, length, 32),
            "v": floats(r, batch, length, 32),
            "packed": floats(r, batch, length, 128),
            "pk": floats(r, batch, 2, past, 16), "pv": floats(r, batch, 2, past, 16),
            "used": np.array(lengths, np.int32) - 1,
            "total": np.array(capacity, np.int32)}
    # What lies behind the places in use has no meaning; onnxruntime clears it.
    for row, used in enumerate(lengths):
        data["pk"][row, :, max(used - length, 0):] = 0
        data["pv"][row, :, max(used - length, 0):] = 0
    return data


@case("group_query_attention")
def _(r):
    op = "GroupQueryAttention"
    heads = dict(num_heads=4, kv_num_heads=2)
    rest = ["pk", "pv", "used", "total"]
    turned = rest + ["cos", "sin"]

    def outputs(i):
        return [f"y{i}", f"k{i}", f"v{i}"]

    return ([node(op, ["q", "k", "v"] + rest, outputs(0), **heads),
             node(op, ["packed", "", ""] + rest, outputs(1), scale=0.3, **heads),
             node(op, ["q", "k", "v"] + turned, outputs(2), do_rotary=1, **heads),
             node(op, ["packed", "", ""] + turned, outputs(3), do_rotary=1,
                  rotary_interleaved=1, **heads),
             node(op, ["q", "k", "v"] + rest, outputs(4), local_window_size=2,
                  **heads),
             node(op, ["q", "k", "v"] + rest, outputs(5), softcap=1.5, **heads)],
            [group_query(r, 2, 5, 0, [5, 5], 5),
             group_query(r, 1, 1, 6, [7], 7),
             group_query(r, 1, 3, 4, [7], 7),
             group_query(r, 2, 1, 6, [4, 7], 7),
             group_query(r, 1, 1, 9, [5], 5)],
            {"cos": floats(r, 12, 8), "sin": floats(r, 12, 8)})


@case("group_query_smooth")
def _(r):
    op = "GroupQueryAttention"
    heads = dict(num_heads=4, kv_num_heads=2)
    rest = ["q", "k", "v", "pk", "pv", "used", "total"]
    sink = rest + ["", "", "", "", "sink"]

    def outputs(i):
        return [f"y{i}", f"k{i}", f"v{i}"]

    return ([node(op, rest, outputs(0), smooth_softmax=1, **heads),
             node(op, sink, outputs(1), local_window_size=2, softcap=1.5, **heads),
             node(op, rest, outputs(2), causal=0, **heads)],
            [group_query(r, 1, 3, 0, [3], 3), group_query(r, 2, 1, 4, [3, 5], 5)],
            {"sink": floats(r, 4)})


@case("group_query_smooth_prompt")
def _(r):
    op = "GroupQueryAttention"
    heads = dict(num_heads=4, kv_num_heads=2)
    data = group_query(r, 1, 5, 0, [5], 5)
    return ([node(op, ["q", "k", "v", "", "", "used", "total"],
                  ["y", "present_k", "present_v"], smooth_softmax=1, **heads)],
            [{key: data[key] for key in ("q", "k", "v", "used", "total")}], {})


@case("group_query_prompt")
def _(r):
    op = "GroupQueryAttention"
    heads = dict(num_heads=4, kv_num_heads=2)
    data = group_query(r, 1, 5, 0, [5], 5)
    return ([node(op, ["q", "k", "v", "", "", "used", "total", "cos", "sin"],
                  ["y", "present_k", "present_v"], do_rotary=1, **heads)],
            [{key: data[key] for key in ("q", "k", "v", "used", "total")}],
            {"cos": floats(r, 12, 8), "sin": floats(r, 12, 8)})


def on_grid(r, *shape, step):
    """Values that 8 bits hold without loss: multiples from 0 to 255 steps."""
    values = r.integers(0, 256, shape)
    values.reshape(shape[0], -1)[:, :2] = [0, 255]
    return (values * step).astype(np.float32)


@case("dynamic_quantize_lstm")
def _(r):
    # One step from states on the grid: onnxruntime then rounds nothing.
    op = "DynamicQuantizeLSTM"
    hidden, width, batch = 4, 6, 3
    weights = {"w": bytes_of(r, 2, width, 4 * hidden, dtype=np.int8),
               "r": bytes_of(r, 2, hidden, 4 * hidden, dtype=np.int8),
               "b": floats(r, 2, 8 * hidden, scale=0.3),
               "ws": np.array([0.004, 0.006], np.float32),
               "wz": np.array([0, 0], np.int8),
               "rs": np.abs(floats(r, 2, 4 * hidden)) * 0.004 + 0.001,
               "rz": np.zeros((2, 4 * hidden), np.int8)}
    return ([node(op, ["x", "w", "r", "b", "", "h", "c", "", "ws", "wz", "rs",
                       "rz"], ["y", "y_h", "y_c"], hidden_size=hidden,
                  direction="bidirectional")],
            [{"x": on_grid(r, 1, batch, width, step=1 / 128),
              "h": on_grid(r, 2, batch, hidden, step=1 / 256),
              "c": floats(r, 2, batch, hidden)}], weights)


@case("dynamic_quantize_lstm_steps")
def _(r):
    # Inputs and states are rounded to bytes: X as a whole, the states of all sequences before each step.
    hidden, width, steps, batch = 24, 13, 6, 3
    weights = {"w": bytes_of(r, 2, width, 4 * hidden), "r": bytes_of(r, 2, hidden, 4 * hidden),
               "b": floats(r, 2, 8 * hidden, scale=0.3), "p": floats(r, 2, 3 * hidden, scale=0.3),
               "ws": np.array([0.004, 0.006], np.float32), "wz": np.array([128, 121], np.uint8),
               "rs": np.array([0.005, 0.004], np.float32), "rz": np.array([130, 128], np.uint8)}
    return ([node("DynamicQuantizeLSTM", ["x", "w", "r", "b", "", "h", "c", "p", "ws", "wz", "rs", "rz"], ["y", "y_h", "y_c"],
                  hidden_size=hidden, direction="bidirectional")],
            [{"x": floats(r, steps, batch, width), "h": floats(r, 2, batch, hidden, scale=0.3),
              "c": floats(r, 2, batch, hidden)}], weights)


def texts(*rows):
    return np.array(rows, object)


def tokenizer(x, y, **attributes):
    given = dict(mark=0, mincharnum=1, pad_value="#", **attributes)
    return node("Tokenizer", [x], [y], **given)


@case("tokenizer")
def _(r):
    return ([tokenizer("x", "y0", tokenexp="[a-zA-Z0-9_]+"),
             tokenizer("x", "y1", tokenexp="."),
             node("Tokenizer", ["x"], ["y2"], mark=1, mincharnum=2, pad_value="",
                  separators=[" ", "[.,;]", r"\s+|-"]),
             node("Tokenizer", ["x"], ["y3"], mark=1, mincharnum=1,
                  pad_value="pad", separators=[""]),
             node("Tokenizer", ["x"], ["y4"], mark=0, mincharnum=3, pad_value="#",
                  tokenexp=r"\pL+|[0-9]{2}|(?i)AB?C*")],
            [{"x": texts(["Hello, wonderful-world.", "  a b; c "],
                         ["\u65e5\u672c \u00c9t\u00e9 42", "abcc ABC"])},
             {"x": texts(["x"])}], {})


@case("text_vectorizer")
def _(r):
    # What scikit-learn's CountVectorizer becomes.
    grams = ["first", "is", "the", "this", "is", "the", "this", "is"]
    return ([node("Reshape", ["x", "flat"], ["x0"], domain=""),
             node("StringNormalizer", ["x0"], ["x1"], domain="", case_change_action="LOWER",
                  is_case_sensitive=0, locale="C.UTF-8"),
             tokenizer("x1", "x2", tokenexp="[a-zA-Z0-9_]+"),
             node("Flatten", ["x2"], ["x3"], domain=""),
             node("TfIdfVectorizer", ["x3"], ["y"], domain="", mode="TF", min_gram_length=1,
                  max_gram_length=2, max_skip_count=0, ngram_counts=[0, 4],
                  ngram_indexes=[4, 0, 1, 5, 2, 3], pool_strings=grams)],
            [{"x": texts(["This is the first one."], ["Is this the FIRST?"], [""])},
             {"x": texts(["is is this is"])}],
            {"flat": np.array([-1], np.int64)})


@case("solve")
def _(r):
    # onnxruntime has Inverse, and no Solve.
    a, t = floats(r, 2, 5, 5) + 4 * np.eye(5, dtype=np.float32), floats(r, 4, 4)

    def through_inverse(x, b, y):
        return [node("Inverse", [x], [x + "_inverse"]),
                node("MatMul", [x + "_inverse", b], [y], domain="")]

    return ([node("Solve", ["a", "b"], ["y0"]), node("Solve", ["t", "c"], ["y1"], transposed=1),
             node("Inverse", ["a"], ["y2"])],
            [{"a": a, "b": floats(r, 5, 3), "c": floats(r, 4)}],
            {"t": t, "u": np.ascontiguousarray(t.T)},
            through_inverse("a", "b", "y0") + through_inverse("u", "c", "y1")
            + [node("Identity", ["a_inverse"], ["y2"], domain="")])


@case("cdist")
def _(r):
    return ([node("CDist", ["a", "b"], ["y0"], metric="euclidean"),
             node("CDist", ["a", "c"], ["y1"], metric="sqeuclidean"), node("CDist", ["a", "b"], ["y2"])],
            [{"a": floats(r, 4, 3), "b": floats(r, 5, 3)}, {"a": floats(r, 1, 3), "b": floats(r, 2, 3)}],
            {"c": floats(r, 6, 3)})


def declare(name, arrays):
    shapes = [array.shape for array in arrays]
    dims = [sizes[0] if len(set(sizes)) == 1 else f"{name}_{axis}"
            for axis, sizes in enumerate(zip(*shapes))]
    kind = helper.np_dtype_to_tensor_dtype(arrays[0].dtype)
    return helper.make_tensor_value_info(name, kind, dims)


def make_model(name, nodes, data_sets, constants):
    names = [output for n in nodes for output in n.output if output]
    inputs = [declare(key, [data[key] for data in data_sets])
              for key in data_sets[0]]
    read = {key for n in nodes for key in n.input}
    graph = helper.make_graph(
        nodes, name, inputs, [onnx.ValueInfoProto(name=output) for output in names],
        [numpy_helper.from_array(value, key) for key, value in constants.items()
         if key in read])
    return names, helper.make_model(
        graph, producer_name="onnxrun tests", ir_version=8,
        opset_imports=[helper.make_opsetid("", 17),
                       helper.make_opsetid("com.microsoft", 1)])


def save_model(folder, name, model):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))
    return path


def write(name):
    random = np.random.default_rng(zlib.crc32(name.encode()))
    nodes, data_sets, constants, *reference = CASES[name](random)
    names, model = make_model(name, nodes, data_sets, constants)
    folder = os.path.join(fixture_io.ROOT, "tests", "fixtures", "microsoft_" + name)
    with fixture_io.new_folder(folder) as part:
        path = save_model(part, "model.onnx", model)
        if reference:
            _, model = make_model(name, reference[0], data_sets, constants)
            path = save_model(part, "reference.onnx", model)
        session = fixture_io.reference_session(path)
        for index, data in enumerate(data_sets):
            results = session.run(names, data)
            fixture_io.save_data_set(part, index, data, dict(zip(names, results)))
        if reference:
            os.remove(path)


def main():
    for name in sys.argv[1:] or CASES:
        write(name)


if __name__ == "__main__":
    main()
