"""Writes what ONNX Runtime computes for every value of a model, for `onnxrun compare`.

    python -m onnxrun.reference model.onnx -o reference.npz [-i NAME=x.npy ...] [--dim NAME=SIZE ...] [--seed N]
    onnxrun compare model.onnx --reference reference.npz

The .npz holds the inputs, too. Inputs without a file are random. Values inside of the bodies of If, Loop and Scan are not in it. Needs onnx
and onnxruntime. As onnxrun.reference.write(path, inputs, target) it takes arrays.
"""

import argparse
import os
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper


def with_all_values(model):
    """The model with every value that a node of its graph writes as an output."""
    wider = onnx.ModelProto()
    wider.CopyFrom(model)
    known = {value.name for value in wider.graph.output}
    for node in wider.graph.node:
        for name in node.output:
            if name and name not in known:
                known.add(name)
                wider.graph.output.append(onnx.ValueInfoProto(name=name))
    return wider


def _session(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def values_of(path, inputs):
    """{name: array} of the inputs and of everything that ONNX Runtime computes from them, without its rewrites."""
    model = with_all_values(onnx.load(path, load_external_data=False))
    folder = os.path.dirname(os.path.abspath(path))  # where external data is looked for
    with tempfile.NamedTemporaryFile(dir=folder if os.access(folder, os.W_OK) else None, suffix=".onnx") as file:
        file.write(model.SerializeToString())
        file.flush()
        session = _session(file.name)
        results = session.run(None, inputs)
    found = {output.name: value for output, value in zip(session.get_outputs(), results)}
    return {name: value for name, value in {**inputs, **found}.items() if isinstance(value, np.ndarray) and value.dtype.kind in "fiubc"}


def write(path, inputs, target):
    """Writes the values of the model at path for {name: array} to the .npz target; returns how many there are."""
    values = values_of(os.fspath(path), inputs)
    with open(target, "wb") as file:
        np.savez(file, **values)
    return len(values)


def random_inputs(model, given, dims, seed):
    """Arrays for the inputs that are not given. An open dimension that nobody gives is 1."""
    draw = np.random.default_rng(seed)
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = dict(given)
    for value in model.graph.input:
        if value.name in inputs or value.name in constants:
            continue
        kind = value.type.tensor_type
        shape = [d.dim_value if d.HasField("dim_value") else dims.get(d.dim_param, 1) for d in kind.shape.dim]
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
        real = kind.elem_type in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)
        inputs[value.name] = draw.standard_normal(shape).astype(dtype) if real else draw.integers(0, 2, shape).astype(dtype)
    return inputs


def _pairs(words):
    return dict(word.rpartition("=")[::2] for word in words)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m onnxrun.reference", description=__doc__.split("\n", 1)[0])
    parser.add_argument("model")
    parser.add_argument("-o", "--output", required=True, help="the .npz to write")
    parser.add_argument("-i", "--input", action="append", default=[], metavar="NAME=FILE", help="a .npy for an input; else it is random")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=SIZE", help="size of a dynamic dimension (1)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    model = onnx.load(options.model, load_external_data=False)
    given = {name: np.load(file) for name, file in _pairs(options.input).items()}
    dims = {name: int(size) for name, size in _pairs(options.dim).items()}
    count = write(options.model, random_inputs(model, given, dims, options.seed), options.output)
    print(f"{count} values -> {options.output}")


if __name__ == "__main__":
    sys.exit(main())
