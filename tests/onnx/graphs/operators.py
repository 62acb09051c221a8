"""More operators for random graphs. What they make is told by the judges: an operator only has to be valid most of the time."""

import numpy as np
from onnx import TensorProto, helper

from builder import Unfit, is_float, is_image

WHOLE = (np.int64, np.int32)
TYPES = [np.float32, np.float64, np.int64, np.int32, np.int8, np.uint8, np.bool_]


def is_exact(v):
    return is_float(v) and v.exact


def has_rows(v):
    return is_float(v) and v.rank >= 1


def since(b, opset):
    if b.opset < opset:
        raise Unfit


def to(dtype):
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def weights(b, *shape):
    return b.constant(b.data(np.float32, shape, -1, 1) / np.float32(2))


def index(b, n, shape):
    return b.constant(b.numbers.randint(-n, n, shape).astype(np.int64))


# --- element-wise ---
CURVES = {"Exp": 0, "Sin": 0, "Cos": 0, "Atan": 0, "Sinh": 0, "Cosh": 0, "Asinh": 0, "Selu": 0, "Celu": 12, "ThresholdedRelu": 0, "Softsign": 0, "Shrink": 0, "Swish": 24}


def curve(b):
    x = b.pick(is_float)
    op = b.random.choice(list(CURVES))
    since(b, CURVES[op])
    b.put(op, [x])


def curve_of_part(b):
    """Functions that want numbers above 0, above 1, or between -1 and 1."""
    x = b.pick(is_float)
    size = b.node("Abs", [x])
    op = b.random.choice(["Sqrt", "Log", "Reciprocal", "Acosh", "Asin", "Acos", "Atanh", "Tan"])
    if op == "Sqrt":
        b.put(op, [size])
    elif op in ("Log", "Reciprocal", "Acosh"):
        b.put(op, [b.node("Add", [size, b.constant(np.float32(1.5))])])
    else:
        b.put(op, [b.node("Mul", [b.node("Softsign", [x]), b.constant(np.float32(0.5))])])


def compare(b):
    x = b.pick(lambda v: v.exact and v.dtype in (np.float32, np.int64, np.int32))
    op = b.random.choice(["Equal", "Greater", "Less"] + (["GreaterOrEqual", "LessOrEqual"] if b.opset >= 12 else []))
    shape = [d if b.chance(0.6) else 1 for d in x.shape][b.random.randrange(x.rank + 1) if b.chance(0.3) else 0:]
    b.put(op, [x, b.constant(b.data(x.dtype, shape))], True)


def logic(b):
    x = b.pick(lambda v: v.dtype == np.bool_)
    if b.chance(0.3):
        return b.put("Not", [x], True)
    y = b.pick(lambda v: v.dtype == np.bool_)
    b.put(b.random.choice(["And", "Or", "Xor"]), [x, y], True)


def is_odd_number(b):
    b.put(b.random.choice(["IsNaN", "IsInf"]), [b.pick(is_float)], True)


def where(b):
    c = b.pick(lambda v: v.dtype == np.bool_)
    x = b.pick(lambda v: v.dtype in (np.float32, np.int64, np.uint8))
    y = b.pick(lambda v: v.dtype == x.dtype)
    b.put("Where", [c, x, y], x.exact and y.exact)


def cast(b):
    x = b.pick(lambda v: v.exact)
    dtype = b.random.choice(TYPES)
    if x.dtype in (np.float32, np.float64) and dtype in (np.uint8, np.int8):
        raise Unfit  # of negative numbers, or large ones, undefined
    if b.opset >= 15 and b.chance(0.2):
        return b.put("CastLike", [x, b.constant(np.array([1], dtype))], True)
    b.put("Cast", [x], True, to=to(dtype))


def whole_arithmetic(b):
    x = b.pick(lambda v: v.dtype in WHOLE)
    op = b.random.choice(["Add", "Sub", "Mul", "Div", "Mod", "Mod", "Abs", "Neg", "Sign"])
    if op in ("Abs", "Neg", "Sign"):
        return b.put(op, [x], True)
    c = b.data(x.dtype, [d if b.chance(0.5) else 1 for d in x.shape])
    if op in ("Div", "Mod"):
        c[c == 0] = 3
        if op == "Div":
            c, x = np.abs(c), b.node("Abs", [x])
    attributes = {"fmod": 1} if op == "Mod" and b.chance(0.4) else {}
    b.put(op, [x, b.constant(c)], True, **attributes)


def float_mod(b):
    x = b.pick(is_exact)
    b.put("Mod", [x, b.constant(np.float32(b.random.choice([1.5, -2, 3])))], True, fmod=1)


