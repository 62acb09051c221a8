"""Every layer of torch.nn, continued: convolution, pooling, resizing."""

import torch
from torch import nn

from cases import Lambda
from every_layer import BATCH, IMAGE, NARROW, layer

# ---- convolution

layer("conv1d", lambda: nn.Conv1d(4, 6, 3), (2, 4, 17))
layer("conv1d_strided", lambda: nn.Conv1d(4, 6, 5, stride=2, padding=2), (2, 4, 17),
      dynamic={0: "batch", 2: "time"}, second=(1, 4, 30))
layer("conv1d_dilated", lambda: nn.Conv1d(4, 6, 3, dilation=4, bias=False), (2, 4, 17))
layer("conv1d_depthwise", lambda: nn.Conv1d(6, 6, 3, padding=1, groups=6), (2, 6, 11))
layer("conv1d_same", lambda: nn.Conv1d(4, 6, 4, padding="same"), (2, 4, 11))
layer("conv1d_unbatched", lambda: nn.Conv1d(4, 6, 3), (4, 17))
layer("conv2d", lambda: nn.Conv2d(3, 8, 3, padding=1), (2, 3, 9, 11),
      dtypes=NARROW, dynamic=IMAGE, second=(1, 3, 14, 8))
layer("conv2d_no_bias", lambda: nn.Conv2d(3, 8, 3, bias=False), (2, 3, 9, 11))
layer("conv2d_pointwise", lambda: nn.Conv2d(8, 12, 1), (1, 8, 5, 7))
layer("conv2d_pointwise_strided", lambda: nn.Conv2d(8, 12, 1, stride=2), (1, 8, 5, 7))
layer("conv2d_strided", lambda: nn.Conv2d(3, 5, 3, stride=2), (1, 3, 14, 13))
layer("conv2d_stride_above_kernel", lambda: nn.Conv2d(3, 5, 2, stride=3), (1, 3, 14, 13))
layer("conv2d_dilated", lambda: nn.Conv2d(3, 5, (3, 2), stride=(2, 1), padding=(2, 1),
                                          dilation=(2, 3)), (1, 3, 14, 13))
layer("conv2d_padding_above_kernel", lambda: nn.Conv2d(2, 3, 2, padding=4), (1, 2, 4, 3))
layer("conv2d_grouped", lambda: nn.Conv2d(6, 9, 3, groups=3), (2, 6, 8, 8))
layer("conv2d_depthwise", lambda: nn.Conv2d(10, 10, 3, padding=1, stride=2, groups=10),
      (1, 10, 9, 9), dynamic=BATCH, second=(3, 10, 9, 9))
