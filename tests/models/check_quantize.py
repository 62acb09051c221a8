#!/usr/bin/env python3
"""onnxrun.quantize: files that run in integers, near the float32 ones, and smaller.

    check_quantize.py ONNXRUN
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxrun  # of the build: PYTHONPATH
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.deep = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.wide = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return x + self.wide(torch.relu(self.deep(x)))


def image_net():
    return nn.Sequential(nn.Conv2d(3, 40, 3, stride=2, padding=1), nn.ReLU(), Block(40), nn.MaxPool2d(2), Block(40),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(40, 10))


NETS = {"images": (image_net, (2, 3, 32, 32)), "mlp": (lambda: nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 8)), (4, 64))}
# The layer that must be there, for static and for dynamic quantization.
LAYERS = {"images": ("qlinear_conv", "conv_integer_real"), "mlp": ("qlinear_matmul", "matmul_integer_real")}


def layers_of(tool, path):
    done = subprocess.run([tool, "bench", "--profile", "--json", "--seconds", "0.01", path], capture_output=True, text=True, check=True)
    return {node["layer"] for node in json.loads(done.stdout)["profile"]}


def check(tool, name, folder):
    torch.manual_seed(0)
    make, shape = NETS[name]
    module, path = make().eval(), os.path.join(folder, name + ".onnx")
    onnxrun.export(module, (torch.randn(shape),), path, tool=tool)
    samples = [(np.random.default_rng(i).standard_normal(shape).astype(np.float32),) for i in range(8)]
    with torch.no_grad():
        expected = module(torch.from_numpy(samples[0][0])).numpy()
    for kind, options in {"uint8": {}, "int8": {"activations": "int8"}, "one_scale": {"per_channel": False}, "dynamic": None}.items():
        target = os.path.join(folder, f"{name}_{kind}.onnx")
        if options is None:
            onnxrun.quantize(path, target)
        else:
            (difference,) = onnxrun.quantize(path, target, samples, tool=tool, **options)
            parameters = onnxrun.load(target).info["parameters"]
            assert parameters == sum(p.numel() for p in module.parameters()), (name, kind, parameters)
            assert difference.largest < 0.1 * np.abs(expected).max(), (name, kind, difference)
        wanted = LAYERS[name][options is None]
        assert wanted in layers_of(tool, target), (name, kind, layers_of(tool, target))
        print(f"ok {name} {kind}")
    for wrong, message in ((dict(calibration=[]), "no sample"), (dict(calibration=[()]), "0 arrays"),
                           (dict(calibration=[{"y": samples[0][0]}]), "has no"), (dict(activations="int4"), "int4"),
                           (dict(exclude=["nonsense"]), "exclude: the quantizer finds no node 'nonsense'"), (dict(exclude="nonsense"), "write ['nonsense']"),
                           (dict(calibration="x.npy"), "calibration: expected a list of samples"), (dict(per_channel="no"), "per_channel"),
                           (dict(calibration=[samples[0][0].astype(float)]), "calibration[0], input 'INPUT': expected float32[SHAPE], found float64["),
                           (dict(calibration=[samples[0], (samples[1][0][..., 1:],)]), "calibration[1], input 'INPUT': expected float32[SHAPE], found"),
                           (dict(calibration=[samples[0][0][0]]), "expected float32[SHAPE], found float32["),
                           (dict(calibration=[np.full(shape, np.nan, np.float32)]), "has NaN or infinities"),
                           (dict(calibration=[["a"]]), "calibration[0], input 'INPUT': expected float32, found 'a'"),
                           (dict(path=__file__), "a text file, no ONNX model"), (dict(target=path), "is the model itself"),
                           (dict(target=__file__), "is a file of another kind")):
        message = message.replace("INPUT", onnx.load(path).graph.input[0].name).replace("SHAPE", ", ".join(map(str, shape)))
        try:
            onnxrun.quantize(**{"path": path, "target": os.path.join(folder, "wrong.onnx"), "calibration": samples, "tool": tool, **wrong})
            raise AssertionError(f"{wrong} is taken")
        except onnxrun.Error as error:
            assert message in str(error), error
    # torch is not needed for it.
    subprocess.run([sys.executable, "-c", f"import sys; sys.modules['torch'] = None; import onnxrun; onnxrun.quantize({path!r}, 'q.onnx', check=False)"],
                   cwd=folder, check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})


def check_exclude(tool, name, folder):
    """What is excluded stays as it is, whatever the quantizer makes of it first."""
    path, samples = os.path.join(folder, name + ".onnx"), [(np.ones(NETS[name][1], np.float32),)]
    for calibration, operator in ((None, "MatMulInteger"), (samples, "DequantizeLinear")):
        counts = []
        for exclude in ([], [node.name for node in onnx.load(path).graph.node if node.op_type in ("Conv", "Gemm", "MatMul")][:1]):
            target = os.path.join(folder, "excluded.onnx")
            onnxrun.quantize(path, target, calibration, exclude=exclude, tool=tool, check=False)
            counts.append(sum(node.op_type in (operator, "ConvInteger") for node in onnx.load(target).graph.node))
        assert exclude and counts[1] < counts[0], (name, operator, exclude, counts)
    print(f"ok {name} exclude")


def check_guide(tool, folder):
    """docs/quantise.md, in the order of the page."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    text = open(os.path.join(root, "docs", "quantise.md"), encoding="utf-8").read()
    shutil.copytree(os.path.join(root, "tests", "fixtures", "demo"), folder, dirs_exist_ok=True)
    before, names = os.getcwd(), {"__name__": "docs"}
    os.chdir(folder)
    for snippet, command in re.findall(r"^```python\n(.*?)^```$|^    (onnxrun [^\n]*)$", text, flags=re.S | re.M):
        if snippet:
            exec(compile(snippet, "docs/quantise.md", "exec"), names)
        else:
            subprocess.run([tool, *command.split()[1:]], stdout=subprocess.DEVNULL, check=True)
    os.chdir(before)
    assert names["same"].mean() > 0.9, names["same"].mean()


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_guide(os.path.abspath(sys.argv[1]), folder)
    with tempfile.TemporaryDirectory() as folder:
        for name in NETS:
            check(os.path.abspath(sys.argv[1]), name, folder)
            check_exclude(os.path.abspath(sys.argv[1]), name, folder)


if __name__ == "__main__":
    main()
