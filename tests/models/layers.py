"""Small fixtures: one layer of torch.nn each, in the forms that matter."""

import torch
from torch import nn

from cases import Lambda, TensorsOnly, case, randn

# ---- linear

BATCH = {"x": {0: "batch"}}


@case("linear_2d", randn(4, 12))
def linear_2d():
    return nn.Linear(12, 7)


@case("linear_nd", randn(2, 3, 5, 12))
def linear_nd():
    return nn.Linear(12, 7)


@case("linear_no_bias", randn(3, 12))
def linear_no_bias():
    return nn.Linear(12, 7, bias=False)


@case("mlp", randn(3, 10), dynamic=BATCH, more=(randn(1, 10), randn(7, 10)),
      ts=(17, 9))
def mlp():
    return nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 8),
                         nn.Tanh(), nn.Linear(8, 3))


@case("linear_f16", lambda: (torch.randn(3, 12).half(),))
def linear_f16():
    return nn.Linear(12, 7).half()


@case("linear_f64", lambda: (torch.randn(3, 12).double(),))
def linear_f64():
    return nn.Linear(12, 7).double()


@case("bilinear", lambda: (torch.randn(4, 5), torch.randn(4, 6)),
      names=("x", "z"), ts=())
def bilinear():
    return nn.Bilinear(5, 6, 3)


# ---- convolution

@case("conv1d_strided", randn(2, 4, 17))
def conv1d_strided():
    return nn.Conv1d(4, 6, 5, stride=2, padding=2)


@case("conv2d", randn(2, 3, 9, 11), ts=(17, 9))
def conv2d():
    return nn.Conv2d(3, 8, 3, padding=1)


@case("conv2d_pointwise", randn(1, 8, 5, 7))
def conv2d_pointwise():
    return nn.Conv2d(8, 12, 1)


@case("conv2d_strided_dilated", randn(1, 3, 14, 13))
def conv2d_strided_dilated():
    return nn.Conv2d(3, 5, (3, 2), stride=(2, 1), padding=(2, 1),
                     dilation=(2, 3))


@case("conv2d_grouped", randn(2, 6, 8, 8))
def conv2d_grouped():
    return nn.Conv2d(6, 9, 3, groups=3)


@case("conv2d_depthwise", randn(1, 10, 9, 9))
def conv2d_depthwise():
    return nn.Conv2d(10, 10, 3, padding=1, stride=2, groups=10)


@case("conv2d_depthwise_multiplier", randn(1, 4, 8, 8))
def conv2d_depthwise_multiplier():
    return nn.Conv2d(4, 8, 5, padding=2, groups=4, bias=False)


@case("conv2d_same", randn(1, 3, 9, 8))
def conv2d_same():
    return nn.Conv2d(3, 4, (4, 3), padding="same", dilation=(1, 2))


@case("conv2d_reflect", randn(1, 3, 8, 7))
def conv2d_reflect():
    return nn.Conv2d(3, 4, 3, padding=2, padding_mode="reflect")


@case("conv2d_replicate", randn(1, 3, 8, 7))
def conv2d_replicate():
    return nn.Conv2d(3, 4, 3, padding=1, padding_mode="replicate")


@case("conv2d_circular", randn(1, 3, 8, 7))
def conv2d_circular():
    return nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular")


@case("conv3d", randn(1, 2, 5, 6, 7))
def conv3d():
    return nn.Conv3d(2, 4, (2, 3, 3), stride=(1, 2, 1), padding=(0, 1, 1))


@case("conv_transpose1d", randn(2, 4, 9))
def conv_transpose1d():
    return nn.ConvTranspose1d(4, 3, 4, stride=2, padding=1)


@case("conv_transpose2d", randn(1, 4, 5, 6), ts=(17, 9))
def conv_transpose2d():
    return nn.ConvTranspose2d(4, 6, 2, stride=2)


@case("conv_transpose2d_grouped", randn(2, 4, 5, 6))
def conv_transpose2d_grouped():
    return nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1,
                              groups=2, dilation=(1, 2))


@case("conv_bn_relu", randn(1, 3, 10, 10), ts=(17, 9, 11, 13), dynamo=(20, 23))
def conv_bn_relu():
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False),
                         nn.BatchNorm2d(8), nn.ReLU())


# ---- normalisation

@case("batchnorm2d", randn(2, 5, 4, 6), ts=(17, 9, 13))
def batchnorm2d():
    return nn.BatchNorm2d(5)


@case("batchnorm1d_after_relu", randn(3, 5, 8))
def batchnorm1d_after_relu():
    return nn.Sequential(nn.ReLU(), nn.BatchNorm1d(5, eps=1e-2), nn.Sigmoid())


@case("layernorm", randn(2, 6, 10), ts=(17, 9, 13), dynamo=(20, 23))
def layernorm():
    return nn.LayerNorm(10)


@case("layernorm_2d", randn(3, 4, 5))
def layernorm_2d():
    return nn.LayerNorm((4, 5), bias=False)


