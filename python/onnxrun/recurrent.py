"""nn.RNN as the standard's RNN node; PyTorch's exporter unrolls it and fixes the number of steps."""

import torch
from onnxscript import opset18 as op
from torch import nn


def _layer(x, h, weights, activation, directions, has_biases):
    """One layer, all directions: ONNX wants the weights of both in one tensor."""
    per_direction = 4 if has_biases else 2
    sets = [weights[d * per_direction:(d + 1) * per_direction] for d in range(directions)]
    w = op.Concat(*[op.Unsqueeze(s[0], [0]) for s in sets], axis=0)
    r = op.Concat(*[op.Unsqueeze(s[1], [0]) for s in sets], axis=0)
    b = None
    if has_biases:
        b = op.Concat(*[op.Unsqueeze(op.Concat(s[2], s[3], axis=0), [0]) for s in sets], axis=0)
    hidden_size = sets[0][1].shape[1]
    y, last = op.RNN(x, w, r, b, None, h, hidden_size=hidden_size, activations=[activation] * directions,
                     direction="bidirectional" if directions == 2 else "forward")
    y = op.Transpose(y, perm=[0, 2, 1, 3])  # [time, batch, directions, hidden]
    return op.Reshape(y, [0, 0, -1]), last


@torch.library.custom_op("onnxrun::rnn", mutates_args=())
def rnn(x: torch.Tensor, h: torch.Tensor, weights: list[torch.Tensor], relu: bool, num_layers: int, has_biases: bool,
        bidirectional: bool) -> tuple[torch.Tensor, torch.Tensor]:
    run = torch.rnn_relu if relu else torch.rnn_tanh
    return run(x, h, weights, has_biases, num_layers, 0.0, False, bidirectional, False)


@rnn.register_fake
def _(x, h, weights, relu, num_layers, has_biases, bidirectional):
    time, batch, _ = x.shape
    return x.new_empty(time, batch, h.shape[2] * (2 if bidirectional else 1)), h.new_empty(h.shape)


def _write_rnn(x, h, weights, relu, num_layers, has_biases, bidirectional):
    directions = 2 if bidirectional else 1
    count = (4 if has_biases else 2) * directions
    states = []
    for layer in range(num_layers):
        own = op.Slice(h, [layer * directions], [(layer + 1) * directions], [0])
        x, last = _layer(x, own, weights[layer * count:(layer + 1) * count], "Relu" if relu else "Tanh", directions, has_biases)
        states.append(last)
    return x, op.Concat(*states, axis=0) if num_layers > 1 else states[0]


TRANSLATIONS = {torch.ops.onnxrun.rnn.default: _write_rnn}


class RNN(nn.Module):
    """nn.RNN through one operator, with the same parameters."""

    def __init__(self, source):
        super().__init__()
        self.names = source._flat_weights_names
        for name, parameter in source.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        self.relu = source.nonlinearity == "relu"
        self.num_layers, self.has_biases, self.bidirectional = source.num_layers, source.bias, source.bidirectional
        self.batch_first, self.hidden_size = source.batch_first, source.hidden_size

    def forward(self, input, hx=None):
        x, h, unbatched = input, hx, input.dim() == 2
        if unbatched:
            x, h = x.unsqueeze(1), None if h is None else h.unsqueeze(1)
        elif self.batch_first:
            x = x.transpose(0, 1)
        if h is None:
            h = x.new_zeros(self.num_layers * (2 if self.bidirectional else 1), x.shape[1], self.hidden_size)
        weights = [getattr(self, name) for name in self.names]
        y, h = torch.ops.onnxrun.rnn(x, h, weights, self.relu, self.num_layers, self.has_biases, self.bidirectional)
        if unbatched:
            return y.squeeze(1), h.squeeze(1)
        return (y.transpose(0, 1) if self.batch_first else y), h