def bits(b):
    if b.opset < 18 or b.chance(0.3):
        x = b.pick(lambda v: v.dtype == np.uint8)
        return b.put("BitShift", [x, b.constant(np.array(b.random.choice([0, 1, 3]), np.uint8))], True, direction=b.random.choice(["LEFT", "RIGHT"]))
    x = b.pick(lambda v: v.dtype in WHOLE + (np.uint8, np.int8))
    if b.chance(0.3):
        return b.put("BitwiseNot", [x], True)
    b.put(b.random.choice(["BitwiseAnd", "BitwiseOr", "BitwiseXor"]), [x, b.constant(b.data(x.dtype, x.shape[-1:]))], True)


def power(b):
    x = b.pick(is_float)
    if b.chance(0.6):
        return b.put("Pow", [x, b.constant(np.float32(b.random.choice([2, 3, 1])))])
    b.put("Pow", [b.node("Abs", [x]), b.constant(np.float32(b.random.choice([0.5, 1.5])))])


def several(b):
    x = b.pick(is_float)
    others = [b.pick(lambda v: is_float(v) and v.shape in (x.shape, x.shape[1:])) for _ in range(b.random.randint(0, 3))]
    op = b.random.choice(["Sum", "Mean", "Max", "Min"])
    b.put(op, [x] + others, op != "Mean" and all(v.exact for v in [x] + others))


def dropout(b):
    b.put("Dropout", [b.pick(is_float)])


def einsum(b):
    since(b, 12)
    x = b.pick(lambda v: is_float(v) and v.rank in (2, 3, 4))
    letters = "abcd"[:x.rank]
    kept = b.random.sample(letters, b.random.randint(1, x.rank))
    if b.chance(0.4):
        return b.put("Einsum", [x], equation=f"{letters}->{''.join(kept)}")
    shared = b.random.sample(letters, b.random.randint(1, x.rank))
    w = weights(b, *[x.shape[letters.index(c)] for c in shared], 3)
    b.put("Einsum", [x, w], equation=f"{letters},{''.join(shared)}z->{''.join(b.random.sample(kept + ['z'], len(kept) + 1))}")


# --- recurrent ---
def recurrent(b):
    x = b.pick(lambda v: is_float(v) and v.rank == 3)
    op, hidden = b.random.choice(["LSTM", "LSTM", "GRU", "RNN"]), b.random.choice([1, 3, 4])
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[op]
    direction = b.random.choice(["forward", "reverse", "bidirectional"])
    ways = 2 if direction == "bidirectional" else 1
    attributes = {"hidden_size": hidden, "direction": direction}
    layout = 1 if b.opset >= 14 and b.chance(0.15) else 0
    if layout:
        attributes["layout"] = 1
    if op == "GRU":
        attributes["linear_before_reset"] = b.random.choice([0, 1])
    steps, batch = x.shape[layout], x.shape[1 - layout]
    inputs = [x, weights(b, ways, gates * hidden, x.shape[2]), weights(b, ways, gates * hidden, hidden)]
    inputs.append(weights(b, ways, 2 * gates * hidden) if b.chance(0.7) else "")
    inputs.append(b.constant(b.numbers.randint(1, steps + 1, batch).astype(np.int32)) if b.chance(0.2) else "")
    state = (batch, ways, hidden) if layout else (ways, batch, hidden)
    inputs.append(weights(b, *state) if b.chance(0.3) else "")
    if op == "LSTM":
        inputs.append(weights(b, *state) if b.chance(0.3) else "")
        inputs.append(weights(b, ways, 3 * hidden) if b.chance(0.2) else "")
    names = b.node(op, inputs, outputs=3 if op == "LSTM" else 2, **attributes)
    if b.chance(0.4) and not layout:  # as PyTorch exports it
        y = b.node("Transpose", [names[0]], perm=[0, 2, 1, 3])
        return b.put("Reshape", [y, b.ints(0, 0, -1)])
    b.out(b.random.choice(names))


# --- selections ---
def non_zero(b):
    b.put("NonZero", [b.pick(lambda v: v.exact and v.rank >= 1)], True)


def compress(b):
    x = b.pick(lambda v: v.rank >= 1)
    axis = b.axis(x)
    flat = b.chance(0.3)
    b.is_pinned = True
    choice = b.constant(b.numbers.randint(0, 2, min(8, x.size) if flat else x.shape[axis]).astype(np.bool_))
    b.put("Compress", [x, choice], x.exact, **({} if flat else {"axis": b.signed(axis, x.rank)}))


