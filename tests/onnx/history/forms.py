"""Old forms of operators that no current case has, with their results written out in numpy."""

import numpy as np
from onnx import TensorProto, helper

SEED = 7


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def hardmax(x):
    y = np.zeros_like(x)
    np.put_along_axis(y, x.argmax(axis=-1)[..., None], 1, axis=-1)
    return y


def flat(function, x, axis):
    """Applies a function of rows to x seen as a matrix that is cut before an axis."""
    return function(x.reshape(int(np.prod(x.shape[:axis])), -1)).reshape(x.shape)


def normalized_exponentials(f):
    x = f(2, 3, 4)
    kinds = {"Softmax": softmax, "LogSoftmax": lambda v: np.log(softmax(v)), "Hardmax": hardmax}
    for op, function in kinds.items():
        for opset in (1, 11):
            for axis in (0, 1, 2):
                yield f"{op}_axis{axis}", op, opset, [x], {"axis": axis}, [flat(function, x, axis)]
            yield f"{op}_default", op, opset, [x], {}, [flat(function, x, 1)]


def legacy_broadcast(f):
    arithmetic = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power}
    a, b, c = np.abs(f(2, 3, 4, 5)) + 0.5, np.abs(f(3, 4)) + 0.5, np.abs(f(4, 5)) + 0.5
    for op, function in arithmetic.items():
        for opset in (1, 6) if op != "Pow" else (1,):
            yield f"{op}_axis", op, opset, [a, b], {"broadcast": 1, "axis": 1}, [function(a, b[:, :, None])]
            yield f"{op}_suffix", op, opset, [a, c], {"broadcast": 1}, [function(a, c)]
    p, q = a > 1, b > 1
    for op, function in {"And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor}.items():
        yield f"{op}_axis", op, 1, [p, q], {"broadcast": 1, "axis": 1}, [function(p, q[:, :, None])]
    for op, function in {"Less": np.less, "Greater": np.greater}.items():
        yield f"{op}_axis", op, 1, [a, b], {"broadcast": 1, "axis": 1}, [function(a, b[:, :, None])]
    i, j = (a * 2).astype(np.int32), (b * 2).astype(np.int32)
    yield "Equal_axis", "Equal", 1, [i, j], {"broadcast": 1, "axis": 1}, [i == j[:, :, None]]


def reductions(f):
    x = np.abs(f(2, 3, 4)) + 0.5
    kinds = {
        "ReduceSum": lambda v, **k: v.sum(**k),
        "ReduceMean": lambda v, **k: v.mean(**k),
        "ReduceMax": lambda v, **k: v.max(**k),
        "ReduceMin": lambda v, **k: v.min(**k),
        "ReduceProd": lambda v, **k: v.prod(**k),
        "ReduceL1": lambda v, **k: np.abs(v).sum(**k),
        "ReduceL2": lambda v, **k: np.sqrt((v * v).sum(**k)),
        "ReduceLogSum": lambda v, **k: np.log(v.sum(**k)),
        "ReduceLogSumExp": lambda v, **k: np.log(np.exp(v).sum(**k)),
        "ReduceSumSquare": lambda v, **k: (v * v).sum(**k),
    }
    for op, function in kinds.items():
        for opset in (1, 11):
            yield f"{op}_axes", op, opset, [x], {"axes": [0, 2], "keepdims": 0}, [function(x, axis=(0, 2), keepdims=False)]
            yield f"{op}_keep", op, opset, [x], {"axes": [1]}, [function(x, axis=1, keepdims=True)]
            yield f"{op}_all", op, opset, [x], {}, [function(x, axis=(0, 1, 2), keepdims=True)]


def moves(f):
    x, y = f(2, 1, 3, 1), f(2, 3, 4)
    for opset in (1, 11):
        yield "Squeeze_axes", "Squeeze", opset, [x], {"axes": [1]}, [x.reshape(2, 3, 1)]
        yield "Squeeze_all", "Squeeze", opset, [x], {}, [x.reshape(2, 3)]
        yield "Unsqueeze", "Unsqueeze", opset, [y], {"axes": [0, 4]}, [y.reshape(1, 2, 3, 4, 1)]
    for opset in (2, 11):
        yield "Split", "Split", opset, [y], {"axis": 2, "split": [1, 3]}, [y[:, :, :1], y[:, :, 1:]]
        yield "Split_equal", "Split", opset, [y], {"axis": 2}, [y[:, :, :2], y[:, :, 2:]]
    yield "Split_attribute", "Split", 1, [y], {"axis": 2, "split": [1, 3]}, [y[:, :, :1], y[:, :, 1:]]
    yield "Slice", "Slice", 1, [y], {"starts": [1, -3], "ends": [3, 1000], "axes": [1, 2]}, [y[:, 1:3, -3:]]
    yield "Slice_no_axes", "Slice", 1, [y], {"starts": [0, 1], "ends": [1, 2]}, [y[:1, 1:2]]
    yield "Reshape", "Reshape", 1, [y], {"shape": [0, -1, 2]}, [y.reshape(2, 6, 2)]
    tiles, axis = np.array([3], np.float32), np.array([1], np.float32)
    yield "Tile", "Tile", 1, [y, tiles, axis], {}, [np.tile(y, (1, 3, 1))]
    padded = np.pad(y, ((0, 1), (2, 0), (1, 1)), constant_values=1.5)
    yield "Pad_paddings", "Pad", 1, [y], {"paddings": [0, 2, 1, 1, 0, 1], "value": 1.5}, [padded]
    yield "Pad_pads", "Pad", 2, [y], {"pads": [0, 2, 1, 1, 0, 1], "value": 1.5}, [padded]
    yield "Pad_reflect", "Pad", 2, [y], {"pads": [0, 1, 2, 0, 1, 0], "mode": "reflect"}, [np.pad(y, ((0, 0), (1, 1), (2, 0)), mode="reflect")]
    yield "Concat_default", "Concat", 1, [y, y], {}, [np.concatenate([y, y], axis=1)]
    depth = f(1, 8, 2, 3)
    blocks = depth.reshape(1, 2, 2, 2, 2, 3).transpose(0, 3, 4, 1, 5, 2).reshape(1, 2, 4, 6)
    yield "DepthToSpace", "DepthToSpace", 1, [depth], {"blocksize": 2}, [blocks]


def elementwise(f):
    x = f(2, 3, 4)
    yield "Clip_both", "Clip", 1, [x], {"min": -0.5, "max": 0.25}, [x.clip(-0.5, 0.25)]
    yield "Clip_both", "Clip", 6, [x], {"min": -0.5, "max": 0.25}, [x.clip(-0.5, 0.25)]
    yield "Clip_min", "Clip", 6, [x], {"min": 0.1}, [x.clip(0.1, None)]
    yield "Clip_none", "Clip", 6, [x], {}, [x]
    yield "Cast_text", "Cast", 1, [x * 5], {"to": "INT32"}, [(x * 5).astype(np.int32)]
    yield "Cast_number", "Cast", 6, [x * 5], {"to": 6}, [(x * 5).astype(np.int32)]
    alpha, gamma = 1.6732, 1.0507
    yield "Selu_default", "Selu", 1, [x], {}, [np.where(x > 0, gamma * x, gamma * alpha * (np.exp(x) - 1)).astype(np.float32)]
    slope = f(3)
    yield "PRelu_channel", "PRelu", 1, [x, slope], {}, [np.where(x < 0, x * slope[:, None], x)]
    yield "PRelu_channel", "PRelu", 6, [x, slope], {}, [np.where(x < 0, x * slope[:, None], x)]
    yield "Dropout_test", "Dropout", 1, [x], {"is_test": 1}, [x]
    yield "Dropout_test", "Dropout", 6, [x], {"is_test": 1, "ratio": 0.3}, [x]
    yield "Dropout", "Dropout", 7, [x], {"ratio": 0.3}, [x]
    yield "Dropout", "Dropout", 10, [x], {"ratio": 0.3}, [x]


def dense(f):
    a, b, row, full = f(3, 4), f(5, 4), f(5), f(3, 5)
    attributes = {"alpha": 0.5, "beta": 2.0, "transB": 1}
    product = 0.5 * (a @ b.T)
    for opset in (1, 6):
        yield "Gemm_row", "Gemm", opset, [a, b, row], {**attributes, "broadcast": 1}, [product + 2 * row]
        yield "Gemm_full", "Gemm", opset, [a, b, full], attributes, [product + 2 * full]
    for opset in (7, 9, 11):
        yield "Gemm_row", "Gemm", opset, [a, b, row], attributes, [product + 2 * row]


def normalizations(f):
    x, scale, bias, mean, variance = f(2, 3, 4, 5), f(3), f(3), f(3), np.abs(f(3)) + 0.5
    column = [v[:, None, None] for v in (scale, bias, mean, variance)]
    y = column[0] * (x - column[2]) / np.sqrt(column[3] + np.float32(1e-3)) + column[1]
    inputs = [x, scale, bias, mean, variance]
    yield "BatchNormalization", "BatchNormalization", 1, inputs, {"is_test": 1, "epsilon": 1e-3, "consumed_inputs": [0, 0, 0, 1, 1]}, [y]
    yield "BatchNormalization", "BatchNormalization", 6, inputs, {"is_test": 1, "epsilon": 1e-3}, [y]
    for opset in (7, 9, 14):
        yield "BatchNormalization", "BatchNormalization", opset, inputs, {"epsilon": 1e-3}, [y]
    z, group_scale, group_bias = f(2, 4, 3), f(2), f(2)
    groups = z.reshape(2, 2, 2, 3)
    center = groups - groups.mean(axis=(2, 3), keepdims=True)
    groups = center / np.sqrt((center**2).mean(axis=(2, 3), keepdims=True) + np.float32(1e-5))
    groups = groups * group_scale[:, None, None] + group_bias[:, None, None]
    yield "GroupNormalization", "GroupNormalization", 18, [z, group_scale, group_bias], {"num_groups": 2}, [groups.reshape(z.shape)]


def selections(f):
    x = f(3, 6)
    index = np.argsort(-x, axis=1)[:, :2]
    best = [np.take_along_axis(x, index, axis=1), index.astype(np.int64)]
    yield "TopK", "TopK", 1, [x], {"k": 2, "axis": 1}, best
    yield "TopK", "TopK", 10, [x, np.array([2], np.int64)], {}, best
    where, updates = np.array([[1, 0, 2]]), f(1, 3)
    y = x.copy()
    np.put_along_axis(y[:, :3], where, updates, axis=0)
    yield "Scatter", "Scatter", 9, [x, where, updates], {}, [y]


def samplings(f):
    x = f(1, 2, 2, 3)
    y = x.repeat(2, axis=2).repeat(3, axis=3)
    scales = np.array([1, 1, 2, 3], np.float32)
    yield "Upsample", "Upsample", 7, [x], {"scales": [1.0, 1.0, 2.0, 3.0], "mode": "nearest"}, [y]
    yield "Upsample", "Upsample", 9, [x, scales], {"mode": "nearest"}, [y]
    yield "Resize", "Resize", 10, [x, scales], {"mode": "nearest"}, [y]


def pools(f):
    x = f(1, 2, 4, 5)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    kept = np.pad(np.ones_like(x), ((0, 0), (0, 0), (1, 1), (1, 1)))
    sums, counts = (np.lib.stride_tricks.sliding_window_view(v, (3, 3), (2, 3)).sum((-2, -1)) for v in (padded, kept))
    yield "AveragePool_pads", "AveragePool", 1, [x], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, [sums / counts]


def random_numbers(f):
    for opset in (1, 22):
        for seed in (0, 7):
            def draw():
                return np.random.RandomState(seed)
            normal, uniform = {"mean": 2.0, "scale": 3.0, "seed": float(seed)}, {"low": -1.0, "high": 4.0, "seed": float(seed)}
            x, shape = f(3, 211), (3, 211)
            n = (draw().randn(*shape) * 3 + 2).astype(np.float32)
            u = (draw().rand(*shape) * 5 - 1).astype(np.float32)
            yield f"RandomNormal_seed{seed}", "RandomNormal", opset, [], {"shape": shape, **normal}, [n]
            yield f"RandomUniform_seed{seed}", "RandomUniform", opset, [], {"shape": shape, **uniform}, [u]
            yield f"RandomNormalLike_seed{seed}", "RandomNormalLike", opset, [x], normal, [n]
            yield f"RandomUniformLike_seed{seed}", "RandomUniformLike", opset, [x], uniform, [u]


def batched_scans(f):
    """Scan-8 scans each sequence of a batch up to its own length; what lies behind is 0 here, and undefined in the standard."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in ("s", "e", "t", "o")]
    nodes = [helper.make_node("Add", ["s", "e"], ["t"]), helper.make_node("Mul", ["t", "e"], ["o"])]
    body = helper.make_graph(nodes, "body", values[:2], values[2:])
    state, x = f(4, 2), f(4, 5, 2)
    for name, lengths, reverse in (("lengths", [2, 5, 1, 0], 0), ("reverse", None, 1), ("reverse_lengths", [4, 1, 0, 5], 1)):
        y, z = state.copy(), np.zeros_like(x)
        for b in range(4):
            sequence = x[b, : lengths[b] if lengths else 5]
            for i, e in enumerate(sequence[::-1] if reverse else sequence):
                y[b] += e
                z[b, i] = y[b] * e
        attributes = {"body": body, "num_scan_inputs": 1, "directions": [reverse]}
        yield f"Scan_{name}", "Scan", 8, [np.array(lengths, np.int64) if lengths else None, state, x], attributes, [y, z]


def cases():
    """Yields name, op, opset, inputs, attributes, results."""
    random = np.random.default_rng(SEED)

    def normal(*shape):
        return random.standard_normal(shape).astype(np.float32)

    for family in (normalized_exponentials, legacy_broadcast, reductions, moves, elementwise, dense, normalizations, selections, samplings, pools,
                   random_numbers, batched_scans):
        yield from family(normal)
