"""Whole architectures with seeded random weights, by both exporters.

Each becomes NAME_EXPORTER (batch 1, all shapes fixed) and
NAME_EXPORTER_dynamic (a second data set at batch 3; for sequence models also
another length). They are large, so they live in a cache and not in the
repository.
"""

import dataclasses
import os
import time
from typing import Callable

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

import fixture_io as fio

OPSETS = {"dynamo": 20, "ts": 17}


@dataclasses.dataclass
class Architecture:
    name: str
    build: Callable[[], nn.Module]
    sample: Callable[..., tuple]        # (batch, long=False) -> inputs
    names: tuple
    outputs: tuple
    dynamic: dict
    # TorchScript keeps the example's sizes in MultiheadAttention's Reshape, so
    # such a model runs at no other shape.
    dynamic_exporters: tuple = ("dynamo", "ts")


class UNet(nn.Module):
    """16 to 128 channels, transposed convolutions on the way up."""

    def __init__(self, widths=(16, 32, 64, 128)):
        super().__init__()

        def block(inputs, outputs):
            return nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
                nn.BatchNorm2d(outputs), nn.ReLU(),
                nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
                nn.BatchNorm2d(outputs), nn.ReLU())

        self.down = nn.ModuleList(
            block(a, b) for a, b in zip((3, *widths), widths))
        pairs = list(zip(widths[::-1], widths[-2::-1]))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in pairs)
        self.merge = nn.ModuleList(block(2 * b, b) for _, b in pairs)
        self.head = nn.Conv2d(widths[0], 2, 1)

    def forward(self, x):
        kept = []
        for i, block in enumerate(self.down):
            x = block(x if i == 0 else F.max_pool2d(x, 2))
            kept.append(x)
        kept.pop()
        for up, merge in zip(self.up, self.merge):
            x = merge(torch.cat((up(x), kept.pop()), 1))
        return self.head(x)


class Bert(nn.Module):
    """BERT's shape: embeddings, six encoder layers, a pooled head."""

    def __init__(self, vocabulary=1000, width=384, layers=6, places=512):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.places = nn.Embedding(places, width)
        self.norm = nn.LayerNorm(width)
        layer = nn.TransformerEncoderLayer(width, 6, 4 * width,
                                           activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers,
                                             enable_nested_tensor=False)
        self.head = nn.Linear(width, 10)

    def forward(self, ids):
        places = torch.arange(ids.shape[1])
        x = self.norm(self.tokens(ids) + self.places(places))
        x = self.encoder(x)
        return x, self.head(torch.tanh(x.mean(1)))


class Speech(nn.Module):
    """Two bidirectional LSTM layers over feature frames."""

    def __init__(self, features=80, width=256, classes=32):
        super().__init__()
        self.lstm = nn.LSTM(features, width, num_layers=2, bidirectional=True,
                            batch_first=True)
        self.head = nn.Linear(2 * width, classes)

    def forward(self, x):
        return F.log_softmax(self.head(self.lstm(x)[0]), -1)


def image(size):
    # 224 stays 224: the classifiers' dynamic variants vary the batch only.
    return lambda batch, long=False: (torch.randn(batch, 3, size, size),)


def _torchvision(name, size=224):
    return Architecture(
        name, lambda: getattr(torchvision.models, name)(weights=None),
        image(size), ("x",), ("y",), {"x": {0: "batch"}})


def _tokens(batch, long=False):
    return (torch.randint(0, 1000, (batch, 77 if long else 128)),)


def _frames(batch, long=False):
    return (torch.randn(batch, 61 if long else 100, 80),)


# What other work is tested against first comes first.
ARCHITECTURES = [
    _torchvision("squeezenet1_1"),
    _torchvision("mobilenet_v2"),
    _torchvision("resnet18"),
    Architecture("bert", Bert, _tokens, ("ids",), ("hidden", "logits"),
                 {"ids": {0: "batch", 1: "time"}},
                 dynamic_exporters=("dynamo",)),
    Architecture("lstm", Speech, _frames, ("x",), ("y",),
                 {"x": {0: "batch", 1: "time"}}),
    Architecture("unet", UNet, image(256), ("x",), ("y",),
                 {"x": {0: "batch"}}),
    _torchvision("mobilenet_v3_small"),
    _torchvision("shufflenet_v2_x1_0"),
    _torchvision("efficientnet_b0"),
    _torchvision("densenet121"),
    _torchvision("resnet50"),
]