def select_positive(b):
    """Rows of what is above 0: their number is known to nobody before the run."""
    x = b.pick(lambda v: is_exact(v) and v.rank >= 2)
    row = b.node("Reshape", [b.node("Slice", [b.node("Reshape", [x, b.ints(x.shape[0], -1)]), b.ints(0), b.ints(1), b.ints(1)]), b.ints(-1)])
    found = b.node("NonZero", [b.node("Greater", [row, b.constant(np.float32(-1))])])
    b.put("Gather", [x, b.axes_node("Squeeze", type("Named", (), {"name": found}), [0], 13)], True, axis=0)


def unique(b):
    x = b.pick(lambda v: v.exact and v.dtype in (np.float32, np.int64) and v.rank >= 1)
    names = b.node("Unique", [x], outputs=4, sorted=1, **({"axis": b.axis(x)} if b.chance(0.4) else {}))
    b.out(b.random.choice(names), True)


def gather_elements(b):
    x = b.pick(lambda v: v.rank >= 1)
    axis = b.axis(x)
    shape = [b.random.randint(1, d) for d in x.shape]
    b.put("GatherElements", [x, index(b, x.shape[axis], shape)], x.exact, axis=b.signed(axis, x.rank))


def gather_nd(b):
    x = b.pick(lambda v: v.rank >= 1)
    batch = b.random.randrange(x.rank) if b.opset >= 12 and b.chance(0.3) else 0
    b.is_pinned |= batch > 0
    depth = b.random.randint(1, x.rank - batch)
    rows = x.shape[:batch] + (b.random.choice([1, 3]),)
    columns = [b.numbers.randint(-n, n, rows) for n in x.shape[batch:batch + depth]]
    b.put("GatherND", [x, b.constant(np.stack(columns, -1).astype(np.int64))], x.exact, **({"batch_dims": batch} if batch else {}))


def reduction_of(b, first, dtype):
    kinds = ["none", "none", "add"] + (["mul"] if dtype == np.float32 else []) + (["max", "min"] if first >= 18 else [])
    kind = b.random.choice(kinds) if first >= 16 else "none"
    return kind, {} if kind == "none" else {"reduction": kind}


def scatter_elements(b):
    x = b.pick(lambda v: v.dtype in (np.float32, np.int64) and v.rank >= 1)
    axis = b.axis(x)
    kind, attributes = reduction_of(b, b.opset, x.dtype)
    shape = [b.random.randint(1, d) for d in x.shape]
    n = x.shape[axis]
    order = np.argsort(b.numbers.rand(*[n if d == axis else s for d, s in enumerate(shape)]), axis=axis)  # none twice
    places = np.take(order, range(shape[axis]), axis=axis) - (n if b.chance(0.2) else 0)
    b.put("ScatterElements", [x, b.constant(places.astype(np.int64)), b.constant(b.data(x.dtype, shape))], x.exact, axis=b.signed(axis, x.rank), **attributes)


def scatter_nd(b):
    x = b.pick(lambda v: v.dtype in (np.float32, np.int64) and v.rank >= 1)
    kind, attributes = reduction_of(b, b.opset, x.dtype)
    depth = b.random.randint(1, x.rank)
    places = np.stack(np.unravel_index(b.numbers.permutation(int(np.prod(x.shape[:depth])))[:3], x.shape[:depth]), -1)
    b.put("ScatterND", [x, b.constant(places.astype(np.int64)), b.constant(b.data(x.dtype, (len(places),) + x.shape[depth:]))], x.exact, **attributes)


def one_hot(b):
    x = b.pick(lambda v: v.dtype in WHOLE and v.rank <= 3)
    values = b.constant(np.array([-1, 2], b.random.choice([np.float32, np.int64])))
    b.put("OneHot", [x, b.constant(np.int64(b.random.choice([3, 6]))), values], True, axis=b.random.randint(-x.rank - 1, x.rank))


def trilu(b):
    since(b, 14)
    x = b.pick(lambda v: v.rank >= 2)
    b.put("Trilu", [x] + ([b.constant(np.int64(b.random.randint(-3, 3)))] if b.chance(0.6) else []), x.exact, upper=b.random.choice([0, 1]))


def eye_like(b):
    x = b.pick(lambda v: v.rank == 2)
    b.put("EyeLike", [x], True, k=b.random.randint(-1, 1), **({"dtype": TensorProto.FLOAT} if b.chance(0.7) else {}))


def hardmax(b):
    x = b.pick(lambda v: is_exact(v) and v.rank >= 1)
    b.put("Hardmax", [x], True, axis=b.signed(b.axis(x), x.rank))


def reverse_sequence(b):
    x = b.pick(lambda v: v.rank >= 2)
    batch = b.random.choice([0, 1])
    b.is_pinned = True
    lengths = b.numbers.randint(1, x.shape[1 - batch] + 1, x.shape[batch])
    b.put("ReverseSequence", [x, b.constant(lengths.astype(np.int64))], x.exact, batch_axis=batch, time_axis=1 - batch)


