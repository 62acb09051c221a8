"""Writes network.bin beside this file, for examples/network.c: a module's weights, an input, PyTorch's output. Needs torch."""
from pathlib import Path

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        return torch.relu(x + self.norm(self.conv(x)))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.block = Block(8)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(8 * 4 * 4, 10)

    def forward(self, x):
        return self.head(self.pool(self.block(self.stem(x))).flatten(1)).softmax(1)


torch.manual_seed(0)
module = Network()
with torch.no_grad():
    for _ in range(3):
        module(torch.randn(8, 3, 8, 8))  # statistics for the BatchNorm
    module.eval()
    x = torch.randn(2, 3, 8, 8)
    weights = [t for t in module.state_dict().values() if t.is_floating_point()]
    Path(__file__).with_name("network.bin").write_bytes(b"".join(t.contiguous().numpy().tobytes() for t in (*weights, x, module(x))))
