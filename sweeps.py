"""Single layers over their family of shapes, for tools/compare --sweep: where a kernel falls off a cliff.

Each family is a generator of (name, model); a model has constant weights and inputs x (and y, z where it takes more) whose
values are drawn by make_inputs. Sizes are such that a layer takes from a tenth of a millisecond to some ten.
"""

import itertools
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16


def draw(name, shape, scale=1.0):
    return (np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape) * scale).astype(np.float32)


def layer(op, inputs, weights=(), kind=FLOAT, outputs=1, domain="", opset=20, **attributes):
    """inputs: shapes of x, y, z (a pair of a type and a shape where it is another type than `kind`); weights: arrays behind them."""
    names = ["x", "y", "z", "u", "v"][:len(inputs)]
    typed = [i if isinstance(i, tuple) and len(i) == 2 and isinstance(i[1], (list, tuple)) else (kind, i) for i in inputs]
    values = [helper.make_tensor_value_info(n, t, list(s)) for n, (t, s) in zip(names, typed)]
    constants = [None if w is None else numpy_helper.from_array(w, f"w{i}") for i, w in enumerate(weights)]
    results = [f"out{i}" for i in range(outputs)]
    node = helper.make_node(op, names + ["" if c is None else c.name for c in constants], results, domain=domain, **attributes)
    graph = helper.make_graph([node], op, values, [helper.make_empty_tensor_value_info(r) for r in results], [c for c in constants if c])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else []), ir_version=10)
    inferred = onnx.shape_inference.infer_shapes(model)
    for i, value in enumerate(inferred.graph.output):
        if value.type.tensor_type.elem_type == 0:
            value.type.CopyFrom(helper.make_tensor_type_proto(kind, None))
    return inferred


def words(*values):
    return "x".join(str(v) for v in values)


