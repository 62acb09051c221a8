"""One small model for each operator of the domain "onnxrun", with PyTorch's outputs.

    python tests/models/make_onnxrun_domain.py [NAME ...]

writes tests/fixtures/onnxrun_NAME: all of them, or those that are named. docs/onnxrun_domain.md describes the operators.
"""

import os
import sys
import zlib

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn
import torch.nn.functional as F

import fixture_io

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, list(inputs), list(outputs), domain="onnxrun", **attributes)


def floats(random, *shape, scale=1.0):
    return (random.standard_normal(shape) * scale).astype(np.float32)


# Each case gives nodes, data sets of inputs, constants, and a function of the inputs that computes the outputs with PyTorch.

@case
def adaptive_avg_pool(r):
    return ([node("AdaptiveAvgPool", ["x"], ["y0"], output_size=[3, 5]), node("AdaptiveAvgPool", ["x"], ["y1"], output_size=[0, 4]),
             node("AdaptiveAvgPool", ["x"], ["y2"], output_size=[1, 1]), node("AdaptiveAvgPool", ["x"], ["y3"], output_size=[4, 4])],
            [{"x": floats(r, 2, 6, 8, 12)}, {"x": floats(r, 1, 6, 9, 7)}], {},
            lambda x: [F.adaptive_avg_pool2d(x, size) for size in ((3, 5), (None, 4), 1, 4)])


@case
def adaptive_max_pool(r):
    def run(x, z):
        return [*F.adaptive_max_pool2d(x, (3, 5), True), F.adaptive_max_pool2d(x, 2), *F.adaptive_max_pool1d(z, 3, True)]
    return ([node("AdaptiveMaxPool", ["x"], ["y0", "i0"], output_size=[3, 5]), node("AdaptiveMaxPool", ["x"], ["y1"], output_size=[2, 2]),
             node("AdaptiveMaxPool", ["z"], ["y2", "i2"], output_size=[3])],
            [{"x": floats(r, 2, 6, 8, 12), "z": floats(r, 2, 3, 11)}, {"x": floats(r, 1, 6, 9, 7), "z": floats(r, 2, 3, 5)}], {}, run)