def _calibrate(module, sample):
    """Sets BatchNorm statistics to what the net's own activations are.

    With the initial ones, activations explode or vanish over many layers,
    and then most weights no longer show in the output.
    """
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    if not norms:
        return
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None            # a plain average over the batches
    module.train()
    for layer in module.modules():
        if isinstance(layer, (nn.Dropout, torchvision.ops.StochasticDepth)):
            layer.eval()
    with torch.no_grad():
        for _ in range(2):
            module(*sample(4))
    module.eval()


def build(architecture):
    fio.seed(architecture.name)
    module = fio.randomise(architecture.build()).eval()
    if architecture.name == "bert":
        # nn.TransformerEncoder clones one layer: give each its own weights.
        for layer in module.encoder.layers:
            for parameter in layer.parameters():
                with torch.no_grad():
                    noise = torch.randn(parameter.shape)
                    parameter.add_(noise * 0.3 * parameter.std())
    if architecture.name == "lstm":
        # As initialised, the gates hardly move.
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.mul_(3)
    _calibrate(module, architecture.sample)
    return module


def check(architecture, module):
    """Says which parameters cannot be seen in the output, and its scale."""
    sample = architecture.sample(1)
    outputs = fio.forward(module, sample)
    ignored = fio.weights_that_do_not_matter(module, [sample])
    spread = ", ".join(f"{y.std():.3g}" for y in outputs)
    print(f"   {architecture.name}: standard deviation of outputs {spread}; "
          f"{len(ignored)} parameters do not matter"
          + "".join(f"\n      {name}" for name in ignored), flush=True)
    return not ignored and all(1e-3 < float(y.std()) < 1e3 for y in outputs)


def write(folder, architecture, module, exporter, dynamic):
    if dynamic:
        example = architecture.sample(2)
        sets = [architecture.sample(1), architecture.sample(3, long=True)]
    else:
        example = architecture.sample(1)
        sets = [example]
    fio.export(module, example, os.path.join(folder, "model.onnx"),
               exporter=exporter, opset=OPSETS[exporter],
               input_names=architecture.names,
               output_names=architecture.outputs,
               dynamic=architecture.dynamic if dynamic else None)
    for i, inputs in enumerate(sets):
        fio.save_torch_data(folder, i, module, inputs, architecture.names)


def variants(architecture):
    """(folder name, exporter, dynamic) of all that is made of it.

    Dynamic ones come first: once torch 2.15 has exported an LSTM with fixed
    sizes, it fixes the time dimension of every later one in that process.
    """
    for exporter in OPSETS:
        name = f"{architecture.name}_{exporter}"
        if exporter in architecture.dynamic_exporters:
            yield name + "_dynamic", exporter, True
        yield name, exporter, False


def names():
    return [name for a in ARCHITECTURES for name, *_ in variants(a)]


def make(folder, only, again):
    os.makedirs(folder, exist_ok=True)
    chosen = [a for a in ARCHITECTURES if a.name.startswith(only)]
    failed = 0
    for number, architecture in enumerate(chosen, 1):
        missing = [variant for variant in variants(architecture) if again
                   or not os.path.exists(os.path.join(folder, variant[0]))]
        print(f"[{number}/{len(chosen)}] {architecture.name}: "
              f"{len(missing)} to make", flush=True)
        if not missing:
            continue
        module = build(architecture)
        for name, exporter, dynamic in missing:
            start = time.monotonic()
            try:
                # The data depend on the name alone, not on what was there.
                fio.seed(name)
                with fio.new_folder(os.path.join(folder, name)) as part:
                    write(part, architecture, module, exporter, dynamic)
                    runtime = fio.require(part)
                result = f"ok {name} ({runtime})"
            except Exception as problem:
                failed += 1
                result = f"FAIL {name}: {str(problem).strip()[:300]}"
            print(f"   {time.monotonic() - start:3.0f} s {result}", flush=True)
        if not check(architecture, module):
            failed += 1
    return failed
