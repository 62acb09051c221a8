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

from ._onnxrun import *  # the exceptions
from ._model import Model, Node, Profile, Session, TensorInfo, load
from ._operators import TensorType, operator
from .inference_session import (ExecutionMode, ExecutionOrder, GraphOptimizationLevel, InferenceSession, IOBinding, ModelMetadata, NodeArg,
                                OrtValue, RunOptions, SessionOptions, get_all_providers, get_available_providers, get_device,
                                set_default_logger_severity, set_default_logger_verbosity)

# What needs torch or onnx is imported when it is asked for.
_ON_DEMAND = {"Difference": ".verification", "check": ".verification", "export": ".exporter", "quantize": ".quantizer"}

__all__ = ["ExecutionMode", "ExecutionOrder", "GraphOptimizationLevel", "InferenceSession", "IOBinding", "Model", "ModelMetadata", "Node",
           "NodeArg", "OrtValue", "Profile", "RunOptions", "Session", "SessionOptions", "TensorInfo", "TensorType", "__version__",
           "get_all_providers", "get_available_providers", "get_device", "load", "operator", "set_default_logger_severity",
           "set_default_logger_verbosity", "version",
           *(name for name in dir() if name.endswith("Error")), *_ON_DEMAND]


def __getattr__(name):
    if name not in _ON_DEMAND:
        raise AttributeError(f"module 'onnxrun' has no attribute '{name}'")
    try:
        return getattr(importlib.import_module(_ON_DEMAND[name], __name__), name)
    except ImportError as error:
        extra = "quantize" if name == "quantize" else "export"
        raise ImportError(f"onnxrun.{name} needs packages that are not installed ({error}): pip install 'onnxrun[{extra}]'") from error


def version():
    """"onnxrun 0.1.0 (kernels: xnnpack 2024-11-08)"."""
    return _onnxrun.version()
