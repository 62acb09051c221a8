"""Whole models of convolutions: constant weights, sizes that the file leaves open, activations behind, several images of different
size for one model, so that what is chosen while loading must hold, or give way, for each. Results from the definition in float64."""

import itertools

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SEED = 11
RANDOM_MODELS = 90


def extent(kernel, dilation):
    return [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]


def full_transposed(x, w, groups, stride, dilation, extra):
    """All that the taps reach, without padding: [N, M, ...]; w is [C, M / groups, ...]."""
    kernel = w.shape[2:]
    size = [s * (n - 1) + e + o for s, n, e, o in zip(stride, x.shape[2:], extent(kernel, dilation), extra)]
    y = np.zeros((x.shape[0], w.shape[1] * groups, *size))
    xs, ws = np.split(x, groups, axis=1), np.split(w, groups, axis=0)
    for tap in itertools.product(*map(range, kernel)):
        at = tuple(slice(k * d, k * d + s * (n - 1) + 1, s) for k, d, s, n in zip(tap, dilation, stride, x.shape[2:]))
        parts = [np.einsum("nc...,cm->nm...", a, b[(slice(None), slice(None), *tap)]) for a, b in zip(xs, ws)]
        y[(slice(None), slice(None), *at)] += np.concatenate(parts, axis=1)
    return y


