#!/usr/bin/env python3
"""Writes random graphs with what they compute, in the layout of ONNX backend tests.

    make_graphs.py DIR [FIRST [COUNT]]     DIR/SEED/{model.onnx, test_data_set_0, ...} for the seeds from FIRST on

1 to 15 steps of builder.py over one or two inputs, under opsets 11 to 23. Dimensions are declared as numbers, by names, as
unknown, or not at all; where sizes are open, the other data sets have others. Results come from ONNX Runtime without
optimisation. What it refuses, or what leaves the range in which float32 can be compared, is left out. Needs onnx, numpy and onnxruntime.
"""

import os
import shutil
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import builder
import kinds

FIRST, COUNT = 1, 700
LARGEST = 1e4
TOGETHER = 20  # seeds of one process
OTHER_SETS = 4  # of other sizes that are tried where sizes decide
IR_VERSIONS = {11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11}
TYPES = {np.float32: TensorProto.FLOAT, np.int64: TensorProto.INT64, np.uint8: TensorProto.UINT8}
THEMES = [builder.SIZES, builder.SIZES + builder.MOVES, builder.SIZES + builder.MOVES + builder.MATHS, builder.MOVES, builder.MOVES + builder.MATHS, builder.MOVES + builder.IMAGES, builder.MOVES + builder.IMAGES + builder.MATHS,
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


def other_size(b, size, theme):
    """For another data set. A window that fits an image fits a larger one."""
    sizes = [2 * size, 3 * size, size + 1, size + 2]
    if not has_images(theme):
        sizes += [1, 2, max(1, size - 1)]
    if builder.drop_ones in theme:
        sizes += [1, 3, 4, 5, 6, 8, 12, 40, 41, 90]
    return b.random.choice(sizes)


def declare(b, x):
    """How input x is declared: a number, a name, None, or not even its rank."""
    way = b.random.choice(["fixed", "names", "names", "nameless", "mixed", "mixed", "rank"])
    dims = []
    for d, size in enumerate(x.shape):
        is_open = way != "fixed" and (way != "mixed" or b.chance(0.5))
        is_channels = d == 1 and x.rank >= 3 and b.chance(0.8)
        dims.append(size if not is_open or is_channels else None if way in ("nameless", "rank") else f"size{size}")
    info = helper.make_tensor_value_info(x.name, TYPES[x.dtype], dims)
    if way == "rank":
        info.type.tensor_type.ClearField("shape")
    return info, dims


def other_shapes(b, theme, declared):
    """Shapes of all inputs for one more data set: open dimensions that are equal stay equal."""
    sizes = {}
    return [[d if isinstance(d, int) else sizes.setdefault(size, other_size(b, size, theme)) for d, size in zip(dims, x.shape)]
            for x, (_, dims) in zip(b.inputs, declared)]


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
    declared = [declare(b, x) for x in b.inputs]
    graph = helper.make_graph(b.nodes, f"graph{seed}", [info for info, _ in declared],
                              [helper.make_tensor_value_info(v.name, TYPES[v.dtype], None) for v in outputs], b.initializers)
    model = helper.make_model(graph, ir_version=IR_VERSIONS[b.opset], opset_imports=[helper.make_opsetid("", b.opset)], producer_name="make_graphs")
    shapes = [[list(x.shape) for x in b.inputs]]
    for _ in range(OTHER_SETS if builder.drop_ones in theme else 1):
        other = other_shapes(b, theme, declared)
        if other not in shapes:
            shapes.append(other)
    return model, [{x.name: b.data(x.dtype, shape) for x, shape in zip(b.inputs, each)} for each in shapes]


def run(model, feeds):
    """The outputs for each of `feeds`; None where ONNX Runtime refuses it."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    results = [None] * len(feeds)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception:  # ONNX Runtime has classes of its own for what it refuses, without a common base
        return results
    for i, feed in enumerate(feeds):
        try:
            results[i] = session.run(None, feed)
        except Exception:  # as above
            continue
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
    """How many data sets there are; none without the first."""
    pairs = [(feed, arrays) for feed, arrays in zip(feeds, run(model, feeds)) if arrays is not None and is_comparable(arrays)]
    if not pairs or pairs[0][0] is not feeds[0]:
        return 0
    write(folder, model, *zip(*pairs))
    return len(pairs)


def survives(function, *arguments):
    """Calls the function in a child; 0 when it crashes: ONNX Runtime does on sizes that no window fits."""
    child = os.fork()
    if not child:
        function(*arguments)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def write_seeds(target, first, count):
    for seed in range(first, first + count):
        case = build(seed)
        if case:
            write_case(os.path.join(target, f"{seed:06}"), *case)


def write_first_sets(target, first, count):
    for seed in range(first, first + count):
        case = build(seed)
        if case:
            write_case(os.path.join(target, f"{seed:06}"), case[0], case[1][:1])


def write_all_seeds(target, first, count):
    """Where ONNX Runtime crashes, one by one; where it crashes again, the first data set alone, or nothing."""
    for start in range(first, first + count, TOGETHER):
        several = min(TOGETHER, first + count - start)
        if survives(write_seeds, target, start, several):
            continue
        for seed in range(start, start + several):
            shutil.rmtree(os.path.join(target, f"{seed:06}"), ignore_errors=True)
            if not survives(write_seeds, target, seed, 1):
                survives(write_first_sets, target, seed, 1)


def write_kinds(target):
    for name, model, feeds in kinds.cases():
        if write_case(os.path.join(target, name), model, feeds) != len(feeds):
            raise SystemExit(f"ONNX Runtime does not run {name}")


def main():
    target, first, count = sys.argv[1], int((sys.argv + [FIRST] * 3)[2]), int((sys.argv[3:] + [COUNT])[0])
    if len(sys.argv) == 2:
        write_kinds(target)
    write_all_seeds(target, first, count)
    sets = [len([s for s in os.listdir(os.path.join(target, case)) if s.startswith("test_data_set_")]) for case in os.listdir(target)]
    print(f"{len(sets)} graphs, {sum(s > 1 for s in sets)} of them with data sets of several sizes")


if __name__ == "__main__":
    main()
