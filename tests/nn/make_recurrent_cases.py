"""Writes recurrent_cases.inc beside this file: weights, inputs and PyTorch's outputs, for test_recurrent.c. Needs torch."""

from pathlib import Path

import torch

torch.manual_seed(0)
lines = ["/* Written by make_recurrent_cases.py. */\n"]


def put(name, tensor):
    values = ", ".join(f"{v:.9g}f" if "." in f"{v:.9g}" or "e" in f"{v:.9g}" else f"{v:.9g}.0f"
                       for v in tensor.detach().float().flatten().tolist())
    lines.append(f"static const float {name}[] = {{{values}}};\n")


def recurrent(name, module, batch_first=False, state=False):
    """x, weights (all parameters in PyTorch's order), state (h0 then c0), y (output, then h_n, then c_n)."""
    cells = module.num_layers * (2 if module.bidirectional else 1)
    x = torch.randn(2, 4, 3) if batch_first else torch.randn(4, 2, 3)
    lstm = isinstance(module, torch.nn.LSTM)
    h0 = torch.randn(cells, 2, module.proj_size or module.hidden_size)
    c0 = torch.randn(cells, 2, module.hidden_size)
    given = ((h0, c0) if lstm else h0) if state else None
    y, last = module(x, given)
    put(name + "_x", x)
    put(name + "_w", torch.cat([p.flatten() for p in module.parameters()]))
    if state:
        put(name + "_s", torch.cat([h0.flatten(), c0.flatten()]) if lstm else h0)
    put(name + "_y", torch.cat([t.flatten() for t in ((y, *last) if lstm else (y, last))]))


def cell(name, module):
    x, h, c = torch.randn(2, 3), torch.randn(2, 5), torch.randn(2, 5)
    lstm = isinstance(module, torch.nn.LSTMCell)
    put(name + "_x", x)
    put(name + "_w", torch.cat([p.flatten() for p in module.parameters()]))
    put(name + "_s", torch.stack([h, c]))
    put(name + "_y", torch.stack(module(x, (h, c))) if lstm else module(x, h))


with torch.no_grad():
    recurrent("rnn_plain", torch.nn.RNN(3, 5))
    recurrent("rnn_relu", torch.nn.RNN(3, 5, num_layers=2, nonlinearity="relu", bias=False, bidirectional=True))
    recurrent("gru_plain", torch.nn.GRU(3, 5))
    recurrent("gru_deep", torch.nn.GRU(3, 5, num_layers=2, bidirectional=True, batch_first=True), True, True)
    recurrent("lstm_plain", torch.nn.LSTM(3, 5))
    recurrent("lstm_deep", torch.nn.LSTM(3, 5, num_layers=2, bidirectional=True, batch_first=True), True, True)
    recurrent("lstm_proj", torch.nn.LSTM(3, 5, num_layers=2, bidirectional=True, proj_size=2))
    cell("rnn_cell", torch.nn.RNNCell(3, 5))
    cell("gru_cell", torch.nn.GRUCell(3, 5))
    cell("lstm_cell", torch.nn.LSTMCell(3, 5))
    recurrent("lstm_proj_state", torch.nn.LSTM(3, 5, num_layers=2, bidirectional=True, proj_size=4, batch_first=True), True, True)
    recurrent("lstm_proj_bare", torch.nn.LSTM(3, 5, proj_size=1, bias=False), state=True)
Path(__file__).with_name("recurrent_cases.inc").write_text("".join(lines))