def conv_transpose(x, w, groups=1, stride=None, dilation=None, pads=None, extra=None, out=None, upper=False):
    """`out`: padding follows from it; `upper`: its odd pixel goes to the end."""
    axes = x.ndim - 2
    stride, dilation, extra = stride or [1] * axes, dilation or [1] * axes, extra or [0] * axes
    y = full_transposed(x, w, groups, stride, dilation, extra)
    pads = pads or [0] * (2 * axes)
    begin, size = pads[:axes], [n - b - e for n, b, e in zip(y.shape[2:], pads[:axes], pads[axes:])]
    if out:
        total = [max(0, n - o) for n, o in zip(y.shape[2:], out)]
        begin, size = [t // 2 if upper else t - t // 2 for t in total], out
        y = np.pad(y, [(0, 0), (0, 0)] + [(0, max(0, o - n)) for n, o in zip(y.shape[2:], out)])
    return y[(slice(None), slice(None), *(slice(b, b + n) for b, n in zip(begin, size)))]


def conv(x, w, groups=1, stride=None, dilation=None, pads=None, same=None):
    """w is [M, C / groups, ...]; `same`: upper or lower."""
    axes = x.ndim - 2
    stride, dilation, pads = stride or [1] * axes, dilation or [1] * axes, pads or [0] * (2 * axes)
    if same:
        total = [max(0, ((n - 1) // s) * s + e - n) for n, s, e in zip(x.shape[2:], stride, extent(w.shape[2:], dilation))]
        begin = [t - t // 2 if same == "lower" else t // 2 for t in total]
        pads = begin + [t - b for t, b in zip(total, begin)]
    x = np.pad(x, [(0, 0), (0, 0)] + list(zip(pads[:axes], pads[axes:])))
    size = [(n - e) // s + 1 for n, e, s in zip(x.shape[2:], extent(w.shape[2:], dilation), stride)]
    y = np.zeros((x.shape[0], w.shape[0], *size))
    for tap in itertools.product(*map(range, w.shape[2:])):
        at = tuple(slice(k * d, k * d + s * (o - 1) + 1, s) for k, d, s, o in zip(tap, dilation, stride, size))
        part = np.split(x[(slice(None), slice(None), *at)], groups, axis=1)
        y += np.concatenate([np.einsum("nc...,mc->nm...", a, b[(slice(None), slice(None), *tap)])
                             for a, b in zip(part, np.split(w, groups, axis=0))], axis=1)
    return y


def per_channel(values, axes):
    return np.asarray(values).reshape(-1, *[1] * axes)


def activation(name, y):
    if name == "Relu":
        return np.where(y < 0, 0, y)
    return np.where(y < -0.5, -0.5, np.where(y > 1, 1, y)) if name == "Clip" else y


def model(nodes, x, dims, constants, opset, kind):
    graph = helper.make_graph(
        nodes, "conv", [helper.make_tensor_value_info(x, kind, dims)],
        [helper.make_empty_tensor_value_info(nodes[-1].output[0])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, producer_name="onnxrun")


def behind(nodes, name, constants):
    """Adds an activation behind the last node."""
    if name == "Clip":
        constants |= {"low": np.float32(-0.5), "high": np.float32(1)}
    if name:
        nodes.append(helper.make_node(name, ["y", "low", "high"] if name == "Clip" else ["y"], ["z"]))


def open_dims(spatial, channels):
    return ["batch", channels, *[f"d{i}" for i in range(spatial)]]


class Draw:
    """A random convolution, and images for it."""

    def __init__(self, random):
        pick = lambda low, high: int(random.integers(low, high + 1))
        self.random, self.axes = random, pick(1, 3)
        self.kernel = [pick(1, 4) if pick(0, 2) else 1 for _ in range(self.axes)]
        self.stride = [pick(1, 3) if pick(0, 1) else 1 for _ in range(self.axes)]
        self.dilation = [pick(1, 3) if not pick(0, 2) else 1 for _ in range(self.axes)]
        self.pads = [pick(0, k) if pick(0, 1) else 0 for k in self.kernel * 2]
        self.groups = (1, 1, pick(1, 5))[pick(0, 2)]
        self.group_in, self.group_out = (1 if not pick(0, 2) else pick(1, 9) for _ in range(2))
        self.extra = [pick(0, s - 1) for s in self.stride]
        self.activation = ("", "Relu", "Clip")[pick(0, 2)]
        self.bias, self.opset = pick(0, 1), pick(11, 22)

    def sizes(self, transposed):
        """Three images, the smallest that has an output among them."""
        found = []
        for wanted in (1, 2, 9 if self.axes < 3 else 5):
            size = []
            for k, d, s, b, e, o in zip(self.kernel, self.dilation, self.stride, self.pads, self.pads[self.axes:], self.extra):
                n, reach = wanted, (k - 1) * d + 1
                while (s * (n - 1) + reach + o - b - e if transposed else n + b + e - reach + 1) < 1:
                    n += 1
                size.append(n)
            found.append((len(found) + 1, self.groups * self.group_in, *size))
        return found

    def floats(self, *shape):
        return self.random.uniform(-1, 1, shape).astype(np.float32)

    def bytes(self, dtype, *shape):
        info = np.iinfo(dtype)
        return self.random.integers(info.min, info.max + 1, shape).astype(dtype)


def random_float(name, draw, half):
    op = "ConvTranspose" if draw.random.integers(2) else "Conv"
    transposed = op == "ConvTranspose"
    channels, outputs = draw.groups * draw.group_in, draw.groups * draw.group_out
    kind = np.float16 if half else np.float32
    w = draw.floats(*((channels, draw.group_out) if transposed else (outputs, draw.group_in)), *draw.kernel).astype(kind)
    bias = draw.floats(outputs).astype(kind)
    constants = {"w": w} | ({"b": bias} if draw.bias else {})
    attributes = {"strides": draw.stride, "dilations": draw.dilation, "pads": draw.pads, "group": draw.groups}
    if transposed:
        attributes["output_padding"] = draw.extra
    nodes = [helper.make_node(op, ["x", *constants], ["y"], **attributes)]
    after = "" if half else draw.activation
    behind(nodes, after, constants)
    sets = []
    for size in draw.sizes(transposed):
        x, geometry = draw.floats(*size).astype(kind), (draw.groups, draw.stride, draw.dilation, draw.pads)
        wide = (x.astype(np.float64), w.astype(np.float64), *geometry)
        y = conv_transpose(*wide, extra=draw.extra) if transposed else conv(*wide)
        y = y + per_channel(bias, draw.axes).astype(np.float64) if draw.bias else y
        sets.append(([x], [activation(after, y).astype(kind)]))
    element = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    return f"{op}_{name}", model(nodes, "x", open_dims(draw.axes, channels), constants, draw.opset, element), sets


def random_integer(name, draw, quantised):
    x_type, w_type = (np.uint8, np.int8)[draw.random.integers(2)], (np.int8, np.uint8)[draw.random.integers(2)]
    if quantised:
        w_type = np.int8 if x_type == np.int8 else w_type  # ONNX Runtime knows no other
    outputs = draw.groups * draw.group_out
    w, x_zero = draw.bytes(w_type, outputs, draw.group_in, *draw.kernel), draw.bytes(x_type)
    symmetric = w_type == np.int8 and draw.random.integers(2)
    w_zero = np.zeros((), w_type) if symmetric else draw.bytes(w_type)
    constants = {"x_zero": x_zero, "w": w, "w_zero": w_zero}
    # Scales whose products are no short fractions: no result lies on the edge between two steps.
    x_scale, w_scale, bias = np.float32(0.0317), draw.random.uniform(0.01, 0.02, outputs).astype(np.float32), draw.random.integers(-999, 999, outputs)
    y_scale, y_zero = np.float32(0.37 * np.sqrt(w[0].size)), draw.bytes(x_type)
    names = ["x", "w", "x_zero", "w_zero"]
    if quantised:
        w_scale = w_scale if symmetric else w_scale[0]
        constants |= {"w_zero": np.full(w_scale.shape, w_zero, w_type), "x_scale": x_scale, "w_scale": np.asarray(w_scale),
                      "y_scale": y_scale, "y_zero": y_zero, "b": bias.astype(np.int32)}
        names = ["x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero", *["b"] * draw.bias]
    attributes = {"strides": draw.stride, "dilations": draw.dilation, "pads": draw.pads, "group": draw.groups}
    nodes = [helper.make_node("QLinearConv" if quantised else "ConvInteger", names, ["y"], **attributes)]
    sets = []
    for size in draw.sizes(False):
        x = draw.bytes(x_type, *size)
        y = conv(x.astype(np.float64) - float(x_zero), w.astype(np.float64) - float(w_zero), *list(attributes.values())[3:], draw.stride, draw.dilation, draw.pads)
        if quantised:
            y = y + per_channel(bias, draw.axes) if draw.bias else y
            real = y * np.float64(x_scale) * per_channel(w_scale, draw.axes).astype(np.float64) / np.float64(y_scale)
            info = np.iinfo(x_type)
            sets.append(([x], [np.clip(np.rint(real) + float(y_zero), info.min, info.max).astype(x_type)], np.abs(real - np.floor(real) - 0.5).min()))
        else:
            sets.append(([x], [y.astype(np.int32)]))
    if quantised:
        if min(edge for *_, edge in sets) < 1e-4:
            return None
        sets = [pair[:2] for pair in sets]
    element = helper.np_dtype_to_tensor_dtype(np.dtype(x_type))
    channels = draw.groups * draw.group_in
    constants = {n: a for n, a in constants.items() if n in names}
    return f"{nodes[0].op_type}_{name}", model(nodes, "x", open_dims(draw.axes, channels), constants, max(10, draw.opset), element), sets


def random_models():
    random = np.random.default_rng(SEED)
    for i in range(RANDOM_MODELS):
        draw, kind = Draw(random), i % 6
        made = random_integer(f"random{i}", draw, kind == 4) if kind >= 4 else random_float(f"random{i}", draw, kind == 3)
        if made:
            yield made


def output_shapes():
    """The odd pixel of padding that output_shape asks for: version 11 turned round what version 1 said."""
    random = np.random.default_rng(SEED + 1)
    x, w = random.uniform(-1, 1, (1, 2, 3)).astype(np.float32), random.uniform(-1, 1, (2, 3, 3)).astype(np.float32)
    for opset, auto_pad in itertools.product((1, 10, 11, 22), ("NOTSET", "SAME_UPPER", "SAME_LOWER")):
        for out in (5, 6, 8):
            nodes = [helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2], auto_pad=auto_pad, output_shape=[out])]
            upper = (auto_pad == "SAME_UPPER") == (opset >= 11)
            y = conv_transpose(x.astype(np.float64), w.astype(np.float64), stride=[2], out=[out], upper=upper)
            yield (f"ConvTranspose_output_shape{out}_{auto_pad}_{opset}", model(nodes, "x", open_dims(1, 2), {"w": w}, opset, TensorProto.FLOAT),
                   [([x], [y.astype(np.float32)])])
    for auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        for transposed in (False, True):
            v = w if transposed else w.transpose(1, 0, 2).copy()
            sets = []
            for size in (1, 4, 7):
                image = random.uniform(-1, 1, (1, 2, size)).astype(np.float32)
                wide, upper = (image.astype(np.float64), v.astype(np.float64)), auto_pad == "SAME_UPPER"
                y = conv_transpose(*wide, stride=[2], out=[2 * size], upper=upper) if transposed else conv(*wide, stride=[2], same="upper" if upper else "lower")
                sets.append(([image], [y.astype(np.float32)]))
            op = "ConvTranspose" if transposed else "Conv"
            nodes = [helper.make_node(op, ["x", "w"], ["y"], strides=[2], auto_pad=auto_pad)]
            yield f"{op}_{auto_pad}", model(nodes, "x", open_dims(1, 2), {"w": v}, 13, TensorProto.FLOAT), sets


def not_a_number():
    """NaN and infinity stay where they are seen, with and without an activation behind."""
    random = np.random.default_rng(SEED + 2)
    shapes = {"dense": (1, 8, 40, 3), "few": (1, 8, 2, 3), "pointwise": (1, 8, 20, 1), "depthwise3": (8, 1, 1, 3), "depthwise5": (8, 1, 1, 5),
              "depthwise7": (8, 1, 1, 7), "depthwise1": (8, 1, 1, 1), "grouped": (2, 4, 3, 3)}
    for (name, (groups, group_in, group_out, k)), op, after in itertools.product(shapes.items(), ("Conv", "ConvTranspose"), ("", "Relu", "Clip")):
        transposed = op == "ConvTranspose"
        stride = [2, 2] if transposed and k > 1 else [1, 1]
        w = random.uniform(-1, 1, ((groups * group_in, group_out) if transposed else (groups * group_out, group_in)) + (k, k)).astype(np.float32)
        x = random.uniform(-1, 1, (2, groups * group_in, 9, 9)).astype(np.float32)
        x[0, 0, 2, 3], x[1, -1, 8, 8], x[1, 0, 0, 0] = np.nan, np.nan, np.inf
        constants = {"w": w}
        nodes = [helper.make_node(op, ["x", "w"], ["y"], strides=stride, group=groups)]
        behind(nodes, after, constants)
        wide = (x.astype(np.float64), w.astype(np.float64), groups, stride)
        with np.errstate(invalid="ignore"):
            y = activation(after, conv_transpose(*wide) if transposed else conv(*wide))
        yield (f"{op}_nan_{name}_{after or 'plain'}", model(nodes, "x", open_dims(2, groups * group_in), constants, 17, TensorProto.FLOAT),
               [([x], [y.astype(np.float32)])])


def cases():
    """(name, model, [(inputs, outputs)])"""
    yield from random_models()
    yield from output_shapes()
    yield from not_a_number()
