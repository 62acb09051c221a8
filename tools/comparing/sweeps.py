"""Single layers over their family of shapes, for tools/compare --sweep: where a kernel falls off a cliff.

Each family is a generator of (name, model); a model has constant weights and inputs x (and y, z where it takes more) whose
values are drawn by make_inputs. Sizes are such that a layer takes from a tenth of a millisecond to some ten.
"""

import itertools
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, HALF, DOUBLE, INT64, INT32, UINT8, INT8, BOOL = (getattr(TensorProto, n) for n in ("FLOAT", "FLOAT16", "DOUBLE", "INT64", "INT32", "UINT8", "INT8", "BOOL"))


def kind_name(kind):
    return TensorProto.DataType.Name(kind).lower()


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
    for m, k, n in ((10000, 20, 3), (10000, 64, 4), (1000, 64, 64)):
        yield f"gemm with bias {m}x{k} by {k}x{n}", layer("Gemm", [[m, k]], [draw("w", [k, n], k ** -0.5), draw("b", [n])])
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
    for kind in (UINT8, HALF, INT64):
        yield f"concat {kind_name(kind)}", layer("Concat", [[1, 56, 56, 32]] * 2, axis=3, kind=kind)
        yield f"slice {kind_name(kind)}", layer("Slice", [[8, 64, 56, 56]], [np.array([1]), np.array([55]), np.array([3])], kind=kind)
        yield f"slice reversed {kind_name(kind)}", layer("Slice", [[8, 64, 56, 56]], [np.array([-1]), np.array([-1000]), np.array([3]), np.array([-1])], kind=kind)
        yield f"pad {kind_name(kind)}", layer("Pad", [[1, 64, 56, 56]], [np.array([0, 0, 1, 1, 0, 0, 1, 1])], kind=kind)
        yield f"gather {kind_name(kind)}", layer("Gather", [[64, 500]], [index], axis=1, kind=kind)
        yield f"expand {kind_name(kind)}", layer("Expand", [[64, 1, 56]], [np.array([64, 56, 56])], kind=kind)
        yield f"where {kind_name(kind)}", layer("Where", [(BOOL, [64, 3136]), [64, 3136], [64, 3136]], kind=kind)
    yield "concat of 20", layer("Concat", [[200, 3]] * 5, axis=1)
    yield "concat of last 1", layer("Concat", [[20000, 1]] * 4, axis=1)
    yield "expand last", layer("Expand", [[3136, 1]], [np.array([3136, 64])])
    yield "expand rows", layer("Expand", [[1, 64]], [np.array([3136, 64])])
    yield "tile last 3", layer("Tile", [[3136, 3]], [np.array([1, 10])])
    yield "tile one", layer("Tile", [[3136, 1]], [np.array([1, 50])])
    yield "where mask of rows", layer("Where", [(BOOL, [64, 1]), [64, 3136], [64, 3136]])
    yield "where attention mask", layer("Where", [(BOOL, [1, 1, 128, 128]), [1], [4, 12, 128, 128]])
    yield "masked fill", layer("Where", [(BOOL, [4, 1, 1, 128]), [1], [4, 12, 128, 128]])
    yield "triu", layer("Trilu", [[8, 256, 256]], [np.array(1)], upper=1)
    yield "reverse_sequence", layer("ReverseSequence", [[100, 8, 64]], [np.array([100, 90, 80, 70, 60, 50, 40, 30])], batch_axis=1, time_axis=0)
    yield "gather scalar", layer("Gather", [[8, 197, 768]], [np.array(0)], axis=1)
    yield "gather_elements axis 1", layer("GatherElements", [[500, 300]], [np.random.default_rng(0).integers(0, 300, [500, 300])], axis=1)
    yield "gather_nd rows", layer("GatherND", [[50, 30, 64]], [np.random.default_rng(0).integers(0, 30, [1000, 2])])
    for reduction in ("add", "max"):
        yield f"scatter_nd {reduction}", layer("ScatterND", [[500, 64]], [index[:400, None], draw("u", [400, 64])], reduction=reduction)
        yield f"scatter_elements {reduction}", layer("ScatterElements", [[500, 64]], [np.random.default_rng(0).integers(0, 500, [300, 64]), draw("u", [300, 64])], axis=0, reduction=reduction)
    yield "scatter_elements axis 1", layer("ScatterElements", [[500, 64]], [np.random.default_rng(0).integers(0, 64, [500, 30]), draw("u", [500, 30])], axis=1)
    yield "one_hot axis 0", layer("OneHot", [(INT64, [1000])], [np.array(500), np.array([0, 1], np.float32)], axis=0)
    yield "eye_like", layer("EyeLike", [[512, 512]])
    yield "center_crop_pad", layer("CenterCropPad", [[1, 16, 100, 100]], [np.array([80, 120])], axes=[2, 3])
    yield "range", layer("Range", [], [np.array(0), np.array(100000), np.array(1)], kind=INT64)


