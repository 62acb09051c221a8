"""Writes what ONNX Runtime computes for every value of a model, for `onnxrun compare`.

    python -m onnxrun.reference model.onnx -o reference.npz [-i NAME=x.npy ...] [--dim NAME=SIZE ...] [--seed N]
    onnxrun compare model.onnx --reference reference.npz

The .npz holds the inputs, too. Inputs without a file are random. Values inside of the bodies of If, Loop and Scan are not in it. Needs onnx
and onnxruntime: pip install 'onnxrun[reference]'. As onnxrun.reference.write(path, inputs, target) it takes arrays.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

try:
    from ._onnxrun import ArgumentError
except ImportError:  # run as a file, without the package
    ArgumentError = ValueError

NEEDS = "onnxrun.reference needs packages that are not installed ({}): pip install 'onnxrun[reference]'"

try:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper
except ImportError as error:
    if __name__ == "__main__":
        sys.exit(f"onnxrun: {NEEDS.format(error)}")
    raise ImportError(NEEDS.format(error)) from error


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


def write(path: str | os.PathLike[str], inputs: Mapping[str, Any], target: str | os.PathLike[str]) -> int:
    """Writes the values of the model at path for {name: array} to the .npz target; returns how many there are."""
    path, target = os.fspath(path), os.fspath(target)
    if not isinstance(inputs, Mapping):
        raise ArgumentError(f"inputs: expected {{name: array}}, found {type(inputs).__name__}")
    values = values_of(path, dict(inputs))
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
        if not kind.elem_type:
            raise ArgumentError(f"the input '{value.name}' is no tensor, and no .npy holds what it is")
        shape = [d.dim_value if d.HasField("dim_value") else dims.get(d.dim_param, 1) for d in kind.shape.dim]
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
        real = kind.elem_type in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)
        inputs[value.name] = draw.standard_normal(shape).astype(dtype) if real else draw.integers(0, 2, shape).astype(dtype)
    return inputs


def _pairs(option, words, known):
    """{name: value} of NAME=VALUE, of names that there are."""
    pairs = {}
    for word in words:
        name, equals, value = word.rpartition("=")
        if not equals or not name:
            raise ArgumentError(f"{option}: expected NAME=VALUE, got {word!r}")
        if name not in known:
            raise ArgumentError(f"{option}: the model has no {name!r}; it has {', '.join(map(repr, known)) or 'none'}")
        pairs[name] = value
    return pairs


def _array(option, file):
    try:
        return np.load(file)
    except (OSError, ValueError, EOFError) as reason:
        raise ArgumentError(f"{option} {file}: no .npy can be read: {reason}") from reason


def _size(option, text):
    if not text.isdecimal() or not int(text):
        raise ArgumentError(f"{option}: expected a whole number of 1 or more, got {text!r}")
    return int(text)


def _model(path):
    try:
        return onnx.load(path, load_external_data=False)
    except OSError as reason:
        raise ArgumentError(f"{path}: cannot be opened: {reason.strerror}") from reason
    except Exception as reason:  # of protobuf, whose class depends on its version
        raise ArgumentError(f"{path}: no ONNX model: {reason}") from reason


def _keep(target, read):
    """Nothing that is read, and nothing but an .npz, is written over."""
    if not os.path.isfile(target):
        return
    if any(os.path.exists(path) and os.path.samefile(path, target) for path in read):
        raise ArgumentError(f"-o {target}: it is read, and would be lost")
    with open(target, "rb") as file:
        if file.read(2) not in (b"", b"PK"):
            raise ArgumentError(f"-o {target}: it is a file of another kind, which would be lost")


def _run(options):
    _keep(options.output, [options.model, *(word.rpartition("=")[2] for word in options.input)])
    model = _model(options.model)
    inputs = [value.name for value in model.graph.input]
    names = list(dict.fromkeys(d.dim_param for value in model.graph.input for d in value.type.tensor_type.shape.dim if d.dim_param))
    given = {name: _array("-i", file) for name, file in _pairs("-i", options.input, inputs).items()}
    dims = {name: _size("--dim", size) for name, size in _pairs("--dim", options.dim, names).items()}
    count = write(options.model, random_inputs(model, given, dims, options.seed), options.output)
    print(f"{count} values -> {options.output}")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m onnxrun.reference", description=__doc__.split("\n", 1)[0])
    parser.add_argument("model")
    parser.add_argument("-o", "--output", required=True, help="the .npz to write")
    parser.add_argument("-i", "--input", action="append", default=[], metavar="NAME=FILE", help="a .npy for an input; else it is random")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=SIZE", help="size of a dynamic dimension (1)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        _run(options)
    except ArgumentError as error:
        return _complain(error, 2)
    except OSError as error:
        return _complain(error, 5)
    except Exception as error:  # ONNX Runtime's, which has a class for each status
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        return _complain(f"ONNX Runtime: {error}", 5)
    return 0


def _complain(what, code):
    print(f"onnxrun: {what}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
