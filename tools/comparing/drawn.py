"""Single layers whose shapes and attributes are drawn, for tools/compare --sweep --drawn: the cliffs that nobody thought of.

Each family is a function of a random generator that gives (name, model); the name says all that was drawn. Work is bounded, so
that a layer takes from some ten microseconds to some ten milliseconds.
"""

import math

import numpy as np

from sweeps import BOOL, DOUBLE, FLOAT, HALF, INT32, INT64, INT8, UINT8, attention_chain, draw, kind_name, layer, words

MOST_TERMS = 3e8  # multiply-adds of a layer
MOST_VALUES = 2e6
LEAST_VALUES = 2e3


def size(rng, low, high):
    """Logarithmically even; half of them what people take: powers of two and multiples of eight."""
    value = math.exp(rng.uniform(math.log(low), math.log(high + 1)))
    if rng.random() < 0.5:
        value = 8 * round(value / 8) if rng.random() < 0.5 else 2 ** round(math.log2(value))
    return int(min(max(value, low), high))


def shape_of(rng, rank, least=LEAST_VALUES, most=MOST_VALUES):
    while True:
        total = math.exp(rng.uniform(math.log(least), math.log(most)))
        parts = rng.dirichlet([0.8] * rank)
        shape = [max(1, round(total ** p)) for p in parts]
        shape = [8 * round(n / 8) if n > 12 and rng.random() < 0.4 else n for n in shape]
        if least <= math.prod(shape) <= most:
            return shape


def some_axes(rng, rank):
    count = int(rng.integers(1, rank + 1))
    return sorted(int(a) for a in rng.choice(rank, count, replace=False))


def pick(rng, choices):
    return choices[int(rng.integers(len(choices)))]