layer("conv2d_depthwise_5x5", lambda: nn.Conv2d(10, 10, 5, padding=2, groups=10), (1, 10, 9, 9))
layer("conv2d_depthwise_dilated", lambda: nn.Conv2d(4, 4, 3, dilation=2, groups=4), (1, 4, 9, 9))
layer("conv2d_depthwise_multiplier", lambda: nn.Conv2d(4, 12, 3, groups=4), (1, 4, 8, 8))
layer("conv2d_long_kernel", lambda: nn.Conv2d(3, 4, (1, 7), padding=(0, 3)), (1, 3, 5, 12))
layer("conv2d_kernel_of_image", lambda: nn.Conv2d(3, 4, (5, 6)), (2, 3, 5, 6))
layer("conv2d_same", lambda: nn.Conv2d(3, 4, (4, 3), padding="same", dilation=(1, 2)), (1, 3, 9, 8))
layer("conv2d_valid", lambda: nn.Conv2d(3, 4, 3, padding="valid"), (1, 3, 9, 8))
layer("conv2d_reflect", lambda: nn.Conv2d(3, 4, 3, padding=2, padding_mode="reflect"), (1, 3, 8, 7))
layer("conv2d_replicate", lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="replicate"), (1, 3, 8, 7))
layer("conv2d_circular", lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"), (1, 3, 8, 7))
layer("conv2d_unbatched", lambda: nn.Conv2d(3, 8, 3), (3, 9, 11))
layer("conv2d_first", lambda: nn.Conv2d(3, 32, 7, stride=2, padding=3), (1, 3, 33, 35))
layer("conv3d", lambda: nn.Conv3d(2, 4, (2, 3, 3), stride=(1, 2, 1), padding=(0, 1, 1)), (1, 2, 5, 6, 7))
layer("conv3d_dilated", lambda: nn.Conv3d(2, 4, 3, dilation=(1, 2, 2), padding=1), (2, 2, 6, 7, 7))
layer("conv3d_grouped", lambda: nn.Conv3d(4, 4, 3, groups=4, bias=False), (1, 4, 5, 6, 5))
layer("conv3d_circular", lambda: nn.Conv3d(2, 3, 3, padding=1, padding_mode="circular"), (1, 2, 4, 4, 5))
layer("conv_transpose1d", lambda: nn.ConvTranspose1d(4, 3, 4, stride=2, padding=1), (2, 4, 9),
      dynamic={0: "batch", 2: "time"}, second=(1, 4, 5))
layer("conv_transpose1d_dilated", lambda: nn.ConvTranspose1d(4, 3, 3, dilation=3, output_padding=0), (2, 4, 9))
layer("conv_transpose2d", lambda: nn.ConvTranspose2d(4, 6, 2, stride=2), (1, 4, 5, 6), dtypes=NARROW)
layer("conv_transpose2d_3x3", lambda: nn.ConvTranspose2d(4, 6, 3, bias=False), (1, 4, 5, 6))
layer("conv_transpose2d_overlap", lambda: nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1), (2, 4, 5, 6),
      dynamic=IMAGE, second=(1, 4, 3, 8))
layer("conv_transpose2d_output_padding", lambda: nn.ConvTranspose2d(
    4, 6, 3, stride=2, padding=1, output_padding=1), (1, 4, 5, 6))
layer("conv_transpose2d_grouped", lambda: nn.ConvTranspose2d(
    4, 6, 3, stride=2, padding=1, output_padding=1, groups=2, dilation=(1, 2)), (2, 4, 5, 6))
layer("conv_transpose2d_depthwise", lambda: nn.ConvTranspose2d(4, 4, 3, stride=2, groups=4), (1, 4, 5, 6))
layer("conv_transpose2d_stride_above_kernel", lambda: nn.ConvTranspose2d(3, 2, 2, stride=3), (1, 3, 4, 3))
layer("conv_transpose3d", lambda: nn.ConvTranspose3d(2, 3, 3, stride=2, padding=1), (1, 2, 4, 3, 5))
layer("conv_transpose3d_output_padding", lambda: nn.ConvTranspose3d(
    2, 3, (2, 3, 3), stride=(1, 2, 3), output_padding=(0, 1, 2)), (1, 2, 4, 3, 2))
layer("conv_bn_relu", lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
      (1, 3, 10, 10), sweep=True, dtypes=NARROW, dynamic=IMAGE, second=(2, 3, 7, 12))

# ---- pooling

