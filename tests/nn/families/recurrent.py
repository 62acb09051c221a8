"""Cases of RNN, LSTM, GRU and their cells: projected states at the start, and sequences without a batch."""
from torch import nn


class Flat(nn.Module):
    """state, of an LSTM (h, c), as inputs behind x, and as outputs behind y."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x, *state):
        out = self.module(x, *([state if len(state) > 1 else state[0]] if state else []))
        if not isinstance(out, tuple):
            return out
        return (out[0], *(out[1] if isinstance(out[1], tuple) else out[1:]))


def cases(case):
    case("lstm_proj", Flat(nn.LSTM(3, 5, 2, bidirectional=True, proj_size=2)), (4, 2, 3), (4, 2, 2), (4, 2, 5))
    case("lstm_proj_first", Flat(nn.LSTM(3, 4, proj_size=3, batch_first=True, bias=False)), (2, 5, 3), (1, 2, 3), (1, 2, 4))
    case("lstm_proj_one_step", Flat(nn.LSTM(3, 4, proj_size=1)), (1, 2, 3), (1, 2, 1), (1, 2, 4))
    case("lstm_proj_alone", Flat(nn.LSTM(3, 5, 2, bidirectional=True, proj_size=2)), (4, 3), (4, 2), (4, 5))
    case("lstm_alone", Flat(nn.LSTM(3, 5, batch_first=True)), (4, 3), (1, 5), (1, 5))
    case("rnn_alone", Flat(nn.RNN(3, 5)), (4, 3))
    case("gru_alone", Flat(nn.GRU(3, 5, 2, bidirectional=True, batch_first=True)), (4, 3), (4, 5))
    case("rnn_cell_alone", Flat(nn.RNNCell(3, 5, nonlinearity="relu")), (3,), (5,))
    case("gru_cell_alone", Flat(nn.GRUCell(3, 5)), (3,))
    case("lstm_cell_alone", Flat(nn.LSTMCell(3, 5)), (3,), (5,), (5,))
