"""Exports PyTorch modules to ONNX files that onnxrun runs.

    import onnxrun
    onnxrun.export(module, (x,), "model.onnx")

calls torch.onnx.export with translations for the layers that it cannot write, runs the file with the program onnxrun, and
prints how far the result is from the module's.

    onnxrun.quantize("model.onnx", "model_int8.onnx", samples)

writes it with 8-bit weights and activations.
"""

__version__ = "0.1.0"

from .verification import Difference, check
from .exporter import export
from .quantizer import quantize

__all__ = ["Difference", "__version__", "check", "export", "quantize"]
