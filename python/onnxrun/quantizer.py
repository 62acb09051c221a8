"""quantize: a float32 file as one of 8-bit integers, by onnxruntime's quantizer, checked with the program onnxrun."""

from __future__ import annotations

import difflib
import os
import subprocess
import tempfile
from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx

from . import _arguments, _values
from ._model import load
from ._onnxrun import ArgumentError
from ._program import Difference, find_tool
from ._values import NUMBERS

ACTIVATIONS = ("uint8", "int8")
LARGEST_FILE = 1 << 30  # protobuf ends at twice that


def _quantizer():
    try:
        import onnxruntime.quantization as quantization
        from onnxruntime.quantization import shape_inference
    except ImportError as missing:
        raise ImportError("quantize() works by way of onnxruntime's quantizer: pip install 'onnxrun[quantize]'") from missing
    return quantization, shape_inference


def _checked(name, value, info):
    """A sample's array for an input, of which ranges can be taken."""
    number = NUMBERS[info.dtype]
    try:
        array = value if isinstance(value, np.ndarray) else _values.as_array(value, number)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{name}: {error}") from error
    sizes = array.shape if info.shape is None else [d if isinstance(d, int) else size for d, size in zip(info.shape, array.shape)]
    if _values.dtype_number(array.dtype) != number or len(info.shape or sizes) != array.ndim or tuple(sizes) != array.shape:
        raise ArgumentError(f"{name}: expected {str(info).partition(': ')[2]}, found {array.dtype}[{', '.join(map(str, array.shape))}]")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ArgumentError(f"{name}: it has NaN or infinities, of which no range can be taken")
    return array


def _named(i, sample, inputs):
    """One sample as a dictionary of arrays; arrays alone are inputs in order."""
    names = [info.name for info in inputs]
    if isinstance(sample, dict):
        missing = [name for name in names if name not in sample]
        if missing:
            raise ArgumentError(f"calibration: a sample has no '{missing[0]}'; the file has the inputs {_arguments.listed(names)}")
    else:
        given = list(sample) if isinstance(sample, (list, tuple)) else [sample]
        if len(given) != len(names):
            raise ArgumentError(f"calibration: a sample has {len(given)} arrays; the file has the inputs {_arguments.listed(names)}")
        sample = dict(zip(names, given))
    return {info.name: _checked(f"calibration[{i}], input '{info.name}'", sample[info.name], info) for info in inputs}


def _target(path, target):
    """What the quantizer writes over is lost: neither the model itself, nor what is no model."""
    if os.path.exists(target) and os.path.samefile(path, target):
        raise ArgumentError(f"target: {target} is the model itself, which would be lost")
    if os.path.isfile(target):
        with open(target, "rb") as file:
            if file.read(1) not in (b"", b"\x08"):  # every writer of models puts the version first
                raise ArgumentError(f"target: {target} is a file of another kind, which would be lost")
    return target


def _reader(quantization, samples):
    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.rest = iter(samples)

        def get_next(self):
            return next(self.rest, None)

    return Reader()


