#!/usr/bin/env python3
"""Writes random graphs with what they compute, in the layout of ONNX backend tests.

    make_graphs.py DIR [FIRST [COUNT]]     DIR/SEED/{model.onnx, test_data_set_0, ...} for the seeds from FIRST on

1 to 15 steps of builder.py and operators.py over one or two inputs, under opsets 11 to 24. Dimensions are declared as numbers,
by names, as unknown, or not at all; where sizes are open, the other data sets have others. Beside SEED there are SEED_fixedN,
with the sizes of data set N as numbers, and SEED_open, with no number declared. Results are those of judge.py; what it
refuses is left out. Needs onnx, numpy and onnxruntime.
"""

import collections
import glob
import os
import shutil
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import builder
import judge
import kinds
import operators

FIRST, COUNT = 1, 1750  # of these 1,500 become graphs
TOGETHER = 20  # seeds of one process
OTHER_SETS = 4  # of other sizes that are tried where sizes decide
THEMES = [builder.SIZES, builder.SIZES + builder.MOVES, builder.SIZES + builder.MOVES + builder.MATHS, builder.MOVES, builder.MOVES + builder.MATHS,
          builder.MOVES + builder.IMAGES, builder.MOVES + builder.IMAGES + builder.MATHS, builder.IMAGES, builder.MATHS,
          operators.LOGIC, operators.SELECTIONS + operators.LOGIC, operators.SELECTIONS + builder.MOVES, operators.LENGTHS + builder.SIZES,
          operators.LENGTHS + builder.MOVES + operators.SELECTIONS, operators.NORMS, operators.NORMS + builder.MOVES + builder.MATHS,
          operators.PICTURES, operators.PICTURES + builder.IMAGES + builder.MOVES, operators.QUANTISED, operators.QUANTISED + builder.MOVES,
          operators.BODIES + builder.MOVES, operators.BODIES + operators.LOGIC + builder.MATHS]
MIXED = [step for theme in (builder.SIZES, builder.MOVES, builder.MATHS, operators.LOGIC, operators.SELECTIONS, operators.LENGTHS, operators.NORMS, operators.QUANTISED,
                            operators.BODIES) for step in theme]
THEMES += [MIXED, MIXED + builder.IMAGES + operators.PICTURES]
WHOLE_THEMES = [builder.MOVES, operators.LOGIC, operators.SELECTIONS + builder.MOVES, operators.LENGTHS + builder.MOVES + operators.SELECTIONS, operators.QUANTISED]


def has_images(theme):
    return builder.conv in theme or operators.more_conv in theme


def input_shape(b, theme):
    if has_images(theme):
        return [b.random.choice([1, 2, 3]), b.random.choice([2, 3, 4, 8])] + [b.random.choice([4, 5, 6, 8]) for _ in range(b.random.choice([1, 2, 2, 2, 3]))]
    return [b.random.choice([1, 1, 2, 3, 4, 6, 8]) for _ in range(b.random.choice([1, 2, 2, 3, 3, 4]))]


def grow(b, theme, steps):
    for _ in range(8 * steps):
        steps -= b.step(b.random.choice(theme))
        if steps == 0:
            return


def other_size(b, size, theme):
    """For another data set. A window that fits an image fits a larger one."""
    sizes = [2 * size, 3 * size, size + 1, size + 2]
    if not has_images(theme):
        sizes += [1, 2, max(1, size - 1)]
    if builder.drop_ones in theme:
        sizes += [1, 3, 4, 5, 6, 8, 12, 40, 41, 90]
    return b.random.choice([s for s in sizes if s >= size] if has_images(theme) else sizes)