@case
def average_pool(r):
    def run(x):
        return [F.avg_pool2d(x, 3, 2, 1, divisor_override=5), F.avg_pool2d(x, 3, 2, 1, True, False), F.avg_pool2d(x, 2, divisor_override=-3)]
    return ([node("AveragePool", ["x"], ["y0"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1,
                  divisor_override=5),
             node("AveragePool", ["x"], ["y1"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1),
             node("AveragePool", ["x"], ["y2"], kernel_shape=[2, 2], strides=[2, 2], divisor_override=-3)],
            [{"x": floats(r, 2, 5, 8, 7)}, {"x": floats(r, 1, 5, 4, 6)}], {}, run)


@case
def max_pool(r):
    def run(x):
        y, i = F.max_pool2d_with_indices(x, 3, 2, 1)
        even, j = F.max_pool2d_with_indices(x, 2)
        return [y, i, F.max_unpool2d(y, i, 3, 2, 1, (8, 6)), even, j, F.max_unpool2d(even, j, 2)]
    return ([node("MaxPool", ["x"], ["y0", "i0"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
             node("MaxUnpool", ["y0", "i0"], ["u0"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], output_size=[8, 6]),
             node("MaxPool", ["x"], ["y1", "i1"], kernel_shape=[2, 2], strides=[2, 2]),
             node("MaxUnpool", ["y1", "i1"], ["u1"], kernel_shape=[2, 2], strides=[2, 2])],
            [{"x": floats(r, 2, 3, 8, 6)}, {"x": floats(r, 1, 3, 8, 6)}], {}, run)


@case
def fractional_max_pool(r):
    ratio = helper.make_tensor("ratio", onnx.TensorProto.DOUBLE, [2], [0.7, 0.4])

    def run(x, z, s, t):
        y0, i0 = nn.FractionalMaxPool2d(2, output_size=(4, 5), return_indices=True, _random_samples=s)(x)
        y1 = nn.FractionalMaxPool2d((2, 3), output_ratio=(0.7, 0.4), _random_samples=s)(x)
        y2, i2 = nn.FractionalMaxPool3d(2, output_size=(2, 3, 4), return_indices=True, _random_samples=t)(z)
        torch.manual_seed(11)
        return [y0, i0, y1, y2, i2, nn.FractionalMaxPool2d(3, output_size=3)(x)]
    return ([node("FractionalMaxPool", ["x", "s"], ["y0", "i0"], kernel_shape=[2, 2], output_size=[4, 5]),
             node("FractionalMaxPool", ["x", "s"], ["y1"], kernel_shape=[2, 3], output_ratio=ratio),
             node("FractionalMaxPool", ["z", "t"], ["y2", "i2"], kernel_shape=[2, 2, 2], output_size=[2, 3, 4]),
             node("FractionalMaxPool", ["x"], ["y3"], kernel_shape=[3, 3], output_size=[3, 3], seed=11)],
            [{"x": floats(r, 2, 4, 10, 9), "z": floats(r, 2, 3, 5, 7, 8), "s": r.random((2, 4, 2), np.float32),
              "t": r.random((2, 3, 3), np.float32)}], {}, run)


def as_onnx(module, suffix):
    """W, R and both biases in ONNX's order of gates, and the projection, of one direction. PyTorch's order is i f g o."""
    def rows(name):
        i, f, g, o = getattr(module, name + "_l0" + suffix).detach().numpy().reshape(4, module.hidden_size, -1)
        return np.concatenate([i, o, f, g])
    return (rows("weight_ih"), rows("weight_hh"), np.concatenate([rows("bias_ih"), rows("bias_hh")]).ravel(),
            getattr(module, "weight_hr_l0" + suffix).detach().numpy())


@case
def lstm(r):
    """Of different lengths, from given states, in both directions; then plain."""
    torch.manual_seed(5)
    both, one = nn.LSTM(4, 6, proj_size=3, bidirectional=True), nn.LSTM(4, 6, proj_size=2)
    w, rec, b, p = (np.stack(parts) for parts in zip(as_onnx(both, ""), as_onnx(both, "_reverse")))
    w1, rec1, b1, p1 = (part[np.newaxis] for part in as_onnx(one, ""))

    def run(x, h, c):
        packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 2, 3]), enforce_sorted=False)
        y, (y_h, y_c) = both(packed, (h, c))
        y = nn.utils.rnn.pad_packed_sequence(y)[0].reshape(5, 3, 2, 3).transpose(1, 2)
        z, (z_h, z_c) = one(x)
        return [y.contiguous(), y_h, y_c, z.unsqueeze(1), z_h, z_c]
    return ([node("LSTM", ["x", "w", "r", "b", "lengths", "h", "c", "", "p"], ["y0", "h0", "c0"], hidden_size=6, direction="bidirectional"),
             node("LSTM", ["x", "w1", "r1", "b1", "", "", "", "", "p1"], ["y1", "h1", "c1"], hidden_size=6)],
            [{"x": floats(r, 5, 3, 4), "h": floats(r, 2, 3, 3), "c": floats(r, 2, 3, 6)}],
            {"w": w, "r": rec, "b": b, "p": p, "w1": w1, "r1": rec1, "b1": b1, "p1": p1, "lengths": np.array([5, 2, 3], np.int32)}, run)


@case
def unfold(r):
    return ([node("Unfold", ["x"], ["y0"], kernel_shape=[2, 2]),
             node("Unfold", ["x"], ["y1"], kernel_shape=[3, 2], strides=[2, 1], dilations=[1, 2], pads=[2, 1, 2, 1])],
            [{"x": floats(r, 2, 3, 5, 6)}, {"x": floats(r, 1, 3, 4, 7)}], {},
            lambda x: [F.unfold(x, 2), F.unfold(x, (3, 2), (1, 2), (2, 1), (2, 1))])


def declare(name, arrays):
    shapes = [array.shape for array in arrays]
    dims = [sizes[0] if len(set(sizes)) == 1 else f"{name}_{axis}" for axis, sizes in enumerate(zip(*shapes))]
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(arrays[0].dtype), dims)


def write(name):
    random = np.random.default_rng(zlib.crc32(name.encode()))
    nodes, data_sets, constants, run = CASES[name](random)
    names = [output for n in nodes for output in n.output if output]
    inputs = [declare(key, [data[key] for data in data_sets]) for key in data_sets[0]]
    outputs = [onnx.ValueInfoProto(name=output) for output in names]
    graph = helper.make_graph(nodes, name, inputs, outputs, [numpy_helper.from_array(value, key) for key, value in constants.items()])
    model = helper.make_model(graph, producer_name="onnxrun tests", ir_version=8,
                              opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("onnxrun", 1)])
    with fixture_io.new_folder(os.path.join(fixture_io.ROOT, "tests", "fixtures", "onnxrun_" + name)) as part:
        with open(os.path.join(part, "model.onnx"), "wb") as file:
            file.write(model.SerializeToString(deterministic=True))
        for index, data in enumerate(data_sets):
            with torch.no_grad():
                results = run(*(torch.from_numpy(value) for value in data.values()))
            assert len(results) == len(names)
            fixture_io.save_data_set(part, index, data, {key: y.numpy() for key, y in zip(names, results)})


def main():
    for name in sys.argv[1:] or CASES:
        write(name)


if __name__ == "__main__":
    main()
