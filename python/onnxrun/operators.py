"""The layers that ONNX has no operator for, as operators of PyTorch and as nodes of the domain "onnxrun".

rewrites.py puts them in place of PyTorch's own where the standard has nothing that fits.
"""

import torch
from onnxscript import values

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
    return _domain.AdaptiveMaxPool(x, output_size=list(output_size), _outputs=2)


def _write_fractional_max_pool(x, kernel_size, output_size, samples):
    return _domain.FractionalMaxPool(x, samples, kernel_shape=list(kernel_size), output_size=list(output_size), _outputs=2)


TRANSLATIONS = {
    torch.ops.onnxrun.adaptive_avg_pool.default: _write_adaptive_avg_pool,
    torch.ops.onnxrun.adaptive_max_pool.default: _write_adaptive_max_pool,
    torch.ops.onnxrun.fractional_max_pool.default: _write_fractional_max_pool,
}
