"""Cases of the activations."""
from torch import nn


def cases(case):
    for name, module in (
        ("elu", nn.ELU()), ("elu_half", nn.ELU(0.5)), ("hardshrink", nn.Hardshrink()), ("hardshrink_2", nn.Hardshrink(2.0)),
        ("hardsigmoid", nn.Hardsigmoid()), ("hardtanh", nn.Hardtanh()), ("hardtanh_wide", nn.Hardtanh(-0.5, 2.0)),
        ("hardswish", nn.Hardswish()), ("leaky_relu", nn.LeakyReLU()), ("leaky_relu_02", nn.LeakyReLU(0.2)),
        ("log_sigmoid", nn.LogSigmoid()), ("prelu_one", nn.PReLU()), ("prelu_channels", nn.PReLU(4)), ("relu", nn.ReLU()),
        ("relu6", nn.ReLU6()), ("rrelu", nn.RReLU()), ("rrelu_wide", nn.RReLU(0.2, 0.5)), ("selu", nn.SELU()), ("celu", nn.CELU()),
        ("celu_2", nn.CELU(2.0)), ("gelu", nn.GELU()), ("gelu_tanh", nn.GELU(approximate="tanh")), ("sigmoid", nn.Sigmoid()),
        ("silu", nn.SiLU()), ("mish", nn.Mish()), ("softplus", nn.Softplus()), ("softplus_2_1", nn.Softplus(2.0, 1.0)),
        ("softshrink", nn.Softshrink()), ("softshrink_1", nn.Softshrink(1.0)), ("softsign", nn.Softsign()), ("tanh", nn.Tanh()),
        ("tanhshrink", nn.Tanhshrink()), ("threshold", nn.Threshold(0.1, 20.0)), ("glu", nn.GLU()), ("glu_1", nn.GLU(1)),
        ("softmin", nn.Softmin(1)), ("softmax_last", nn.Softmax(-1)), ("softmax_0", nn.Softmax(0)), ("softmax2d", nn.Softmax2d()),
        ("log_softmax", nn.LogSoftmax(1)),
    ):
        case(name, module, (2, 4, 3, 2))
    case("softmax2d_alone", nn.Softmax2d(), (4, 3, 2))
