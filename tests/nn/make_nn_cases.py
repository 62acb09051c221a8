"""make_nn_cases.py [FAMILY...]: writes cases/FAMILY.inc from families/FAMILY.py: what PyTorch computes for layers of torch.nn.

families/FAMILY.py has cases(case), which calls case(name, module or function, shape of an input ...). Needs torch."""
import importlib
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent


def formula(shape, seed, low, high):
    i = np.arange(math.prod(shape), dtype=np.int64)
    k = (seed * 7919 + i * 104729) % 2003
    return torch.from_numpy((low + (high - low) * k.astype(np.float64) / 2002).astype(np.float32).reshape(shape))


def set_weights(module):
    """Parameters, and running statistics behind them, become weights 1, 2 ...; returns their number of elements."""
    module.eval()
    tensors = [(key, p.data) for key, p in module.named_parameters()]
    tensors += [(key, b) for key, b in module.named_buffers() if b.is_floating_point()]
    for i, (key, tensor) in enumerate(tensors):
        tensor.copy_(formula(tensor.shape, 11 + i, *((0.5, 1.5) if "var" in key else (-0.5, 0.5))))
    return sum(tensor.numel() for _, tensor in tensors)


def run(function, shapes):
    parameters = set_weights(function) if isinstance(function, nn.Module) else 0
    with torch.no_grad():
        outputs = function(*(formula(shape, 1 + i, -3, 3) for i, shape in enumerate(shapes)))
    return outputs if isinstance(outputs, tuple) else (outputs,), parameters


def dims(shape):
    return "%d, {%s}" % (len(shape), ", ".join(map(str, shape)))


def number(value):
    if math.isnan(value):
        return "NAN"
    text = "%d" % value if value == int(value) else "%.6g" % value
    return text + "f" if "." in text or "e" in text else text


def write(family):
    data, rows = [], []

    def case(name, function, *shapes):
        outputs, parameters = run(function, shapes)
        for i, y in enumerate(outputs):
            values = [number(v) for v in y.contiguous().flatten().tolist()]
            lines = ["  %s,\n" % ", ".join(values[at:at + 16]) for at in range(0, len(values), 16)]
            data.append("static const float %s_%d[] = {\n%s};\n" % (name, i, "".join(lines)))
        ins = ", ".join("{%s, NULL}" % dims(s) for s in shapes)
        outs = ", ".join("{%s, %s_%d}" % (dims(y.shape), name, i) for i, y in enumerate(outputs))
        rows.append('    {"%s", %d, %d, {%s}, {%s}, %d},\n' % (name, len(shapes), len(outputs), ins, outs, parameters))

    torch.manual_seed(0)
    importlib.import_module("families." + family).cases(case)
    (HERE / "cases" / (family + ".inc")).write_text("/* Written by make_nn_cases.py. */\n%sstatic const struct nn_case cases[] = {\n%s};\n"
                                                  % ("".join(data), "".join(rows)))


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.stem for path in (HERE / "families").glob("*.py")):
        write(name)
