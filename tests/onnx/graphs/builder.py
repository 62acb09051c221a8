"""Random graphs: values with what they are for the first data set, and operators that take and make them."""

import random

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import judge

ELEMENTS = 6000  # most elements of a value
IR_VERSIONS = {11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12}


class Value:
    """A value of the graph. `exact`: small numbers without rounding, on which ties and steps may be decided."""

    def __init__(self, name, dtype, shape, exact, array=None):
        self.name, self.dtype, self.shape, self.exact, self.array = name, dtype, tuple(shape), exact, array

    rank = property(lambda self: len(self.shape))
    size = property(lambda self: int(np.prod(self.shape, dtype=np.int64)))


class Unfit(Exception):
    """The operator cannot take this value."""


def reads(nodes):
    """The names that nodes read, those in their bodies as well."""
    names = set()
    for node in nodes:
        names.update(node.input)
        for attribute in node.attribute:
            names |= reads(attribute.g.node)
    return names


def type_of(dtype):
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


class Builder:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.numbers = np.random.RandomState(seed % (1 << 32))
        self.opset = self.random.choice(list(IR_VERSIONS))
        self.nodes, self.initializers, self.inputs, self.values = [], [], [], []
        self.count = 0
        self.is_pinned = False  # sizes stay: the judges take others that the standard forbids

    # --- parts ---
    def name(self):
        self.count += 1
        return f"v{self.count}"

    def chance(self, p):
        return self.random.random() < p

    def data(self, dtype, shape, low=-2, high=2):
        """Multiples of a quarter, so that sums of them are exact."""
        kind = np.dtype(dtype).kind
        if kind == "f":
            return (self.numbers.randint(4 * low, 4 * high + 1, shape) / 4).astype(dtype)
        if kind == "b":
            return self.numbers.randint(0, 2, shape).astype(dtype)
        return self.numbers.randint(max(low, 0) if kind == "u" else low, high + 5, shape).astype(dtype)

    def constant(self, array):
        name = self.name()
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def ints(self, *values):
        return self.constant(np.array(values, np.int64))

    def node(self, op, inputs, outputs=1, **attributes):
        names = [self.name() for _ in range(outputs)]
        inputs = [i.name if isinstance(i, Value) else i for i in inputs]
        self.nodes.append(helper.make_node(op, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def made(self, name, x, shape, exact=None, dtype=None):
        value = Value(name, dtype or x.dtype, shape, x.exact if exact is None else exact)
        if value.size > ELEMENTS or value.size == 0 or value.rank > 6:
            raise Unfit
        self.values.append(value)
        return value

    def out(self, name, exact=False):
        """A value whose type and shape the judges find."""
        self.values.append(Value(name, None, (), exact))

    def put(self, op, inputs, exact=False, **attributes):
        self.out(self.node(op, inputs, **attributes), exact)

    def pick(self, test=lambda v: True):
        fit = [v for v in self.values if v.array is not None and test(v)]
        if not fit:
            raise Unfit
        return fit[-1] if self.chance(0.6) else self.random.choice(fit)

    # --- graph inputs ---
    def add_input(self, dtype, shape):
        x = Value(self.name(), dtype, shape, True, self.data(dtype, shape))
        self.inputs.append(x)
        self.values.append(x)
        return x

    # --- graphs ---
    def model(self, name, inputs, outputs, nodes):
        read = reads(nodes)
        graph = helper.make_graph(nodes, name, inputs, outputs, [i for i in self.initializers if i.name in read])
        return helper.make_model(graph, ir_version=IR_VERSIONS[self.opset], opset_imports=[helper.make_opsetid("", self.opset)], producer_name="make_graphs")

    def step(self, operator):
        """Adds what the operator makes, with what the judges say of it."""
        marks = len(self.nodes), len(self.initializers), len(self.values)
        try:
            operator(self)
            self.compute(self.nodes[marks[0]:], self.values[marks[2]:])
        except Unfit:
            del self.nodes[marks[0]:], self.initializers[marks[1]:], self.values[marks[2]:]
            return False
        return True

    def compute(self, nodes, values):
        read = reads(nodes)
        known = [v for v in self.values if v.name in read and v.array is not None]
        inputs = [helper.make_tensor_value_info(v.name, type_of(v.dtype), v.shape) for v in known]
        outputs = [helper.make_empty_tensor_value_info(v.name) for v in values]
        arrays, = judge.judge(self.model("step", inputs, outputs, nodes), [{v.name: v.array for v in known}])
        if arrays is None:
            raise Unfit
        for value, array in zip(values, arrays):
            value.array, value.dtype, value.shape = array, array.dtype.type, array.shape
            if value.size > ELEMENTS or value.rank > 6:
                raise Unfit

    def axis(self, x):
        return self.random.randrange(x.rank)

    def signed(self, axis, rank):
        return axis - rank if self.chance(0.4) else axis

    def axes_node(self, op, x, axes, since, **attributes):
        """An operator whose axes became an input in opset `since`."""
        if self.opset >= since:
            return self.node(op, [x.name] + ([self.ints(*axes)] if axes is not None else []), **attributes)
        if axes is not None:
            attributes["axes"] = list(axes)
        return self.node(op, [x.name], **attributes)


def is_float(v):
    return v.dtype == np.float32


def is_number(v):
    return v.dtype in (np.float32, np.int64)


def is_image(v):
    return is_float(v) and 3 <= v.rank <= 5


# --- element-wise ---
UNARY = ["Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "HardSigmoid", "Softplus", "Erf", "Abs", "Neg", "Identity"]


def unary(b):
    x = b.pick(is_float)
    op = b.random.choice(UNARY + (["HardSwish"] if b.opset >= 14 else []) + (["Mish"] if b.opset >= 18 else []) + (["Gelu"] if b.opset >= 20 else []))
    exact = x.exact and op in ("Relu", "Abs", "Neg", "Identity")
    b.made(b.node(op, [x.name]), x, x.shape, exact)


def clip(b):
    x = b.pick(is_float)
    low, high = b.constant(np.float32(-1)), b.constant(np.float32(b.random.choice([0.5, 6])))
    b.made(b.node("Clip", [x.name, low, high]), x, x.shape)


def step(b):
    x = b.pick(lambda v: is_float(v) and v.exact)
    b.made(b.node(b.random.choice(["Floor", "Ceil", "Round", "Sign"]), [x.name]), x, x.shape)


def broadcast_shape(b, shape):
    kept = [d if b.chance(0.6) else 1 for d in shape]
    if b.chance(0.4):
        kept = kept[b.random.randrange(len(kept) + 1):]
    return kept


def binary_constant(b):
    x = b.pick(is_number)
    shape = broadcast_shape(b, x.shape)
    if b.chance(0.2):
        shape = [b.random.choice([1, 2])] + list(np.maximum(1, x.shape)) if x.rank < 5 else shape
    op = b.random.choice(["Add", "Sub", "Mul", "Mul", "Add", "Div", "Max", "Min"])
    if op in ("Max", "Min") and x.dtype == np.int64 and b.opset < 12:
        op = "Add"
    c = b.data(x.dtype, shape)
    if op == "Div":
        if not is_float(x):
            raise Unfit
        c = np.where(c == 0, 1, c).astype(x.dtype)
    sides = [x.name, b.constant(c)]
    if op != "Div" and b.chance(0.3):
        sides.reverse()
    full = np.broadcast_shapes(x.shape, tuple(shape))
    b.made(b.node(op, sides), x, full, x.exact and op not in ("Div",) and (op != "Mul" or b.chance(0.5)))


def binary_values(b):
    x = b.pick(is_number)

    def fits(v):
        try:
            return v.dtype == x.dtype and v is not x and bool(np.broadcast_shapes(v.shape, x.shape) or True)
        except ValueError:
            return False

    y = b.pick(fits)
    op = b.random.choice(["Add", "Sub", "Mul", "Add"])
    b.made(b.node(op, [x.name, y.name]), x, np.broadcast_shapes(x.shape, y.shape), x.exact and y.exact and op != "Mul")


def where(b):
    x = b.pick(lambda v: is_float(v) and v.exact)
    condition = b.node("Greater", [x.name, b.constant(np.float32(0))])
    other = b.constant(b.data(x.dtype, broadcast_shape(b, x.shape)))
    b.made(b.node("Where", [condition, x.name, other]), x, x.shape)


def prelu(b):
    x = b.pick(is_image)
    slope = b.data(np.float32, (x.shape[1],) + (1,) * (x.rank - 2))
    b.made(b.node("PRelu", [x.name, b.constant(slope)]), x, x.shape, False)


# --- moves ---
def transpose(b):
    x = b.pick(lambda v: v.rank >= 2)
    perm = list(range(x.rank))
    kind = b.random.randrange(4)
    if kind == 0 and x.rank >= 3:
        perm = [0] + perm[2:] + [1]
    elif kind == 1 and x.rank >= 3:
        perm = [0, perm[-1]] + perm[1:-1]
    elif kind == 2:
        perm[-1], perm[-2] = perm[-2], perm[-1]
    else:
        b.random.shuffle(perm)
    b.made(b.node("Transpose", [x.name], perm=perm), x, [x.shape[p] for p in perm])


def unsqueeze(b):
    x = b.pick(lambda v: v.rank <= 4)
    count = b.random.choice([1, 1, 2])
    rank = x.rank + count
    axes = sorted(b.random.sample(range(rank), count))
    shape = list(x.shape)
    for axis in axes:
        shape.insert(axis, 1)
    b.made(b.axes_node("Unsqueeze", x, [b.signed(a, rank) for a in axes], 13), x, shape)


def squeeze(b):
    x = b.pick(lambda v: 1 in v.shape)
    ones = [d for d in range(x.rank) if x.shape[d] == 1]
    if b.chance(0.3):
        b.made(b.axes_node("Squeeze", x, None, 13), x, [d for d in x.shape if d != 1])
        return
    axes = b.random.sample(ones, b.random.randint(1, len(ones)))
    b.made(b.axes_node("Squeeze", x, [b.signed(a, x.rank) for a in axes], 13), x, [d for i, d in enumerate(x.shape) if i not in axes])


def factors(n):
    return [f for f in (2, 3, 4) if n % f == 0 and n > f]


def reshape(b):
    """Merges two dimensions or splits one, with 0 for what stays and at most one -1; or to a list of numbers."""
    x = b.pick(lambda v: v.rank >= 1)
    shape, spec = list(x.shape), [0] * x.rank
    for _ in range(b.random.choice([1, 1, 2])):
        d = b.random.randrange(len(shape))
        if b.chance(0.5) and d + 1 < len(shape):
            shape[d:d + 2] = [shape[d] * shape[d + 1]]
            spec[d:d + 2] = [shape[d]]
        elif factors(shape[d]):
            f = b.random.choice(factors(shape[d]))
            shape[d:d + 1] = b.random.choice([[f, shape[d] // f], [shape[d] // f, f]])
            spec[d:d + 1] = shape[d:d + 2]
    spec = [s if i < x.rank and s == 0 and shape[i] == x.shape[i] else shape[i] for i, s in enumerate(spec)]
    if b.chance(0.7):
        numbers = [i for i, s in enumerate(spec) if s != 0]
        spec[b.random.choice(numbers or range(len(spec)))] = -1
    if b.chance(0.2):
        spec = list(shape)
        spec[b.random.randrange(len(spec))] = -1
    b.made(b.node("Reshape", [x.name, b.ints(*spec)]), x, shape)


def reshape_by_shape(b):
    """As exporters write x.view(x.size(0), -1, ...): Shape, Gather, Concat, Reshape."""
    x = b.pick(lambda v: v.rank >= 2)
    shape = b.node("Shape", [x.name])
    kept = b.random.randrange(x.rank)
    size = b.node("Gather", [shape, b.ints(kept)], axis=0)
    rest = x.size // x.shape[kept]
    parts, dims = [size, b.ints(-1)], [x.shape[kept], rest]
    if factors(rest) and b.chance(0.5):
        f = b.random.choice(factors(rest))
        parts, dims = parts + [b.ints(f)], [x.shape[kept], rest // f, f]
    if b.chance(0.3):
        order = list(range(len(parts)))
        b.random.shuffle(order)
        parts, dims = [parts[i] for i in order], [dims[i] for i in order]
    b.made(b.node("Reshape", [x.name, b.node("Concat", parts, axis=0)]), x, dims)


def flatten(b):
    x = b.pick(lambda v: v.rank >= 1)
    axis = b.random.randrange(x.rank + 1)
    shape = [int(np.prod(x.shape[:axis], dtype=np.int64)), int(np.prod(x.shape[axis:], dtype=np.int64))]
    b.made(b.node("Flatten", [x.name], axis=axis - x.rank if b.chance(0.3) and axis < x.rank else axis), x, shape)


def expand(b):
    x = b.pick(lambda v: v.rank >= 1)
    shape = [b.random.choice([2, 3]) if d == 1 and b.chance(0.6) else d for d in x.shape]
    spec = [1 if d == s and b.chance(0.5) else s for d, s in zip(x.shape, shape)]
    if b.chance(0.3) and x.rank < 5:
        shape, spec = [2] + shape, [2] + spec
    b.made(b.node("Expand", [x.name, b.ints(*spec)]), x, shape)


def tile(b):
    x = b.pick(lambda v: v.rank >= 1)
    repeats = [b.random.choice([1, 1, 2]) for _ in x.shape]
    b.made(b.node("Tile", [x.name, b.ints(*repeats)]), x, [d * r for d, r in zip(x.shape, repeats)])


def concat(b):
    x = b.pick(lambda v: v.rank >= 1)
    axis = b.axis(x)
    others = [v for v in b.values if v.dtype == x.dtype and v.rank == x.rank and all(v.shape[d] == x.shape[d] for d in range(x.rank) if d != axis)]
    parts = [x] + [b.random.choice(others) for _ in range(b.random.choice([0, 1, 1, 2]))]
    names, length, exact = [p.name for p in parts], sum(p.shape[axis] for p in parts), all(p.exact for p in parts)
    if b.chance(0.3):
        shape = list(x.shape)
        shape[axis] = b.random.choice([1, 2])
        names.append(b.constant(b.data(x.dtype, shape)))
        length += shape[axis]
    shape = list(x.shape)
    shape[axis] = length
    b.made(b.node("Concat", names, axis=b.signed(axis, x.rank)), x, shape, exact)


def split(b):
    x = b.pick(lambda v: v.rank >= 1 and max(v.shape) >= 2)
    axis = b.random.choice([d for d in range(x.rank) if x.shape[d] >= 2])
    n, count = x.shape[axis], 2
    sizes = [n // 2, n - n // 2] if b.chance(0.5) else [n - 1, 1]
    attributes, inputs = {"axis": b.signed(axis, x.rank)}, [x.name]
    if n % 2 == 0 and b.chance(0.6) or (b.opset >= 18 and b.chance(0.4)):
        sizes = [-(-n // 2), n // 2]
        if b.opset >= 18:
            attributes["num_outputs"] = 2
    elif b.opset >= 13:
        inputs.append(b.ints(*sizes))
    else:
        attributes["split"] = sizes
    names = b.node("Split", inputs, outputs=count, **attributes)
    for name, size in zip(names, sizes):
        shape = list(x.shape)
        shape[axis] = size
        b.made(name, x, shape)


def slice_(b):
    x = b.pick(lambda v: v.rank >= 1)
    axes = b.random.sample(range(x.rank), min(x.rank, b.random.choice([1, 1, 2])))
    starts, ends, steps, shape = [], [], [], list(x.shape)
    for axis in axes:
        n = x.shape[axis]
        start, end, step = b.random.choice([(0, n, 1), (0, max(1, n - 1), 1), (min(1, n - 1), n, 1), (0, n, 2), (n - 1, -n - 1, -1), (0, 1 << 40, 1), (-2, 1 << 40, 1), (0, 3, 1)])
        starts, ends, steps = starts + [start], ends + [end], steps + [step]
        shape[axis] = len(range(n)[start if start >= -n else 0:end if end >= -n else None:step])
    inputs = [x.name, b.ints(*starts), b.ints(*ends), b.ints(*[b.signed(a, x.rank) for a in axes])]
    if any(s != 1 for s in steps) or b.chance(0.3):
        inputs.append(b.ints(*steps))
    b.made(b.node("Slice", inputs), x, shape)


def pad(b):
    x = b.pick(lambda v: is_float(v) and v.rank >= 1)
    mode = b.random.choice(["constant", "constant", "edge", "reflect"])
    begin = [b.random.choice([0, 0, 1]) if mode != "reflect" or d > 1 else 0 for d in x.shape]
    end = [b.random.choice([0, 0, 1, 2 if mode != "reflect" else 1]) if mode != "reflect" or d > 1 else 0 for d in x.shape]
    if x.rank >= 3 and b.chance(0.6):
        begin[:2] = end[:2] = [0, 0]
    shape = [d + p + q for d, p, q in zip(x.shape, begin, end)]
    b.made(b.node("Pad", [x.name, b.ints(*begin, *end)], mode=mode), x, shape)


def gather(b):
    x = b.pick(lambda v: v.rank >= 1)
    axis = b.axis(x)
    n = x.shape[axis]
    shape = b.random.choice([(), (2,), (1,), (2, 2)])
    index = b.numbers.randint(-n, n, shape)
    b.made(b.node("Gather", [x.name, b.constant(np.array(index, np.int64))], axis=b.signed(axis, x.rank)), x, x.shape[:axis] + shape + x.shape[axis + 1:])


def blocks(b):
    x = b.pick(lambda v: is_float(v) and v.rank == 4)
    n, c, h, w = x.shape
    if c % 4 == 0 and b.chance(0.5):
        b.made(b.node("DepthToSpace", [x.name], blocksize=2, mode=b.random.choice(["DCR", "CRD"])), x, (n, c // 4, 2 * h, 2 * w))
    elif h % 2 == 0 and w % 2 == 0:
        b.made(b.node("SpaceToDepth", [x.name], blocksize=2), x, (n, 4 * c, h // 2, w // 2))
    else:
        raise Unfit


# --- images ---
def window(b, x, transposed=False):
    spatial = x.rank - 2
    kernel = [b.random.choice([1, 2, 3]) for _ in range(spatial)]
    strides = [b.random.choice([1, 1, 2]) for _ in range(spatial)]
    if b.chance(0.5):
        kernel, strides = [kernel[0]] * spatial, [strides[0]] * spatial
    pads = [min(b.random.choice([0, 0, 1]), k - 1) for k in kernel + kernel]
    if not transposed and any(x.shape[2 + d] + pads[d] + pads[spatial + d] < kernel[d] for d in range(spatial)):
        raise Unfit
    return spatial, kernel, strides, pads


def conv(b):
    x = b.pick(is_image)
    spatial, kernel, strides, pads = window(b, x)
    channels, out = x.shape[1], b.random.choice([1, 2, 4, 6])
    group = channels if b.chance(0.2) else 1
    out = channels * b.random.choice([1, 2]) if group > 1 else out
    inputs = [x.name, b.constant(b.data(np.float32, [out, channels // group] + kernel, -1, 1) / np.float32(4))]
    if b.chance(0.6):
        inputs.append(b.constant(b.data(np.float32, [out])))
    attributes = {"kernel_shape": kernel, "strides": strides, "group": group, "pads": pads}
    shape = [(x.shape[2 + d] + pads[d] + pads[spatial + d] - kernel[d]) // strides[d] + 1 for d in range(spatial)]
    if b.chance(0.15):
        attributes.pop("pads")
        attributes["auto_pad"] = b.random.choice(["SAME_UPPER", "SAME_LOWER"])
        shape = [-(-x.shape[2 + d] // strides[d]) for d in range(spatial)]
    b.made(b.node("Conv", inputs, **attributes), x, [x.shape[0], out] + shape, False)


def conv_transpose(b):
    x = b.pick(lambda v: is_image(v) and v.rank == 4)
    spatial, kernel, strides, _ = window(b, x, True)
    if b.chance(0.4):
        strides = list(kernel)
    out = b.random.choice([1, 2, 4])
    inputs = [x.name, b.constant(b.data(np.float32, [x.shape[1], out] + kernel, -1, 1) / np.float32(4))]
    shape = [(x.shape[2 + d] - 1) * strides[d] + kernel[d] for d in range(spatial)]
    b.made(b.node("ConvTranspose", inputs, kernel_shape=kernel, strides=strides), x, [x.shape[0], out] + shape, False)


def pool(b):
    x = b.pick(is_image)
    spatial, kernel, strides, pads = window(b, x)
    op = b.random.choice(["MaxPool", "AveragePool"])
    attributes = {"kernel_shape": kernel, "strides": strides, "pads": pads}
    if op == "AveragePool" and b.chance(0.4):
        attributes["count_include_pad"] = 1
    shape = [(x.shape[2 + d] + pads[d] + pads[spatial + d] - kernel[d]) // strides[d] + 1 for d in range(spatial)]
    b.made(b.node(op, [x.name], **attributes), x, x.shape[:2] + tuple(shape), x.exact and op == "MaxPool")


def global_pool(b):
    x = b.pick(is_image)
    op = b.random.choice(["GlobalAveragePool", "GlobalMaxPool"])
    b.made(b.node(op, [x.name]), x, x.shape[:2] + (1,) * (x.rank - 2), x.exact and op == "GlobalMaxPool")


def resize(b):
    x = b.pick(lambda v: is_float(v) and v.rank == 4)
    mode = b.random.choice(["nearest", "linear"])
    attributes = {"mode": mode, "coordinate_transformation_mode": b.random.choice(["asymmetric", "half_pixel", "align_corners"] if mode == "linear" else ["asymmetric", "half_pixel"])}
    if mode == "nearest":
        attributes["nearest_mode"] = b.random.choice(["floor", "round_prefer_floor"])
    roi = b.constant(np.zeros(0, np.float32)) if b.opset < 13 else ""
    if mode == "nearest" or b.chance(0.5):  # a nearest pixel half way, or on the edge, is a matter of rounding
        inputs, sizes = [x.name, roi, b.constant(np.array([1, 1, 2, 2], np.float32))], (2 * x.shape[2], 2 * x.shape[3])
    else:
        sizes = (b.random.choice([3, 5, 8]), b.random.choice([4, 7]))
        inputs = [x.name, roi, b.constant(np.zeros(0, np.float32)) if b.opset < 13 else "", b.ints(*x.shape[:2], *sizes)]
    b.made(b.node("Resize", inputs, **attributes), x, x.shape[:2] + sizes, False)


# --- norms ---
def batch_norm(b):
    x = b.pick(lambda v: is_float(v) and v.rank >= 2)
    c = x.shape[1]
    inputs = [x.name] + [b.constant(b.data(np.float32, [c], *r)) for r in ((1, 2), (-1, 1), (-1, 1), (1, 2))]
    b.made(b.node("BatchNormalization", inputs), x, x.shape, False)


def instance_norm(b):
    x = b.pick(is_image)
    c = x.shape[1]
    b.made(b.node("InstanceNormalization", [x.name, b.constant(b.data(np.float32, [c], 1, 2)), b.constant(b.data(np.float32, [c]))], epsilon=0.1), x, x.shape, False)


def layer_norm(b):
    x = b.pick(lambda v: is_float(v) and v.rank >= 2)
    if b.opset < 17:
        raise Unfit
    axis = b.random.randrange(1, x.rank)
    shape = x.shape[axis:]
    b.made(b.node("LayerNormalization", [x.name, b.constant(b.data(np.float32, shape, 1, 2)), b.constant(b.data(np.float32, shape))],
                  axis=b.signed(axis, x.rank), epsilon=0.1), x, x.shape, False)


def group_norm(b):
    x = b.pick(lambda v: is_image(v) and v.shape[1] % 2 == 0)
    if b.opset < 21:
        raise Unfit
    c = x.shape[1]
    b.made(b.node("GroupNormalization", [x.name, b.constant(b.data(np.float32, [c], 1, 2)), b.constant(b.data(np.float32, [c]))],
                  num_groups=2, epsilon=0.1), x, x.shape, False)


def softmax(b):
    x = b.pick(lambda v: is_float(v) and v.rank >= 1)
    b.made(b.node(b.random.choice(["Softmax", "Softmax", "LogSoftmax"]), [x.name], axis=b.signed(b.axis(x), x.rank)), x, x.shape, False)


# --- reductions ---
def reduce(b):
    x = b.pick(lambda v: is_float(v) and v.rank >= 1)
    op = b.random.choice(["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceLogSumExp"])
    count = b.random.randint(1, x.rank)
    axes = b.random.sample(range(x.rank), count)
    if x.rank >= 3 and b.chance(0.3):
        axes = list(range(2, x.rank))
    keep = int(b.chance(0.5))
    shape = [1 if d in axes else s for d, s in enumerate(x.shape) if keep or d not in axes]
    since = 13 if op == "ReduceSum" else 18
    name = b.axes_node(op, x, [b.signed(a, x.rank) for a in axes], since, keepdims=keep)
    b.made(name, x, shape, x.exact and op in ("ReduceMax", "ReduceMin"))


def arg_max(b):
    x = b.pick(lambda v: is_float(v) and v.exact and v.rank >= 1)
    axis, keep = b.axis(x), int(b.chance(0.5))
    shape = [1 if d == axis else s for d, s in enumerate(x.shape) if keep or d != axis]
    b.made(b.node(b.random.choice(["ArgMax", "ArgMin"]), [x.name], axis=b.signed(axis, x.rank), keepdims=keep), x, shape, True, np.int64)


def top_k(b):
    x = b.pick(lambda v: is_float(v) and v.exact and v.rank >= 1)
    axis = b.axis(x)
    n = x.shape[axis]
    if b.chance(0.5):
        most = b.random.choice([2, 5, 100])
        sizes = b.node("Gather", [b.node("Shape", [x.name]), b.ints(axis)], axis=0)
        k, count = b.node("Min", [sizes, b.ints(most)]) if b.opset >= 12 else b.ints(1), min(n, most) if b.opset >= 12 else 1
    else:
        count = b.random.randint(1, n)
        k = b.ints(count)
    values, _ = b.node("TopK", [x.name, k], outputs=2, axis=b.signed(axis, x.rank), largest=int(b.chance(0.7)))
    shape = list(x.shape)
    shape[axis] = count
    b.made(values, x, shape)


def cum_sum(b):
    x = b.pick(lambda v: is_float(v) and v.rank >= 1)
    b.made(b.node("CumSum", [x.name, b.constant(np.int64(b.axis(x)))]), x, x.shape)


# --- products ---
def matmul_constant(b):
    x = b.pick(lambda v: is_float(v) and v.rank >= 2)
    w = b.constant(b.data(np.float32, [x.shape[-1], b.random.choice([1, 3, 8])], -1, 1) / np.float32(4))
    out = b.initializers[-1].dims[1]
    name = b.node("MatMul", [x.name, w])
    if b.chance(0.4):
        name = b.node("Add", [name, b.constant(b.data(np.float32, [out]))])
    b.made(name, x, x.shape[:-1] + (out,), False)


def matmul_values(b):
    x = b.pick(lambda v: is_float(v) and v.rank >= 2)
    y = b.pick(lambda v: is_float(v) and v.rank == x.rank and v.shape[:-2] == x.shape[:-2] and (v.shape[-2] == x.shape[-1] or v.shape[-1] == x.shape[-1]))
    name, columns = y.name, y.shape[-1]
    if y.shape[-2] != x.shape[-1]:
        perm = list(range(y.rank))
        perm[-1], perm[-2] = perm[-2], perm[-1]
        name, columns = b.node("Transpose", [y.name], perm=perm), y.shape[-2]
    b.made(b.node("MatMul", [x.name, name]), x, x.shape[:-1] + (columns,), False)


def gemm(b):
    x = b.pick(lambda v: is_float(v) and v.rank == 2)
    n, k = x.shape
    transpose_b, out = int(b.chance(0.5)), b.random.choice([2, 5])
    w = b.data(np.float32, [out, k] if transpose_b else [k, out], -1, 1) / np.float32(4)
    inputs = [x.name, b.constant(w)]
    if b.chance(0.7):
        inputs.append(b.constant(b.data(np.float32, b.random.choice([[out], [1, out]]))))
    b.made(b.node("Gemm", inputs, transB=transpose_b), x, (n, out), False)


# --- several nodes that a pass knows as one ---
def silu(b):
    x = b.pick(is_float)
    b.made(b.node("Mul", [x.name, b.node("Sigmoid", [x.name])]), x, x.shape, False)


def gelu(b):
    x = b.pick(is_float)
    inner = b.node("Erf", [b.node("Div", [x.name, b.constant(np.float32(np.sqrt(2)))])])
    half = b.node("Mul", [x.name, b.node("Add", [inner, b.constant(np.float32(1))])])
    b.made(b.node("Mul", [half, b.constant(np.float32(0.5))]), x, x.shape, False)


def written_layer_norm(b):
    x = b.pick(lambda v: is_float(v) and v.rank >= 2)
    mean = lambda name: b.axes_node("ReduceMean", Value(name, np.float32, x.shape, False), [-1], 18, keepdims=1)
    centred = b.node("Sub", [x.name, mean(x.name)])
    square = b.node("Pow", [centred, b.constant(np.float32(2))])
    root = b.node("Sqrt", [b.node("Add", [mean(square), b.constant(np.float32(0.1))])])
    name = b.node("Div", [centred, root])
    if b.chance(0.5):
        name = b.node("Mul", [name, b.constant(b.data(np.float32, [x.shape[-1]], 1, 2))])
    b.made(name, x, x.shape, False)


def attention(b):
    x = b.pick(lambda v: is_float(v) and v.rank in (3, 4))
    perm = list(range(x.rank))
    perm[-1], perm[-2] = perm[-2], perm[-1]
    k = b.node("Transpose", [x.name], perm=perm)
    scores = b.node("Mul", [b.node("MatMul", [x.name, k]), b.constant(np.float32(0.25))])
    if b.chance(0.5):
        n = x.shape[-2]
        mask = b.data(np.float32, b.random.choice([[n, n], [1, n], [1] * (x.rank - 1) + [n], [n, 1]]))
        scores = b.node("Add", [scores, b.constant(mask)])
    b.made(b.node("MatMul", [b.node("Softmax", [scores], axis=-1 if b.opset >= 13 else x.rank - 1), x.name]), x, x.shape, False)


def written_group_norm(b):
    x = b.pick(lambda v: is_image(v) and v.shape[1] % 2 == 0)
    groups = 2
    split = b.node("Reshape", [x.name, b.ints(*b.random.choice([[0, groups, -1], [-1, groups, x.size // x.shape[0] // groups]]))])
    norm = b.node("InstanceNormalization", [split, b.constant(np.ones(groups, np.float32)), b.constant(np.zeros(groups, np.float32))], epsilon=0.1)
    b.made(b.node("Reshape", [norm, b.node("Shape", [x.name])]), x, x.shape, False)


def channel_shuffle(b):
    x = b.pick(lambda v: is_float(v) and v.rank == 4 and v.shape[1] % 2 == 0)
    n, c, h, w = x.shape
    y = b.node("Reshape", [x.name, b.ints(b.random.choice([0, n]), 2, c // 2, h, w)])
    y = b.node("Transpose", [y], perm=[0, 2, 1, 3, 4])
    b.made(b.node("Reshape", [y, b.ints(b.random.choice([-1, n]), c, h, w)]), x, x.shape)


def choice(b):
    """An If whose condition is a constant, or follows from a size."""
    x = b.pick(is_float)
    if b.chance(0.4):
        condition = b.constant(np.array(b.chance(0.5)))
    else:
        size = b.node("Size", [x.name])
        condition = b.node("Greater", [size, b.constant(np.int64(x.size - (1 if b.chance(0.5) else 0)))])
    bodies = []
    for op in ("Relu", "Neg"):
        out = b.name()
        bodies.append(helper.make_graph([helper.make_node(op, [x.name], [out])], op, [], [helper.make_tensor_value_info(out, TensorProto.FLOAT, None)]))
    b.made(b.node("If", [condition], then_branch=bodies[0], else_branch=bodies[1]), x, x.shape)


# --- sizes that are computed ---
def computed_size(b, x):
    """A number from a size of x: [1] int64, and what it is for the first data set."""
    axis = b.axis(x)
    name, value = b.node("Gather", [b.node("Shape", [x.name]), b.ints(axis)], axis=0), x.shape[axis]
    for _ in range(b.random.choice([0, 1, 1, 2])):
        c = b.random.choice([1, 2, 3, 4, 7, 40])
        op, value = b.random.choice([("Min", min(value, c)), ("Max", max(value, c)), ("Add", value + c), ("Sub", value - c), ("Mul", value * c), ("Div", value // c), ("Mod", value % c)])
        if op in ("Min", "Max") and b.opset < 12 or value < 0:
            raise Unfit
        name = b.node(op, [name, b.ints(c)])
    if value < 1:
        name, value = b.node("Add", [name, b.ints(1)]), value + 1
    return name, value


def cut_by_size(b):
    x = b.pick(lambda v: v.rank >= 1)
    end, value = computed_size(b, x)
    axis, shape = b.axis(x), list(x.shape)
    shape[axis] = min(shape[axis], value)
    b.made(b.node("Slice", [x.name, b.ints(0), end, b.ints(axis)]), x, shape)


def best_by_size(b):
    x = b.pick(lambda v: is_float(v) and v.exact and v.rank >= 1)
    k, value = computed_size(b, x)
    axis, shape = b.axis(x), list(x.shape)
    if value > shape[axis]:
        raise Unfit
    shape[axis] = value
    values, _ = b.node("TopK", [x.name, k], outputs=2, axis=axis)
    b.made(values, x, shape)


def repeat_by_size(b):
    x = b.pick(lambda v: 1 <= v.rank <= 4)
    count, value = computed_size(b, x)
    axis = b.random.randrange(x.rank + 1)
    wide = b.axes_node("Unsqueeze", x, [axis], 13)
    shape = list(x.shape[:axis]) + [value] + list(x.shape[axis:])
    parts = [b.ints(1)] * axis + [count] + [b.ints(1)] * (x.rank - axis)
    b.made(b.node("Expand", [wide, b.node("Concat", parts, axis=0) if len(parts) > 1 else count]), x, shape)


def rows_by_size(b):
    """[-1, size]: goes for sizes that divide."""
    x = b.pick(lambda v: v.rank >= 1)
    size, value = computed_size(b, x)
    if x.size % value:
        raise Unfit
    parts, shape = [b.ints(-1), size], [x.size // value, value]
    if b.chance(0.3):
        parts, shape = parts[::-1], shape[::-1]
    b.made(b.node("Reshape", [x.name, b.node("Concat", parts, axis=0)]), x, shape)


def filled_by_size(b):
    x = b.pick(lambda v: is_float(v) and v.rank >= 1)
    size, value = computed_size(b, x)
    ones = b.node("ConstantOfShape", [size], value=helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]))
    last = x.shape[-1]
    if value not in (1, last) and last != 1:
        raise Unfit
    b.made(b.node("Add", [x.name, ones]), x, np.broadcast_shapes(x.shape, (value,)))


def drop_ones(b):
    x = b.pick(lambda v: v.rank >= 1)
    b.made(b.axes_node("Squeeze", x, None, 13), x, [d for d in x.shape if d != 1])


SIZES = [cut_by_size, cut_by_size, best_by_size, repeat_by_size, rows_by_size, rows_by_size, filled_by_size, drop_ones]
MOVES = [transpose, transpose, unsqueeze, squeeze, reshape, reshape, reshape_by_shape, flatten, expand, tile, concat, split, slice_, gather]
IMAGES = [conv, conv, conv, conv_transpose, pool, pool, global_pool, resize, batch_norm, instance_norm, group_norm, prelu, blocks, pad, channel_shuffle, written_group_norm]
MATHS = [unary, unary, clip, step, binary_constant, binary_constant, binary_values, binary_values, where, layer_norm, softmax, reduce, reduce, arg_max, top_k,
         cum_sum, matmul_constant, matmul_values, gemm, silu, gelu, written_layer_norm, attention, choice]