def suppress(b):
    boxes = np.sort(b.numbers.randint(0, 40, (1, 6, 2, 2)), axis=2).reshape(1, 6, 4).astype(np.float32) / 4
    scores = b.constant((b.numbers.permutation(12) / 12).reshape(1, 2, 6).astype(np.float32))
    x = b.pick(is_exact)
    moved = b.node("Add", [b.constant(boxes), b.node("ReduceMax", [x], keepdims=0)])
    b.put("NonMaxSuppression", [moved, scores, b.constant(np.int64(4)), b.constant(np.float32(0.3)), b.constant(np.float32(0.2))], True)


# --- sizes ---
def shape_of(b):
    x = b.pick(lambda v: v.rank >= 1)
    attributes = {"start": b.random.randint(-x.rank, 1), "end": b.random.choice([-1, x.rank, 9])} if b.opset >= 15 and b.chance(0.5) else {}
    b.put(b.random.choice(["Shape", "Size"]) if not attributes else "Shape", [x], True, **attributes)


def positions(b):
    """0, 1, ... along an axis, beside the values there."""
    x = b.pick(lambda v: has_rows(v))
    axis = b.axis(x)
    size = b.node("Gather", [b.node("Shape", [x]), b.ints(axis)], axis=0)
    size = b.node("Reshape", [size, b.constant(np.zeros(0, np.int64))])
    line = b.node("Range", [b.constant(np.int64(0)), size, b.constant(np.int64(1))])
    line = b.node("Cast", [line], to=TensorProto.FLOAT)
    line = b.node("Reshape", [line, b.ints(-1, *[1] * (x.rank - axis - 1))])
    b.put("Add", [x, line], x.exact)


def filled_like(b):
    x = b.pick(lambda v: v.rank >= 1)
    dtype = b.random.choice([np.float32, np.int64, np.bool_])
    b.put("ConstantOfShape", [b.node("Shape", [x])], True, value=helper.make_tensor("value", to(dtype), [1], [1]))


def expand_like(b):
    x, y = b.pick(lambda v: v.rank >= 1), b.pick(lambda v: v.rank >= 1)
    b.put("Expand", [x, b.node("Shape", [y])], x.exact)


def center_crop(b):
    since(b, 18)
    x = b.pick(lambda v: v.rank >= 1)
    axis = b.axis(x)
    b.put("CenterCropPad", [x, b.ints(max(1, x.shape[axis] + b.random.randint(-2, 3)))], x.exact, axes=[b.signed(axis, x.rank)])


def pad(b):
    x = b.pick(lambda v: v.dtype in (np.float32, np.int64, np.int32) and v.rank >= 1)
    mode = b.random.choice(["constant", "constant", "reflect", "edge"] + (["wrap"] if b.opset >= 19 else []))
    low = -1 if mode == "constant" else 0
    value = b.constant(np.array(3, x.dtype)) if b.chance(0.6) else ""
    if b.opset >= 18 and b.chance(0.5):
        axis = b.axis(x)
        return b.put("Pad", [x, b.ints(b.random.randint(low, 2), b.random.randint(low, 2)), value, b.ints(b.signed(axis, x.rank))], x.exact, mode=mode)
    b.put("Pad", [x, b.ints(*[b.random.randint(low, 2) if b.chance(0.4) else 0 for _ in range(2 * x.rank)]), value], x.exact, mode=mode)


# --- reductions and norms ---
def more_reduce(b):
    x = b.pick(has_rows)
    op = b.random.choice(["ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceProd", "ReduceLogSumExp", "ReduceMean", "ReduceMax", "ReduceSum"])
    axes = b.random.choice([None, [b.signed(b.axis(x), x.rank)], list(range(1, x.rank)) or None])
    attributes = {"noop_with_empty_axes": 1} if not axes and b.chance(0.3) and b.opset >= (13 if op == "ReduceSum" else 18) else {}
    b.out(b.axes_node(op, x, axes, 13 if op == "ReduceSum" else 18, keepdims=b.random.choice([0, 1]), **attributes))


def cum_sum(b):
    x = b.pick(lambda v: v.dtype in (np.float32, np.int64) and v.rank >= 1)
    b.put("CumSum", [x, b.constant(np.int64(b.signed(b.axis(x), x.rank)))], x.exact, exclusive=b.random.choice([0, 1]), reverse=b.random.choice([0, 1]))


