"""nn.RNN as the standard's RNN node; PyTorch's exporter unrolls it and fixes the number of steps."""

import torch
from onnxscript import opset18 as op


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


def _rnn(activation):
    def write(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
        directions = 2 if bidirectional else 1
        count = (4 if has_biases else 2) * directions
        x = op.Transpose(input, perm=[1, 0, 2]) if batch_first else input
        states = []
        for layer in range(num_layers):
            h = op.Slice(hx, [layer * directions], [(layer + 1) * directions], [0])
            x, last = _layer(x, h, params[layer * count:(layer + 1) * count], activation, directions, has_biases)
            states.append(last)
        last = op.Concat(*states, axis=0) if num_layers > 1 else states[0]
        return op.Transpose(x, perm=[1, 0, 2]) if batch_first else x, last
    return write


TRANSLATIONS = {
    torch.ops.aten.rnn_tanh.input: _rnn("Tanh"),
    torch.ops.aten.rnn_relu.input: _rnn("Relu"),
}
