"""NaN and infinities in the inputs of the suite's cases, with a layer behind them that is fused into theirs.

The results of the operator by itself come from onnx.reference and ONNX Runtime, those of what is behind it from numpy.
"""

import collections

import numpy as np
import onnx
from onnx import helper, numpy_helper

CASES_PER_OPERATOR = 3
SEED = 31
# What NaN or an infinity means there the standard does not say, or what it means is no number.
UNDEFINED = {
    "ArgMax": "a NaN is the largest number, as in numpy, or is passed over, as in the reference of select_last_index",
    "ArgMin": "see ArgMax",
    "Bernoulli": "a probability",
    "BitCast": "bits",
    "BlackmanWindow": "a size",
    "Cast": "NaN to integers",
    "CastLike": "see Cast",
    "ConstantOfShape": "a shape",
    "CropAndResize": "regions",
    "DynamicQuantizeLinear": "NaN to integers",
    "GridSample": "positions",
    "Hardmax": "see ArgMax",
    "ImageDecoder": "pictures",
    "MaxPool": "the references pass NaN over, PyTorch keeps it; so do we (tests/sweep/test_pool.c)",
    "MaxRoiPool": "regions",
    "MaxUnpool": "indices",
    "MelWeightMatrix": "frequencies",
    "NonMaxSuppression": "boxes",
    "NonZero": "indices",
    "OneHot": "a depth",
    "QuantizeLinear": "NaN to integers",
    "Range": "a length",
    "RoiAlign": "regions",
    "Sampling": "random",
    "TfIdfVectorizer": "counts",
    "ThresholdedRelu": "the references make 0 of NaN, PyTorch keeps it; so do we (tests/kernels/test_elementwise_kernels.c)",
    "TopK": "an order",
    "Unique": "an order",
}

# Inputs whose NaN meets the padding: 0 times NaN is NaN to the references and nothing to who does not read padding.
WEIGHTS = {("CausalConvWithState", 1), ("Conv", 1)}

Tail = collections.namedtuple("Tail", "name nodes function")


def scalar(name, value):
    return numpy_helper.from_array(np.float32(value), name)


def tails():
    relu = [helper.make_node("Relu", ["tail_t"], ["tail_y"])]
    clip = [helper.make_node("Clip", ["tail_t", "tail_low", "tail_high"], ["tail_y"])]
    swish = [helper.make_node("Sigmoid", ["tail_t"], ["tail_s"]), helper.make_node("Mul", ["tail_t", "tail_s"], ["tail_y"])]
    hard = [
        helper.make_node("Add", ["tail_t", "tail_three"], ["tail_a"]),
        helper.make_node("Clip", ["tail_a", "tail_zero", "tail_six"], ["tail_c"]),
        helper.make_node("Mul", ["tail_t", "tail_c"], ["tail_m"]),
        helper.make_node("Div", ["tail_m", "tail_six"], ["tail_y"]),
    ]
    chain = [
        helper.make_node("Mul", ["tail_t", "tail_three"], ["tail_a"]),
        helper.make_node("Max", ["tail_a", "tail_low"], ["tail_b"]),
        helper.make_node("Min", ["tail_b", "tail_high"], ["tail_c"]),
        helper.make_node("Abs", ["tail_c"], ["tail_y"]),
    ]
    yield Tail("alone", [], lambda t: t)
    yield Tail("relu", relu, lambda t: np.maximum(t, 0))
    yield Tail("clip", clip, lambda t: np.clip(t, -0.5, 0.75))
    yield Tail("swish", swish, lambda t: t * (1 / (1 + np.exp(-t))))
    yield Tail("hardswish", hard, lambda t: t * np.clip(t + 3, 0, 6) / 6)
    yield Tail("chain", chain, lambda t: np.abs(np.minimum(np.maximum(t * 3, -0.5), 0.75)))


CONSTANTS = {"tail_low": -0.5, "tail_high": 0.75, "tail_zero": 0, "tail_three": 3, "tail_six": 6}


def spoiled(x, kind, random):
    """A copy with a few of its elements replaced."""
    y = x.copy()
    places = random.choice(x.size, max(1, x.size // 9), replace=False)
    values = {"nan": [np.nan], "inf": [np.inf], "low": [-np.inf], "mixed": [np.nan, np.inf, -np.inf]}[kind]
    for n, i in enumerate(places):
        y.flat[i] = values[n % len(values)]
    return y


def make_model(case, tail, constants, result):
    """The case's node with a tail; the inputs named in `constants` are initializers."""
    names = [n for n in case.node.input if n]
    node = onnx.NodeProto()
    node.CopyFrom(case.node)
    if tail.nodes:
        node.output[0] = "tail_t"
        used = {n for t in tail.nodes for n in t.input}
        initializers = [scalar(n, v) for n, v in CONSTANTS.items() if n in used]
    else:
        initializers = []
    inputs = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
        for n, x in zip(names, case.inputs)
        if n not in constants
    ]
    initializers += [numpy_helper.from_array(x, n) for n, x in zip(names, case.inputs) if n in constants]
    output = "tail_y" if tail.nodes else node.output[0]
    info = helper.make_tensor_value_info(output, helper.np_dtype_to_tensor_dtype(result.dtype), result.shape)
    graph = helper.make_graph([node, *tail.nodes], "specials", inputs, [info], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", case.opset)], ir_version=10, producer_name="onnxrun")


def spoiled_cases(op, cases):
    """Cases of one operator with one of their float inputs spoiled."""
    random = np.random.default_rng(SEED)
    for name, case in cases[:CASES_PER_OPERATOR]:
        for i, x in enumerate(case.inputs):
            if (op, i) in WEIGHTS or x.dtype != np.float32 or x.size == 0 or x.ndim == 0 or i > 3:
                continue
            for kind in ("nan", "mixed", "low"):
                inputs = list(case.inputs)
                inputs[i] = spoiled(x, kind, random)
                yield f"{name}_{kind}{i}", case._replace(inputs=inputs)


def specials(cases, answer):
    """Yields (name, model, inputs, outputs). answer(case): its results, or None when nobody says or two differ."""
    known = list(tails())
    for op in sorted(cases):
        if op in UNDEFINED:
            continue
        turn = 0
        for name, case in spoiled_cases(op, cases[op]):
            if case.opset < 13 or not case.node.output[0]:
                continue
            results = answer(case)
            if results is None or not isinstance(results[0], np.ndarray):
                continue
            fits = results[0].dtype == np.float32
            tail = known[turn % len(known)] if fits else known[0]
            names = [n for n in case.node.input if n]
            constants = set(names[1:]) if turn // 2 % 2 else set()
            turn += 1
            result = np.asarray(tail.function(results[0]), results[0].dtype)
            feeds = [x for n, x in zip(names, case.inputs) if n not in constants]
            yield f"special_{name}_{tail.name}", make_model(case, tail, constants, result), feeds, result
