"""The layers that ONNX has no operator for, as operators of PyTorch and as nodes of the domain "onnxrun".

rewrites.py puts them in place of PyTorch's own where the standard has nothing that fits.
"""

import onnx
import torch
from onnx.defs import OpSchema
from onnxscript import values

_FLOATS = ["tensor(float)", "tensor(double)", "tensor(float16)", "tensor(bfloat16)"]


def _register(name, inputs, outputs, attributes):
    """Tells onnx of an operator: names of its inputs, its outputs of type T or int64, its lists of ints."""
    onnx.defs.register_schema(OpSchema(
        name, "onnxrun", 1,
        inputs=[OpSchema.FormalParameter(i, "T") for i in inputs],
        outputs=[OpSchema.FormalParameter(o, "T" if o == "Y" else "tensor(int64)") for o in outputs],
        type_constraints=[("T", _FLOATS, "floating point")],
        attributes=[OpSchema.Attribute(a, OpSchema.AttrType.INTS, required=True) for a in attributes]))


_register("AdaptiveAvgPool", ["X"], ["Y"], ["output_size"])
_register("AdaptiveMaxPool", ["X"], ["Y", "Indices"], ["output_size"])
_register("FractionalMaxPool", ["X", "samples"], ["Y", "Indices"], ["kernel_shape", "output_size"])
_domain = values.Opset("onnxrun", 1)


@torch.library.custom_op("onnxrun::adaptive_avg_pool", mutates_args=())
def adaptive_avg_pool(x: torch.Tensor, output_size: list[int]) -> torch.Tensor:
    pool = (torch.nn.functional.adaptive_avg_pool1d, torch.nn.functional.adaptive_avg_pool2d,
            torch.nn.functional.adaptive_avg_pool3d)[len(output_size) - 1]
    return pool(x, output_size).clone()


@adaptive_avg_pool.register_fake
def _(x, output_size):
    return x.new_empty([*x.shape[:-len(output_size)], *output_size])


@torch.library.custom_op("onnxrun::adaptive_max_pool", mutates_args=())
def adaptive_max_pool(x: torch.Tensor, output_size: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    pool = (torch.nn.functional.adaptive_max_pool1d, torch.nn.functional.adaptive_max_pool2d,
            torch.nn.functional.adaptive_max_pool3d)[len(output_size) - 1]
    return pool(x, output_size, return_indices=True)


@adaptive_max_pool.register_fake
def _(x, output_size):
    shape = [*x.shape[:-len(output_size)], *output_size]
    return x.new_empty(shape), x.new_empty(shape, dtype=torch.int64)


@torch.library.custom_op("onnxrun::fractional_max_pool", mutates_args=())
def fractional_max_pool(x: torch.Tensor, kernel_size: list[int], output_size: list[int],
                        samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    pool = {2: torch.ops.aten.fractional_max_pool2d, 3: torch.ops.aten.fractional_max_pool3d}[len(output_size)]
    return pool(x, kernel_size, output_size, samples)


@fractional_max_pool.register_fake
def _(x, kernel_size, output_size, samples):
    shape = [*x.shape[:-len(output_size)], *output_size]
    return x.new_empty(shape), x.new_empty(shape, dtype=torch.int64)


def _write_adaptive_avg_pool(x, output_size):
    return _domain.AdaptiveAvgPool(x, output_size=list(output_size))


def _write_adaptive_max_pool(x, output_size):
    return _domain.AdaptiveMaxPool(x, output_size=list(output_size))


def _write_fractional_max_pool(x, kernel_size, output_size, samples):
    return _domain.FractionalMaxPool(x, samples, kernel_shape=list(kernel_size), output_size=list(output_size))


TRANSLATIONS = {
    torch.ops.onnxrun.adaptive_avg_pool.default: _write_adaptive_avg_pool,
    torch.ops.onnxrun.adaptive_max_pool.default: _write_adaptive_max_pool,
    torch.ops.onnxrun.fractional_max_pool.default: _write_fractional_max_pool,
}