def declare(b, x):
    """How input x is declared: a number, a name, None, or not even its rank."""
    way = b.random.choice(["fixed", "names", "names", "nameless", "mixed", "mixed", "rank"])
    dims = []
    for d, size in enumerate(x.shape):
        is_open = way != "fixed" and (way != "mixed" or b.chance(0.5))
        is_channels = d == 1 and x.rank >= 3 and b.chance(0.8)
        dims.append(size if not is_open or is_channels else None if way in ("nameless", "rank") else f"size{size}")
    info = helper.make_tensor_value_info(x.name, builder.type_of(x.dtype), dims)
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
    dtype = b.random.choice([np.int64, np.uint8, np.int32, np.int8, np.bool_]) if theme in WHOLE_THEMES and b.chance(0.4) else np.float32
    shape = input_shape(b, theme)
    b.add_input(dtype, shape)
    if b.chance(0.4):
        b.add_input(dtype, [d if b.chance(0.8) else 1 for d in shape])
    grow(b, theme, b.random.randint(1, 15))
    read = builder.reads(b.nodes)
    outputs = [v for v in b.values if v not in b.inputs and (v.name not in read or b.chance(0.1))]
    if not outputs:
        return None
    declared = [declare(b, x) for x in b.inputs]
    results = [helper.make_tensor_value_info(v.name, builder.type_of(v.dtype), None) for v in outputs]
    model = b.model(f"graph{seed}", [info for info, _ in declared], results, b.nodes)
    shapes = [[list(x.shape) for x in b.inputs]]
    for _ in range(0 if b.is_pinned else OTHER_SETS if builder.drop_ones in theme else 1):
        other = other_shapes(b, theme, declared)
        if other not in shapes and all(np.prod(shape) <= judge.MOST for shape in other):
            shapes.append(other)
    feeds = [{x.name: b.data(x.dtype, shape) for x, shape in zip(b.inputs, each)} for each in shapes[1:]]
    return model, [{x.name: x.array for x in b.inputs}] + feeds


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


def redeclared(model, shapes):
    """The model with its inputs declared as `shapes`."""
    other = onnx.ModelProto()
    other.CopyFrom(model)
    for info in other.graph.input:
        info.CopyFrom(helper.make_tensor_value_info(info.name, info.type.tensor_type.elem_type, shapes[info.name]))
    return other


def write_case(folder, model, feeds, is_random=True):
    """How many data sets there are; none without the first."""
    pairs = [(feed, arrays) for feed, arrays in zip(feeds, judge.judge(model, feeds)) if arrays is not None]
    if not pairs or pairs[0][0] is not feeds[0]:
        return 0
    write(folder, model, *zip(*pairs))
    if is_random:
        for s, (feed, arrays) in enumerate(pairs):
            write(f"{folder}_fixed{s}", redeclared(model, {name: a.shape for name, a in feed.items()}), [feed], [arrays])
        write(f"{folder}_open", redeclared(model, {name: [None] * a.ndim for name, a in feeds[0].items()}), *zip(*pairs))
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
            for folder in glob.glob(os.path.join(target, f"{seed:06}*")):
                shutil.rmtree(folder)
            if not survives(write_seeds, target, seed, 1):
                survives(write_first_sets, target, seed, 1)


def write_kinds(target):
    for name, model, feeds in kinds.cases():
        if write_case(os.path.join(target, name), model, feeds, False) != len(feeds):
            raise SystemExit(f"the judges do not run {name}")


def operators_of(graph):
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            yield from operators_of(attribute.g)


def report(target):
    """The number of graphs and sets, and a table of operators: in how many graphs each is."""
    graphs = [case for case in sorted(os.listdir(target)) if "_fixed" not in case and not case.endswith("_open")]
    sets = [len(glob.glob(os.path.join(target, case, "test_data_set_*"))) for case in graphs]
    counts = collections.Counter(op for case in graphs for op in set(operators_of(onnx.load(os.path.join(target, case, "model.onnx")).graph)))
    print(f"{len(sets)} graphs, {sum(s > 1 for s in sets)} of them with data sets of several sizes; {len(counts)} operators:")
    print(", ".join(f"{op} {count}" for op, count in sorted(counts.items())))


def main():
    target, first, count = sys.argv[1], int((sys.argv + [FIRST] * 3)[2]), int((sys.argv[3:] + [COUNT])[0])
    os.makedirs(target)
    if len(sys.argv) == 2:
        write_kinds(target)
    write_all_seeds(target, first, count)
    report(target)


if __name__ == "__main__":
    main()
