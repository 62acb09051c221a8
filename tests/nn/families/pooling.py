"""Cases of pools."""
import torch
from torch import nn


class Unpool(nn.Module):
    """A pool with indices, then its inverse."""

    def __init__(self, pool, unpool, output_size=None):
        super().__init__()
        self.pool, self.unpool, self.output_size = pool, unpool, output_size

    def forward(self, x):
        y, indices = self.pool(x)
        return self.unpool(y, indices, self.output_size)


def fractional(make, *args, **keywords):
    """Samples are a second input, brought into [0, 1]."""
    return lambda x, samples: make(*args, **keywords, _random_samples=torch.nn.functional.hardsigmoid(samples))(x)


def seeded(seed, module):
    def run(x):
        torch.manual_seed(seed)
        return module(x)
    return run


def cases(case):
    for name, module, shape in (
        ("max1d", nn.MaxPool1d(3), (2, 3, 10)),
        ("max1d_all", nn.MaxPool1d(3, 2, 1, 2, True, True), (2, 3, 11)),
        ("max1d_unbatched", nn.MaxPool1d(2, return_indices=True), (3, 7)),
        ("max2d", nn.MaxPool2d(2), (2, 3, 6, 7)),
        ("max2d_oblong", nn.MaxPool2d((3, 2), (1, 2), (1, 0), (2, 1), return_indices=True), (2, 3, 6, 7)),
        ("max2d_ceil", nn.MaxPool2d(3, 2, 1, ceil_mode=True), (1, 3, 6, 6)),
        ("max2d_small", nn.MaxPool2d((3, 5), (2, 4), ceil_mode=True), (1, 5, 2, 4)),
        ("max2d_unbatched", nn.MaxPool2d(3, 2, 1, ceil_mode=True, return_indices=True), (3, 6, 6)),
        ("max3d", nn.MaxPool3d(2), (1, 2, 4, 5, 6)),
        ("max3d_all", nn.MaxPool3d((2, 3, 2), (1, 2, 2), (1, 1, 0), (1, 1, 2), True, True), (2, 2, 3, 4, 6)),
        ("max3d_unbatched", nn.MaxPool3d(2, 1), (2, 3, 3, 4)),
        ("unpool1d", Unpool(nn.MaxPool1d(2, return_indices=True), nn.MaxUnpool1d(2)), (2, 3, 8)),
        ("unpool1d_size", Unpool(nn.MaxPool1d(2, return_indices=True), nn.MaxUnpool1d(2), (9,)), (2, 3, 9)),
        ("unpool2d", Unpool(nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)), (2, 3, 4, 6)),
        ("unpool2d_size", Unpool(nn.MaxPool2d(3, 2, 1, return_indices=True), nn.MaxUnpool2d(3, 2, 1), (6, 8)), (2, 3, 6, 8)),
        ("unpool2d_unbatched", Unpool(nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2), (5, 7)), (3, 5, 7)),
        ("unpool3d", Unpool(nn.MaxPool3d(2, return_indices=True), nn.MaxUnpool3d(2)), (1, 2, 4, 2, 4)),
        ("unpool3d_size", Unpool(nn.MaxPool3d((1, 2, 2), return_indices=True), nn.MaxUnpool3d((1, 2, 2)), (2, 5, 3)), (2, 2, 2, 5, 3)),
        ("avg1d", nn.AvgPool1d(3), (2, 3, 10)),
        ("avg1d_all", nn.AvgPool1d(3, 2, 1, True, False), (2, 3, 12)),
        ("avg1d_unbatched", nn.AvgPool1d(3, 1, 1), (3, 7)),
        ("avg2d", nn.AvgPool2d(2), (2, 3, 6, 7)),
        ("avg2d_pad", nn.AvgPool2d(3, 2, 1), (2, 3, 6, 7)),
        ("avg2d_exclude", nn.AvgPool2d((3, 2), (2, 1), (1, 1), count_include_pad=False), (2, 3, 6, 5)),
        ("avg2d_ceil", nn.AvgPool2d(3, 2, 1, True), (1, 3, 6, 6)),
        ("avg2d_small", nn.AvgPool2d(4, 3, ceil_mode=True), (1, 5, 2, 3)),
        ("avg2d_divisor", nn.AvgPool2d(3, 2, 1, divisor_override=5), (1, 3, 6, 7)),
        ("avg2d_divisor_ceil", nn.AvgPool2d(3, 2, ceil_mode=True, divisor_override=-2), (3, 6, 6)),
        ("avg2d_unbatched", nn.AvgPool2d(2, 1), (3, 4, 5)),
        ("avg3d", nn.AvgPool3d(2), (1, 2, 4, 5, 6)),
        ("avg3d_all", nn.AvgPool3d((2, 3, 2), (1, 2, 2), (1, 1, 0), True, False, 7), (2, 2, 3, 4, 5)),
        ("avg3d_unbatched", nn.AvgPool3d(2, 1, 1), (2, 2, 3, 2)),
        ("lp1d", nn.LPPool1d(2, 3), (2, 3, 10)),
        ("lp1d_one", nn.LPPool1d(1, 3, 2, True), (2, 3, 10)),
        ("lp2d", nn.LPPool2d(2, 2), (2, 3, 6, 7)),
        ("lp2d_odd", nn.LPPool2d(3, (3, 2), (1, 2)), (1, 2, 6, 7)),
        ("lp2d_ceil", nn.LPPool2d(4, 3, 2, True), (1, 2, 6, 6)),
        ("lp2d_unbatched", nn.LPPool2d(2, 2, 1), (2, 4, 5)),
        ("lp2d_infinite", nn.LPPool2d(float("inf"), 2), (1, 2, 4, 4)),
        ("lp2d_least", nn.LPPool2d(float("-inf"), 2), (1, 2, 4, 4)),
        ("lp3d", nn.LPPool3d(2, 2), (1, 2, 4, 5, 4)),
        ("lp3d_all", nn.LPPool3d(6, (2, 3, 1), (1, 2, 1), True), (2, 3, 4, 3)),
        ("adaptive_avg1d", nn.AdaptiveAvgPool1d(5), (2, 3, 13)),
        ("adaptive_avg1d_even", nn.AdaptiveAvgPool1d(4), (3, 12)),
        ("adaptive_avg2d", nn.AdaptiveAvgPool2d((3, 5)), (2, 5, 8, 7)),
        ("adaptive_avg2d_even", nn.AdaptiveAvgPool2d((3, 2)), (2, 5, 6, 8)),
        ("adaptive_avg2d_one", nn.AdaptiveAvgPool2d(1), (2, 5, 5, 6)),
        ("adaptive_avg2d_none", nn.AdaptiveAvgPool2d((None, 3)), (2, 5, 4, 7)),
        ("adaptive_avg2d_larger", nn.AdaptiveAvgPool2d((7, 9)), (5, 3, 4)),
        ("adaptive_avg3d", nn.AdaptiveAvgPool3d((2, None, 3)), (1, 2, 5, 3, 4)),
        ("adaptive_avg3d_unbatched", nn.AdaptiveAvgPool3d(2), (2, 4, 3, 5)),
        ("adaptive_max1d", nn.AdaptiveMaxPool1d(5, True), (2, 3, 13)),
        ("adaptive_max1d_even", nn.AdaptiveMaxPool1d(4), (3, 12)),
        ("adaptive_max2d", nn.AdaptiveMaxPool2d((3, 5), True), (2, 5, 8, 7)),
        ("adaptive_max2d_even", nn.AdaptiveMaxPool2d((3, 2)), (2, 5, 6, 8)),
        ("adaptive_max2d_one", nn.AdaptiveMaxPool2d(1), (5, 5, 6)),
        ("adaptive_max2d_one_index", nn.AdaptiveMaxPool2d(1, True), (2, 3, 4, 3)),
        ("adaptive_max3d", nn.AdaptiveMaxPool3d((2, None, 3), True), (1, 2, 5, 3, 4)),
        ("adaptive_max3d_unbatched", nn.AdaptiveMaxPool3d(2), (2, 4, 3, 5)),
        ("fractional2d_seed", seeded(0, nn.FractionalMaxPool2d(2, output_size=(4, 5), return_indices=True)), (2, 9, 9, 11)),
        ("fractional3d_seed", seeded(7, nn.FractionalMaxPool3d(2, output_ratio=(0.5, 0.6, 0.7))), (3, 6, 7, 8)),
    ):
        case(name, module, shape)
    for name, function, shape, samples in (
        ("fractional2d", fractional(nn.FractionalMaxPool2d, 2, output_size=(5, 4), return_indices=True), (2, 5, 11, 9), (2, 5, 2)),
        ("fractional2d_ratio", fractional(nn.FractionalMaxPool2d, (3, 2), output_ratio=(0.4, 0.7)), (1, 6, 13, 10), (1, 6, 2)),
        ("fractional2d_unbatched", fractional(nn.FractionalMaxPool2d, 2, output_size=(1, 7)), (4, 9, 8), (1, 4, 2)),
        ("fractional3d", fractional(nn.FractionalMaxPool3d, 2, output_size=(2, 4, 5), return_indices=True), (2, 4, 4, 7, 9), (2, 4, 3)),
        ("fractional3d_ratio", fractional(nn.FractionalMaxPool3d, (1, 2, 3), output_ratio=(0.5, 0.6, 0.5)), (1, 4, 6, 7, 8), (1, 4, 3)),
        ("fractional3d_unbatched", fractional(nn.FractionalMaxPool3d, 2, output_size=3), (3, 5, 6, 7), (1, 3, 3)),
    ):
        case(name, function, shape, samples)