for _d, _shape in ((1, (2, 3, 11)), (2, (2, 3, 8, 9)), (3, (1, 2, 6, 7, 5))):
    for _name, _options in {
            "": {}, "_stride_1": dict(stride=1), "_padded": dict(padding=1),
            "_ceil": dict(stride=2, padding=1, ceil_mode=True)}.items():
        layer(f"maxpool{_d}d{_name}", lambda d=_d, o=_options: getattr(nn, f"MaxPool{d}d")(3, **o), _shape,
              sweep=_d == 2 and not _name)
        layer(f"avgpool{_d}d{_name}", lambda d=_d, o=_options: getattr(nn, f"AvgPool{d}d")(3, **o), _shape)
    layer(f"maxpool{_d}d_dilated", lambda d=_d: getattr(nn, f"MaxPool{d}d")(2, stride=1, dilation=2), _shape)
    layer(f"maxpool{_d}d_indices", lambda d=_d: getattr(nn, f"MaxPool{d}d")(2, return_indices=True), _shape,
          outputs=("y", "indices"))
    layer(f"avgpool{_d}d_exclude_pad", lambda d=_d: getattr(nn, f"AvgPool{d}d")(
        3, stride=2, padding=1, count_include_pad=False), _shape)
    layer(f"avgpool{_d}d_ceil_exclude_pad", lambda d=_d: getattr(nn, f"AvgPool{d}d")(
        3, stride=2, padding=1, count_include_pad=False, ceil_mode=True), _shape)
    if _d > 1:
        layer(f"avgpool{_d}d_divisor", lambda d=_d: getattr(nn, f"AvgPool{d}d")(3, divisor_override=5), _shape)
    layer(f"lppool{_d}d", lambda d=_d: getattr(nn, f"LPPool{d}d")(2, 3, stride=2), _shape)
    layer(f"lppool{_d}d_odd", lambda d=_d: Lambda(
        lambda x, m=getattr(nn, f"LPPool{d}d")(3, 2, ceil_mode=True): m(x.abs() + 0.1)), _shape)
    for _size, _tag in ((1, "1"), (2, "2"), (4, "4")):
        layer(f"adaptive_avgpool{_d}d_{_tag}", lambda d=_d, s=_size: getattr(nn, f"AdaptiveAvgPool{d}d")(s), _shape)
        layer(f"adaptive_maxpool{_d}d_{_tag}", lambda d=_d, s=_size: getattr(nn, f"AdaptiveMaxPool{d}d")(s), _shape)
layer("maxpool2d_mixed", lambda: nn.MaxPool2d((3, 2), stride=(1, 2), padding=(1, 0)), (1, 3, 9, 10), dtypes=NARROW,
      dynamic=IMAGE, second=(2, 3, 6, 7))
layer("avgpool2d_mixed", lambda: nn.AvgPool2d((3, 2), stride=(1, 2), padding=(1, 0)), (1, 3, 9, 10), dtypes=NARROW,
      dynamic=IMAGE, second=(2, 3, 6, 7))
layer("maxpool2d_unbatched", lambda: nn.MaxPool2d(2), (3, 8, 9))
layer("adaptive_avgpool2d_mixed", lambda: nn.AdaptiveAvgPool2d((3, None)), (2, 3, 7, 5))
layer("adaptive_avgpool2d_divides", lambda: nn.AdaptiveAvgPool2d((3, 2)), (2, 3, 6, 8), dynamic=BATCH,
      second=(1, 3, 6, 8))
layer("adaptive_maxpool2d_divides", lambda: nn.AdaptiveMaxPool2d((3, 2)), (2, 3, 6, 8))
layer("adaptive_maxpool2d_indices", lambda: nn.AdaptiveMaxPool2d((3, 2), return_indices=True), (2, 3, 6, 8),
      outputs=("y", "indices"))
layer("global_avgpool", lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4)), (2, 3, 6, 8), dynamic=IMAGE, second=(1, 3, 5, 9))


class Unpool(nn.Module):
    def __init__(self, d, **options):
        super().__init__()
        self.pool = getattr(nn, f"MaxPool{d}d")(2, return_indices=True, **options)
        self.unpool = getattr(nn, f"MaxUnpool{d}d")(2, **options)

    def forward(self, x):
        return self.unpool(*self.pool(x))


layer("max_unpool1d", lambda: Unpool(1), (2, 3, 8), ts=False)
layer("max_unpool2d", lambda: Unpool(2), (2, 3, 8, 6), ts=False)
layer("max_unpool2d_strided", lambda: Unpool(2, stride=3), (1, 3, 8, 8), ts=False)
layer("max_unpool3d", lambda: Unpool(3), (1, 2, 4, 6, 4), ts=False)

# ---- resizing and rearranging

