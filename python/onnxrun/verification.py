"""Runs a file with the program onnxrun and compares it with the module."""

import dataclasses
import os
import re
import shutil
import subprocess
import tempfile

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

# What float32 arithmetic in another order may change; the narrow types have fewer bits.
TOLERANCES = {torch.float16: (5e-3, 5e-3), torch.bfloat16: (3e-2, 3e-2)}
DEFAULT_TOLERANCE = (1e-4, 1e-4)


@dataclasses.dataclass
class Difference:
    """How far one output of the file is from the module's."""

    name: str
    largest: float  # absolute; 0 for equal integers
    agrees: bool    # within the tolerance


def find_tool(tool=None):
    """The program onnxrun: the argument, the environment variable ONNXRUN, or the one on the PATH."""
    for candidate in (tool, os.environ.get("ONNXRUN"), "onnxrun"):
        found = candidate and shutil.which(candidate)
        if found:
            return found
    raise FileNotFoundError("the program onnxrun is not on the PATH; pass tool=\"build/onnxrun\" or set the environment variable "
                            "ONNXRUN, or export with check=False")


def tensors_of(values):
    """The tensors in nested arguments or results, in the exporter's order; Python numbers are constants of the graph."""
    return [v for v in torch.utils._pytree.tree_leaves(values) if isinstance(v, torch.Tensor)]


def _proto(name, tensor):
    """A TensorProto with the tensor's own bytes, of any type."""
    plain = tensor.detach().cpu().contiguous()
    if plain.dtype == torch.bfloat16:
        kind, raw = TensorProto.BFLOAT16, plain.view(torch.int16).numpy()
    else:
        raw = plain.numpy()
        kind = helper.np_dtype_to_tensor_dtype(raw.dtype)
    return TensorProto(name=name, data_type=kind, dims=plain.shape, raw_data=raw.tobytes())


def _names(model):
    constants = {tensor.name for tensor in model.graph.initializer}
    return ([v.name for v in model.graph.input if v.name not in constants], [v.name for v in model.graph.output])


def write_data_set(folder, index, model, inputs, outputs):
    """folder/test_data_set_INDEX with input_K.pb and output_K.pb, as onnxrun check reads them."""
    target = os.path.join(folder, f"test_data_set_{index}")
    os.makedirs(target, exist_ok=True)
    for kind, names, values in zip(("input", "output"), _names(model), (inputs, outputs)):
        for k, (name, value) in enumerate(zip(names, values)):
            with open(os.path.join(target, f"{kind}_{k}.pb"), "wb") as file:
                file.write(_proto(name, value).SerializeToString())


def _run(tool, path, names, inputs, outputs):
    """The arrays that the program computes for the named outputs."""
    with tempfile.TemporaryDirectory() as folder:
        command = [tool, "run", path, "-o", folder]
        for k, (name, value) in enumerate(zip(names, inputs)):
            file = os.path.join(folder, f"input_{k}.pb")
            with open(file, "wb") as stream:
                stream.write(_proto(name, value).SerializeToString())
            command += ["-i", f"{name}={file}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{path} was written, but onnxrun cannot run it: {(done.stderr or done.stdout).strip()}")
        return [np.load(os.path.join(folder, re.sub(r"[^A-Za-z0-9._-]", "_", name) + ".npy")) for name in outputs]


def _compare(name, expected, found, tolerance):
    expected = expected.detach().cpu()
    if expected.dtype == torch.bfloat16:
        found = torch.from_numpy(found.view(np.int16)).view(torch.bfloat16)
    else:
        found = torch.from_numpy(found)
    if found.shape != expected.shape or found.dtype != expected.dtype:
        raise RuntimeError(f"output {name}: the module gives {expected.dtype} {list(expected.shape)}, the file {found.dtype} "
                           f"{list(found.shape)}")
    if not expected.numel():
        return Difference(name, 0.0, True)
    if not expected.is_floating_point():
        wrong = (found != expected).sum().item()
        return Difference(name, float(wrong), wrong == 0)
    rtol, atol = tolerance or TOLERANCES.get(expected.dtype, DEFAULT_TOLERANCE)
    a, b = found.double(), expected.double()
    same = (a == b) | (a.isnan() & b.isnan())
    distance = torch.where(same, torch.zeros_like(a), (a - b).abs())
    return Difference(name, distance.max().item(), bool((same | (distance <= atol + rtol * b.abs())).all()))


def check(module, args, path, *, kwargs=None, tool=None, tolerance=None):
    """Runs the file at path with onnxrun and returns a Difference for each output. tolerance: (relative, absolute)."""
    model = onnx.load(path, load_external_data=False)
    inputs, outputs = _names(model)
    tensors = tensors_of((args, kwargs or {}))
    with torch.no_grad():
        expected = tensors_of(module(*args, **(kwargs or {})))
    if len(expected) != len(outputs):
        raise RuntimeError(f"the module gives {len(expected)} tensors, the file {len(outputs)}")
    found = _run(find_tool(tool), path, inputs, tensors, outputs)
    return [_compare(*values, tolerance) for values in zip(outputs, expected, found)]
