"""The quantized forms of a model, as onnxruntime's quantizer writes them from random inputs."""

import os

import numpy as np

import sweeps

# name: format, activations, weights; None: dynamic
FORMS = {"QDQ U8S8": ("QDQ", "QUInt8", "QInt8"), "QDQ S8S8": ("QDQ", "QInt8", "QInt8"),
         "QOperator U8S8": ("QOperator", "QUInt8", "QInt8"), "QOperator S8S8": ("QOperator", "QInt8", "QInt8"),
         "QOperator U8U8": ("QOperator", "QUInt8", "QUInt8"), "dynamic U8": None}


def _reader(quantization, model):
    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.samples = iter([sweeps.make_inputs(model, seed) for seed in range(4)])

        def get_next(self):
            return next(self.samples, None)

    return Reader()


def forms_of(path, folder):
    """Yields (name of the form, file); the first is the float32 model as the quantizer prepares it."""
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process
    whole, prepared = os.path.join(folder, "whole.onnx"), os.path.join(folder, "float32.onnx")
    model = onnx.load(path)
    onnx.save(model, whole)
    quant_pre_process(whole, prepared, skip_symbolic_shape=True)
    yield "float32", prepared
    for name, form in FORMS.items():
        target = os.path.join(folder, name.replace(" ", "_") + ".onnx")
        if form is None:
            quantization.quantize_dynamic(prepared, target, weight_type=quantization.QuantType.QUInt8)
        else:
            kind, activations, weights = form
            types = quantization.QuantType
            quantization.quantize_static(prepared, target, _reader(quantization, model),
                                         quant_format=getattr(quantization.QuantFormat, kind), activation_type=getattr(types, activations),
                                         weight_type=getattr(types, weights), per_channel=weights == "QInt8")
        yield name, target


def likeness(found, expected):
    """The correlation of two lists of outputs: 1 where quantization alone parts them."""
    a, b = (np.concatenate([np.asarray(v, np.float64).ravel() for v in values]) for values in (found, expected))
    return float(np.corrcoef(a, b)[0, 1]) if a.size == b.size and a.size > 1 else 0.0
