"""Writes tests/nn/cases/*.h: what PyTorch computes for the layers of torch.nn. Run it in this folder, with torch installed."""
import math

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

FAMILIES = {}


def formula(shape, seed, low, high):
    i = np.arange(math.prod(shape), dtype=np.int64)
    k = (seed * 7919 + i * 104729) % 2003
    return torch.from_numpy((low + (high - low) * k.astype(np.float64) / 2002).astype(np.float32).reshape(shape))


def weight(number, *shape):
    return formula(shape, 10 + number, -0.5, 0.5)


def case(family, name, function, *shapes):
    """function: a module, whose parameters (and running statistics behind them) become weights 1, 2 ..., or a function."""
    if isinstance(function, nn.Module):
        function.eval()
        number = 0
        for parameter in function.parameters():
            number += 1
            parameter.data = weight(number, *parameter.shape)
        for key, buffer in function.named_buffers():
            if buffer.is_floating_point():
                number += 1
                low, high = (0.5, 1.5) if "var" in key else (-0.5, 0.5)
                buffer.copy_(formula(buffer.shape, 10 + number, low, high))
    inputs = [formula(shape, 1 + i, -3, 3) for i, shape in enumerate(shapes)]
    with torch.no_grad():
        outputs = function(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    FAMILIES.setdefault(family, []).append((name, shapes, outputs))


def dims(shape):
    return "%d, {%s}" % (len(shape), ", ".join(map(str, shape)))


def number(value):
    return "%d" % value if value == int(value) else "%.6gf" % value if "." in "%.6g" % value or "e" in "%.6g" % value else "%.6g" % value


def write(family, cases):
    with open("cases/%s.h" % family, "w") as file:
        file.write("/* Written by make_nn_cases.py. */\n")
        for name, _, outputs in cases:
            for i, y in enumerate(outputs):
                values = [number(v) for v in y.contiguous().flatten().tolist()]
                file.write("static const float %s_%d[] = {\n" % (name, i))
                for at in range(0, len(values), 16):
                    file.write("  %s,\n" % ", ".join(values[at:at + 16]))
                file.write("};\n")
        file.write("static const struct nn_case cases[] = {\n")
        for name, shapes, outputs in cases:
            ins = ", ".join("{%s, NULL}" % dims(s) for s in shapes)
            outs = ", ".join("{%s, %s_%d}" % (dims(y.shape), name, i) for i, y in enumerate(outputs))
            file.write('    {"%s", %d, %d, {%s}, {%s}},\n' % (name, len(shapes), len(outputs), ins, outs))
        file.write("};\n")


def activations():
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
        case("activation", name, module, (2, 4, 3, 2))


if __name__ == "__main__":
    torch.manual_seed(0)
    activations()
    for family, cases in FAMILIES.items():
        write(family, cases)
