"""The quantized forms of a model, as onnxruntime's quantizer writes them from random inputs, and weights of 4 bits."""

import os

import numpy as np

import sweeps

# name: format, activations, weights; None: dynamic
FORMS = {"QDQ U8S8": ("QDQ", "QUInt8", "QInt8"), "QDQ S8S8": ("QDQ", "QInt8", "QInt8"),
         "QOperator U8S8": ("QOperator", "QUInt8", "QInt8"), "QOperator S8S8": ("QOperator", "QInt8", "QInt8"),
         "QOperator U8U8": ("QOperator", "QUInt8", "QUInt8"), "dynamic U8": None}


BLOCK = 32  # weights of 4 bits that share a scale


def _four_bits(model):
    """Products by constant matrices become MatMulNBits, symmetric, that may take A in bytes; returns how many matrices."""
    from onnx import helper, numpy_helper

    def is_turned(node):
        return any(a.name == "transB" and a.i for a in node.attribute)

    weights = {t.name: t for t in model.graph.initializer}
    done = {}
    for node in model.graph.node:
        tensor = weights.get(node.input[1]) if node.op_type in ("MatMul", "Gemm") else None
        if tensor is None or len(tensor.dims) != 2:
            continue
        (n, k), name = tensor.dims if is_turned(node) else tensor.dims[::-1], tensor.name
        if k % BLOCK or any(a.name == "transA" and a.i or a.name in ("alpha", "beta") and a.f != 1 for a in node.attribute):
            continue
        if name not in done:
            matrix = numpy_helper.to_array(tensor)
            blocks = (matrix if is_turned(node) else matrix.T).reshape(n, k // BLOCK, BLOCK)
            scales = np.maximum(np.abs(blocks).max(axis=2) / 7, 1e-30).astype(np.float32)
            steps = np.clip(np.rint(blocks / scales[..., None]) + 8, 0, 15).astype(np.uint8)
            done[name] = [numpy_helper.from_array(steps[..., 0::2] | steps[..., 1::2] << 4, name + "_bits"),
                          numpy_helper.from_array(scales.ravel(), name + "_scales")]
        bias = ["", "", node.input[2]] if len(node.input) > 2 else []
        node.input[1:] = [t.name for t in done[name]] + bias
        del node.attribute[:]  # of Gemm: a factor of 1, nothing turned but the weights
        node.op_type, node.domain = "MatMulNBits", "com.microsoft"
        node.attribute.extend(helper.make_attribute(key, value) for key, value in
                              {"K": k, "N": n, "bits": 4, "block_size": BLOCK, "accuracy_level": 4}.items())
    used = {i for node in model.graph.node for i in node.input}
    kept = [t for t in model.graph.initializer if t.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept + [t for pair in done.values() for t in pair])
    if done and "com.microsoft" not in {o.domain for o in model.opset_import}:
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return len(done)


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
    model = onnx.load(prepared)
    if _four_bits(model):
        target = os.path.join(folder, "four_bits.onnx")
        onnx.save(model, target)
        yield "4-bit weights", target


def likeness(found, expected):
    """The correlation of two lists of outputs: 1 where quantization alone parts them."""
    a, b = (np.concatenate([np.asarray(v, np.float64).ravel() for v in values]) for values in (found, expected))
    return float(np.corrcoef(a, b)[0, 1]) if a.size == b.size and a.size > 1 else 0.0