def indices():
    """Sorting, searching and counting."""
    for count, of, rows in ((10, 8400, 80), (1000, 20000, 1), (1000, 1000, 64), (1, 1000, 64), (5, 1000, 128), (100, 8400, 1), (300, 8400, 1), (2, 8, 10000), (50, 50257, 1), (2000, 3000, 4)):
        for largest in (1, 0):
            yield f"top_k {count} of {of} in {rows} rows largest {largest}", layer("TopK", [[rows, of]], [np.array([count])], outputs=2, largest=largest)
    yield "top_k unsorted", layer("TopK", [[1, 20000]], [np.array([1000])], outputs=2, sorted=0)
    yield "top_k axis 0", layer("TopK", [[1000, 64]], [np.array([10])], outputs=2, axis=0)
    yield "top_k int64", layer("TopK", [[8, 5000]], [np.array([20])], outputs=2, kind=INT64)
    for boxes, classes in ((8400, 80), (1000, 1), (300, 90), (25200, 1), (3000, 10)):
        for spread in (1, 10):
            yield f"non_max_suppression {boxes}x{classes} spread {spread}", nms(boxes, classes, spread)
    for x, axis in (([128, 1000], 1), ([1000, 128], 0), ([8, 64, 100], 1), ([1, 16, 56, 56], 1), ([1, 512], 1), ([4, 300, 300], 1), ([4, 300, 300], 2)):
        for attributes in ({}, {"exclusive": 1}, {"reverse": 1}):
            yield f"cum_sum {words(*x)} axis {axis} {' '.join(attributes)}", layer("CumSum", [x], [np.array(axis)], **attributes)
        yield f"cum_sum {words(*x)} axis {axis} int64", layer("CumSum", [x], [np.array(axis)], kind=INT64)
    yield "non_zero float", layer("NonZero", [[500, 300]], kind=INT64)
    yield "non_zero bool", layer("NonZero", [(BOOL, [500, 300])], kind=INT64)
    yield "non_zero sparse", layer("NonZero", [(TensorProto.FLOAT, [100000])], kind=INT64)
    yield "unique", layer("Unique", [[20000]], outputs=4)
    yield "unique int64", layer("Unique", [[20000]], outputs=4, kind=INT64)
    yield "compress", layer("Compress", [[1000, 64], (BOOL, [1000])], axis=0)
    yield "compress flat", layer("Compress", [[64000], (BOOL, [64000])])
    for kind in (INT32, INT64, HALF, DOUBLE, UINT8):
        if kind != HALF and kind != UINT8:
            yield f"arg_max {kind_name(kind)}", layer("ArgMax", [[128, 1000]], kind=kind, axis=1)
        for op in ("ReduceSum", "ReduceMax", "ReduceMean"):
            if op == "ReduceMax" or kind != UINT8:
                for axis in (0, 1):
                    yield f"{op} {kind_name(kind)} axis {axis}", layer(op, [[300, 400]], [np.array([axis])], kind=kind)


    for kind in (INT64, INT32, HALF, DOUBLE):
        for op in ("ReduceSum", "ReduceMax"):
            for x, axes in (([20000, 6], [1]), ([8, 32, 28, 28], [2, 3]), ([8, 32, 28, 28], [1]), ([300, 400], [0, 1])):
                yield f"{op} {kind_name(kind)} {words(*x)} over {words(*axes)}", layer(op, [x], [np.array(axes)], kind=kind)
    for kind in (UINT8, INT8, INT64, DOUBLE):
        yield f"ReduceMin {kind_name(kind)}", layer("ReduceMin", [[300, 400]], [np.array([1])], kind=kind)
    for op in ("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"):
        yield f"{op} double", layer(op, [[300, 400]], [np.array([1])], kind=DOUBLE)