def more_norms(b):
    x = b.pick(lambda v: is_float(v) and v.rank >= 2)
    op = b.random.choice(["LRN", "LpNormalization", "MeanVarianceNormalization", "RMSNormalization"])
    if op == "LRN":
        return b.put(op, [x], size=b.random.choice([1, 3]), alpha=0.1, bias=1.5)
    if op == "LpNormalization":
        return b.put(op, [b.node("Add", [b.node("Abs", [x]), b.constant(np.float32(0.5))])], axis=b.signed(b.axis(x), x.rank), p=b.random.choice([1, 2]))
    if op == "MeanVarianceNormalization":
        return b.put(op, [b.node("Add", [x, b.constant(b.data(np.float32, x.shape, -5, 5))])], axes=[0] + list(range(2, x.rank)))
    since(b, 23)
    axis = b.random.randrange(1, x.rank)
    b.put(op, [x, b.constant(b.data(np.float32, x.shape[axis:], 1, 2))], axis=b.signed(axis, x.rank), epsilon=0.1)


def loss(b):
    since(b, 12)
    x = b.pick(lambda v: is_float(v) and v.rank in (2, 3, 4))
    op = b.random.choice(["SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"])
    b.is_pinned = True
    labels = b.constant(b.numbers.randint(0, x.shape[1], x.shape[:1] + x.shape[2:]).astype(np.int64))
    b.put(op, [x, labels] + ([b.constant(b.data(np.float32, [x.shape[1]], 1, 2))] if b.chance(0.4) else []), reduction=b.random.choice(["none", "mean", "sum"]))


def determinant(b):
    b.put("Det", [b.pick(lambda v: is_float(v) and v.rank >= 2 and v.shape[-1] == v.shape[-2] <= 4)])


def fourier(b):
    since(b, 17)
    x = b.pick(lambda v: is_float(v) and v.rank == 3)
    x = b.axes_node("Unsqueeze", x, [3], 13)
    if b.opset >= 20:
        return b.put("DFT", [x, "", b.constant(np.int64(b.random.choice([1, 2, -2])))], onesided=b.random.choice([0, 1]))
    b.put("DFT", [x], axis=b.random.choice([1, 2]), onesided=b.random.choice([0, 1]))


def attention(b):
    since(b, 23)
    x = b.pick(lambda v: is_float(v) and v.rank in (3, 4))
    y = b.pick(lambda v: is_float(v) and v.shape[:-2] == x.shape[:-2] and v.shape[-1] == x.shape[-1])
    heads = {"q_num_heads": 1, "kv_num_heads": 1} if x.rank == 3 else {}
    mask = [b.constant(b.data(np.float32, [x.shape[-2], y.shape[-2]]))] if b.chance(0.4) else []
    b.put("Attention", [x, y, y] + mask, is_causal=b.random.choice([0, 0, 1]), **heads)


