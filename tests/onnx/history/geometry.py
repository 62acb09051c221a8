"""Pools, Resize and products of random geometry as parts of models: between layers that move channels and that are fused, with
dimensions that are named and layers of several operator sets.

The results are those on which onnx.reference and ONNX Runtime agree, or of the one that computes the case.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SEED = 53
POOLS, RESIZES, PRODUCTS = 150, 80, 80


def info(name, x, names=None):
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    return helper.make_tensor_value_info(name, kind, [n or d for n, d in zip(names or [None] * x.ndim, x.shape)])


def model_of(nodes, inputs, outputs, constants, opset):
    """inputs: (name, array, names of dimensions)"""
    graph = helper.make_graph(
        nodes,
        "geometry",
        [info(*i) for i in inputs],
        [helper.make_tensor_value_info(n, t, None) for n, t in outputs],
        [numpy_helper.from_array(c, n) for n, c in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9, producer_name="onnxrun")


def image(random, spatial):
    """Input, names of its dimensions, and the weights of a convolution that gives several channels."""
    size = {1: 20, 2: 11, 3: 6}[spatial]
    channels = int(random.integers(1, 4))
    shape = [int(random.integers(1, 3)), channels, *(int(random.integers(3, size)) for _ in range(spatial))]
    x = random.standard_normal(shape).astype(np.float32)
    named = random.random() < 0.5
    names = ["N", None, *(f"D{i}" for i in range(spatial))] if named else None
    out = int(random.integers(1, 40))
    weights = random.standard_normal([out, channels, *[3 if spatial == 3 else 1] * spatial]).astype(np.float32)
    return x, names, weights


def conv(spatial):
    """That keeps the size."""
    return helper.make_node("Conv", ["x", "w"], ["c"], pads=[1 if spatial == 3 else 0] * 2 * spatial)


def window(random, spatial, x, dilated):
    kernel = [int(random.integers(1, 5)) for _ in range(spatial)]
    dilations = [int(random.integers(1, 4)) if dilated and random.random() < 0.4 else 1 for _ in range(spatial)]
    span = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    attributes = {"kernel_shape": kernel, "strides": [int(random.integers(1, 4)) for _ in range(spatial)]}
    if dilated:
        attributes["dilations"] = dilations
    style = random.integers(0, 5)
    # Both references leave dilation out of SAME's padding, and cut the image where it would be negative.
    if style == 0 and all(s <= k and d == 1 for s, k, d in zip(attributes["strides"], kernel, dilations)):
        attributes["auto_pad"] = ["SAME_UPPER", "SAME_LOWER", "VALID"][int(random.integers(0, 3))]
    elif style > 1:
        most = kernel if style > 2 else span
        pads = [int(random.integers(0, max(1, min(k, s)))) for k, s in zip(most, span)]
        ends = pads if random.random() < 0.5 else [int(random.integers(0, max(1, min(k, s)))) for k, s in zip(most, span)]
        attributes["pads"] = [*pads, *ends]
    return attributes


def pools(random):
    for n in range(POOLS):
        op = ["MaxPool", "AveragePool", "LpPool", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"][n % 8]
        spatial = int(random.integers(1, 4))
        x, names, weights = image(random, spatial)
        opset = int(random.choice({"MaxPool": [8, 10, 11, 12, 22], "AveragePool": [7, 10, 11, 19, 22], "LpPool": [11, 18, 22]}.get(op, [9, 13, 22])))
        attributes = {}
        if not op.startswith("Global"):
            dilated = (op == "MaxPool" and opset >= 10) or (op == "AveragePool" and opset >= 19) or (op == "LpPool" and opset >= 18)
            attributes = window(random, spatial, x, dilated)
            if opset >= {"MaxPool": 10, "AveragePool": 10, "LpPool": 18}[op] and "auto_pad" not in attributes:
                attributes["ceil_mode"] = int(random.integers(0, 2))
        if op == "AveragePool":
            attributes["count_include_pad"] = int(random.integers(0, 2))
        if op in ("LpPool", "GlobalLpPool"):
            attributes["p"] = int(random.integers(1, 4))
        indices = op == "MaxPool" and random.random() < 0.3
        if indices:
            attributes["storage_order"] = int(random.integers(0, 2))
        nodes = [conv(spatial) if n % 3 else helper.make_node("Relu", ["x"], ["c"])]
        nodes.append(helper.make_node(op, ["c"], ["p", "i"] if indices else ["p"], **attributes))
        nodes.append(helper.make_node("Relu", ["p"], ["y"]))
        outputs = [("y", TensorProto.FLOAT)] + ([("i", TensorProto.INT64)] if indices else [])
        constants = {"w": weights} if n % 3 else {}
        yield f"{op}_{n}", model_of(nodes, [("x", x, names)], outputs, constants, opset), [x]


def resizes(random):
    for n in range(RESIZES):
        spatial = [1, 2, 2, 3][int(random.integers(0, 4))]
        x, names, weights = image(random, spatial)
        opset = int(random.choice([11, 13, 18, 19]))
        mode = ["nearest", "linear", "cubic"][int(random.integers(0, 3 if spatial == 2 else 2))]
        coordinates = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
        attributes = {"mode": mode, "coordinate_transformation_mode": coordinates[int(random.integers(0, 4))]}
        if mode == "nearest":
            attributes["nearest_mode"] = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"][int(random.integers(0, 4))]
        if opset >= 18 and mode != "nearest" and random.random() < 0.3:
            attributes["antialias"] = 1
        constants = {"w": weights} if n % 3 else {}
        channels = weights.shape[0] if n % 3 else x.shape[1]
        # With sizes, which of two pixels is the nearest hangs on the last bit of a float.
        if mode == "nearest" or random.random() < 0.5:
            constants["scales"] = np.array([1, 1, *random.choice([0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0], spatial)], np.float32)
            rest = ["", "scales"]
        else:
            constants["sizes"] = np.array([x.shape[0], channels, *random.integers(1, 17, spatial)], np.int64)
            rest = ["", "", "sizes"]
            names = None
        sizes = constants["sizes"] if "sizes" in constants else x.shape * constants["scales"]
        if attributes["coordinate_transformation_mode"] == "pytorch_half_pixel" and min(sizes[2:]) < 2:
            attributes["coordinate_transformation_mode"] = "half_pixel"  # the text says 0 for one pixel, the reference -0.5
        nodes = [conv(spatial) if n % 3 else helper.make_node("Neg", ["x"], ["c"])]
        nodes.append(helper.make_node("Resize", ["c", *rest], ["r"], **attributes))
        nodes.append(helper.make_node("Relu", ["r"], ["y"]))
        yield f"Resize_{n}", model_of(nodes, [("x", x, names)], [("y", TensorProto.FLOAT)], constants, opset), [x]


def products(random):
    for n in range(PRODUCTS):
        m, k = (int(random.integers(1, 20)) for _ in range(2))
        columns = int(random.choice([1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 70]))
        batch = [int(d) for d in random.integers(1, 4, int(random.integers(0, 3)))]
        constant = random.random() < 0.6
        gemm = random.random() < 0.4
        if gemm:
            batch = []
        attributes = {}
        a_shape, b_shape = [*batch, m, k], [*([] if constant or random.random() < 0.3 else batch), k, columns]
        if gemm:
            attributes = {"transA": int(random.integers(0, 2)), "transB": int(random.integers(0, 2))}
            if random.random() < 0.3:
                attributes |= {"alpha": 0.5, "beta": 2.0}
            a_shape = a_shape[::-1] if attributes["transA"] else a_shape
            b_shape = b_shape[::-1] if attributes["transB"] else b_shape
        a, b = (random.standard_normal(s).astype(np.float32) for s in (a_shape, b_shape))
        c = random.standard_normal([[columns], [1], [m, columns], [m, 1]][int(random.integers(0, 4 if gemm else 1))]).astype(np.float32)
        constants = {"c": c, "low": np.float32(-0.5), "high": np.float32(1.5)}
        inputs = [("a", a, ["M", None] if a.ndim == 2 and not gemm else None)]
        if constant:
            constants["b"] = b
        else:
            inputs.append(("b", b, None))
        if gemm:
            nodes = [helper.make_node("Gemm", ["a", "b", "c"], ["t"], **attributes)]
        else:
            nodes = [helper.make_node("MatMul", ["a", "b"], ["s"]), helper.make_node("Add", ["s", "c"], ["t"])]
        tail = n % 3
        if tail == 0:
            nodes.append(helper.make_node("Relu", ["t"], ["y"]))
        elif tail == 1:
            nodes.append(helper.make_node("Clip", ["t", "low", "high"], ["y"]))
        else:
            nodes.append(helper.make_node("Softmax", ["t"], ["y"], axis=-1))
        name = f"{'Gemm' if gemm else 'MatMul'}_{n}"
        yield name, model_of(nodes, inputs, [("y", TensorProto.FLOAT)], constants, 13), [i[1] for i in inputs]


def cases():
    """Yields (name, model, inputs)."""
    random = np.random.default_rng(SEED)
    yield from pools(random)
    yield from resizes(random)
    yield from products(random)