def _run(tool, path, sample):
    with tempfile.TemporaryDirectory() as folder:
        command = [tool, "run", path, "-o", folder]
        for k, (name, value) in enumerate(sample.items()):
            file = os.path.join(folder, f"input_{k}.npy")
            np.save(file, value)
            command += ["-i", f"{name}={file}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"onnxrun cannot run {path}: {(done.stderr or done.stdout).strip()}")
        return [np.load(line.rpartition(" -> ")[2]) for line in done.stdout.splitlines() if " -> " in line]


def _compare(tool, path, target, sample):
    names = [v.name for v in onnx.load(path, load_external_data=False).graph.output]
    differences = []
    for name, expected, found in zip(names, _run(tool, path, sample), _run(tool, target, sample)):
        if not np.issubdtype(expected.dtype, np.floating) or not expected.size:
            wrong = int((expected != found).sum()) if expected.shape == found.shape else expected.size
            differences.append(Difference(name, float(wrong), None, f"in {wrong} of {expected.size} elements"))
            continue
        largest, scale = float(np.abs(expected - found).max()), float(np.abs(expected).max())
        differences.append(Difference(name, largest, None, f"by at most {largest:.2g}, where the largest value is {scale:.2g}"))
    return differences


def _as_prepared(exclude, path, prepared):
    """The nodes to exclude after what the quantizer does first: it merges some, and makes a MatMul of a Gemm. A name that there is not
    would stay quantized without a word."""
    before, after = ([node.name for node in onnx.load(file, load_external_data=False).graph.node] for file in (path, prepared))
    for name in exclude:
        if name in after:
            continue
        near = difflib.get_close_matches(name, after, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"its nodes are {_arguments.listed(after)}"
        what = "merges the node {!r} into another before it quantizes" if name in before else "finds no node {!r}"
        raise ArgumentError(f"exclude: the quantizer {what.format(name)}; {hint}")
    return [*exclude, *(f"{name}_MatMul" for name in exclude)]


def quantize(path: str | os.PathLike[str], target: str | os.PathLike[str], calibration: Iterable[Any] | None = None, *,
             activations: str = "uint8", per_channel: bool = True, exclude: Iterable[str] = (),
             tool: str | os.PathLike[str] | None = None, check: bool = True) -> list[Difference]:
    """Writes the float32 file `path` as a file of 8-bit weights and activations.

    calibration: samples of what the model will see, each a dictionary of arrays by input, or the arrays in order; some tens are
    enough. Ranges of activations are taken from them (static quantization, QDQ form). None: ranges are taken while the model runs
    (dynamic quantization), which suits Transformers and LSTMs and costs speed elsewhere. activations: "uint8" or "int8"; weights are
    int8, with a scale for each output channel unless per_channel is False. exclude: names of nodes that stay float32.

    Prints, and returns as a list of Difference, how far each output is from the float32 file's on the first sample when both are run
    with the program onnxrun (`tool`, as in export()); check=False, or no calibration data: not.
    """
    path = _arguments.path("path", path)
    target = _arguments.path("target", target)
    if not isinstance(activations, str) or activations not in ACTIVATIONS:
        _arguments.refuse("activations", f"one of {', '.join(ACTIVATIONS)}", activations)
    per_channel, check = _arguments.flag("per_channel", per_channel), _arguments.flag("check", check)
    if calibration is not None and (isinstance(calibration, (str, bytes, dict)) or not hasattr(calibration, "__iter__")):
        _arguments.refuse("calibration", "a list of samples", calibration)
    exclude = _arguments.names("exclude", exclude)
    quantization, shape_inference = _quantizer()
    inputs = [info for info in load(path, threads=1).inputs if not info.has_default]
    target = _target(path, target)
    samples = None if calibration is None else [_named(i, sample, inputs) for i, sample in enumerate(calibration)]
    if samples == []:
        raise ArgumentError("calibration: it holds no sample; pass None for dynamic quantization")
    tool = find_tool(tool) if check and samples else None
    with tempfile.TemporaryDirectory() as folder:
        whole, prepared = os.path.join(folder, "whole.onnx"), os.path.join(folder, "prepared.onnx")
        model = onnx.load(path)  # the quantizer does not find weights that lie beside the file
        onnx.save(model, whole, save_as_external_data=model.ByteSize() > LARGEST_FILE)
        shape_inference.quant_pre_process(whole, prepared, skip_symbolic_shape=True)
        exclude = _as_prepared(exclude, path, prepared)
        if samples is None:
            quantization.quantize_dynamic(prepared, target, weight_type=quantization.QuantType.QInt8, per_channel=per_channel,
                                          nodes_to_exclude=exclude)
            return []
        kind = quantization.QuantType.QUInt8 if activations == "uint8" else quantization.QuantType.QInt8
        quantization.quantize_static(prepared, target, _reader(quantization, samples), quant_format=quantization.QuantFormat.QDQ,
                                     activation_type=kind, weight_type=quantization.QuantType.QInt8, per_channel=per_channel,
                                     nodes_to_exclude=exclude)
    differences = _compare(tool, path, target, samples[0]) if tool else []
    for difference in differences:
        print(f"{difference.name}: differs {difference.by}")
    return differences