def window(rng, rank, large):
    """kernel, strides, dilations, pads of a window that slides."""
    even = rng.random() < 0.7
    draw_axes = lambda one: [one()] * rank if even else [one() for _ in range(rank)]
    is_far = rng.random() < 0.15  # kernels that few people take
    far = lambda: size(rng, large, {1: 1024, 2: 63, 3: 15}[rank])
    kernel = draw_axes(lambda: far() if is_far else int(pick(rng, (1, 2, 3, 3, 3, 4, 5, 7, large))))
    strides = draw_axes(lambda: int(pick(rng, (1, 1, 1, 2, 2, 3, 4))))
    dilations = draw_axes(lambda: int(pick(rng, (1, 1, 1, 1, 2, 3))))
    reach = [(k - 1) * d for k, d in zip(kernel, dilations)]
    way = pick(rng, ("none", "same", "same", "same", "uneven"))
    begin = [0 if way == "none" else r // 2 for r in reach]
    end = [0 if way == "none" else r // 2 if way == "same" else r - r // 2 for r in reach]
    return kernel, strides, dilations, begin + end


def sides(rng, rank, kernel, dilations):
    most = {1: 20000, 2: 256, 3: 48}[rank]
    return [max(size(rng, 4, most), (k - 1) * d + 1) for k, d in zip(kernel, dilations)]


def say_window(kernel, strides, dilations, pads):
    return f"k{words(*kernel)} s{words(*strides)} d{words(*dilations)} p{words(*pads)}"


def narrow(rng):
    """Channels of a group as those of ResNeXt and RegNet: as many inputs as outputs, or nearly so."""
    channels = int(pick(rng, (2, 4, 4, 8, 8, 16, 24, 3, 5, 6)))
    return channels, channels if rng.random() < 0.7 else size(rng, 1, 16)


def convolution(rng):
    while True:
        rank = int(pick(rng, (1, 2, 2, 2, 2, 3)))
        kernel, strides, dilations, pads = window(rng, rank, 11)
        batch, way = int(pick(rng, (1, 1, 1, 2, 5, 8))), pick(rng, ("dense", "dense", "dense", "depthwise", "groups", "narrow", "multiplier"))
        groups = 1 if way == "dense" else size(rng, 2, 64) if way == "groups" else size(rng, 2, 256) if way == "narrow" else size(rng, 2, 1024)
        inner, outer = (1, 1) if way == "depthwise" else (1, size(rng, 2, 6)) if way == "multiplier" else narrow(rng) if way == "narrow" else (size(rng, 1, 512), size(rng, 1, 512))
        x = [batch, groups * inner, *sides(rng, rank, kernel, dilations)]
        places = [(n + a + b - (k - 1) * d - 1) // s + 1 for n, a, b, k, d, s in zip(x[2:], pads, pads[rank:], kernel, dilations, strides)]
        terms = batch * groups * outer * inner * math.prod(kernel) * math.prod(places)
        values = max(math.prod(x), batch * groups * outer * math.prod(places))
        if min(places) > 0 and 1e5 < terms < MOST_TERMS and values < MOST_VALUES and groups * outer * inner * math.prod(kernel) < 4e6:
            break
    name = f"conv {words(*x)} to {groups * outer} {say_window(kernel, strides, dilations, pads)} g{groups}"
    weight = draw(name, [groups * outer, inner, *kernel], (inner * math.prod(kernel)) ** -0.5)
    return name, layer("Conv", [x], [weight] + ([draw(name + "b", [groups * outer])] if rng.random() < 0.8 else []), strides=strides, dilations=dilations, group=groups, pads=pads)


def transposed(rng):
    while True:
        rank = int(pick(rng, (1, 2, 2, 2, 3)))
        kernel, strides, dilations, _ = window(rng, rank, 8)
        groups = int(pick(rng, (1, 1, 1, 2, 8, 32)))
        inner, outer = size(rng, 1, 256), size(rng, 1, 256)
        x = [int(pick(rng, (1, 1, 2, 4))), groups * inner, *[max(1, n // 4) for n in sides(rng, rank, kernel, [1] * rank)]]
        pads = [int(rng.integers(0, max(1, (k - 1) * d // 2 + 1))) for k, d in zip(kernel, dilations)] * 2
        extra = [int(rng.integers(0, s)) for s in strides]
        places = [(n - 1) * s + (k - 1) * d + 1 + e - 2 * p for n, s, k, d, e, p in zip(x[2:], strides, kernel, dilations, extra, pads)]
        terms = x[0] * groups * outer * inner * math.prod(kernel) * math.prod(x[2:])
        if min(places) > 0 and 1e5 < terms < MOST_TERMS and x[0] * groups * outer * math.prod(places) < MOST_VALUES and math.prod(x) < MOST_VALUES:
            break
    name = f"conv_transpose {words(*x)} to {groups * outer} {say_window(kernel, strides, dilations, pads)} e{words(*extra)} g{groups}"
    weight = draw(name, [groups * inner, outer, *kernel], (inner * math.prod(kernel)) ** -0.5)
    return name, layer("ConvTranspose", [x], [weight, draw(name + "b", [groups * outer])], strides=strides, dilations=dilations, group=groups, pads=pads, output_padding=extra)


def product(rng):
    while True:
        m, k, n = (1 if rng.random() < 0.15 else size(rng, 1, 4096) for _ in range(3))
        batch = [size(rng, 1, 64) for _ in range(int(pick(rng, (0, 0, 1, 2))))]
        count = math.prod(batch)
        if 2e4 < count * m * k * n < MOST_TERMS and max(m * k, k * n, m * n) * count < MOST_VALUES * 2:
            break
    name, way = f"{words(m, k)} by {words(k, n)}", pick(rng, ("constant", "constant", "variable", "gemm", "gemm"))
    if batch and way != "constant":
        left, right = (list(batch) if rng.random() < 0.85 else batch[1:]), (list(batch) if rng.random() < 0.85 else [])
        return f"matmul {words(*left)} and {words(*right)} of {name}", layer("MatMul", [left + [m, k], right + [k, n]])
    weight, bias = draw(name, [k, n], k ** -0.5), draw(name + "b", pick(rng, ([n], [m, n], [m, 1], [1])))
    if way == "gemm":
        a, b, alpha = int(rng.random() < 0.3), int(rng.random() < 0.5), float(pick(rng, (1.0, 1.0, 0.5)))
        return (f"gemm {name} {'a' * a}{'b' * b} bias {words(*bias.shape)} alpha {alpha}",
                layer("Gemm", [[k, m] if a else [m, k]], [np.ascontiguousarray(weight.T) if b else weight, bias], transA=a, transB=b, alpha=alpha))
    if way == "variable":
        return f"matmul {name} variable", layer("MatMul", [[m, k], [k, n]])
    return f"matmul {words(*batch)} of {name}", layer("MatMul", [batch + [m, k]], [weight])


def pool(rng):
    op = pick(rng, ("MaxPool", "MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool"))
    while True:
        rank = int(pick(rng, (1, 2, 2, 2, 3)))
        kernel, strides, dilations, pads = window(rng, rank, 9)
        x = [int(pick(rng, (1, 1, 2, 8))), size(rng, 1, 512), *sides(rng, rank, kernel, dilations)]
        pads = [min(p, k - 1) for p, k in zip(pads, kernel * 2)]
        if LEAST_VALUES < math.prod(x) < MOST_VALUES and math.prod(x) * math.prod(kernel) / math.prod(strides) < MOST_TERMS / 4:
            break
    if op.startswith("Global"):
        return f"{op} {words(*x)}", layer(op, [x])
    more = {"ceil_mode": int(rng.random() < 0.3), "dilations": dilations}
    if op == "AveragePool":
        more["count_include_pad"] = int(rng.random() < 0.3)
    name = f"{op} {words(*x)} {say_window(kernel, strides, dilations, pads)} {words(*(v for v in more.values() if isinstance(v, int)))}"
    return name, layer(op, [x], kernel_shape=kernel, strides=strides, pads=pads, opset=22 if op == "LpPool" else 20, **more)


def norm(rng):
    op = pick(rng, ("LayerNormalization", "RMSNormalization", "BatchNormalization", "InstanceNormalization", "GroupNormalization", "LpNormalization", "LRN"))
    if op in ("LayerNormalization", "RMSNormalization", "LpNormalization"):
        x = shape_of(rng, int(rng.integers(2, 5)))
        axis = int(rng.integers(1, len(x))) if rng.random() < 0.3 else len(x) - 1
        weights = [] if op[1] == "p" else [draw("s", x[axis:])] + ([draw("b", x[axis:])] if op[0] == "L" else [])
        return f"{op} {words(*x)} axis {axis}", layer(op, [x], weights, opset=23, axis=axis)
    x = shape_of(rng, 4 if op == "LRN" else int(rng.integers(3, 6)))
    scale, bias = draw("s", [x[1]]), draw("b", [x[1]])
    if op == "BatchNormalization":
        return f"{op} {words(*x)}", layer(op, [x], [scale, bias, draw("m", [x[1]]), np.abs(draw("v", [x[1]])) + 0.1])
    if op == "LRN":
        return f"{op} {words(*x)}", layer(op, [x], size=int(pick(rng, (3, 5))))
    if op == "GroupNormalization":
        groups = int(pick(rng, [g for g in range(1, x[1] + 1) if x[1] % g == 0]))
        return f"{op} {words(*x)} in {groups}", layer(op, [x], [scale, bias], opset=21, num_groups=groups)
    return f"{op} {words(*x)}", layer(op, [x], [scale, bias])


def along(rng):
    """One axis of many: softmax, sums that run, the greatest, sorting."""
    op = pick(rng, ("Softmax", "Softmax", "LogSoftmax", "CumSum", "ArgMax", "ArgMin", "TopK", "Hardmax"))
    kinds = {"CumSum": (DOUBLE, INT32, INT64), "TopK": (DOUBLE, INT32, INT64), "ArgMax": (HALF, DOUBLE, INT32, INT64, UINT8, INT8),
             "ArgMin": (DOUBLE, INT32, INT64, UINT8, INT8), "Softmax": (HALF, DOUBLE)}.get(op, (DOUBLE,))
    kind = FLOAT if rng.random() < 0.5 else pick(rng, kinds)
    x = shape_of(rng, int(rng.integers(1, 5)))
    axis = int(rng.integers(len(x)))
    name = f"{op} {kind_name(kind)} {words(*x)} axis {axis}"
    if op == "CumSum":
        return name, layer(op, [x], [np.array(axis)], kind=kind)
    if op == "TopK":
        count = size(rng, 1, x[axis])
        return f"{name} {count}", layer(op, [x], [np.array([count])], outputs=2, axis=axis, largest=int(rng.random() < 0.7), kind=kind)
    return name, layer(op, [x], axis=axis, kind=kind)


def reduction(rng):
    op = pick(rng, ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"))
    kind = pick(rng, (FLOAT, FLOAT, FLOAT, INT64, INT32, DOUBLE)) if op in ("ReduceSum", "ReduceMax", "ReduceMean") else FLOAT
    x = shape_of(rng, int(rng.integers(1, 6)))
    axes = some_axes(rng, len(x))
    return f"{op} {kind_name(kind)} {words(*x)} over {words(*axes)}", layer(op, [x], [np.array(axes, np.int64)], kind=kind, keepdims=int(rng.random() < 0.5))


def resize(rng):
    while True:
        rank = int(pick(rng, (1, 2, 2, 2, 3)))
        x = [int(pick(rng, (1, 1, 4))), size(rng, 1, 256), *[size(rng, 3, {1: 2000, 2: 200, 3: 30}[rank]) for _ in range(rank)]]
        one = float(pick(rng, (0.3, 0.5, 0.5, 1.3, 2, 2, 2, 3, 4)))
        scales = [one] * rank if rng.random() < 0.7 else [float(rng.uniform(0.3, 3)) for _ in range(rank)]
        made = math.prod(x[:2]) * math.prod(max(1, int(n * s)) for n, s in zip(x[2:], scales))
        if LEAST_VALUES < math.prod(x) < MOST_VALUES and made < MOST_VALUES:
            break
    mode = pick(rng, ("nearest", "linear", "linear", "cubic")) if rank == 2 else pick(rng, ("nearest", "linear"))
    whole = all(s == int(s) for s in scales)  # else the judges differ on where the last pixel is
    way = pick(rng, ("half_pixel", "pytorch_half_pixel", "align_corners" if whole else "half_pixel", "asymmetric"))
    return (f"resize {mode} {way} {words(*x)} by {words(*(f'{s:.2f}' for s in scales))}",
            layer("Resize", [x], [None, np.array([1, 1, *scales], np.float32)], mode=mode, coordinate_transformation_mode=way))


def move(rng):
    kind = pick(rng, (FLOAT, FLOAT, FLOAT, HALF, UINT8, INT64, DOUBLE))
    op = pick(rng, ("Transpose", "Transpose", "Transpose", "Concat", "Slice", "Split", "Pad", "Gather", "Expand", "Tile", "GatherElements"))
    x = shape_of(rng, int(rng.integers(2 if op == "Transpose" else 1, 6)))
    rank, axis = len(x), int(rng.integers(len(x)))
    name = f"{op} {kind_name(kind)} {words(*x)}"
    if op == "Transpose":
        permutation = [int(a) for a in rng.permutation(rank)]
        return f"{name} {words(*permutation)}", layer(op, [x], kind=kind, perm=permutation)
    if op == "Concat":
        parts = [[size(rng, 1, 2 * n) if i == axis else n for i, n in enumerate(x)] for _ in range(int(rng.integers(2, 5)))]
        return f"{op} {kind_name(kind)} {' '.join(words(*p) for p in parts)} axis {axis}", layer(op, parts, kind=kind, axis=axis)
    if op == "Slice":
        axes = some_axes(rng, rank)
        begin, steps = [int(rng.integers(x[a])) for a in axes], [int(pick(rng, (1, 1, 1, 2, 3, -1))) for _ in axes]
        end = [-x[a] - 1 if s < 0 else int(rng.integers(b, x[a])) + 1 for a, b, s in zip(axes, begin, steps)]
        return f"{name} axes {words(*axes)} from {words(*begin)} to {words(*end)} by {words(*steps)}", layer(op, [x], [np.array(v) for v in (begin, end, axes, steps)], kind=kind)
    if op == "Split":
        count = int(min(x[axis], rng.integers(1, 6)))
        return f"{name} axis {axis} in {count}", layer(op, [x], kind=kind, outputs=count, axis=axis, num_outputs=count)
    if op == "Pad":
        mode = pick(rng, ("constant", "constant", "reflect", "edge", "wrap"))
        pads = [int(rng.integers(0, min(8, n))) if rng.random() < 0.5 else 0 for n in x * 2]
        return f"{name} {mode} {words(*pads)}", layer(op, [x], [np.array(pads)], kind=kind, mode=mode)
    if op == "Gather":
        count = size(rng, 1, max(1, int(min(2 * x[axis], MOST_VALUES * x[axis] / math.prod(x)))))
        return f"{name} axis {axis} {count}", layer(op, [x], [rng.integers(0, x[axis], count)], kind=kind, axis=axis)
    if op == "GatherElements":
        index = [n if i == axis else size(rng, 1, n) for i, n in enumerate(x)]
        return f"{name} axis {axis} {words(*index)}", layer(op, [x], [rng.integers(0, x[axis], index)], kind=kind, axis=axis)
    if op == "Expand":
        small = [1 if rng.random() < 0.5 else n for n in x][int(rng.integers(rank)) if rng.random() < 0.3 else 0:]
        return f"{op} {kind_name(kind)} {words(*small)} to {words(*x)}", layer(op, [small], [np.array(x)], kind=kind)
    repeats = [int(pick(rng, (1, 1, 2, 3))) for _ in x]
    return f"{name} by {words(*repeats)}", layer(op, [x], [np.array(repeats)], kind=kind)


def elementwise(rng):
    """Two operands that broadcast in any way, or one."""
    x = shape_of(rng, int(rng.integers(1, 6)))
    unary = rng.random() < 0.4
    if unary:
        op = pick(rng, ("Abs", "Neg", "Sqrt", "Reciprocal", "Exp", "Log", "Sin", "Cos", "Erf", "Sigmoid", "Relu", "LeakyRelu", "Elu", "HardSigmoid", "HardSwish", "Softplus", "Gelu", "Mish", "Sign",
                        "Round", "Floor", "Selu", "Softsign", "Tanh"))
        kind = pick(rng, (FLOAT, FLOAT, FLOAT, HALF, DOUBLE))
        return f"{op} {kind_name(kind)} {words(*x)}", layer(op, [x], kind=kind)
    op = pick(rng, ("Add", "Sub", "Mul", "Div", "Max", "Min", "Greater", "Equal", "Where", "PRelu"))
    kind = pick(rng, (FLOAT, FLOAT, FLOAT, FLOAT, HALF, INT64, INT32, DOUBLE)) if op != "PRelu" else FLOAT
    thin = lambda: [1 if rng.random() < 0.5 else n for n in x][int(rng.integers(len(x))) if rng.random() < 0.3 else 0:]
    a, b = (x, thin()) if rng.random() < 0.8 or op == "PRelu" else (thin(), thin())
    if op not in ("PRelu", "Where") and rng.random() < 0.3:
        a, b = b, a
    name = f"{op} {kind_name(kind)} {words(*a)} with {words(*b)}"
    if op == "Where":
        return f"{op} {kind_name(kind)} {words(*thin())}", layer(op, [(BOOL, thin()), a, b], kind=kind)
    if op == "PRelu":
        return name, layer(op, [a], [draw(name, b)])
    return name, layer(op, [a, b], kind=kind)


def cast(rng):
    kinds = (FLOAT, HALF, DOUBLE, INT64, INT32, INT8, UINT8, BOOL)
    a, b = pick(rng, kinds), pick(rng, kinds)
    x = shape_of(rng, int(rng.integers(1, 4)))
    return f"cast {kind_name(a)} to {kind_name(b)} {words(*x)}", layer("Cast", [(a, x)], kind=b, to=b)


def recurrent(rng):
    op = pick(rng, ("LSTM", "LSTM", "GRU", "RNN"))
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[op]
    while True:
        steps, batch, inputs, hidden, both = size(rng, 1, 300), int(pick(rng, (1, 1, 2, 4, 16, 40))), size(rng, 1, 512), size(rng, 1, 512), int(pick(rng, (1, 1, 2)))
        if 1e5 < steps * batch * (inputs + hidden) * gates * hidden * both < MOST_TERMS:
            break
    more = {"linear_before_reset": int(rng.random() < 0.6)} if op == "GRU" else {}
    weights = [draw("w", [both, gates * hidden, inputs], inputs ** -0.5), draw("r", [both, gates * hidden, hidden], hidden ** -0.5), draw("b", [both, 2 * gates * hidden])]
    return (f"{op} {steps} steps batch {batch} {inputs} to {hidden} directions {both} {words(*more.values())}",
            layer(op, [[steps, batch, inputs]], weights, hidden_size=hidden, direction="bidirectional" if both == 2 else "forward", **more))


def attention(rng):
    while True:
        heads, queries, keys, width = size(rng, 1, 32), 1 if rng.random() < 0.2 else size(rng, 1, 1500), size(rng, 1, 1500), size(rng, 8, 160)
        if 1e5 < heads * queries * keys * width * 2 < MOST_TERMS and heads * max(queries, keys) * width < MOST_VALUES:
            break
    return f"attention {heads} heads {queries} by {keys} of {width}", attention_chain(heads, queries, keys, width)


FAMILIES = {"conv": convolution, "conv_transpose": transposed, "product": product, "pool": pool, "norm": norm, "along": along, "reduce": reduction, "resize": resize, "move": move,
            "elementwise": elementwise, "cast": cast, "recurrent": recurrent, "attention": attention}


def families(count, seed, of):
    """For each family of `of` a generator of `count` layers; the same for the same seed."""
    def shapes(index, one):
        for turn in range(count):
            yield one(np.random.default_rng([seed, index, turn]))
    return {name: (lambda i=i, one=one: shapes(i, one)) for i, (name, one) in enumerate(of.items())}
