"""Cases of convolutions."""
from torch import nn


class Sized(nn.Module):
    """A transposed convolution whose forward call names the size of the output."""

    def __init__(self, convolution, output_size):
        super().__init__()
        self.convolution, self.output_size = convolution, output_size

    def forward(self, x):
        return self.convolution(x, self.output_size)


def cases(case):
    for name, module, shape in (
        ("conv1d", nn.Conv1d(3, 4, 3), (2, 3, 9)),
        ("conv1d_all", nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2), (2, 4, 11)),
        ("conv1d_same", nn.Conv1d(3, 4, 4, padding="same", dilation=3), (1, 3, 12)),
        ("conv1d_unbatched", nn.Conv1d(3, 4, 3, padding="valid", bias=False), (3, 9)),
        ("conv1d_circular", nn.Conv1d(3, 4, 3, padding=2, padding_mode="circular"), (2, 3, 7)),
        ("conv2d", nn.Conv2d(3, 5, 3), (2, 3, 7, 8)),
        ("conv2d_oblong", nn.Conv2d(3, 5, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), bias=False), (2, 3, 7, 8)),
        ("conv2d_pointwise", nn.Conv2d(8, 5, 1, stride=2), (1, 8, 5, 5)),
        ("conv2d_groups", nn.Conv2d(4, 6, 3, padding=1, groups=2), (2, 4, 5, 6)),
        ("conv2d_depthwise", nn.Conv2d(6, 6, 3, padding=1, stride=2, groups=6), (2, 6, 7, 6)),
        ("conv2d_multiplier", nn.Conv2d(3, 6, 3, padding=1, groups=3), (1, 3, 5, 6)),
        ("conv2d_same", nn.Conv2d(3, 4, (3, 4), padding="same", dilation=(2, 1)), (1, 3, 6, 7)),
        ("conv2d_same_reflect", nn.Conv2d(3, 4, (3, 4), padding="same", padding_mode="reflect"), (1, 3, 6, 7)),
        ("conv2d_reflect", nn.Conv2d(3, 4, 3, padding=(2, 1), padding_mode="reflect"), (2, 3, 5, 6)),
        ("conv2d_replicate", nn.Conv2d(3, 4, 3, padding=2, stride=2, padding_mode="replicate"), (2, 3, 5, 6)),
        ("conv2d_circular", nn.Conv2d(3, 4, 3, padding=(0, 2), padding_mode="circular"), (2, 3, 5, 6)),
        ("conv2d_unbatched", nn.Conv2d(3, 4, 3, padding=1), (3, 5, 6)),
        ("conv3d", nn.Conv3d(2, 3, 2), (2, 2, 3, 4, 5)),
        ("conv3d_all", nn.Conv3d(4, 4, (2, 3, 1), stride=(1, 2, 2), padding=(1, 2, 0), dilation=(1, 2, 1), groups=2), (1, 4, 3, 6, 5)),
        ("conv3d_same", nn.Conv3d(2, 3, (2, 3, 1), padding="same"), (1, 2, 3, 4, 3)),
        ("conv3d_replicate", nn.Conv3d(2, 3, 3, padding=1, padding_mode="replicate"), (1, 2, 3, 3, 4)),
        ("conv3d_unbatched", nn.Conv3d(2, 3, 2), (2, 3, 4, 3)),
        ("transpose1d", nn.ConvTranspose1d(3, 4, 3), (2, 3, 6)),
        ("transpose1d_all", nn.ConvTranspose1d(4, 6, 3, stride=3, padding=1, output_padding=2, groups=2, dilation=2), (2, 4, 5)),
        ("transpose1d_unbatched", nn.ConvTranspose1d(3, 4, 3, stride=2), (3, 6)),
        ("transpose2d", nn.ConvTranspose2d(3, 4, 2, stride=2), (2, 3, 4, 5)),
        ("transpose2d_oblong", nn.ConvTranspose2d(4, 6, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2,
                                                  dilation=(2, 1), bias=False), (2, 4, 3, 4)),
        ("transpose2d_dilation", nn.ConvTranspose2d(3, 4, 3, stride=1, padding=2, output_padding=1, dilation=2), (1, 3, 5, 4)),
        ("transpose2d_depthwise", nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, groups=4), (1, 4, 4, 3)),
        ("transpose2d_unbatched", nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1), (3, 4, 5)),
        ("transpose1d_size", Sized(nn.ConvTranspose1d(3, 4, 3, stride=4, dilation=2), (27,)), (2, 3, 6)),
        ("transpose2d_size", Sized(nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1), (8, 7)), (2, 3, 4, 4)),
        ("transpose2d_size_replaces", Sized(nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1), (7, 8)), (1, 3, 4, 4)),
        ("transpose2d_size_upscale", Sized(nn.ConvTranspose2d(3, 4, 2, stride=2), (9, 8)), (1, 3, 4, 4)),
        ("transpose3d_size", Sized(nn.ConvTranspose3d(2, 3, 2, stride=(2, 3, 1)), (5, 9, 3)), (1, 2, 2, 3, 2)),
        ("transpose3d", nn.ConvTranspose3d(2, 3, 2, stride=2), (1, 2, 2, 3, 2)),
        ("transpose3d_all", nn.ConvTranspose3d(4, 2, (2, 3, 2), stride=(2, 1, 2), padding=(0, 1, 1), output_padding=(1, 0, 1), groups=2,
                                               dilation=(1, 2, 1)), (1, 4, 2, 3, 3)),
        ("transpose3d_unbatched", nn.ConvTranspose3d(2, 2, 2), (2, 2, 3, 2)),
    ):
        case(name, module, shape)