def images():
    """Sampling and gathering in pictures, beyond Resize."""
    for mode in ("linear", "nearest", "cubic"):
        for padding in ("zeros", "border", "reflection"):
            for x, grid in (([1, 32, 64, 64], [1, 64, 64, 2]), ([1, 256, 30, 40], [1, 100, 8, 2]), ([8, 3, 64, 64], [8, 64, 64, 2])):
                if mode != "cubic" or x[1] == 3:
                    yield f"grid_sample {mode} {padding} {words(*x)}", layer("GridSample", [x, grid], mode=mode, padding_mode=padding)
    yield "grid_sample 3-d", layer("GridSample", [[1, 8, 16, 32, 32], [1, 16, 32, 32, 3]], mode="linear")
    rois = np.array([[0, 0, 20, 20], [5, 5, 30, 40], [10, 2, 44, 33], [3, 7, 50, 49]] * 25, np.float32)
    for mode in ("avg", "max"):
        yield f"roi_align {mode}", layer("RoiAlign", [[1, 64, 50, 50]], [rois, np.zeros(100, np.int64)], mode=mode, output_height=7, output_width=7, sampling_ratio=2, spatial_scale=1.0)
    yield "max_roi_pool", layer("MaxRoiPool", [[1, 64, 50, 50]], [np.concatenate([np.zeros([100, 1], np.float32), rois], 1)], pooled_shape=[7, 7])
    yield "affine_grid", layer("AffineGrid", [[4, 2, 3]], [np.array([4, 3, 128, 128])])
    yield "col2im", layer("Col2Im", [[1, 9 * 16, 900]], [np.array([32, 32]), np.array([3, 3])])
    yield "max_unpool", layer("MaxUnpool", [[1, 64, 28, 28]], [np.arange(64 * 28 * 28).reshape(1, 64, 28, 28) * 4], kernel_shape=[2, 2], strides=[2, 2])
    yield "max_pool with indices", layer("MaxPool", [[1, 64, 56, 56]], outputs=2, kernel_shape=[2, 2], strides=[2, 2])
    for size in (3, 5):
        for x in ([1, 96, 55, 55], [1, 64, 56, 56], [1, 256, 13, 13]):
            yield f"lrn {size} {words(*x)}", layer("LRN", [x], size=size)
    for kind in (UINT8, HALF):
        for mode in ("nearest", "linear"):
            for x, scale in (([1, 3, 112, 112], 2), ([1, 64, 28, 28], 2), ([1, 3, 480, 640], 0.35)):
                yield f"resize {mode} {kind_name(kind)} {words(*x)} by {scale}", layer("Resize", [x], [None, np.array([1, 1, scale, scale], np.float32)], mode=mode, kind=kind)
    for scale in (0.5, 0.35, 3):
        yield f"resize antialias by {scale}", layer("Resize", [[1, 3, 224, 224]], [None, np.array([1, 1, scale, scale], np.float32)], mode="linear", antialias=1)
    yield "resize channels last", layer("Resize", [[1, 112, 112, 3]], [None, np.array([1, 2, 2, 1], np.float32)], mode="linear")
    for kind in (UINT8, HALF, TensorProto.UINT16, DOUBLE):
        for x, perm in (([1, 224, 224, 3], [0, 3, 1, 2]), ([1, 3, 224, 224], [0, 2, 3, 1]), ([1, 56, 56, 64], [0, 3, 1, 2]), ([512, 300], [1, 0]), ([8, 100, 4, 16], [0, 2, 1, 3])):
            yield f"transpose {kind_name(kind)} {words(*x)} {words(*perm)}", layer("Transpose", [x], kind=kind, perm=perm)
    for x, perm in (([1, 224, 224, 3], [0, 3, 1, 2]), ([1, 3, 224, 224], [0, 2, 3, 1]), ([100, 4, 50, 2], [0, 1, 3, 2]), ([1000, 5, 7], [0, 2, 1]), ([1, 480, 640, 4], [0, 3, 1, 2])):
        yield f"transpose {words(*x)} {words(*perm)}", layer("Transpose", [x], perm=perm)
    for kind, x, perm in ((FLOAT, [2000, 8, 8], [0, 2, 1]), (FLOAT, [2000, 3, 3], [2, 0, 1]), (FLOAT, [64, 7, 7, 3, 6, 16], [3, 0, 4, 1, 2, 5]), (FLOAT, [32, 197, 12, 64], [0, 2, 1, 3]),
                          (FLOAT, [6, 5, 4, 3, 2, 10], [5, 4, 3, 2, 1, 0]), (FLOAT, [1, 480, 320, 8], [0, 3, 1, 2]), (DOUBLE, [20000, 6], [1, 0]), (INT64, [1000, 4, 4], [0, 2, 1])):
        yield f"transpose {kind_name(kind)} {words(*x)} {words(*perm)}", layer("Transpose", [x], kind=kind, perm=perm)
    for mode in ("DCR", "CRD"):
        for x, block in (([1, 64, 64, 64], 2), ([1, 48, 64, 64], 4), ([1, 27, 100, 100], 3), ([1, 12, 256, 256], 2)):
            yield f"depth_to_space {mode} {words(*x)} by {block}", layer("DepthToSpace", [x], blocksize=block, mode=mode)
    for x, block in (([1, 3, 256, 256], 2), ([1, 16, 128, 128], 4), ([1, 3, 224, 224], 16), ([1, 64, 64, 64], 2)):
        yield f"space_to_depth {words(*x)} by {block}", layer("SpaceToDepth", [x], blocksize=block)
    for k in (2, 3, 5):
        yield f"lp_pool k{k}", layer("LpPool", [[1, 64, 56, 56]], kernel_shape=[k, k], strides=[2, 2])


