"""The keywords of torch.onnx.export: which are passed on, and which are refused."""

import inspect

import torch

from ._onnxrun import ArgumentError

# What only one of PyTorch's two exporters looks at; the other drops it without a word.
DYNAMO = ("dynamic_shapes", "custom_translation_table", "report", "optimize", "verify", "profile", "dump_exported_program",
          "artifacts_dir", "external_data")
TORCHSCRIPT = ("operator_export_type", "do_constant_folding", "custom_opsets", "export_modules_as_functions", "autograd_inlining")


def check(options, dynamo):
    """ArgumentError for a keyword that torch.onnx.export does not have, or that would have no effect."""
    known = inspect.signature(torch.onnx.export).parameters
    for name, value in options.items():
        if name not in known:
            raise ArgumentError(f"export() has no keyword '{name}', nor has torch.onnx.export of torch {torch.__version__}")
        if value is None or value == known[name].default:
            continue
        if name == "training":
            raise ArgumentError("training: a module is exported as it computes in evaluation mode; only TrainingMode.EVAL is possible")
        if name in (TORCHSCRIPT if dynamo else DYNAMO):
            raise ArgumentError(f"{name}: torch.onnx.export looks at it with dynamo={not dynamo} alone")
