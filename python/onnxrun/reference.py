"""Writes what ONNX Runtime computes for every value of a model, for `onnxrun compare`.

    python -m onnxrun.reference model.onnx -o reference.npz [-i NAME=x.npy ...] [--dim NAME=SIZE ...] [--seed N]
    onnxrun compare model.onnx --reference reference.npz

Inputs are given as to `onnxrun run` (a picture with --mean and so on), which reads them. The .npz holds them, too; of sound in frames
it has the values of each run. Those without a file are random. Values inside of the bodies of If, Loop and Scan are not in it. Needs onnx
and onnxruntime: pip install 'onnxrun[reference]'. As onnxrun.reference.write(path, inputs, target) it takes arrays.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

try:
    from ._arguments import listed
    from ._onnxrun import ArgumentError
except ImportError:  # run as a file, without the package
    ArgumentError = ValueError

    def listed(names):
        return ", ".join(map(repr, names)) or "none"

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


def _named(name, run):
    """As onnxrun compare names what a value is in each run: "x", "x#2" ..."""
    return name if run == 0 else f"{name}#{run + 1}"


def _array(value):
    """What an .npz holds of a value; None: it is no array (a sequence, map or optional), or of a type that NumPy lacks."""
    if not isinstance(value, np.ndarray):
        return None
    if value.dtype.kind == "O":  # strings
        return value.astype(str) if all(isinstance(text, str) for text in value.flat) else None
    return value if value.dtype.kind in "fiubcU" else None


def values_of(path, runs):
    """{name: value} of the inputs of each run and of everything that ONNX Runtime computes from them, without its rewrites."""
    model = with_all_values(onnx.load(path, load_external_data=False))
    folder = os.path.dirname(os.path.abspath(path))  # where external data is looked for
    with tempfile.NamedTemporaryFile(dir=folder if os.access(folder, os.W_OK) else None, suffix=".onnx") as file:
        file.write(model.SerializeToString())
        file.flush()
        session = _session(file.name)
        names = [output.name for output in session.get_outputs()]
        values = {}
        for k, inputs in enumerate(runs):
            found = {**inputs, **dict(zip(names, session.run(None, inputs)))}
            values.update({_named(name, k): value for name, value in found.items()})
    return values


def _save(target, arrays):
    """numpy.savez, which takes no array that is called "file"."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, array in arrays.items():
            with archive.open(name + ".npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _write(path, runs, target):
    """How many values there are, and words for those that are not among them."""
    values = values_of(path, runs)
    arrays = {name: _array(value) for name, value in values.items()}
    lost = [name for name, array in arrays.items() if array is None]
    _save(target, {name: array for name, array in arrays.items() if array is not None})
    return len(arrays) - len(lost), f"not written, as no array holds them: {listed(lost)}" if lost else ""


def write(path: str | os.PathLike[str], inputs: Mapping[str, Any], target: str | os.PathLike[str]) -> int:
    """Writes the values of the model at path for {name: array} to the .npz target; returns how many there are."""
    path, target = os.fspath(path), os.fspath(target)
    if not isinstance(inputs, Mapping):
        raise ArgumentError(f"inputs: expected {{name: array}}, found {type(inputs).__name__}")
    count, lost = _write(path, [dict(inputs)], target)
    if lost:
        warnings.warn(f"{target}: {lost}", stacklevel=2)
    return count


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


def _pair(option, word, known):
    """NAME and VALUE of NAME=VALUE, of a name that there is; where there is one alone, VALUE will do."""
    name, equals, value = word.partition("=")
    if equals and name in known:
        return name, value
    if len(known) == 1 and (not equals or os.path.exists(word)):
        return known[0], word
    if not equals:
        raise ArgumentError(f"{option}: expected NAME=VALUE, got {word!r}")
    raise ArgumentError(f"{option}: the model has no {name!r}; it has {listed(known)}")


def _program():
    try:
        from ._program import find_tool
        return find_tool()
    except ImportError:  # run as a file
        return "onnxrun"


def _given_inputs(model, path, words, rest):
    """{name: array} for each run, as the tool reads them, by a model that hands its inputs on. rest: its other options."""
    values = {value.name: value for value in model.graph.input}
    given = dict(_pair("-i", word, list(values)) for word in words)
    if not given:
        if rest:
            raise ArgumentError(f"{rest[0]}: it is about inputs, and none is given")
        return [{}]
    nodes = [helper.make_node("Identity", [name], [f"copy_{k}"]) for k, name in enumerate(given)]
    copies = [onnx.ValueInfoProto(name=f"copy_{k}", type=values[name].type) for k, name in enumerate(given)]
    nodes.append(helper.make_node("Constant", [], ["each_run"], value_int=1))  # an array where there are frames, as outputs of all are put together
    copies.append(helper.make_tensor_value_info("each_run", TensorProto.INT64, []))
    recipe = os.path.splitext(path)[0] + ".json"
    with tempfile.TemporaryDirectory() as folder:
        graph = helper.make_graph(nodes, "inputs", [values[name] for name in given], copies)
        file = os.path.join(folder, "inputs.onnx")
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), file)
        if os.path.exists(recipe) and "--recipe" not in rest:
            shutil.copyfile(recipe, os.path.join(folder, "inputs.json"))
        command = [_program(), "run", file, "-o", os.path.join(folder, "out"), *rest]
        for name, value in given.items():
            command += ["-i", f"{name}={value}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ArgumentError(done.stderr.strip().removeprefix("onnxrun: ").replace(file, path))
        arrays = {name: np.load(os.path.join(folder, "out", f"copy_{k}.npy")) for k, name in enumerate(given)}
        frames = np.load(os.path.join(folder, "out", "each_run.npy")).shape
        return [{name: array[k] for name, array in arrays.items()} for k in range(*frames)] if frames else [arrays]


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


def _run(options, rest):
    _keep(options.output, [options.model, *options.input, *(word.partition("=")[2] for word in options.input)])
    model = _model(options.model)
    names = list(dict.fromkeys(d.dim_param for value in model.graph.input for d in value.type.tensor_type.shape.dim if d.dim_param))
    runs = _given_inputs(model, options.model, options.input, rest)
    dims = {name: _size("--dim", size) for name, size in (_pair("--dim", word, names) for word in options.dim)}
    count, lost = _write(options.model, [random_inputs(model, given, dims, options.seed) for given in runs], options.output)
    if lost:
        print(f"onnxrun: {lost}", file=sys.stderr)
    print(f"{count} values -> {options.output}")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m onnxrun.reference", description=__doc__.split("\n", 1)[0])
    parser.add_argument("model")
    parser.add_argument("-o", "--output", required=True, help="the .npz to write")
    parser.add_argument("-i", "--input", action="append", default=[], metavar="NAME=FILE", help="an input, as `onnxrun run` takes it; else it is random")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=SIZE", help="size of a dynamic dimension (1)")
    parser.add_argument("--seed", type=int, default=0)
    options, rest = parser.parse_known_args(arguments)
    try:
        _run(options, rest)
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
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever reads what is printed may have seen enough
    sys.exit(main())
