"""Runs a file with the program onnxrun and compares it with the module."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import tempfile
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

from . import _arguments
from ._program import Difference, find_tool

# What float32 arithmetic in another order may change; the narrow types have fewer bits.
TOLERANCES = {torch.float16: (5e-3, 5e-3), torch.bfloat16: (3e-2, 3e-2)}
DEFAULT_TOLERANCE = (1e-4, 1e-4)
STANDARD_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "onnxrun")
EXIT_UNSUPPORTED = 4


class UnsupportedError(RuntimeError):
    """The program onnxrun has no code for something in the file."""


# --- arguments and results ---


def _leaves(values):
    return torch.utils._pytree.tree_leaves(values)


def tensors_of(values):
    """The tensors in nested arguments or results, in the exporter's order; Python numbers are constants of the graph."""
    return [v for v in _leaves(values) if isinstance(v, torch.Tensor)]


def copied(values):
    """Nested values with tensors of their own: a module may write into its arguments."""
    return torch.utils._pytree.tree_map(lambda v: v.detach().clone() if isinstance(v, torch.Tensor) else v, values)


def call(module, args, kwargs):
    """The tensors that the module gives; it is left as it was."""
    buffers = [(b, b.detach().clone()) for b in module.buffers()] if isinstance(module, torch.nn.Module) else []
    with torch.no_grad():
        results = copied(tensors_of(module(*copied(args), **copied(kwargs))))
        for buffer, before in buffers:
            buffer.copy_(before)
    return results


def as_declared(values, declared):
    """ONNX has hardly an operator on complex numbers: exporters write pairs of real ones."""
    def real(value, declared):
        kind = declared.type.tensor_type.elem_type
        return value.is_complex() and kind not in (TensorProto.COMPLEX64, TensorProto.COMPLEX128)

    return [torch.view_as_real(v.resolve_conj()) if real(v, d) else v for v, d in zip(values, declared)]


def _traced_leaves(module, args, kwargs):
    """What the TorchScript exporter counts as inputs: also numbers, and the defaults of parameters."""
    function = module.forward if isinstance(module, torch.nn.Module) else module
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        values = list(bound.arguments.values())
    except (TypeError, ValueError):  # a script has no signature
        values = [args, kwargs]
    return [v for v in _leaves(values) if isinstance(v, (torch.Tensor, bool, int, float))]


def _traced_inputs(declared, leaves, input_names):
    """Of the arguments those that the TorchScript exporter left in the file: names that it makes end in the argument's number."""
    values = []
    for v in declared:
        made = re.fullmatch(r"onnx::\w+_(\d+)", v.name)
        number = input_names.index(v.name) if v.name in input_names else int(made[1]) if made else len(leaves)
        if number >= len(leaves):
            return None
        value = leaves[number]
        if not isinstance(value, torch.Tensor):
            value = torch.from_numpy(np.array(value, helper.tensor_dtype_to_np_dtype(v.type.tensor_type.elem_type)))
        values.append(value)
    return values


def inputs_of(module, args, kwargs, model, captured=None, input_names=()):
    """The tensors for the inputs of the file, in order. captured: the arguments in the exporter's order, if that is known."""
    names = _names(model)[0]
    declared = [v for v in model.graph.input if v.name in names]
    if captured is not None:
        values = tensors_of(captured)
    else:
        values = _traced_inputs(declared, _traced_leaves(module, args, kwargs), list(input_names or ()))
        if values is None and all(name in names for name in kwargs):
            rest = iter(tensors_of(args))
            values = [kwargs[name] if name in kwargs else next(rest, None) for name in names]
        if values is None:
            values = tensors_of((args, kwargs))
    if len(values) != len(names) or any(v is None for v in values):
        raise RuntimeError(f"the file has the inputs {', '.join(names)}; which of the arguments each is cannot be told")
    return as_declared(values, declared)


# --- the file ---


def foreign_operators(model):
    """Names of the file's operators that are neither of ONNX nor functions of the file."""
    functions = {(f.domain, f.name) for f in model.functions}
    found = set()

    def look(nodes):
        for node in nodes:
            if node.domain not in STANDARD_DOMAINS and (node.domain, node.op_type) not in functions:
                found.add(f"{node.domain}::{node.op_type}")
            for attribute in node.attribute:
                for graph in [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]:
                    look(graph.node)

    for nodes in [model.graph.node, *(f.node for f in model.functions)]:
        look(nodes)
    return sorted(found)


def _proto(name, tensor):
    """A TensorProto with the tensor's own bytes, of any type."""
    plain = tensor.detach().cpu().contiguous()
    if plain.dtype == torch.bfloat16:
        kind, raw = TensorProto.BFLOAT16, plain.view(torch.int16).numpy()
    else:
        raw = plain.resolve_conj().resolve_neg().numpy()
        kind = helper.np_dtype_to_tensor_dtype(raw.dtype)
    return TensorProto(name=name, data_type=kind, dims=plain.shape, raw_data=raw.tobytes())