def conv_layer(x, out, kernel, stride=1, dilation=1, groups=1, pad=None, bias=True):
    rank = len(x) - 2
    kernel = [kernel] * rank if isinstance(kernel, int) else list(kernel)
    pads = [(k - 1) * dilation // 2 if pad is None else pad for k in kernel]
    name = f"conv {words(*x)} to {out} k{words(*kernel)} s{stride} d{dilation} g{groups}"
    weight = draw(name, [out, x[1] // groups, *kernel], 1 / np.sqrt(x[1] // groups * np.prod(kernel)))
    return name, layer("Conv", [x], [weight] + ([draw(name + "b", [out])] if bias else []), strides=[stride] * rank,
                       dilations=[dilation] * rank, group=groups, pads=pads * 2)


def convolutions():
    for batch in (1, 8):
        for side, channels in ((112, 16), (56, 24), (56, 64), (28, 96), (28, 128), (14, 256), (7, 512), (4, 512)):
            for kernel, stride in ((1, 1), (3, 1), (3, 2), (5, 1)):
                yield conv_layer([batch, channels, side, side], channels, kernel, stride)
    for side, channels, out in ((224, 3, 32), (224, 3, 64), (256, 1, 16), (256, 4, 12), (128, 3, 96)):
        for kernel, stride in ((3, 1), (3, 2), (7, 2), (4, 4)):
            yield conv_layer([1, channels, side, side], out, kernel, stride, pad=0 if kernel == 4 else None)
    for channels, out in ((16, 2), (32, 1), (64, 3), (16, 16), (12, 20), (33, 65), (40, 40), (100, 10), (7, 130)):
        for kernel in (1, 3, 5):
            yield conv_layer([1, channels, 64, 64], out, kernel)
    for channels, side in ((32, 112), (96, 56), (144, 28), (240, 14), (960, 7)):
        for kernel, stride, dilation in ((3, 1, 1), (3, 2, 1), (5, 1, 1), (5, 2, 1), (7, 1, 1), (9, 1, 1), (3, 1, 2)):
            yield conv_layer([1, channels, side, side], channels, kernel, stride, dilation, channels)
    for channels, groups, side in ((64, 2, 56), (64, 4, 56), (128, 32, 28), (256, 32, 14), (96, 16, 28), (64, 32, 28), (48, 12, 28)):
        for kernel, stride in ((1, 1), (3, 1), (3, 2)):
            yield conv_layer([1, channels, side, side], channels, kernel, stride, 1, groups)
    for side, channels in ((28, 256), (14, 512), (33, 256)):
        for dilation in (2, 4, 12, 24):
            yield conv_layer([1, channels, side, side], 256, 3, 1, dilation)
    for kernel in ((1, 7), (7, 1), (3, 1), (1, 3), (5, 3), (2, 2), (11, 11)):
        yield conv_layer([1, 64, 32, 32], 64, kernel)
    for channels, out, length in ((4, 16, 16000), (16, 16, 4000), (64, 64, 2000), (80, 384, 1000), (256, 256, 500), (512, 512, 100), (1, 64, 16000)):
        for kernel, stride, dilation in ((1, 1, 1), (3, 1, 1), (5, 2, 1), (11, 1, 1), (3, 1, 4)):
            yield conv_layer([1, channels, length], out, kernel, stride, dilation)
    for channels, length, kernel in ((256, 500, 31), (512, 100, 15), (64, 4000, 9)):
        yield conv_layer([1, channels, length], channels, kernel, groups=channels)
    yield conv_layer([1, 2048, 64], 512, 32)
    for channels, out, size in ((3, 32, (16, 64, 64)), (16, 16, (16, 32, 32)), (32, 64, (8, 28, 28)), (64, 64, (8, 14, 14)), (5, 7, (9, 17, 19))):
        for kernel, stride in ((1, 1), (3, 1), (3, 2), ((1, 3, 3), 1), ((3, 1, 1), 1)):
            yield conv_layer([1, channels, *size], out, kernel, stride)
    yield conv_layer([1, 64, 8, 28, 28], 64, 3, groups=64)
    yield conv_layer([1, 2048, 7, 7], 512, 3)
    yield conv_layer([1, 2048, 16, 16], 256, 3)


def transposed_convolutions():
    for x, out, kernel, stride, pad in (([1, 64, 28, 28], 32, 2, 2, 0), ([1, 64, 28, 28], 32, 4, 2, 1), ([1, 128, 14, 14], 64, 3, 2, 1), ([1, 32, 56, 56], 16, 3, 1, 1),
                                        ([1, 256, 8, 8], 128, 4, 2, 1), ([1, 16, 64, 64], 3, 4, 2, 1), ([1, 21, 20, 20], 21, 16, 8, 4), ([1, 100, 1, 1], 512, 4, 1, 0),
                                        ([1, 512, 32], 256, 16, 8, 4), ([1, 256, 256], 128, 16, 8, 4), ([1, 64, 2000], 32, 4, 2, 1), ([1, 80, 100], 64, 8, 4, 2),
                                        ([1, 16, 8, 16, 16], 8, 3, 2, 1), ([1, 32, 4, 14, 14], 16, 2, 2, 0), ([8, 64, 14, 14], 32, 4, 2, 1)):
        rank = len(x) - 2
        name = f"conv_transpose {words(*x)} to {out} k{kernel} s{stride}"
        weight = draw(name, [x[1], out] + [kernel] * rank, 1 / np.sqrt(x[1] * kernel))
        yield name, layer("ConvTranspose", [x], [weight, draw(name + "b", [out])], strides=[stride] * rank, pads=[pad] * 2 * rank)


def products():
    for m, k, n in ((1, 512, 512), (1, 1024, 1000), (1, 4096, 4096), (4, 768, 768), (16, 1024, 1024), (49, 320, 1280), (64, 4096, 1024), (64, 384, 384), (128, 384, 1536),
                    (128, 1536, 384), (197, 768, 768), (197, 768, 3072), (512, 512, 512), (1000, 64, 64), (10000, 16, 16), (10000, 3, 32), (33, 65, 129), (7, 1000, 3), (256, 2048, 8),
                    (2000, 128, 1), (8192, 32, 128)):
        name = f"{m}x{k} by {k}x{n}"
        weight, bias = draw(name, [k, n], k ** -0.5), draw(name + "b", [n])
        yield f"matmul {name}", layer("MatMul", [[m, k]], [weight])
        yield f"gemm {name} transposed", layer("Gemm", [[m, k]], [np.ascontiguousarray(weight.T), bias], transB=1)
        if m * n * k < 3e8:
            yield f"matmul {name} variable", layer("MatMul", [[m, k], [k, n]])
    for batch, m, k, n in ((12, 128, 32, 128), (12, 128, 128, 32), (8, 197, 64, 197), (64, 49, 32, 49), (16, 1, 64, 512), (16, 1, 512, 64), (32, 7, 7, 7), (4, 300, 256, 300), (1000, 4, 4, 4)):
        yield f"matmul {batch} of {m}x{k} by {k}x{n}", layer("MatMul", [[batch, m, k], [batch, k, n]])
    yield "matmul 8 of 64x64 by one", layer("MatMul", [[8, 64, 64], [64, 64]])
    yield "matmul one by 8 of 64x64", layer("MatMul", [[64, 64], [8, 64, 64]])
    yield "einsum bhid,bhjd->bhij", layer("Einsum", [[2, 8, 100, 64], [2, 8, 100, 64]], equation="bhid,bhjd->bhij")


def pools():
    for x, kernel, stride, pad in (([1, 64, 112, 112], 3, 2, 1), ([1, 64, 56, 56], 2, 2, 0), ([1, 256, 28, 28], 3, 1, 1), ([1, 480, 14, 14], 3, 2, 1), ([1, 3, 224, 224], 2, 2, 0),
                                   ([8, 64, 28, 28], 3, 2, 1), ([1, 512, 20, 20], 5, 1, 2), ([1, 256, 20, 20], 13, 1, 6), ([1, 33, 55, 57], 3, 2, 1), ([1, 64, 1000], 3, 2, 1),
                                   ([1, 256, 200], 2, 2, 0), ([1, 16, 16, 56, 56], 2, 2, 0), ([1, 64, 8, 28, 28], 3, 2, 1), ([1, 3, 16, 112, 112], 3, 1, 1)):
        rank = len(x) - 2
        name = f"{words(*x)} k{kernel} s{stride}"
        yield f"max_pool {name}", layer("MaxPool", [x], kernel_shape=[kernel] * rank, strides=[stride] * rank, pads=[pad] * 2 * rank)
        yield f"average_pool {name}", layer("AveragePool", [x], kernel_shape=[kernel] * rank, strides=[stride] * rank, pads=[pad] * 2 * rank)
    for x in ([1, 1280, 7, 7], [1, 96, 112, 112], [8, 512, 14, 14], [1, 64, 8, 28, 28], [1, 512, 1000]):
        yield f"global_average {words(*x)}", layer("GlobalAveragePool", [x])
        yield f"global_max {words(*x)}", layer("GlobalMaxPool", [x])
    yield "lp_pool 1x64x56x56", layer("LpPool", [[1, 64, 56, 56]], kernel_shape=[2, 2], strides=[2, 2])


def norms():
    for x in ([128, 768], [1, 197, 768], [1000, 32], [16, 4096], [3000, 17], [1, 100, 1], [8, 128, 384]):
        n = x[-1]
        scale, bias = draw("s", [n]), draw("b", [n])
        yield f"layer_norm {words(*x)}", layer("LayerNormalization", [x], [scale, bias], axis=-1)
        yield f"rms_norm {words(*x)}", layer("RMSNormalization", [x], [scale], opset=23, axis=-1)
        yield f"lp_norm {words(*x)}", layer("LpNormalization", [x], axis=-1)
    yield "layer_norm over two axes", layer("LayerNormalization", [[64, 48, 48]], [draw("s", [48, 48]), draw("b", [48, 48])], axis=1)
    for x in ([1, 32, 64, 64], [1, 64, 128, 128], [4, 128, 14, 14], [1, 256, 1000], [1, 7, 31, 33], [1, 32, 8, 32, 32]):
        c = x[1]
        scale, bias = draw("s", [c]), draw("b", [c])
        yield f"batch_norm {words(*x)}", layer("BatchNormalization", [x], [scale, bias, draw("m", [c]), np.abs(draw("v", [c])) + 0.1])
        yield f"instance_norm {words(*x)}", layer("InstanceNormalization", [x], [scale, bias])
        if c % 8 == 0:
            yield f"group_norm {words(*x)}", layer("GroupNormalization", [x], [scale, bias], opset=21, num_groups=8)
    yield "lrn 1x96x55x55", layer("LRN", [[1, 96, 55, 55]], size=5)
    yield "mean_variance 1x64x56x56", layer("MeanVarianceNormalization", [[1, 64, 56, 56]], axes=[0, 2, 3])


def softmaxes():
    for x, axes in (([128, 128], (0, 1)), ([12, 128, 128], (2, 1, 0)), ([1, 1000], (1,)), ([1000, 10], (0, 1)), ([1, 21, 65, 65], (1, 2, 3)), ([100, 3000], (1,)), ([64, 17, 19], (1, 2)), ([1, 50257], (1,)), ([30000, 3], (1,))):
        for axis in axes:
            yield f"softmax {words(*x)} axis {axis}", layer("Softmax", [x], axis=axis)
            yield f"log_softmax {words(*x)} axis {axis}", layer("LogSoftmax", [x], axis=axis)
    yield "hardmax 128x1000", layer("Hardmax", [[128, 1000]], axis=-1)


def reductions():
    ops = ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp")
    for op in ops:
        for x, axes in (([1, 64, 56, 56], [2, 3]), ([1, 64, 56, 56], [1]), ([128, 768], [1]), ([768, 128], [0]), ([64, 33, 65], [1]), ([32, 40, 50, 6], [0, 2]), ([1000000], [0])):
            yield f"{op} {words(*x)} over {words(*axes)}", layer(op, [x], [np.array(axes, np.int64)])
    for op in ("ArgMax", "ArgMin"):
        for x, axis in (([1, 21, 128, 128], 1), ([128, 1000], 1), ([1000, 128], 0), ([1, 64, 56, 56], 3), ([1, 50257], 1)):
            yield f"{op} {words(*x)} axis {axis}", layer(op, [x], axis=axis, kind=FLOAT)
    for x, axis in (([128, 1000], 1), ([1000, 128], 0), ([8, 64, 100], 1), ([1000000], 0)):
        yield f"CumSum {words(*x)} axis {axis}", layer("CumSum", [x], [np.array(axis, np.int64)])


def resizes():
    for x, scale in (([1, 64, 28, 28], 2), ([1, 3, 112, 112], 2), ([1, 256, 14, 14], 2), ([1, 21, 33, 33], 8), ([1, 64, 56, 56], 0.5), ([1, 32, 37, 41], 1.7), ([1, 64, 500], 2), ([1, 16, 8, 28, 28], 2)):
        rank = len(x) - 2
        scales = np.array([1, 1] + [scale] * rank, np.float32)
        for mode, attributes in (("nearest", {}), ("linear", {}), ("linear", {"coordinate_transformation_mode": "align_corners"}), ("cubic", {"cubic_coeff_a": -0.75})):
            if mode == "cubic" and rank != 2:
                continue
            yield f"resize {mode} {words(*x)} by {scale} {' '.join(attributes.values() if mode == 'linear' else [])}", layer("Resize", [x], [None, scales], mode=mode, **attributes)
    for mode in ("linear", "nearest"):
        yield f"grid_sample {mode}", layer("GridSample", [[1, 32, 64, 64], [1, 64, 64, 2]], mode=mode)


def transposes():
    for x in ([512, 768], [64, 100, 33], [8, 32, 56, 56], [2, 12, 128, 32], [4, 8, 6, 10, 36]):
        permutations = list(itertools.permutations(range(len(x))))
        for permutation in permutations[1::max(1, len(permutations) // 24)]:
            yield f"transpose {words(*x)} {words(*permutation)}", layer("Transpose", [x], perm=list(permutation))
    yield "transpose half", layer("Transpose", [[1, 64, 56, 56]], kind=HALF, perm=[0, 2, 3, 1])
    yield "depth_to_space", layer("DepthToSpace", [[1, 64, 64, 64]], blocksize=2)
    yield "space_to_depth", layer("SpaceToDepth", [[1, 16, 128, 128]], blocksize=2)


def moves():
    for axis in range(4):
        yield f"concat 1x64x56x56 twice axis {axis}", layer("Concat", [[1, 64, 56, 56], [1, 64, 56, 56]], axis=axis)
        yield f"slice 8x64x56x56 axis {axis}", layer("Slice", [[8, 64, 56, 56]], [np.array([1]), np.array([7]), np.array([axis])])
        yield f"slice 8x64x56x56 axis {axis} by 2", layer("Slice", [[8, 64, 56, 56]], [np.array([0]), np.array([100]), np.array([axis]), np.array([2])])
        yield f"split 8x64x56x56 axis {axis}", layer("Split", [[8, 64, 56, 56]], outputs=2, axis=axis, num_outputs=2)
    for mode in ("constant", "reflect", "edge"):
        yield f"pad {mode}", layer("Pad", [[1, 64, 56, 56]], [np.array([0, 0, 1, 1, 0, 0, 1, 1])], mode=mode)
    index = np.random.default_rng(0).integers(0, 500, 1000)
    for x, axis in (([500, 768], 0), ([64, 500], 1), ([8, 500, 64], 1), ([500], 0)):
        yield f"gather {words(*x)} axis {axis}", layer("Gather", [x], [index], axis=axis)
    yield "gather_elements", layer("GatherElements", [[500, 300]], [np.random.default_rng(0).integers(0, 500, [500, 300])], axis=0)
    yield "gather_nd", layer("GatherND", [[500, 300]], [np.random.default_rng(0).integers(0, 300, [4000, 2])])
    yield "scatter_nd", layer("ScatterND", [[500, 64]], [index[:400, None], draw("u", [400, 64])])
    yield "scatter_elements", layer("ScatterElements", [[500, 64]], [np.random.default_rng(0).integers(0, 500, [300, 64]), draw("u", [300, 64])], axis=0)
    yield "expand", layer("Expand", [[64, 1, 56]], [np.array([64, 56, 56])])
    yield "tile", layer("Tile", [[64, 56]], [np.array([8, 4])])
    yield "where", layer("Where", [(TensorProto.BOOL, [64, 3136]), [64, 3136], [64, 3136]])
    yield "where scalar", layer("Where", [(TensorProto.BOOL, [64, 3136]), [64, 3136], [1]])
    yield "trilu", layer("Trilu", [[512, 512]])
    yield "one_hot", layer("OneHot", [(TensorProto.INT64, [1000])], [np.array(500), np.array([0, 1], np.float32)])
    yield "top_k 10 of 8400", layer("TopK", [[80, 8400]], [np.array([10])], outputs=2)
    yield "top_k 1000 of 20000", layer("TopK", [[1, 20000]], [np.array([1000])], outputs=2)
    yield "top_k all of 1000", layer("TopK", [[64, 1000]], [np.array([1000])], outputs=2)
    yield "non_max_suppression 8400x80", nms()


def nms():
    values = [helper.make_tensor_value_info("boxes", FLOAT, [1, 8400, 4]), helper.make_tensor_value_info("scores", FLOAT, [1, 80, 8400])]
    weights = [numpy_helper.from_array(np.array([100]), "most"), numpy_helper.from_array(np.array([0.5], np.float32), "iou"), numpy_helper.from_array(np.array([2.0], np.float32), "score")]
    node = helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "iou", "score"], ["out0"])
    graph = helper.make_graph([node], "nms", values, [helper.make_tensor_value_info("out0", TensorProto.INT64, ["n", 3])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def elementwise():
    unary = ("Abs", "Neg", "Ceil", "Floor", "Round", "Sqrt", "Reciprocal", "Exp", "Log", "Sin", "Cos", "Tanh", "Erf", "Sigmoid", "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid",
             "HardSwish", "Softplus", "Softsign", "Gelu", "Mish", "Sign", "Atan", "Sinh", "Asin")
    for op in unary:
        yield f"{op} 200704", layer(op, [[64, 3136]])
    for op in ("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Mod"):
        attributes = {"fmod": 1} if op == "Mod" else {}
        for a, b in (([64, 3136], [64, 3136]), ([64, 3136], [1]), ([64, 3136], [64, 1]), ([64, 3136], [3136]), ([8, 64, 49], [64, 1]), ([64, 1], [1, 3136]), ([1, 32, 56, 56], [1, 32, 1, 1]), ([3136, 7], [7])):
            yield f"{op} {words(*a)} with {words(*b)}", layer(op, [a, b], **attributes)
    yield "PRelu", layer("PRelu", [[1, 64, 56, 56]], [draw("p", [64, 1, 1])])
    yield "Clip", layer("Clip", [[64, 3136]], [np.array(-1, np.float32), np.array(1, np.float32)])
    for op in ("Equal", "Less", "Greater", "LessOrEqual"):
        yield f"{op}", layer(op, [[64, 3136], [64, 3136]], kind=FLOAT)
    for op in ("Add", "Mul", "Relu", "Sigmoid"):
        count = 2 if op in ("Add", "Mul") else 1
        yield f"{op} half", layer(op, [[64, 3136]] * count, kind=HALF)
        yield f"{op} double", layer(op, [[64, 3136]] * count, kind=TensorProto.DOUBLE)
    for op in ("Add", "Mul"):
        for kind in (TensorProto.INT64, TensorProto.INT32):
            yield f"{op} {TensorProto.DataType.Name(kind)}", layer(op, [[64, 3136]] * 2, kind=kind)
    yield "And", layer("And", [[64, 3136]] * 2, kind=TensorProto.BOOL)
    yield "Not", layer("Not", [[64, 3136]], kind=TensorProto.BOOL)


def casts():
    kinds = {"float": FLOAT, "half": HALF, "bfloat16": TensorProto.BFLOAT16, "double": TensorProto.DOUBLE, "int64": TensorProto.INT64, "int32": TensorProto.INT32, "int8": TensorProto.INT8,
             "uint8": TensorProto.UINT8, "bool": TensorProto.BOOL}
    for a, b in itertools.permutations(kinds, 2):
        if ("float" in (a, b) or "half" in (a, b)) and "bfloat16" not in (a,):
            yield f"cast {a} to {b}", layer("Cast", [(kinds[a], [64, 3136])], kind=kinds[b], to=kinds[b])
    for kind in ("uint8", "int8"):
        zero = np.array(3, kind)
        yield f"quantize {kind}", layer("QuantizeLinear", [[64, 3136]], [np.array(0.02, np.float32), zero], kind=kinds[kind])
        yield f"dequantize {kind}", layer("DequantizeLinear", [(kinds[kind], [64, 3136])], [np.array(0.02, np.float32), zero])


def recurrent():
    for op, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
        for steps, batch, size, hidden, both in ((100, 1, 256, 256, 1), (100, 1, 256, 256, 2), (50, 8, 64, 128, 1), (200, 1, 40, 25, 1), (30, 1, 512, 512, 1), (1, 1, 256, 256, 1), (100, 32, 32, 32, 2), (60, 1, 80, 100, 1)):
            for variant in ({}, {"linear_before_reset": 1}) if op == "GRU" else ({}, {"peepholes": 1}) if op == "LSTM" else ({},):
                attributes = dict(variant)
                weights = [draw("w", [both, gates * hidden, size], size ** -0.5), draw("r", [both, gates * hidden, hidden], hidden ** -0.5), draw("b", [both, 2 * gates * hidden])]
                if attributes.pop("peepholes", 0):
                    weights += [None, None, None, draw("p", [both, 3 * hidden])]
                yield (f"{op} {steps} steps batch {batch} {size} to {hidden} directions {both} {' '.join(variant)}",
                       layer(op, [[steps, batch, size]], weights, hidden_size=hidden, direction="bidirectional" if both == 2 else "forward", **attributes))


def attention_chain(heads, queries, keys, size):
    """Softmax(q k' / sqrt(size)) v, spelled out."""
    values = [helper.make_tensor_value_info(n, FLOAT, [1, heads, length, size]) for n, length in (("x", queries), ("y", keys), ("z", keys))]
    nodes = [helper.make_node("Transpose", ["y"], ["yt"], perm=[0, 1, 3, 2]), helper.make_node("MatMul", ["x", "yt"], ["s"]), helper.make_node("Mul", ["s", "scale"], ["t"]),
             helper.make_node("Softmax", ["t"], ["p"], axis=-1), helper.make_node("MatMul", ["p", "z"], ["out0"])]
    graph = helper.make_graph(nodes, "attention", values, [helper.make_tensor_value_info("out0", FLOAT, [1, heads, queries, size])], [numpy_helper.from_array(np.array(size ** -0.5, np.float32), "scale")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def attentions():
    for heads, queries, keys, size in ((12, 128, 128, 32), (12, 197, 197, 64), (16, 1024, 1024, 40), (16, 4096, 77, 40), (5, 1500, 1500, 64), (8, 1, 2048, 64), (8, 16, 512, 64), (4, 64, 64, 96), (2, 333, 111, 80), (32, 49, 49, 32)):
        name = f"{heads} heads {queries} by {keys} of {size}"
        yield f"attention chain {name}", attention_chain(heads, queries, keys, size)
        yield f"attention {name}", layer("Attention", [[1, heads, queries, size], [1, heads, keys, size], [1, heads, keys, size]], opset=23)


FAMILIES = {"conv": convolutions, "conv_transpose": transposed_convolutions, "product": products, "pool": pools, "norm": norms, "softmax": softmaxes, "reduce": reductions, "resize": resizes,
            "transpose": transposes, "move": moves, "elementwise": elementwise, "cast": casts, "recurrent": recurrent, "attention": attentions}


def make_inputs(model):
    """Values for the inputs of a model, by name."""
    initial = {t.name for t in model.graph.initializer}
    inputs = {}
    for value in model.graph.input:
        if value.name in initial:
            continue
        tensor = value.type.tensor_type
        shape = [d.dim_value if d.HasField("dim_value") else 1 for d in tensor.shape.dim]
        generator = np.random.default_rng(zlib.crc32(value.name.encode()))
        kind = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        if kind == np.bool_:
            inputs[value.name] = generator.integers(0, 2, shape).astype(kind)
        elif np.issubdtype(kind, np.integer):
            inputs[value.name] = generator.integers(0, 10, shape).astype(kind)
        else:
            inputs[value.name] = generator.standard_normal(shape).astype(kind)
    return inputs
