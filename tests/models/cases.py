"""The list that layers.py and nets.py fill: one entry a small fixture."""

import dataclasses
from typing import Callable

import torch
from torch import nn


@dataclasses.dataclass
class Case:
    name: str
    build: Callable[[], nn.Module]
    inputs: Callable[[], tuple]
    names: tuple = ("x",)
    outputs: tuple = ("y",)
    dynamic: dict | None = None         # {input: {axis: symbol}}
    more: tuple = ()                    # further data sets, other shapes
    dynamo: tuple = (20,)               # opsets, one folder each
    ts: tuple = (17,)
    unused: tuple = ()                  # parameters that cannot matter
    dtype: str = "f32"                  # of the module and its floating-point inputs


CASES = []


def case(name, inputs, **options):
    """Registers a function that builds the module of a fixture."""
    def register(build):
        CASES.append(Case(name, build, inputs, **options))
        return build
    return register


class Lambda(nn.Module):
    """A module without parameters, from a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


class TensorsOnly(nn.Module):
    """Hides a layer's optional arguments, which TorchScript would trace."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x, *memory):
        return self.layer(x, *memory)


def randn(*shape):
    return lambda: (torch.randn(*shape),)