for _mode, _shape in (("nearest", (1, 2, 4, 5)), ("bilinear", (1, 2, 4, 5)), ("bicubic", (1, 2, 5, 6)),
                      ("nearest-exact", (1, 2, 4, 5)), ("area", (1, 2, 4, 6)),
                      ("linear", (1, 2, 7)), ("trilinear", (1, 2, 3, 4, 3))):
    _tag = _mode.replace("-", "_")
    for _name, _options in {"up": dict(scale_factor=2), "down": dict(scale_factor=0.5),
                            "odd": dict(scale_factor=1.7), "size": dict(size=(7,) * (len(_shape) - 2))}.items():
        if _mode == "area":
            layer(f"resize_{_tag}_{_name}", lambda o=_options: Lambda(
                lambda x: nn.functional.interpolate(x, mode="area", **o)), _shape, ts=False)
            continue
        layer(f"upsample_{_tag}_{_name}", lambda m=_mode, o=_options: nn.Upsample(mode=m, **o), _shape,
              sweep=_name == "up" and _mode in ("nearest", "bilinear"), ts=_mode != "nearest-exact")
        if "linear" in _mode or _mode == "bicubic":
            layer(f"upsample_{_tag}_{_name}_corners", lambda m=_mode, o=_options: nn.Upsample(
                mode=m, align_corners=True, **o), _shape)
    if _mode in ("bilinear", "bicubic"):
        layer(f"resize_{_tag}_antialias", lambda m=_mode: Lambda(lambda x: nn.functional.interpolate(
            x, size=(3, 4), mode=m, antialias=True)), (1, 2, 9, 11), ts=False)
layer("upsample_nearest_1d", lambda: nn.Upsample(scale_factor=3), (2, 3, 5))
layer("upsample_nearest_3d", lambda: nn.Upsample(scale_factor=2), (1, 2, 3, 2, 4))
layer("upsample_two_scales", lambda: nn.Upsample(scale_factor=(2, 3), mode="bilinear"), (1, 2, 3, 4))
layer("upsample_recompute", lambda: nn.Upsample(scale_factor=1.6, mode="bilinear", recompute_scale_factor=True),
      (1, 2, 5, 7))
layer("upsampling_nearest2d", lambda: nn.UpsamplingNearest2d(scale_factor=2), (1, 2, 3, 4), dynamic=IMAGE,
      second=(2, 2, 5, 3))
layer("upsampling_bilinear2d", lambda: nn.UpsamplingBilinear2d(scale_factor=2), (1, 2, 3, 4))
layer("pixel_shuffle", lambda: nn.PixelShuffle(2), (2, 8, 3, 4))
layer("pixel_shuffle_3", lambda: nn.PixelShuffle(3), (1, 9, 2, 3))
layer("pixel_unshuffle", lambda: nn.PixelUnshuffle(2), (2, 2, 6, 4))
layer("channel_shuffle", lambda: nn.ChannelShuffle(3), (2, 6, 3, 2), ts=False)
layer("unfold", lambda: nn.Unfold(3), (2, 3, 6, 7))
layer("unfold_all", lambda: nn.Unfold((3, 2), dilation=(1, 2), padding=(1, 2), stride=(2, 1)), (2, 3, 6, 7))
layer("fold", lambda: nn.Fold((6, 7), 3), (2, 18, 20), ts=False)
layer("fold_all", lambda: nn.Fold((6, 7), (3, 2), dilation=(1, 2), padding=(1, 2), stride=(2, 1)), (2, 18, 27), ts=False)
layer("fractional_maxpool2d", lambda: Fractional(2), (2, 3, 9, 10), ts=False)
layer("fractional_maxpool3d", lambda: Fractional(3), (1, 2, 7, 8, 6), ts=False)


class Fractional(nn.Module):
    """With its random samples given, so that there is one right answer."""

    def __init__(self, d):
        super().__init__()
        channels = 3 if d == 2 else 2
        batch = 2 if d == 2 else 1
        samples = torch.rand(batch, channels, d)
        self.pool = getattr(nn, f"FractionalMaxPool{d}d")(2, output_size=4, _random_samples=samples)

    def forward(self, x):
        return self.pool(x)
