"""Modules that are exported as others that compute the same.

substitutes(module) puts them in place for the time of a with block.
"""

import contextlib

import torch
from torch import nn

from .recurrent import RNN


class ProjectedLSTM(nn.Module):
    """nn.LSTM with proj_size as LSTMs without, which ONNX has.

    With h = P m, the recurrence R h is (R P) m: an LSTM whose state is m, and a projection of its outputs. An initial h
    is one of m when P P+ h = h, with P's pseudo-inverse P+.
    """

    def __init__(self, source):
        super().__init__()
        self.batch_first = source.batch_first
        self.hidden_size = source.hidden_size
        self.directions = 2 if source.bidirectional else 1
        self.num_layers = source.num_layers
        self.steps = nn.ModuleList()
        for layer in range(source.num_layers):
            for direction in range(self.directions):
                suffix = f"_l{layer}" + ("_reverse" if direction else "")
                self.steps.append(_OneDirection(source, suffix))

    def forward(self, input, hx=None):
        x, state, batched = input, hx, input.dim() == 3
        if not batched:
            x = x.unsqueeze(1)
            state = None if state is None else tuple(s.unsqueeze(1) for s in state)
        elif self.batch_first:
            x = x.transpose(0, 1)
        h, c = [], []
        for layer in range(self.num_layers):
            parts = []
            for direction in range(self.directions):
                index = layer * self.directions + direction
                own = None if state is None else (state[0][index:index + 1], state[1][index:index + 1])
                part, (last_h, last_c) = self.steps[index](x, own, reverse=direction == 1)
                parts.append(part)
                h.append(last_h)
                c.append(last_c)
            x = torch.cat(parts, -1) if len(parts) > 1 else parts[0]
        h, c = torch.cat(h), torch.cat(c)
        if not batched:
            return x.squeeze(1), (h.squeeze(1), c.squeeze(1))
        return (x.transpose(0, 1) if self.batch_first else x), (h, c)


class _OneDirection(nn.Module):
    def __init__(self, source, suffix):
        super().__init__()
        ih, hh, hr = (getattr(source, f"weight_{kind}{suffix}").detach() for kind in ("ih", "hh", "hr"))
        self.lstm = nn.LSTM(ih.shape[1], source.hidden_size, bias=source.bias).to(ih)
        self.projection = nn.Parameter(hr.clone())
        inverse = torch.linalg.pinv(hr.double())
        self.inverse = nn.Parameter(inverse.to(hr), requires_grad=False)
        self.takes_state = torch.allclose(hr.double() @ inverse, torch.eye(hr.shape[0]).to(inverse), atol=1e-6)
        with torch.no_grad():
            self.lstm.weight_ih_l0.copy_(ih)
            self.lstm.weight_hh_l0.copy_((hh.double() @ hr.double()).to(hh.dtype))
            if source.bias:
                self.lstm.bias_ih_l0.copy_(getattr(source, f"bias_ih{suffix}"))
                self.lstm.bias_hh_l0.copy_(getattr(source, f"bias_hh{suffix}"))

    def forward(self, x, state, reverse):
        if reverse:
            x = x.flip(0)
        if state is not None:
            if not self.takes_state:
                raise ValueError("an LSTM's projection weight_hr has no full rank; such an LSTM cannot be given a state when exported")
            state = (torch.nn.functional.linear(state[0], self.inverse), state[1])
        y, (h, c) = self.lstm(x, state)
        y, h = torch.nn.functional.linear(y, self.projection), torch.nn.functional.linear(h, self.projection)
        return (y.flip(0) if reverse else y), (h, c)


class CrossMapLRN2d(nn.Module):
    """nn.CrossMapLRN2d is a loop over the channels. Its running sum never lets go of the first one."""

    def __init__(self, source):
        super().__init__()
        self.reach = int((source.size - 1) / 2 + 1) - 1
        self.alpha, self.beta, self.k = source.alpha / source.size, source.beta, source.k

    def forward(self, input):
        x = input
        window = 2 * self.reach + 1
        square = x * x
        padded = nn.functional.pad(square.unsqueeze(1), (0, 0, 0, 0, self.reach, self.reach))
        sums = nn.functional.avg_pool3d(padded, (window, 1, 1), stride=1).squeeze(1) * window
        kept = (torch.arange(x.shape[1], device=x.device) > self.reach).to(x.dtype).view(-1, 1, 1)
        return x * (self.k + self.alpha * (sums + kept * square[:, :1])).pow(-self.beta)


def _substitute(module, kept):
    if type(module) in kept:
        return None
    if module._forward_hooks or module._forward_pre_hooks:  # the other module would not run them
        return None
    if type(module) is nn.LSTM and module.proj_size:
        return ProjectedLSTM(module)
    if type(module) is nn.RNN:
        return RNN(module)
    if type(module) is nn.CrossMapLRN2d:
        return CrossMapLRN2d(module)
    return None


@contextlib.contextmanager
def substitutes(module, kept=()):
    """Gives the module with its parts replaced where one is to be, but those of the classes `kept`; puts everything back at the end."""
    whole = _substitute(module, kept)
    if whole is not None:
        yield whole.eval()
        return
    replaced = []
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            other = _substitute(child, kept)
            if other is not None:
                replaced.append((parent, name, child))
                setattr(parent, name, other.eval())
    try:
        yield module
    finally:
        for parent, name, child in replaced:
            setattr(parent, name, child)