def signals():
    for length in (256, 400, 512, 1000, 1024, 4096):
        yield f"dft {length}", layer("DFT", [[16, length, 1]], axis=1, opset=17)
        yield f"dft one side {length}", layer("DFT", [[16, length, 1]], axis=1, onesided=1, opset=17)
    yield "dft of complex 512", layer("DFT", [[16, 512, 2]], axis=1, opset=17)
    for frame in (400, 512):
        yield f"stft {frame}", layer("STFT", [[1, 16000, 1]], [np.array(160), np.hanning(frame).astype(np.float32), np.array(frame)])
    yield "det", layer("Det", [[64, 16, 16]])
    for equation, shapes in (("bij,bjk->bik", ([8, 64, 64], [8, 64, 64])), ("bhqd,bkhd->bhqk", ([2, 8, 64, 32], [2, 64, 8, 32])), ("bchw,bkc->bkhw", ([1, 64, 40, 40], [1, 80, 64])),
                             ("ij,ij->i", ([1000, 64], [1000, 64])), ("i,j->ij", ([500], [500])), ("bnqd,nde->bqe", ([2, 8, 64, 32], [8, 32, 128])), ("ii->i", ([500, 500],)), ("ij->ji", ([500, 300],)),
                             ("bhwc,hkc->bhwk", ([8, 14, 14, 64], [14, 14, 64])), ("ntg,ncg->nct", ([4, 100, 50], [4, 60, 50])), ("bij->b", ([8, 100, 100],))):
        yield f"einsum {equation}", layer("Einsum", list(shapes), equation=equation)
    yield "matmul_integer", layer("MatMulInteger", [(UINT8, [128, 256]), (UINT8, [256, 128])], kind=INT32)
    for op in ("Softmax", "LogSoftmax"):
        for kind in (HALF, DOUBLE):
            for x, axis in (([128, 1000], 1), ([1, 21, 65, 65], 1), ([30000, 3], 1)):
                yield f"{op} {kind_name(kind)} {words(*x)} axis {axis}", layer(op, [x], axis=axis, kind=kind)
    for kind in (HALF, DOUBLE):
        yield f"LayerNormalization {kind_name(kind)}", layer("LayerNormalization", [[128, 768]], [np.ones(768, helper.tensor_dtype_to_np_dtype(kind))], kind=kind)
        yield f"BatchNormalization {kind_name(kind)}", layer("BatchNormalization", [[1, 32, 64, 64]], [np.ones(32, helper.tensor_dtype_to_np_dtype(kind))] * 4, kind=kind)
        yield f"MaxPool {kind_name(kind)}", layer("MaxPool", [[1, 64, 56, 56]], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, kind=kind)
        yield f"AveragePool {kind_name(kind)}", layer("AveragePool", [[1, 64, 56, 56]], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, kind=kind)
        yield f"GlobalAveragePool {kind_name(kind)}", layer("GlobalAveragePool", [[1, 64, 56, 56]], kind=kind)
        yield f"InstanceNormalization {kind_name(kind)}", layer("InstanceNormalization", [[1, 32, 64, 64]], [np.ones(32, helper.tensor_dtype_to_np_dtype(kind))] * 2, kind=kind)
        yield f"Resize {kind_name(kind)}", layer("Resize", [[1, 32, 40, 40]], [None, np.array([1, 1, 2, 2], np.float32)], mode="linear", kind=kind)
        yield f"PRelu {kind_name(kind)}", layer("PRelu", [[1, 64, 56, 56]], [np.ones([64, 1, 1], helper.tensor_dtype_to_np_dtype(kind))], kind=kind)
        yield f"Where {kind_name(kind)}", layer("Where", [(BOOL, [64, 3136]), [64, 3136], [64, 3136]], kind=kind)
    for x in ([128, 1000], [1, 21, 65, 65]):
        for axis in (1, 0):
            yield f"hardmax {words(*x)} axis {axis}", layer("Hardmax", [x], axis=axis)
    yield "tf_random_normal", layer("RandomNormalLike", [[64, 3136]])
    yield "dropout", layer("Dropout", [[64, 3136]])
    yield "constant_of_shape", layer("ConstantOfShape", [], [np.array([64, 3136])], value=numpy_helper.from_array(np.array([1], np.float32)))
    yield "nll_loss", layer("NegativeLogLikelihoodLoss", [[512, 100]], [np.random.default_rng(0).integers(0, 100, [512])])
    yield "softmax_cross_entropy", layer("SoftmaxCrossEntropyLoss", [[512, 100]], [np.random.default_rng(0).integers(0, 100, [512])])


