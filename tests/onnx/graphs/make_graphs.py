#!/usr/bin/env python3
"""Writes random graphs with what they compute, in the layout of ONNX backend tests.

    make_graphs.py DIR [FIRST [COUNT]]     DIR/SEED/{model.onnx, test_data_set_0, test_data_set_1} for the seeds from FIRST on

1 to 15 steps of builder.py over one or two inputs, under opsets 11 to 23. Dimensions are declared as numbers, by names, as
unknown, or not at all; where sizes are open, the second data set has others. Results come from ONNX Runtime without
optimisation. What it refuses, or what leaves the range in which float32 can be compared, is left out. Needs onnx, numpy and onnxruntime.
"""

import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import builder
import kinds

FIRST, COUNT = 1, 700
LARGEST = 1e4
IR_VERSIONS = {11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11}
TYPES = {np.float32: TensorProto.FLOAT, np.int64: TensorProto.INT64, np.uint8: TensorProto.UINT8}
THEMES = [builder.MOVES, builder.MOVES + builder.MATHS, builder.MOVES + builder.IMAGES, builder.MOVES + builder.IMAGES + builder.MATHS,
          builder.IMAGES, builder.MATHS, builder.MOVES + builder.MATHS]


def has_images(theme):
    return builder.conv in theme


def input_shape(b, theme):
    if has_images(theme):
        return [b.random.choice([1, 2, 3]), b.random.choice([2, 3, 4, 8])] + [b.random.choice([4, 5, 6, 8]) for _ in range(b.random.choice([1, 2, 2, 2, 3]))]
    return [b.random.choice([1, 1, 2, 3, 4, 6, 8]) for _ in range(b.random.choice([1, 2, 2, 3, 3, 4]))]


def grow(b, theme, steps):
    for _ in range(20 * steps):
        marks = len(b.nodes), len(b.initializers), len(b.values)
        try:
            b.random.choice(theme)(b)
        except builder.Unfit:
            del b.nodes[marks[0]:], b.initializers[marks[1]:], b.values[marks[2]:]
            continue
        steps -= 1
        if steps == 0:
            return


def other_size(b, size, images):
    """For the second data set. A window that fits an image fits a larger one."""
    return b.random.choice([2 * size, 3 * size, size + 1, size + 2] + ([] if images else [1, 2, max(1, size - 1)]))


def declare(b, x, images, other_sizes):
    """How input x is declared, and its shape in the second data set."""
    way = b.random.choice(["fixed", "names", "names", "nameless", "mixed", "mixed", "rank"])
    dims, second = [], []
    for d, size in enumerate(x.shape):
        is_open = way != "fixed" and (way != "mixed" or b.chance(0.5))
        if is_open and d == 1 and x.rank >= 3 and b.chance(0.8):
            is_open = way == "rank"  # channels
        other = size
        if is_open and not (way == "rank" and d == 1):
            other = other_sizes.setdefault(size, other_size(b, size, images))
        second.append(other)
        dims.append(size if not is_open else None if way == "nameless" else f"size{size}")
    info = helper.make_tensor_value_info(x.name, TYPES[x.dtype], dims)
    if way == "rank":
        info.type.tensor_type.ClearField("shape")
    return info, second


def build(seed):
    b = builder.Builder(seed)
    theme = b.random.choice(THEMES)
    dtype = b.random.choice([np.int64, np.uint8]) if theme is builder.MOVES and b.chance(0.6) else np.float32
    shape = input_shape(b, theme)
    b.add_input(dtype, shape)
    if b.chance(0.4):
        b.add_input(dtype, [d if b.chance(0.8) else 1 for d in shape])
    grow(b, theme, b.random.randint(1, 15))
    read = {name for node in b.nodes for name in node.input}
    outputs = [v for v in b.values if v not in b.inputs and (v.name not in read or b.chance(0.1))]
    if not outputs:
        return None
    other_sizes = {}
    declared = [declare(b, x, has_images(theme), other_sizes) for x in b.inputs]
    graph = helper.make_graph(b.nodes, f"graph{seed}", [info for info, _ in declared],
                              [helper.make_tensor_value_info(v.name, TYPES[v.dtype], None) for v in outputs], b.initializers)
    model = helper.make_model(graph, ir_version=IR_VERSIONS[b.opset], opset_imports=[helper.make_opsetid("", b.opset)], producer_name="make_graphs")
    sets = [[b.data(x.dtype, x.shape) for x in b.inputs]]
    if any(tuple(second) != x.shape for x, (_, second) in zip(b.inputs, declared)):
        sets.append([b.data(x.dtype, second) for x, (_, second) in zip(b.inputs, declared)])
    return model, [{x.name: data for x, data in zip(b.inputs, arrays)} for arrays in sets]


def run(model, feeds):
    """The outputs for each of `feeds`, as far as there are any; without those of the first there is no case."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    results = []
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        for feed in feeds:
            results.append(session.run(None, feed))
    except Exception:  # ONNX Runtime has classes of its own for what it refuses, without a common base
        pass
    return results


def is_comparable(arrays):
    return all(a.size and (a.dtype.kind != "f" or (np.isfinite(a).all() and np.abs(a).max() < LARGEST)) for a in arrays)


def write(folder, model, feeds, results):
    os.makedirs(folder)
    onnx.save(model, os.path.join(folder, "model.onnx"))
    for s, (feed, arrays) in enumerate(zip(feeds, results)):
        data = os.path.join(folder, f"test_data_set_{s}")
        os.makedirs(data)
        named = [("input", list(feed.items())), ("output", list(zip([o.name for o in model.graph.output], arrays)))]
        for kind, pairs in named:
            for i, (name, array) in enumerate(pairs):
                with open(os.path.join(data, f"{kind}_{i}.pb"), "wb") as file:
                    file.write(numpy_helper.from_array(np.asarray(array), name).SerializeToString())


def write_case(folder, model, feeds):
    results = run(model, feeds)
    while results and not is_comparable(results[-1]):
        results.pop()
    if results:
        write(folder, model, feeds, results)
    return len(results)


def in_child(function, *arguments):
    """What the function returns (up to 100), 0 when it crashes: ONNX Runtime does on sizes that no window fits."""
    child = os.fork()
    if not child:
        os._exit(function(*arguments))
    _, status = os.waitpid(child, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0


def write_seed(folder, seed):
    """How many data sets there are."""
    case = build(seed)
    if not case:
        return 0
    model, feeds = case
    return in_child(write_case, folder, model, feeds) or (len(feeds) > 1 and in_child(write_case, folder, model, feeds[:1]))


def main():
    target, first, count = sys.argv[1], int((sys.argv + [FIRST] * 3)[2]), int((sys.argv[3:] + [COUNT])[0])
    written = seconds = 0
    if len(sys.argv) == 2:
        for name, model, feeds in kinds.cases():
            if in_child(write_case, os.path.join(target, name), model, feeds) != len(feeds):
                sys.exit(f"ONNX Runtime does not run {name}")
            written += 1
    for seed in range(first, first + count):
        sets = write_seed(os.path.join(target, f"{seed:06}"), seed)
        written += sets > 0
        seconds += sets > 1
    print(f"{written} graphs, {seconds} of them with a second data set")


if __name__ == "__main__":
    main()