@case("groupnorm", randn(2, 6, 5, 4), dynamo=(20, 23), ts=(17, 11))
def groupnorm():
    return nn.GroupNorm(3, 6)


@case("instancenorm", randn(2, 4, 5, 6))
def instancenorm():
    return nn.InstanceNorm2d(4, affine=True)


@case("rmsnorm", randn(2, 5, 8), dynamo=(20, 23), ts=())
def rmsnorm():
    return nn.RMSNorm(8)


@case("local_response_norm", randn(1, 7, 4, 4))
def local_response_norm():
    return nn.LocalResponseNorm(3, alpha=0.5, beta=0.75, k=1.5)


# ---- pooling

@case("maxpool", randn(2, 3, 8, 9), ts=(17, 9))
def maxpool():
    return nn.MaxPool2d(2)


@case("maxpool_ceil", randn(1, 3, 8, 9))
def maxpool_ceil():
    return nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)


@case("maxpool_dilated", randn(1, 2, 9, 9))
def maxpool_dilated():
    return nn.MaxPool2d((3, 2), stride=1, dilation=2)


@case("maxpool_indices", randn(2, 3, 7, 8), outputs=("y", "indices"))
def maxpool_indices():
    return nn.MaxPool2d(2, return_indices=True)


@case("maxpool1d", randn(2, 3, 11))
def maxpool1d():
    return nn.MaxPool1d(3, stride=2)


@case("avgpool", randn(1, 3, 8, 9), ts=(17, 9))
def avgpool():
    return nn.AvgPool2d(3, stride=2, padding=1)


@case("avgpool_exclude_pad", randn(1, 3, 8, 9))
def avgpool_exclude_pad():
    return nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)


@case("avgpool_ceil", randn(1, 3, 8, 9))
def avgpool_ceil():
    return nn.AvgPool2d((2, 3), stride=2, padding=(0, 1), ceil_mode=True,
                        count_include_pad=False)


@case("adaptive_avgpool_1", randn(2, 3, 5, 7))
def adaptive_avgpool_1():
    return nn.AdaptiveAvgPool2d(1)


@case("adaptive_avgpool_3", randn(2, 3, 6, 6))
def adaptive_avgpool_3():
    return nn.AdaptiveAvgPool2d(3)


@case("adaptive_avgpool_uneven", randn(1, 2, 5, 7), ts=())
def adaptive_avgpool_uneven():
    return nn.AdaptiveAvgPool2d((3, 4))


@case("adaptive_maxpool_1", randn(2, 3, 5, 7))
def adaptive_maxpool_1():
    return nn.AdaptiveMaxPool2d(1)


# ---- resizing

@case("upsample_nearest", randn(1, 2, 4, 5), ts=(17, 9, 11))
def upsample_nearest():
    return nn.Upsample(scale_factor=2, mode="nearest")


@case("upsample_bilinear", randn(1, 2, 4, 5), ts=(17, 11))
def upsample_bilinear():
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)


@case("upsample_bilinear_corners", randn(1, 2, 4, 5))
def upsample_bilinear_corners():
    return nn.Upsample(size=(9, 7), mode="bilinear", align_corners=True)


@case("upsample_bicubic", randn(1, 2, 5, 5))
def upsample_bicubic():
    return nn.Upsample(size=(8, 9), mode="bicubic", align_corners=False)


@case("pixel_shuffle", randn(1, 8, 3, 4))
def pixel_shuffle():
    return nn.Sequential(nn.PixelShuffle(2), nn.Conv2d(2, 3, 1),
                         nn.PixelUnshuffle(2))


@case("grid_sample", lambda: (torch.randn(1, 2, 5, 6),
                              torch.rand(1, 4, 3, 2) * 2.4 - 1.2),
      names=("x", "grid"))
def grid_sample():
    return Lambda(lambda x, grid: nn.functional.grid_sample(
        x, grid, mode="bilinear", padding_mode="zeros", align_corners=False))


@case("fold_unfold", randn(1, 2, 6, 7), ts=())
def fold_unfold():
    return nn.Sequential(nn.Unfold(3, padding=1, stride=2),
                         nn.Fold((6, 7), 3, padding=1, stride=2))


# ---- activations

@case("softmax", randn(2, 3, 4), ts=(17, 9, 11))
def softmax():
    return Lambda(lambda x: torch.softmax(x, 1))


@case("log_softmax", randn(3, 6))
def log_softmax():
    return nn.LogSoftmax(-1)


@case("activations", lambda: (torch.randn(1, 4, 6) * 3,))
def activations():
    class Activations(nn.Module):
        def __init__(self):
            super().__init__()
            self.prelu = nn.PReLU(4)
            self.layers = nn.ModuleList([
                nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.1), nn.ELU(0.7),
                nn.CELU(1.3), nn.SELU(), nn.GELU(), nn.GELU("tanh"),
                nn.SiLU(), nn.Mish(), nn.Sigmoid(), nn.Tanh(), nn.Softplus(),
                nn.Softsign(), nn.Tanhshrink(), nn.Hardtanh(-0.5, 0.8),
                nn.Hardswish(), nn.Hardsigmoid(), nn.Hardshrink(0.4),
                nn.Softshrink(0.4), nn.LogSigmoid()])

        def forward(self, x):
            parts = [layer(x) for layer in self.layers]
            return torch.cat([*parts, self.prelu(x), nn.functional.glu(x, 2)], 2)

    return Activations()