def nms(boxes, classes, spread):
    """Boxes of size 1 at places that are drawn from a square of `spread`; the more, the fewer of them overlap."""
    values = [helper.make_tensor_value_info("at", FLOAT, [1, boxes, 2]), helper.make_tensor_value_info("scores", FLOAT, [1, classes, boxes])]
    weights = [numpy_helper.from_array(np.array([100]), "most"), numpy_helper.from_array(np.array([0.5], np.float32), "iou"), numpy_helper.from_array(np.array([1.0], np.float32), "score"),
               numpy_helper.from_array(np.array(spread, np.float32), "spread"), numpy_helper.from_array(np.ones([1, boxes, 2], np.float32), "size")]
    nodes = [helper.make_node("Mul", ["at", "spread"], ["centre"]), helper.make_node("Concat", ["centre", "size"], ["boxes"], axis=2),
             helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "iou", "score"], ["out0"], center_point_box=1)]
    graph = helper.make_graph(nodes, "nms", values, [helper.make_tensor_value_info("out0", INT64, ["n", 3])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def elementwise():
    unary = ("Abs", "Neg", "Ceil", "Floor", "Round", "Sqrt", "Reciprocal", "Exp", "Log", "Sin", "Cos", "Tanh", "Erf", "Sigmoid", "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid",
             "HardSwish", "Softplus", "Softsign", "Gelu", "Mish", "Sign", "Atan", "Sinh", "Asin", "Cosh", "Tan", "Acos", "Asinh", "Acosh", "Atanh", "ThresholdedRelu", "Shrink", "IsNaN", "IsInf", "Identity")
    for op in unary:
        yield f"{op} 200704", layer(op, [[64, 3136]], kind=FLOAT)
    yield "Gelu tanh", layer("Gelu", [[64, 3136]], approximate="tanh")
    yield "BitShift", layer("BitShift", [[64, 3136]] * 2, kind=TensorProto.UINT32, direction="LEFT")
    yield "BitwiseAnd", layer("BitwiseAnd", [[64, 3136]] * 2, kind=INT32)
    yield "Sum of 3", layer("Sum", [[64, 3136]] * 3)
    yield "Max of 3", layer("Max", [[64, 3136]] * 3)
    yield "Mean of 3", layer("Mean", [[64, 3136]] * 3)
    yield "Pow 2", layer("Pow", [[64, 3136]], [np.array(2, np.float32)])
    yield "Pow 3", layer("Pow", [[64, 3136]], [np.array(3, np.float32)])
    yield "Pow 0.5", layer("Pow", [[64, 3136]], [np.array(0.5, np.float32)])
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
    for kind in (INT64, INT32, UINT8, INT8, DOUBLE, HALF):
        for op in ("Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Equal", "Less", "Greater"):
            if (op == "Mod" and kind in (DOUBLE, HALF)) or (kind in (UINT8, INT8) and op in ("Add", "Sub", "Mul", "Div", "Min", "Max", "Equal", "Less", "Greater")):
                continue
            for a, b in (([64, 3136], [64, 3136]), ([64, 3136], [1]), ([64, 3136], [64, 1]), ([64, 3136], [3136])):
                yield f"{op} {kind_name(kind)} {words(*a)} with {words(*b)}", layer(op, [a, b], kind=kind)
        for op in ("Abs", "Neg", "Sign"):
            if kind != UINT8 or op != "Neg":
                yield f"{op} {kind_name(kind)}", layer(op, [[64, 3136]], kind=kind)
        if kind not in (INT8, UINT8):
            yield f"Clip {kind_name(kind)}", layer("Clip", [[64, 3136]], [np.array(2, helper.tensor_dtype_to_np_dtype(kind)), np.array(5, helper.tensor_dtype_to_np_dtype(kind))], kind=kind)
    for kind in (DOUBLE, HALF):
        for op in ("Exp", "Log", "Sqrt", "Tanh", "Erf", "Sin", "Cos", "Reciprocal", "Ceil", "Floor", "Round", "Gelu", "HardSwish", "LeakyRelu", "Softplus"):
            yield f"{op} {kind_name(kind)}", layer(op, [[64, 3136]], kind=kind)
        yield f"Pow {kind_name(kind)}", layer("Pow", [[64, 3136]] * 2, kind=kind)
    yield "And", layer("And", [[64, 3136]] * 2, kind=TensorProto.BOOL)
    yield "Or", layer("Or", [[64, 3136]] * 2, kind=TensorProto.BOOL)
    yield "And with row", layer("And", [[64, 3136], [3136]], kind=TensorProto.BOOL)
    yield "Not", layer("Not", [[64, 3136]], kind=TensorProto.BOOL)


def casts():
    kinds = {"float": FLOAT, "half": HALF, "bfloat16": TensorProto.BFLOAT16, "double": TensorProto.DOUBLE, "int64": TensorProto.INT64, "int32": TensorProto.INT32, "int8": TensorProto.INT8,
             "uint8": TensorProto.UINT8, "bool": TensorProto.BOOL}
    for a, b in itertools.permutations(kinds, 2):
        if ("float" in (a, b) or "half" in (a, b)) and "bfloat16" not in (a,):
            yield f"cast {a} to {b}", layer("Cast", [(kinds[a], [64, 3136])], kind=kinds[b], to=kinds[b])
    for kind in ("uint8", "int8"):
        zero = np.array(3, kind)
        yield f"quantize {kind}", layer("QuantizeLinear", [(FLOAT, [64, 3136])], [np.array(0.02, np.float32), zero], kind=kinds[kind])
        yield f"quantize {kind} by channel", layer("QuantizeLinear", [(FLOAT, [64, 3136])], [np.full(64, 0.02, np.float32), np.full(64, 3, kind)], kind=kinds[kind], axis=0)
        yield f"dequantize {kind}", layer("DequantizeLinear", [(kinds[kind], [64, 3136])], [np.array(0.02, np.float32), zero])
        yield f"dequantize {kind} by channel", layer("DequantizeLinear", [(kinds[kind], [64, 3136])], [np.full(64, 0.02, np.float32), np.full(64, 3, kind)], axis=0)
    yield "dynamic_quantize", layer("DynamicQuantizeLinear", [[64, 3136]], outputs=3)


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


def everyday():
    """Layers other than convolutions as they stand in networks that people run: detectors, transformers, speech, segmentation."""
    for op, count in (("Sigmoid", 1), ("Mul", 2), ("Exp", 1), ("Sub", 2)):  # the heads of YOLO
        yield f"detector {op} 1x84x8400", layer(op, [[1, 84, 8400]] * count)
    yield "detector softmax 1x16x4x8400", layer("Softmax", [[1, 16, 4, 8400]], axis=1)
    yield "detector transpose 1x84x8400", layer("Transpose", [[1, 84, 8400]], perm=[0, 2, 1])
    yield "detector transpose 1x4x16x8400", layer("Transpose", [[1, 4, 16, 8400]], perm=[0, 2, 1, 3])
    yield "detector ReduceMax 1x80x8400", layer("ReduceMax", [[1, 80, 8400]], [np.array([1])])
    yield "detector ReduceMax 1x8400x80", layer("ReduceMax", [[1, 8400, 80]], [np.array([2])])
    yield "detector ArgMax 1x8400x80", layer("ArgMax", [[1, 8400, 80]], axis=2, kind=FLOAT)
    yield "detector concat 1x144 of three scales", layer("Concat", [[1, 144, 6400], [1, 144, 1600], [1, 144, 400]], axis=2)
    yield "detector resize nearest 1x256x40x40", layer("Resize", [[1, 256, 40, 40]], [None, np.array([1, 1, 2, 2], np.float32)], mode="nearest")
    yield "detector concat 1x128x80x80", layer("Concat", [[1, 128, 80, 80]] * 2, axis=1)
    yield "detector split 1x128x80x80", layer("Split", [[1, 128, 80, 80]], outputs=2, axis=1, num_outputs=2)
    yield "detector top_k of 33600", layer("TopK", [[1, 33600]], [np.array([300])], outputs=2)
    yield "detector gather boxes", layer("Gather", [[1, 8400, 4]], [np.random.default_rng(0).integers(0, 8400, 300)], axis=1)
    yield "detector image of bytes", layer("Cast", [(UINT8, [1, 640, 640, 3])], to=FLOAT)
    yield "detector image transposed", layer("Transpose", [[1, 640, 640, 3]], perm=[0, 3, 1, 2])
    yield "detector image padded", layer("Pad", [[1, 3, 480, 640]], [np.array([0, 0, 80, 0, 0, 0, 80, 0])])
    for length, width, heads in ((197, 768, 12), (128, 384, 12), (1500, 512, 8)):  # encoders
        size = width // heads
        for kind in (FLOAT, HALF):
            element, what = helper.tensor_dtype_to_np_dtype(kind), f"{length}x{width} {kind_name(kind)}"
            yield f"encoder layer_norm {what}", layer("LayerNormalization", [[1, length, width]], [draw("s", [width]).astype(element), draw("b", [width]).astype(element)], axis=-1, kind=kind)
            yield f"encoder heads apart {what}", layer("Transpose", [[1, length, heads, size]], perm=[0, 2, 1, 3], kind=kind)
            yield f"encoder keys {what}", layer("Transpose", [[1, length, heads, size]], perm=[0, 2, 3, 1], kind=kind)
            yield f"encoder gelu {what}", layer("Gelu", [[1, length, 4 * width]], kind=kind)
            yield f"encoder residual {what}", layer("Add", [[1, length, width]] * 2, kind=kind)
            yield f"encoder bias {what}", layer("Add", [[1, length, 4 * width]], [draw("b", [4 * width]).astype(element)], kind=kind)
        yield f"encoder scores {length}x{width}", layer("Softmax", [[1, heads, min(length, 512), min(length, 512)]], axis=-1)
        yield f"encoder mask {length}x{width}", layer("Add", [[1, heads, min(length, 512), min(length, 512)], [1, 1, 1, min(length, 512)]])
        yield f"encoder parts {length}x{width}", layer("Split", [[1, length, 3 * width]], outputs=3, axis=2, num_outputs=3)
        yield f"encoder mean {length}x{width}", layer("ReduceMean", [[1, length, width]], [np.array([1])])
    for width, depth in ((2048, 5632), (896, 4864)):  # one token of a decoder
        for kind in (FLOAT, HALF):
            weight = draw("w", [width, depth], width ** -0.5).astype(helper.tensor_dtype_to_np_dtype(kind))
            yield f"decoder product {kind_name(kind)} {width} to {depth}", layer("MatMul", [[1, 1, width]], [weight], kind=kind)
        yield f"decoder rms_norm {width}", layer("RMSNormalization", [[1, 64, width]], [draw("s", [width])], opset=23, axis=-1)
        yield f"decoder silu gate {depth}", layer("Mul", [[1, 64, depth]] * 2)
    yield "decoder embedding", layer("Gather", [[32000, 256], (INT64, [1, 64])], axis=0)
    yield "decoder halves turned", layer("Concat", [[1, 32, 64, 32]] * 2, axis=3)
    yield "decoder next token", layer("ArgMax", [[1, 1, 151936]], axis=2, kind=FLOAT)
    yield "decoder top_k of 151936", layer("TopK", [[1, 151936]], [np.array([50])], outputs=2)
    yield "decoder cache of keys", layer("Concat", [[1, 8, 511, 64], [1, 8, 1, 64]], axis=2)
    yield "decoder keys repeated", layer("Expand", [[1, 8, 1, 512, 64]], [np.array([1, 8, 4, 512, 64])])
    for shape in ([1, 80, 3000], [8, 64, 512]):  # speech
        yield f"speech log {words(*shape)}", layer("Log", [shape])
        yield f"speech mean {words(*shape)}", layer("ReduceMean", [shape], [np.array([2])])
        yield f"speech greatest {words(*shape)}", layer("ReduceMax", [shape], [np.array([1, 2])])
    for frame in (400, 1024):
        yield f"speech stft {frame}", layer("STFT", [[1, 32000, 1]], [np.array(frame // 4), np.hanning(frame).astype(np.float32), np.array(frame)])
    yield "speech dft of columns", layer("DFT", [[1, 256, 64, 2]], axis=1, opset=17)
    yield "speech inverse dft", layer("DFT", [[64, 512, 2]], axis=1, inverse=1, opset=17)
    yield "segmentation resize 1x256x64x64 by 4", layer("Resize", [[1, 64, 64, 64]], [None, np.array([1, 1, 4, 4], np.float32)], mode="linear")
    yield "segmentation classes", layer("ArgMax", [[1, 21, 256, 256]], axis=1, kind=FLOAT)
    yield "segmentation softmax", layer("Softmax", [[1, 21, 128, 128]], axis=1)
    yield "segmentation group_norm", layer("GroupNormalization", [[1, 256, 32, 32]], [draw("s", [256]), draw("b", [256])], opset=21, num_groups=32)
    yield "optical flow grid_sample", layer("GridSample", [[1, 3, 128, 160], [1, 128, 160, 2]], mode="linear", padding_mode="border", align_corners=1)
    yield "style instance_norm 1x128x64x64", layer("InstanceNormalization", [[1, 128, 64, 64]], [draw("s", [128]), draw("b", [128])])
    yield "style padding", layer("Pad", [[1, 32, 128, 128]], [np.array([0, 0, 1, 1, 0, 0, 1, 1])], mode="reflect")
    yield "shuffle of channels", layer("Transpose", [[1, 2, 58, 28, 28]], perm=[0, 2, 1, 3, 4])
    yield "windows", layer("Transpose", [[1, 8, 7, 8, 7, 96]], perm=[0, 1, 3, 2, 4, 5])


FAMILIES = {"conv": convolutions, "conv_transpose": transposed_convolutions, "product": products, "pool": pools, "norm": norms, "softmax": softmaxes, "reduce": reductions, "resize": resizes,
            "transpose": transposes, "move": moves, "elementwise": elementwise, "cast": casts, "index": indices, "image": images, "signal": signals, "recurrent": recurrent, "attention": attentions, "everyday": everyday}


def make_inputs(model, seed=0):
    """Values for the inputs of a model, by name."""
    initial = {t.name for t in model.graph.initializer}
    divisors = {node.input[1] for node in model.graph.node if node.op_type in ("Div", "Mod")}
    inputs = {}
    for value in model.graph.input:
        if value.name in initial:
            continue
        tensor = value.type.tensor_type
        shape = [d.dim_value if d.HasField("dim_value") else 1 for d in tensor.shape.dim]
        generator = np.random.default_rng(zlib.crc32(value.name.encode()) + seed)
        kind = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        if kind == np.bool_:
            inputs[value.name] = generator.integers(0, 2, shape).astype(kind)
        elif kind in (np.int8, np.uint8):  # what quantizers write: all of them
            inputs[value.name] = generator.integers(np.iinfo(kind).min, np.iinfo(kind).max + 1, shape).astype(kind)
            if value.name in divisors:
                inputs[value.name][inputs[value.name] == 0] = 1
        elif np.issubdtype(kind, np.integer):
            inputs[value.name] = generator.integers(1, 10, shape).astype(kind)
        else:
            inputs[value.name] = generator.standard_normal(shape).astype(kind)
    return inputs
