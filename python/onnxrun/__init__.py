"""Runs ONNX models on a CPU, through the C library onnxrun.

    import onnxrun
    model = onnxrun.load("model.onnx")
    y = model(x)                     # NumPy arrays in and out

onnxrun.InferenceSession has the face of onnxruntime's. With the extra `export` (torch):

    onnxrun.export(module, (x,), "model.onnx")

calls torch.onnx.export with translations for the layers that it cannot write, runs the file, and prints how far the result is
from the module's.

    onnxrun.quantize("model.onnx", "model_int8.onnx", samples)

writes it with 8-bit weights and activations.
"""

__version__ = "0.1.0"

import importlib
from typing import TYPE_CHECKING

from . import _onnxrun
from ._arguments import FolderError, ForbiddenFileError, MissingFileError
from ._model import Model, Node, Profile, Session, TensorInfo, load, optimise
from ._onnxrun import (ArgumentError, ArityError, CancelledError, DataError, DTypeError, Error, ExternalDataError, FileError, GraphError,
                       InternalError, LimitError, NodeAttributeError, NoMemoryError, NumericError, OutOfRangeError, ParseError, ShapeError,
                       StateError, UnsupportedError, VersionError)
from ._operators import TensorType, operator
from .inference_session import (ExecutionMode, ExecutionOrder, GraphOptimizationLevel, InferenceSession, IOBinding, ModelMetadata, NodeArg,
                                OrtValue, RunOptions, SessionOptions, disable_telemetry_events, enable_telemetry_events,
                                get_all_providers, get_available_providers, get_build_info, get_device, set_default_logger_severity,
                                set_default_logger_verbosity, set_seed)

if TYPE_CHECKING:
    from ._program import Difference as Difference
    from .exporter import export as export
    from .quantizer import quantize as quantize
    from .verification import check as check

# What needs torch or onnx is imported when it is asked for by name: `from onnxrun import *` does without them.
_ON_DEMAND = {"Difference": "._program", "check": ".verification", "export": ".exporter", "quantize": ".quantizer"}

__all__ = [
    "ArgumentError", "ArityError", "CancelledError", "DTypeError", "DataError", "Error", "ExecutionMode", "ExecutionOrder",
    "ExternalDataError", "FileError", "FolderError", "ForbiddenFileError", "GraphError", "GraphOptimizationLevel", "IOBinding",
    "InferenceSession", "InternalError", "LimitError", "MissingFileError", "Model", "ModelMetadata", "NoMemoryError", "Node", "NodeArg",
    "NodeAttributeError", "NumericError", "OrtValue", "OutOfRangeError", "ParseError", "Profile", "RunOptions", "Session", "SessionOptions",
    "ShapeError", "StateError", "TensorInfo", "TensorType", "UnsupportedError", "VersionError", "__version__", "disable_telemetry_events",
    "enable_telemetry_events", "get_all_providers", "get_available_providers", "get_build_info", "get_device", "get_version_string", "load",
    "operator", "optimise", "set_default_logger_severity", "set_default_logger_verbosity", "set_seed", "version"]


def __getattr__(name: str) -> object:
    if name not in _ON_DEMAND:
        raise AttributeError(f"module 'onnxrun' has no attribute '{name}'")
    try:
        return getattr(importlib.import_module(_ON_DEMAND[name], __name__), name)
    except ImportError as error:
        extra = "quantize" if name == "quantize" else "export"
        raise ImportError(f"onnxrun.{name} needs packages that are not installed ({error}): pip install 'onnxrun[{extra}]'") from error


def version() -> str:
    """"onnxrun 0.1.0 (kernels: xnnpack 2024-11-08)"."""
    return _onnxrun.version()


def get_version_string() -> str:
    """Of this package, as __version__."""
    return __version__