@case("threshold", randn(3, 7), ts=())
def threshold():
    return nn.Threshold(0.2, -1.5)


# ---- embedding, attention, recurrence

def TOKENS():
    return (torch.randint(0, 11, (2, 5)),)



@case("embedding", TOKENS, names=("ids",))
def embedding():
    return nn.Embedding(11, 6)


@case("embedding_i32", lambda: (torch.randint(0, 11, (2, 5)).int(),),
      names=("ids",))
def embedding_i32():
    return nn.Embedding(11, 6)


@case("embedding_bag", TOKENS, names=("ids",))
def embedding_bag():
    return nn.EmbeddingBag(11, 6, mode="mean")


@case("attention_sdpa", lambda: tuple(torch.randn(1, 2, 6, 8) for _ in range(3)),
      names=("q", "k", "v"), dynamo=(20, 23), ts=(17,))
def attention_sdpa():
    return Lambda(lambda q, k, v: nn.functional.scaled_dot_product_attention(
        q, k, v, is_causal=True))


@case("multihead_attention", randn(2, 5, 12), outputs=("y", "weights"),
      dynamo=(20, 23))
def multihead_attention():
    class SelfAttention(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(12, 3, batch_first=True)

        def forward(self, x):
            return self.attention(x, x, x)

    return SelfAttention()


@case("cross_attention", lambda: (torch.randn(2, 4, 12), torch.randn(2, 6, 8)),
      names=("x", "memory"))
def cross_attention():
    class CrossAttention(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(12, 2, kdim=8, vdim=8,
                                                   batch_first=True)

        def forward(self, x, memory):
            return self.attention(x, memory, memory, need_weights=False)[0]

    return CrossAttention()


@case("transformer_encoder_layer", randn(2, 5, 12), dynamo=(20, 23))
def transformer_encoder_layer():
    return TensorsOnly(nn.TransformerEncoderLayer(
        12, 3, 20, activation="gelu", batch_first=True))


@case("transformer_decoder_layer",
      lambda: (torch.randn(1, 4, 12), torch.randn(1, 6, 12)),
      names=("x", "memory"))
def transformer_decoder_layer():
    return TensorsOnly(nn.TransformerDecoderLayer(
        12, 2, 20, batch_first=True, norm_first=True))


STATE = ("y", "h", "c")


@case("lstm", randn(6, 2, 5), outputs=STATE, ts=(17, 9, 13))
def lstm():
    return nn.LSTM(5, 7)


@case("lstm_bidirectional", randn(2, 6, 5), outputs=STATE)
def lstm_bidirectional():
    return nn.LSTM(5, 4, num_layers=2, bidirectional=True, batch_first=True)


@case("lstm_with_state", lambda: (torch.randn(4, 2, 5), torch.randn(1, 2, 6),
                                  torch.randn(1, 2, 6)),
      names=("x", "h0", "c0"), outputs=STATE)
def lstm_with_state():
    class WithState(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(5, 6)

        def forward(self, x, h, c):
            return self.lstm(x, (h, c))

    return WithState()


@case("lstm_dynamic", randn(3, 6, 5), outputs=STATE,
      dynamic={"x": {0: "batch", 1: "time"}},
      more=(randn(1, 4, 5), randn(2, 9, 5)))
def lstm_dynamic():
    return nn.LSTM(5, 4, bidirectional=True, batch_first=True)


@case("gru", randn(6, 2, 5), outputs=("y", "h"))
def gru():
    return nn.GRU(5, 7)


@case("gru_bidirectional", randn(2, 5, 4), outputs=("y", "h"))
def gru_bidirectional():
    return nn.GRU(4, 3, bidirectional=True, batch_first=True)


@case("rnn", randn(5, 2, 4), outputs=("y", "h"))
def rnn():
    return nn.RNN(4, 6)


@case("rnn_relu", randn(4, 1, 4), outputs=("y", "h"))
def rnn_relu():
    return nn.RNN(4, 5, nonlinearity="relu")


@case("lstm_cell", lambda: (torch.randn(3, 5), torch.randn(3, 4),
                            torch.randn(3, 4)),
      names=("x", "h", "c"), outputs=("next_h", "next_c"))
def lstm_cell():
    class Cell(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.LSTMCell(5, 4)

        def forward(self, x, h, c):
            return self.cell(x, (h, c))

    return Cell()


@case("gru_cell", lambda: (torch.randn(3, 5), torch.randn(3, 4)),
      names=("x", "h"), outputs=("next_h",))
def gru_cell():
    return nn.GRUCell(5, 4)
