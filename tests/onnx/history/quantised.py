"""Layers between DequantizeLinear and QuantizeLinear in the forms that quantizers write: bytes and 16 bits, 4 bit weights, scales of
tensors, channels and blocks, shared operands, both domains.

A result may lie on the edge between two steps of QuantizeLinear, where the order of a sum decides: such inputs are not taken. ONNX
Runtime computes each node by itself, without any rewriting.
"""

import ml_dtypes
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

SEED = 71
CASES = 300
MARGIN = 1e-3  # distance from an edge, in steps; steps of 16 bits are smaller than what the results are compared by
SMALL = 2e-4

KINDS = {"u8": TensorProto.UINT8, "i8": TensorProto.INT8, "u16": TensorProto.UINT16, "i16": TensorProto.INT16, "u4": TensorProto.UINT4, "i4": TensorProto.INT4}
ACTIVATIONS = ["u8", "i8", "u8", "i8", "u8", "u16", "i16"]
WEIGHTS = ["i8", "u8", "i8", "i8", "u8", "i4", "u4", "i16"]


def limits(kind):
    bits = int(kind[1:])
    return (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def integers(name, values, kind):
    """A constant of any of the types."""
    values = np.asarray(values, np.int64)
    if kind[1:] == "4":
        dtype = ml_dtypes.int4 if kind == "i4" else ml_dtypes.uint4
        return numpy_helper.from_array(values.astype(dtype), name)
    return numpy_helper.from_array(values.astype(helper.tensor_dtype_to_np_dtype(KINDS[kind])), name)


class Builder:
    def __init__(self, random):
        self.random = random
        self.nodes, self.constants, self.inputs, self.outputs = [], [], [], []
        self.opset = int(random.choice([13, 17, 21, 22]))
        self.domain = "com.microsoft" if random.random() < 0.15 else ""
        self.edges = []  # (value before it is quantized, scale)
        self.margin = MARGIN
        self.activation = str(random.choice(ACTIVATIONS))

    def chance(self, share):
        return self.random.random() < share

    def pick(self, *choices):
        return choices[int(self.random.integers(0, len(choices)))]

    def name(self):
        return f"v{len(self.nodes)}_{len(self.constants)}"

    def constant(self, array):
        name = self.name()
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, inputs, domain="", **attributes):
        out = self.name()
        self.nodes.append(helper.make_node(op, inputs, [out], domain=domain, **attributes))
        return out

    def input(self, shape):
        name = f"x{len(self.inputs)}"
        self.inputs.append((name, self.random.standard_normal(shape).astype(np.float32)))
        return name

    def steps(self, low, high, kind):
        """Scale and zero point that hold values from low to high."""
        least, most = limits(kind)
        if self.chance(0.3):  # symmetric
            scale = max(-low, high) / ((most - least) / 2)
            zero = (most + least + 1) // 2
        else:
            scale = (high - low) / (most - least)
            zero = int(np.clip(round(least - low / scale), least, most))
        return np.float32(scale), zero

    def widen(self, kind):
        """16 and 4 bits are younger than the rest."""
        if kind not in ("u8", "i8") and not self.domain:
            self.opset = max(self.opset, 21)
        return kind

    def quantize(self, x, scale, zero, kind):
        self.widen(kind)
        shape = self.pick((), (1,))
        self.edges.append((x, float(scale)))
        inputs = [x, self.constant(np.full(shape, scale, np.float32)), self.name()]
        self.constants.append(integers(inputs[2], np.full(shape, zero), kind))
        if kind == "u8" and zero == 0 and self.chance(0.5):
            inputs.pop()
        return self.node("QuantizeLinear", inputs, self.domain), inputs[1:]

    def dequantize(self, q, steps):
        return self.node("DequantizeLinear", [q, *steps], self.domain)

    def through(self, x, low=-2.5, high=2.5, kind=None, steps=None):
        """x as a quantized value and real again; and the scale and zero point."""
        steps = steps or (*self.steps(low, high, kind or self.activation), kind or self.activation)
        q, names = self.quantize(x, *steps)
        return self.dequantize(q, names), steps

    def weights(self, shape, axis, kind=None, blocks=True):
        """Quantized weights, dequantized, and their scales along the axis. Blocks lie along axis 0 of two dimensions."""
        kind = self.widen(kind or self.pick(*WEIGHTS))
        least, most = limits(kind)
        values = self.random.integers(least, most + 1, shape)
        top = 0.5 / most
        attributes, scales_shape = {"axis": axis}, [shape[axis]]
        form = self.pick("tensor", "channel", "channel", "block" if blocks and len(shape) == 2 else "channel")
        if form == "tensor":
            scales_shape, attributes = [], {}
        elif form == "block":
            self.opset, self.domain = max(self.opset, 21), ""
            size = int(self.pick(16, 32))
            attributes = {"axis": 0, "block_size": size}
            scales_shape = [-(-shape[0] // size), shape[1]]
        scales = (top * self.random.uniform(0.5, 1.5, scales_shape)).astype(np.float32)
        middle = (least + most + 1) // 2
        zeros = np.full(scales_shape, middle) if self.chance(0.6) else self.random.integers(least, most + 1, scales_shape)
        names = [self.name() + s for s in "wz"]
        self.constants += [integers(names[0], values, kind), integers(names[1], zeros, kind)]
        inputs = [names[0], self.constant(scales), names[1]]
        if kind[0] == "i" and not np.any(zeros) and self.chance(0.5):
            inputs.pop()
        return self.node("DequantizeLinear", inputs, self.domain, **attributes), scales

    def bias(self, channels, x_scale, w_scales):
        """As int32 in steps of the product, or real."""
        if np.ndim(w_scales) > 1 or self.chance(0.3):
            self.margin = 4e-2  # it may be rounded to steps of the product
            return self.constant(self.random.standard_normal(channels).astype(np.float32))
        scales = np.asarray(np.float32(x_scale) * w_scales, np.float32)
        name = self.name() + "b"
        self.constants.append(numpy_helper.from_array(self.random.integers(-1000, 1000, channels).astype(np.int32), name))
        attributes = {"axis": 0} if scales.ndim else {}
        return self.node("DequantizeLinear", [name, self.constant(scales)], self.domain, **attributes)


def image(b, most=12):
    spatial = b.pick(1, 2, 2, 2, 3)
    return [int(b.random.integers(1, 3)), int(b.random.integers(1, 10)), *(int(n) for n in b.random.integers(4, most if spatial < 3 else 7, spatial))]


def conv(b):
    shape = image(b)
    groups = b.pick(1, 1, 1, 2, shape[1])
    shape[1] = -(-shape[1] // groups) * groups
    spatial = len(shape) - 2
    kernel = [int(b.random.integers(1, 4))] * spatial
    x, (scale, *_) = b.through(b.input(shape))
    if b.chance(0.4):
        out = groups * int(b.random.integers(1, 5))
        stride = int(b.random.integers(1, 4))
        w, scales = b.weights([shape[1], out // groups, *kernel], 1 if groups == 1 else 0, kind=b.pick("i8", "u8"), blocks=False)
        if groups > 1 and np.ndim(scales):
            scales = None
        attributes = {"strides": [stride] * spatial, "group": groups}
        if b.chance(0.5):
            attributes["pads"] = [int(b.random.integers(0, kernel[0])) for _ in range(2 * spatial)]
        if b.chance(0.3) and stride > 1:
            attributes["output_padding"] = [1] * spatial
        if b.chance(0.2):
            attributes["dilations"] = [2] * spatial
        op = "ConvTranspose"
    else:
        out = groups * int(b.random.integers(1, 7))
        w, scales = b.weights([out, shape[1] // groups, *kernel], 0, blocks=False)
        attributes = {"strides": [int(b.random.integers(1, 3))] * spatial, "pads": [int(b.random.integers(0, kernel[0])) for _ in range(2 * spatial)], "group": groups}
        op = "Conv"
    inputs = [x, w]
    if b.chance(0.6):
        inputs.append(b.constant(b.random.standard_normal(out).astype(np.float32)) if scales is None else b.bias(out, scale, scales))
    return b.node(op, inputs, **attributes), 6


def product(b):
    m, k, n = (int(d) for d in b.random.integers(1, 70, 3))
    x, (scale, *_) = b.through(b.input([m, k] if b.chance(0.5) else [2, m, k]))
    two = b.chance(0.2)
    if two:
        w = b.through(b.input([k, n]))[0]
        return b.node("MatMul", [x, w]), 10
    w, scales = b.weights([k, n], 1)
    y = b.node("MatMul", [x, w])
    if b.chance(0.5):
        y = b.node("Add", [y, b.bias(n, scale, scales)])
    return y, 10


def gemm(b):
    m, k, n = (int(d) for d in b.random.integers(1, 50, 3))
    x, (scale, *_) = b.through(b.input([m, k]))
    turned = b.chance(0.6)
    w, scales = b.weights([n, k] if turned else [k, n], 0 if turned else 1, blocks=not turned)
    return b.node("Gemm", [x, w, b.bias(n, scale, scales)], transB=int(turned)), 10


def pool(b):
    op = b.pick("AveragePool", "AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool")
    shape = image(b)
    x, steps = b.through(b.input(shape))
    attributes = {}
    spatial = len(shape) - 2
    if not op.startswith("Global"):
        kernel = int(b.random.integers(1, 4))
        attributes = {"kernel_shape": [kernel] * spatial, "strides": [int(b.random.integers(1, 3))] * spatial}
        if b.chance(0.5):
            attributes["pads"] = [int(b.random.integers(0, kernel)) for _ in range(2 * spatial)]
        if op == "AveragePool":
            attributes["count_include_pad"] = int(b.random.integers(0, 2))
    return b.node(op, [x], **attributes), steps if b.chance(0.5) else 2.5


def resize(b):
    shape = image(b, 8)
    x, steps = b.through(b.input(shape))
    mode = b.pick("nearest", "linear", "cubic" if len(shape) == 4 else "linear")
    scales = np.array([1, 1, *b.random.choice([0.5, 1.5, 2.0, 2.5], len(shape) - 2)], np.float32)
    coordinates = b.pick("half_pixel", "asymmetric", "pytorch_half_pixel")
    return b.node("Resize", [x, "", b.constant(scales)], mode=mode, coordinate_transformation_mode=coordinates), steps if b.chance(0.6) else 3


def norm(b):
    op = b.pick("Softmax", "LogSoftmax", "LayerNormalization", "LayerNormalization", "InstanceNormalization", "Softmax")
    if op == "InstanceNormalization":
        shape = image(b)
        x, _ = b.through(b.input(shape))
        c = shape[1]
        return b.node(op, [x, b.weights([c], 0, "i8", False)[0], b.constant(b.random.standard_normal(c).astype(np.float32))]), 3
    shape = [int(d) for d in b.random.integers(1, 30, int(b.random.integers(2, 5)))]
    x, _ = b.through(b.input(shape))
    if op == "LayerNormalization":
        b.opset = max(b.opset, 17)
        c = shape[-1]
        scale = b.weights([c], 0, "i8", False)[0] if b.chance(0.5) else b.constant(b.random.standard_normal(c).astype(np.float32))
        return b.node(op, [x, scale, b.constant(b.random.standard_normal(c).astype(np.float32))], axis=-1), 3
    return b.node(op, [x], axis=b.pick(-1, -1, 1)), (0, 1) if op == "Softmax" else (-8, 0)


UNARY = ["Relu", "Sigmoid", "Tanh", "LeakyRelu", "HardSigmoid", "HardSwish", "Elu", "Softplus", "Exp", "Abs", "Neg", "Erf", "Softsign", "Selu", "Clip", "Ceil", "Gelu", "Mish"]


def unary(b):
    op = b.pick(*UNARY)
    if op == "Gelu":
        b.opset = max(b.opset, 20)
    if op == "Mish":
        b.opset = max(b.opset, 18)
    if op == "HardSwish":
        b.opset = max(b.opset, 14)
    x, steps = b.through(b.input([2, 3, int(b.random.integers(1, 40))]))
    inputs = [x]
    if op == "Clip":
        inputs += [b.constant(np.float32(-0.7)), b.constant(np.float32(1.3))]
    return b.node(op, inputs), steps if b.chance(0.3) else 2


def binary(b):
    shape = [2, int(b.random.integers(1, 9)), 3, int(b.random.integers(1, 9))]
    other = b.pick(shape, [shape[1], 1, 1], [1], shape, [2, 1, 1, shape[3]])
    op = b.pick("Add", "Mul", "Sub", "Add", "Mul", "Div", "Max", "Min")
    x, steps = b.through(b.input(shape))
    if b.chance(0.3):
        y = b.weights(other, 0, "i8", False)[0] if len(other) > 1 else b.constant(np.float32(1.7))
    elif b.chance(0.1):
        y = x
    else:
        y, _ = b.through(b.input(other), kind=b.pick("u8", "i8"), low=1, high=3)
    return b.node(op, [x, y] if b.chance(0.7) else [y, x]), steps if b.chance(0.2) else 4


def move(b):
    shape = [2, 4, 6, 3]
    x, steps = b.through(b.input(shape))
    numbers = lambda *n: b.constant(np.array(n, np.int64))
    what = b.pick("Transpose", "Reshape", "Slice", "Gather", "Pad", "Squeeze", "DepthToSpace", "Tile", "Expand", "Split", "Unsqueeze", "Flatten")
    attributes = {}
    inputs = [x]
    if what == "Transpose":
        attributes = {"perm": [0, 2, 3, 1]}
    elif what == "Reshape":
        inputs.append(numbers(2, -1))
    elif what == "Slice":
        inputs += [numbers(1), numbers(5), numbers(2), numbers(2)]
    elif what == "Gather":
        inputs.append(numbers(2, 0))
        attributes = {"axis": 1}
    elif what == "Pad":
        inputs += [numbers(0, 0, 1, 2, 0, 0, 1, 0)]
        attributes = {"mode": b.pick("constant", "reflect", "edge")}
    elif what == "Unsqueeze":
        inputs.append(numbers(1))
    elif what == "DepthToSpace":
        attributes = {"blocksize": 2}
    elif what == "Tile":
        inputs.append(numbers(1, 2, 1, 1))
    elif what == "Expand":
        inputs.append(numbers(3, 1, 1, 1, 1))
    elif what == "Squeeze":
        inputs = [b.node("Unsqueeze", [x, numbers(0)]), numbers(0)]
    elif what == "Split":
        names = [b.name() + s for s in "st"]
        b.nodes.append(helper.make_node("Split", [x, numbers(1, 3)], names, axis=1))
        return names[1], steps if b.chance(0.8) else 2.5
    return b.node(what, inputs, **attributes), steps if b.chance(0.8) else 2.5


def concat(b):
    axis = b.pick(1, 1, 2, -1)
    shapes = []
    for _ in range(int(b.random.integers(2, 5))):
        shape = [2, 3, 4, 5]
        shape[axis] = int(b.random.integers(1, 6))
        shapes.append(shape)
    x, steps = b.through(b.input(shapes[0]))
    same = b.chance(0.4)
    rest = [b.through(b.input(s), steps=steps if same else None)[0] for s in shapes[1:]]
    return b.node("Concat", [x, *rest], axis=axis), steps if same and b.chance(0.7) else 2.5


def reduce(b):
    op = b.pick("ReduceMean", "ReduceMean", "ReduceSum", "ReduceMax")
    axes = [[2, 3], [-1], [1]][int(b.random.integers(0, 3))]
    b.opset = max(b.opset, 18)
    x, _ = b.through(b.input([2, 5, 4, 6]))
    return b.node(op, [x, b.constant(np.array(axes, np.int64))], keepdims=int(b.random.integers(0, 2))), 3


def gate(b):
    """Squeeze and excite: an average that scales what it came from."""
    channels = int(b.random.integers(2, 20))
    x, (scale, *_) = b.through(b.input([1, channels, 5, 6]))
    mean, _ = b.through(b.node("GlobalAveragePool", [x]), -1, 1)
    w, scales = b.weights([channels, channels, 1, 1], 0, "i8", False)
    gates, _ = b.through(b.node("Conv", [mean, w]), -4, 4)
    gates, _ = b.through(b.node(b.pick("Sigmoid", "HardSigmoid"), [gates]), 0, 1)
    return b.node("Mul", [x, gates]), 2.5


MAKERS = [conv, conv, product, gemm, pool, resize, norm, unary, binary, move, concat, reduce, gate]


def build(maker, random):
    b = Builder(random)
    y, span = maker(b)
    if b.chance(0.2):
        y = b.node("Relu", [y])
    if isinstance(span, tuple) and len(span) == 3:
        quantized, _ = b.through(y, steps=span)
    else:
        low, high = span if isinstance(span, tuple) else (-span, span)
        quantized, _ = b.through(y, low, high)
    outputs = [quantized]
    if b.chance(0.1):  # somebody else wants the real numbers
        outputs.append(b.node("Identity", [y]))
    if b.chance(0.1):  # and two want those that were quantized
        outputs.append(b.node("Neg", [quantized]))
    if b.domain or b.chance(0.1):
        imports = [helper.make_opsetid("", b.opset), helper.make_opsetid("com.microsoft", 1)]
    else:
        imports = [helper.make_opsetid("", b.opset)]
    graph = helper.make_graph(
        b.nodes,
        "quantised",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(x.shape)) for n, x in b.inputs],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        b.constants,
    )
    return b, helper.make_model(graph, opset_imports=imports, ir_version=10, producer_name="onnxrun")


def run(model, inputs, more):
    """Results of the model, and of the values `more`; None where ONNX Runtime lacks something."""
    other = type(model)()
    other.CopyFrom(model)
    other.graph.output.extend(helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in more)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(other.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, dict(inputs))
    except Exception as error:  # noqa: BLE001: it throws what it likes
        if not any(word in str(error) for word in ("NOT_IMPLEMENTED", "Could not find an implementation")):
            raise
        return None


def clear(values, edges, margin):
    """No value lies near the middle between two steps."""
    for value, (_, scale) in zip(values, edges):
        steps = np.asarray(value, np.float64) / scale
        if not np.all(np.isfinite(steps)):
            return False
        if scale > SMALL and np.any(np.abs(steps - np.floor(steps) - 0.5) < margin):
            return False
    return True


def cases():
    """Yields (name, model, inputs, outputs)."""
    for n in range(CASES):
        maker = MAKERS[n % len(MAKERS)]
        for attempt in range(20):
            random = np.random.default_rng([SEED, n, attempt])
            b, model = build(maker, random)
            edges = [e for e in b.edges if not e[0].startswith("x")]
            ends = [dict(b.inputs)[e[0]] for e in b.edges if e[0].startswith("x")]
            results = run(model, b.inputs, [e[0] for e in edges])
            if results is None:
                continue
            count = len(model.graph.output)
            if clear(ends, [e for e in b.edges if e[0].startswith("x")], MARGIN) and clear(results[count:], edges, b.margin):
                yield f"{maker.__name__}_{n}", model, [x for _, x in b.inputs], results[:count]
                break