# --- images ---
def spatial(b, x, most=3):
    kernel = [b.random.randint(1, most) for _ in x.shape[2:]]
    return {"kernel_shape": kernel, "strides": [b.random.choice([1, 1, 2]) for _ in kernel], "pads": [b.random.randint(0, k // 2) for k in kernel + kernel]}


def more_pool(b):
    x = b.pick(is_image)
    op = b.random.choice(["MaxPool", "AveragePool", "LpPool"])
    attributes = spatial(b, x)
    if op == "MaxPool" or b.opset >= (19 if op == "AveragePool" else 18):
        attributes["ceil_mode"] = b.random.choice([0, 1])
        if b.chance(0.4):
            attributes["dilations"] = [b.random.choice([1, 2]) for _ in x.shape[2:]]
    if op == "AveragePool":
        attributes["count_include_pad"] = b.random.choice([0, 1])
    if b.chance(0.15):
        attributes.pop("pads")
        attributes["auto_pad"] = b.random.choice(["SAME_UPPER", "SAME_LOWER", "VALID"])
        attributes.pop("dilations", None)
    if op == "MaxPool" and x.exact and b.chance(0.3):
        return [b.out(name, True) for name in b.node(op, [x], outputs=2, **attributes)]
    b.put(op, [x], x.exact and op == "MaxPool", **attributes)


def unpool(b):
    x = b.pick(lambda v: is_exact(v) and v.rank == 4 and min(v.shape[2:]) >= 2)
    window = {"kernel_shape": [2, 2], "strides": [2, 2]}
    b.put("MaxUnpool", b.node("MaxPool", [x], outputs=2, **window), True, **window)


def global_lp(b):
    b.put("GlobalLpPool", [b.pick(is_image)], p=b.random.choice([1, 2]))


def more_conv(b):
    """Groups, dilations and auto_pad in 1 to 3 dimensions."""
    x = b.pick(is_image)
    channels = x.shape[1]
    group = b.random.choice([g for g in range(1, channels + 1) if channels % g == 0])
    attributes = spatial(b, x)
    attributes["dilations"] = [b.random.choice([1, 1, 2]) for _ in x.shape[2:]]
    if b.chance(0.2):
        attributes.pop("pads")
        attributes["auto_pad"] = b.random.choice(["SAME_UPPER", "SAME_LOWER", "VALID"])
    inputs = [x, weights(b, group * b.random.choice([1, 2]), channels // group, *attributes["kernel_shape"])]
    b.put("Conv", inputs, group=group, **attributes)


def more_conv_transpose(b):
    x = b.pick(is_image)
    group = b.random.choice([g for g in range(1, x.shape[1] + 1) if x.shape[1] % g == 0])
    attributes = spatial(b, x)
    attributes["dilations"] = [b.random.choice([1, 1, 2]) for _ in x.shape[2:]]
    if b.chance(0.4):
        attributes["output_padding"] = [b.random.randrange(s) for s in attributes["strides"]]
    # The text makes a smaller kernel's output input * stride, with zeros behind; the judges leave these out.
    if b.chance(0.1) and all(k >= s for k, s in zip(attributes["kernel_shape"], attributes["strides"])):
        attributes["auto_pad"] = b.random.choice(["SAME_UPPER", "SAME_LOWER"])
        attributes.pop("pads")
    out = b.random.choice([1, 2])
    inputs = [x, weights(b, x.shape[1], out, *attributes["kernel_shape"])] + ([weights(b, out * group)] if b.chance(0.4) else [])
    b.put("ConvTranspose", inputs, group=group, **attributes)


def more_resize(b):
    x = b.pick(lambda v: is_image(v))
    mode = b.random.choice(["linear", "cubic", "nearest"])
    attributes = {"mode": mode}
    if mode == "nearest":
        attributes |= {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    else:
        attributes["coordinate_transformation_mode"] = b.random.choice(["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
    if mode == "cubic":
        attributes["exclude_outside"] = b.random.choice([0, 1])
    if mode != "nearest" and b.opset >= 18 and b.chance(0.2):
        attributes["antialias"] = 1
    roi = b.constant(np.zeros(0, np.float32)) if b.opset < 13 else ""
    factors = [1, 1] + [b.random.choice([1, 2] if attributes["coordinate_transformation_mode"] == "align_corners" else [0.5, 1, 2, 1.5]) for _ in x.shape[2:]]
    if b.opset >= 18 and b.chance(0.2):
        attributes["axes"] = list(range(2, x.rank))
        factors = factors[2:]
    b.put("Resize", [x, roi, b.constant(np.array(factors, np.float32))], **attributes)


def sample(b):
    since(b, 16)
    x = b.pick(lambda v: is_float(v) and v.rank == 4)
    grid = b.constant((b.numbers.randint(-18, 19, (x.shape[0], 3, 2, 2)) / 16 + 0.01).astype(np.float32))
    modes = ["linear", "nearest"] if b.opset >= 20 else ["bilinear", "nearest"]
    b.put("GridSample", [x, grid], mode=b.random.choice(modes), padding_mode=b.random.choice(["zeros", "border", "reflection"]), align_corners=b.random.choice([0, 1]))


def affine_grid(b):
    since(b, 20)
    x = b.pick(lambda v: is_float(v) and v.rank == 4)
    theta = weights(b, x.shape[0], 2, 3)
    b.put("GridSample", [x, b.node("AffineGrid", [theta, b.node("Shape", [x])], align_corners=1)], align_corners=1)


def regions(b):
    x = b.pick(lambda v: is_float(v) and v.rank == 4)
    corners = b.numbers.randint(0, 8, (2, 2)).astype(np.float32) / 2
    boxes = np.concatenate([corners, corners + 3], 1)
    attributes = {"output_height": 2, "output_width": 3, "sampling_ratio": 2, "spatial_scale": 0.5}
    if b.opset >= 16:
        attributes["coordinate_transformation_mode"] = b.random.choice(["half_pixel", "output_half_pixel"])
    b.put("RoiAlign", [x, b.constant(boxes), b.constant(b.numbers.randint(0, x.shape[0], 2).astype(np.int64))], **attributes)


def columns(b):
    since(b, 18)
    x = b.pick(lambda v: is_float(v) and v.rank == 3 and v.shape[1] % 4 == 0)
    b.put("Col2Im", [x, b.ints(2, x.shape[2] + 1), b.ints(2, 2)])


# --- quantised ---
def quantize(b):
    x = b.pick(lambda v: is_exact(v))
    per_axis = b.opset >= 13 and x.rank >= 2 and b.chance(0.4)
    axis = b.axis(x) if per_axis else 0
    shape = [x.shape[axis]] if per_axis else []
    dtype = b.random.choice([np.uint8, np.int8])
    scale = b.constant(b.numbers.choice([0.25, 0.5, 1], shape).astype(np.float32))
    zero = b.constant(b.numbers.randint(0, 5, shape).astype(dtype))
    attributes = {"axis": axis} if per_axis else {}
    q = b.node("QuantizeLinear", [x, scale, zero], **attributes)
    if b.chance(0.3):
        return b.out(q, True)
    b.put("DequantizeLinear", [q, scale, zero], True, **attributes)


def dynamic_quantize(b):
    x = b.pick(is_exact)
    q, scale, zero = b.node("DynamicQuantizeLinear", [x], outputs=3)
    b.put("DequantizeLinear", [q, scale, zero])


def whole_products(b):
    x = b.pick(lambda v: v.dtype in (np.uint8, np.int8) and v.rank >= 2)
    zero = b.constant(np.array(1, x.dtype))
    if x.rank == 4 and b.chance(0.6):
        w = b.constant(b.data(np.uint8, [2, x.shape[1], 2, 2]))
        return b.put("ConvInteger", [x, w, zero], True)
    b.put("MatMulInteger", [x, b.constant(b.data(np.uint8, [x.shape[-1], 3])), zero], True)


def quantized_products(b):
    """What a quantised model is made of: numbers that need no rounding half way."""
    x = b.pick(lambda v: v.dtype in (np.uint8, np.int8) and v.rank in (2, 3, 4))
    one, zero, scale = b.constant(np.float32(1)), b.constant(np.array(1, x.dtype)), b.constant(np.float32(3))
    if x.rank == 4 and b.chance(0.6):
        w = b.constant(b.data(x.dtype, [2, x.shape[1], 1, 2]))
        return b.put("QLinearConv", [x, one, zero, w, one, zero, scale, zero], True)
    w = b.constant(b.data(x.dtype, [x.shape[-1], 3]))
    b.put("QLinearMatMul", [x, one, zero, w, one, zero, scale, zero], True)


def dequantized_conv(b):
    """QDQ around a convolution, which a pass makes one of."""
    x = b.pick(lambda v: is_exact(v) and v.rank == 4)
    scale, zero = b.constant(np.float32(0.25)), b.constant(np.uint8(8))
    q = b.node("DequantizeLinear", [b.node("QuantizeLinear", [x, scale, zero]), scale, zero])
    w = b.node("DequantizeLinear", [b.constant(b.data(np.int8, [3, x.shape[1], 2, 1])), b.constant(np.float32(0.5)), b.constant(np.int8(0))])
    b.put("Conv", [q, w])


# --- bodies and sequences ---
def graph_of(b, nodes, inputs, outputs):
    return helper.make_graph(nodes, b.name(), [helper.make_tensor_value_info(n, t, s) for n, t, s in inputs],
                             [helper.make_tensor_value_info(n, t, None) for n, t in outputs])


def branch(b):
    """An If on a value; the branches make other shapes or other numbers of the same rank."""
    x = b.pick(lambda v: is_float(v) and v.rank >= 1 and v.exact)
    condition = b.node("Greater", [b.node("ReduceMax", [x], keepdims=0), b.constant(np.float32(b.random.choice([1, 1.5])))])
    bodies = []
    axis = b.axis(x)
    for op in b.random.sample(["Relu", "Concat", "Transpose", "Softmax"], 2):
        name = b.name()
        attributes = {"Concat": {"axis": axis}, "Transpose": {"perm": list(range(x.rank))[::-1]}}.get(op, {})
        node = helper.make_node(op, [x.name] * (2 if op == "Concat" else 1), [name], **attributes)
        bodies.append(graph_of(b, [node], [], [(name, TensorProto.FLOAT)]))
    b.put("If", [condition], then_branch=bodies[0], else_branch=bodies[1])


def loop(b):
    """Carries a value that keeps its shape or grows, and collects another."""
    x = b.pick(lambda v: has_rows(v) and v.size <= 200)
    turns = b.constant(np.int64(b.random.choice([1, 2, 3])))
    if b.chance(0.3):
        turns = b.node("Reshape", [b.node("Gather", [b.node("Shape", [x]), b.ints(0)], axis=0), b.constant(np.zeros(0, np.int64))])
    i, c, s, d, t, r = [b.name() for _ in range(6)]
    op = b.random.choice(["Add", "Mul", "Concat", "Relu", "Neg"])
    step = helper.make_node(op, [s] if op in ("Relu", "Neg") else [s, x.name], [t], **({"axis": b.axis(x)} if op == "Concat" else {}))
    nodes = [helper.make_node("Identity", [c], [d]), step, helper.make_node(b.random.choice(["Sigmoid", "Abs"]), [x.name if op == "Concat" else t], [r])]
    body = graph_of(b, nodes, [(i, TensorProto.INT64, []), (c, TensorProto.BOOL, []), (s, TensorProto.FLOAT, None)],
                    [(d, TensorProto.BOOL), (t, TensorProto.FLOAT), (r, TensorProto.FLOAT)])
    for name in b.node("Loop", [turns, b.constant(np.array(True)) if b.chance(0.7) else "", x], outputs=2, body=body):
        b.out(name)


def scan(b):
    x = b.pick(lambda v: is_float(v) and v.rank >= 2)
    axis = b.axis(x)
    s, e, t, r = [b.name() for _ in range(4)]
    start = b.constant(np.zeros([d for k, d in enumerate(x.shape) if k != axis], np.float32))
    nodes = [helper.make_node(b.random.choice(["Add", "Max", "Sub"]), [s, e], [t]), helper.make_node("Tanh", [t], [r])]
    body = graph_of(b, nodes, [(s, TensorProto.FLOAT, None), (e, TensorProto.FLOAT, None)], [(t, TensorProto.FLOAT), (r, TensorProto.FLOAT)])
    names = b.node("Scan", [start, x], outputs=2, body=body, num_scan_inputs=1, scan_input_axes=[axis], scan_input_directions=[b.random.choice([0, 1])])
    for name in names:
        b.out(name)


def pieces(b):
    x = b.pick(lambda v: has_rows(v))
    axis = b.axis(x)
    parts = b.node("SplitToSequence", [x] + ([b.constant(np.int64(b.random.choice([1, 2])))] if b.chance(0.5) else []), axis=axis)
    if b.chance(0.4):
        return b.put("SequenceAt", [parts, b.constant(np.int64(b.random.choice([0, -1])))], x.exact)
    if b.chance(0.3):
        return b.put("SequenceLength", [parts], True)
    if b.chance(0.3):
        parts = b.node("SequenceErase", [parts, b.constant(np.int64(0))])
    b.put("ConcatFromSequence", [parts], x.exact, axis=axis)


def sequence(b):
    x = b.pick(has_rows)
    y = b.pick(lambda v: is_float(v) and v.shape == x.shape)
    parts = b.node("SequenceConstruct", [x, y]) if b.chance(0.7) else b.node("SequenceInsert", [b.node("SequenceEmpty", []), x])
    if b.chance(0.5):
        parts = b.node("SequenceInsert", [parts, x] + ([b.constant(np.int64(0))] if b.chance(0.5) else []))
    b.put("ConcatFromSequence", [parts], x.exact and y.exact, axis=b.random.randint(0, x.rank - 1), new_axis=b.random.choice([0, 1]))


def optional(b):
    since(b, 18)
    x = b.pick(is_float)
    boxed = b.node("Optional", [x])
    if b.chance(0.2):
        return b.put("OptionalHasElement", [boxed], True)
    b.put("OptionalGetElement", [boxed], x.exact)


def constant_node(b):
    x = b.pick(is_float)
    c = b.node("Constant", [], value=helper.make_tensor("value", TensorProto.FLOAT, x.shape[-1:], [0.5] * int(np.prod(x.shape[-1:]))))
    b.put("Add", [x, c], x.exact)


LOGIC = [curve, curve, curve_of_part, compare, compare, logic, logic, is_odd_number, where, where, cast, cast, cast, whole_arithmetic, whole_arithmetic, float_mod, bits, bits, power,
         several, several, dropout, constant_node]
SELECTIONS = [non_zero, compress, compress, select_positive, unique, gather_elements, gather_nd, scatter_elements, scatter_nd, one_hot, trilu, eye_like, hardmax,
              reverse_sequence, suppress, compare, cast]
LENGTHS = [shape_of, positions, positions, filled_like, expand_like, center_crop, pad, cum_sum, more_reduce]
NORMS = [more_reduce, more_reduce, more_norms, more_norms, loss, determinant, fourier, attention, attention, einsum, einsum, recurrent, recurrent, recurrent, pad, cum_sum]
PICTURES = [more_pool, more_pool, unpool, global_lp, more_conv, more_conv, more_conv_transpose, more_conv_transpose, more_resize, more_resize, sample, affine_grid, regions,
            columns, more_norms, pad]
QUANTISED = [quantize, quantize, quantize, dynamic_quantize, whole_products, whole_products, quantized_products, quantized_products, dequantized_conv]
BODIES = [branch, branch, loop, loop, scan, pieces, sequence, optional]
