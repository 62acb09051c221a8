"""Cases of Upsample, PixelShuffle, ChannelShuffle."""
from torch import nn
import torch.nn.functional as F


def antialiased(mode, **keywords):
    return lambda x: F.interpolate(x, mode=mode, antialias=True, **keywords)


def cases(case):
    for name, module, shape in (
        ("nearest1d", nn.Upsample(7), (2, 3, 5)),
        ("nearest1d_scale", nn.Upsample(scale_factor=1.7), (2, 3, 5)),
        ("nearest2d", nn.Upsample(scale_factor=2), (2, 3, 3, 4)),
        ("nearest2d_down", nn.Upsample((2, 3)), (1, 2, 5, 7)),
        ("nearest2d_recomputed", nn.Upsample(scale_factor=(1.3, 2.6), recompute_scale_factor=True), (1, 3, 5, 4)),
        ("nearest3d", nn.Upsample(scale_factor=(1, 2, 1.5)), (1, 2, 2, 3, 4)),
        ("nearest_rounded", nn.Upsample(scale_factor=0.57), (1, 1, 100)),
        ("exact1d", nn.Upsample(8, mode="nearest-exact"), (2, 3, 5)),
        ("exact2d", nn.Upsample(scale_factor=(0.6, 1.9), mode="nearest-exact"), (1, 3, 6, 5)),
        ("exact3d", nn.Upsample((3, 5, 4), mode="nearest-exact"), (1, 2, 2, 7, 4)),
        ("linear", nn.Upsample(9, mode="linear"), (2, 3, 5)),
        ("linear_corners", nn.Upsample(scale_factor=1.5, mode="linear", align_corners=True), (2, 3, 5)),
        ("linear_one", nn.Upsample(1, mode="linear"), (1, 3, 5)),
        ("bilinear", nn.Upsample(scale_factor=2, mode="bilinear"), (2, 3, 3, 4)),
        ("bilinear_size", nn.Upsample((7, 3), mode="bilinear"), (2, 3, 4, 5)),
        ("bilinear_scale", nn.Upsample(scale_factor=(1.7, 0.6), mode="bilinear"), (1, 3, 4, 7)),
        ("bilinear_recomputed", nn.Upsample(scale_factor=(1.7, 0.6), mode="bilinear", recompute_scale_factor=True), (1, 3, 4, 7)),
        ("bilinear_corners", nn.Upsample((7, 3), mode="bilinear", align_corners=True), (2, 3, 4, 5)),
        ("bicubic", nn.Upsample(scale_factor=2, mode="bicubic"), (1, 3, 3, 4)),
        ("bicubic_scale", nn.Upsample(scale_factor=(1.7, 0.6), mode="bicubic"), (1, 2, 5, 7)),
        ("bicubic_corners", nn.Upsample((7, 4), mode="bicubic", align_corners=True), (1, 2, 4, 6)),
        ("trilinear", nn.Upsample(scale_factor=(2, 1.5, 1), mode="trilinear"), (1, 2, 2, 3, 3)),
        ("trilinear_corners", nn.Upsample((3, 5, 2), mode="trilinear", align_corners=True), (1, 2, 2, 3, 3)),
        ("bilinear_antialias", antialiased("bilinear", size=(3, 5)), (1, 3, 8, 7)),
        ("bilinear_antialias_up", antialiased("bilinear", scale_factor=(1.6, 0.45)), (1, 2, 5, 9)),
        ("bicubic_antialias", antialiased("bicubic", size=(3, 5)), (1, 2, 8, 7)),
        ("bicubic_antialias_up", antialiased("bicubic", scale_factor=(1.6, 0.45)), (1, 2, 5, 9)),
        ("bilinear_antialias_corners", antialiased("bilinear", size=(3, 9), align_corners=True), (1, 2, 8, 7)),
        ("bicubic_antialias_corners", antialiased("bicubic", size=(3, 9), align_corners=True), (1, 2, 8, 7)),
        ("bilinear_antialias_corners_one", antialiased("bilinear", size=(1, 3), align_corners=True), (1, 2, 6, 1)),
        ("bicubic_antialias_corners_one", antialiased("bicubic", size=(1, 3), align_corners=True), (1, 2, 6, 1)),
        ("bicubic_antialias_corners_scale", antialiased("bicubic", scale_factor=(1.6, 0.45), align_corners=True), (1, 2, 5, 9)),
        ("area_scale", lambda x: F.interpolate(x, scale_factor=(0.57, 1.3), mode="area"), (1, 2, 100, 4)),
        ("area_scale_1d", nn.Upsample(scale_factor=0.6, mode="area"), (3, 2, 9)),
        ("area", lambda x: F.interpolate(x, (3, 4), mode="area"), (2, 3, 7, 8)),
        ("upsampling_nearest2d", nn.UpsamplingNearest2d(scale_factor=2), (2, 3, 3, 2)),
        ("upsampling_bilinear2d", nn.UpsamplingBilinear2d((5, 6)), (2, 3, 3, 4)),
        ("upsampling_bilinear2d_scale", nn.UpsamplingBilinear2d(scale_factor=1.7), (1, 3, 5, 4)),
        ("pixel_shuffle", nn.PixelShuffle(2), (2, 12, 3, 2)),
        ("pixel_shuffle_unbatched", nn.PixelShuffle(3), (9, 2, 3)),
        ("pixel_unshuffle", nn.PixelUnshuffle(2), (2, 3, 4, 6)),
        ("pixel_unshuffle_unbatched", nn.PixelUnshuffle(3), (2, 3, 6)),
        ("channel_shuffle", nn.ChannelShuffle(2), (2, 6, 2, 3)),
        ("channel_shuffle_1d", nn.ChannelShuffle(3), (1, 6, 4)),
    ):
        case(name, module, shape)