def _names(model):
    constants = {tensor.name for tensor in model.graph.initializer}
    return [v.name for v in model.graph.input if v.name not in constants], [v.name for v in model.graph.output]


def write_data_set(folder, index, model, inputs, outputs):
    """folder/test_data_set_INDEX with input_K.pb and output_K.pb, as onnxrun check reads them."""
    target = os.path.join(folder, f"test_data_set_{index}")
    os.makedirs(target, exist_ok=True)
    for kind, names, values in zip(("input", "output"), _names(model), (inputs, outputs)):
        for k, (name, value) in enumerate(zip(names, values)):
            with open(os.path.join(target, f"{kind}_{k}.pb"), "wb") as file:
                file.write(_proto(name, value).SerializeToString())


def _run(tool, path, names, inputs):
    """The arrays that the program computes for the outputs of the file, in order."""
    with tempfile.TemporaryDirectory() as folder:
        command = [tool, "run", path, "-o", folder]
        for k, (name, value) in enumerate(zip(names, inputs)):
            file = os.path.join(folder, f"input_{k}.pb")
            with open(file, "wb") as stream:
                stream.write(_proto(name, value).SerializeToString())
            command += ["-i", f"{name}={file}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            kind = UnsupportedError if done.returncode == EXIT_UNSUPPORTED else RuntimeError
            raise kind(f"{path} was written, but onnxrun cannot run it: {(done.stderr or done.stdout).strip()}")
        return [np.load(line.rpartition(" -> ")[2]) for line in done.stdout.splitlines() if " -> " in line]


# --- comparison ---


def _tolerance(expected, tolerance):
    return tolerance or TOLERANCES.get(expected.dtype, DEFAULT_TOLERANCE)


def _as_tensor(array, dtype):
    if dtype == torch.bfloat16 and array.dtype.itemsize == 2:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def _difference(name, expected, found, tolerance):
    expected, found = expected.detach().cpu(), found.detach().cpu()
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return Difference(name, float("inf"), False, f"the module gives {expected.dtype} {list(expected.shape)}, the file {found.dtype} "
                                                     f"{list(found.shape)}")
    if expected.is_complex():
        expected, found = torch.view_as_real(expected), torch.view_as_real(found)
    if not expected.is_floating_point():
        wrong = (found != expected).sum().item()
        return Difference(name, float(wrong), wrong == 0, f"in {wrong} of {expected.numel()} elements")
    rtol, atol = _tolerance(expected, tolerance)
    a, b = found.double(), expected.double()
    same = (a == b) | (a.isnan() & b.isnan())
    distance = torch.where(same, torch.zeros_like(a), (a - b).abs())
    largest = distance.max().item() if distance.numel() else 0.0
    return Difference(name, largest, bool((same | (distance <= atol + rtol * b.abs())).all()), f"by at most {largest:.2g}")


def _mark_random(differences, again, expected, tolerance):
    """What a second run of the module does not give again, no file can give."""
    for d, first, second in zip(differences, expected, again):
        if d.agrees is False and not _difference(d.name, first, second, tolerance).agrees:
            d.agrees = None


def compare(module, args, kwargs, path, model, inputs, tool, tolerance):
    """Runs the file at path, which is model, on the inputs, and returns a Difference for each output."""
    names, outputs = _names(model)
    expected = call(module, args, kwargs)
    if len(expected) != len(outputs):
        raise RuntimeError(f"the module gives {len(expected)} tensors, the file {len(outputs)}")
    expected = as_declared(expected, model.graph.output)
    found = [_as_tensor(array, value.dtype) for array, value in zip(_run(tool, path, names, inputs), expected)]
    differences = [_difference(*values, tolerance) for values in zip(outputs, expected, found)]
    if any(d.agrees is False for d in differences):
        again = as_declared(call(module, args, kwargs), model.graph.output)
        _mark_random(differences, again, expected, tolerance)
    return differences


def check(module: Any, args: Any, path: str | os.PathLike[str], *, kwargs: dict[str, Any] | None = None,
          tool: str | os.PathLike[str] | None = None, tolerance: tuple[float, float] | None = None) -> list[Difference]:
    """Runs the file at path with onnxrun and returns a Difference for each output. tolerance: (relative, absolute)."""
    path = _arguments.path("path", path)
    if not callable(module):
        _arguments.refuse("module", "a torch.nn.Module", module)
    args = (args,) if isinstance(args, torch.Tensor) else tuple(_arguments.items("args", args))
    kwargs = _arguments.mapping("kwargs", {} if kwargs is None else kwargs)
    model = onnx.load(path, load_external_data=False)
    return compare(module, args, kwargs, path, model, inputs_of(module, args, kwargs, model), find_tool(tool), tolerance)
