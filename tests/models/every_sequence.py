"""Every layer of torch.nn, continued: embedding, recurrence, attention."""

import torch
from torch import nn

from cases import Lambda, TensorsOnly
from every_layer import BATCH, NARROW, ids, layer

TIME = {0: "batch", 1: "time"}

# ---- embedding

layer("embedding", lambda: nn.Embedding(11, 6), ids(11, 2, 5), dynamic=TIME, second=ids(11, 3, 8),
      dtypes=NARROW)
layer("embedding_padding", lambda: nn.Embedding(11, 6, padding_idx=2), ids(11, 2, 5))
layer("embedding_0d", lambda: nn.Embedding(11, 6), ids(11))
layer("embedding_i32", lambda: nn.Embedding(11, 6), lambda: torch.randint(0, 11, (2, 5)).int())
layer("embedding_max_norm", lambda: nn.Embedding(11, 6, max_norm=1.0), ids(11, 2, 5), ts=False)
for _mode in ("sum", "mean", "max"):
    layer(f"embedding_bag_{_mode}", lambda m=_mode: nn.EmbeddingBag(11, 6, mode=m), ids(11, 3, 5))
    layer(f"embedding_bag_{_mode}_offsets", lambda m=_mode: nn.EmbeddingBag(11, 6, mode=m), ids(11, 9),
          lambda: torch.tensor([0, 2, 5]))
layer("embedding_bag_weights", lambda: Lambda2(nn.EmbeddingBag(11, 6, mode="sum"),
                                               lambda m, x, o, w: m(x, o, per_sample_weights=w)),
      ids(11, 9), lambda: torch.tensor([0, 2, 5]), (9,))
layer("embedding_bag_padding", lambda: nn.EmbeddingBag(11, 6, mode="mean", padding_idx=3), ids(11, 3, 5))


class Lambda2(nn.Module):
    """A layer called in another way."""

    def __init__(self, layer, call):
        super().__init__()
        self.layer, self.call = layer, call

    def forward(self, *inputs):
        return self.call(self.layer, *inputs)


# ---- recurrence

STATE = {"RNN": ("y", "h"), "GRU": ("y", "h"), "LSTM": ("y", "h", "c")}
for _kind, _outputs in STATE.items():
    _low = _kind.lower()
    _make = getattr(nn, _kind)
    layer(_low, lambda m=_make: m(5, 7), (6, 2, 5), outputs=_outputs, sweep=_kind == "LSTM", dtypes=NARROW)
    layer(f"{_low}_batch_first", lambda m=_make: m(5, 4, batch_first=True), (2, 6, 5), outputs=_outputs,
          dynamic=TIME, second=(3, 4, 5))
    layer(f"{_low}_bidirectional", lambda m=_make: m(5, 4, bidirectional=True), (6, 2, 5), outputs=_outputs,
          dynamic={0: "time", 1: "batch"}, second=(3, 4, 5))
    layer(f"{_low}_layers", lambda m=_make: m(5, 4, num_layers=3), (6, 2, 5), outputs=_outputs)
    layer(f"{_low}_layers_bidirectional", lambda m=_make: m(5, 4, num_layers=2, bidirectional=True, batch_first=True),
          (2, 6, 5), outputs=_outputs, dynamic=TIME, second=(1, 9, 5))
    layer(f"{_low}_no_bias", lambda m=_make: m(5, 4, bias=False), (6, 2, 5), outputs=_outputs)
    layer(f"{_low}_dropout", lambda m=_make: m(5, 4, num_layers=2, dropout=0.5), (4, 2, 5), outputs=_outputs)
    layer(f"{_low}_unbatched", lambda m=_make: m(5, 4), (6, 5), outputs=_outputs)
    layer(f"{_low}_one_step", lambda m=_make: m(5, 4), (1, 3, 5), outputs=_outputs)
    if _kind == "LSTM":
        layer("lstm_state", lambda: Lambda2(nn.LSTM(5, 6, 2), lambda m, x, h, c: m(x, (h, c))), (4, 2, 5), (2, 2, 6),
              (2, 2, 6), outputs=_outputs)
        layer("lstm_state_bidirectional", lambda: Lambda2(nn.LSTM(5, 6, bidirectional=True),
                                                          lambda m, x, h, c: m(x, (h, c))),
              (4, 2, 5), (2, 2, 6), (2, 2, 6), outputs=_outputs)
        layer("lstm_proj", lambda: nn.LSTM(5, 6, proj_size=3), (4, 2, 5), outputs=_outputs)
        layer("lstm_proj_layers", lambda: nn.LSTM(5, 6, 2, proj_size=3, bidirectional=True, batch_first=True),
              (2, 4, 5), outputs=_outputs)
        layer("lstm_cell", lambda: Lambda2(nn.LSTMCell(5, 4), lambda m, x, h, c: m(x, (h, c))), (3, 5), (3, 4), (3, 4),
              outputs=("h1", "c1"))
        layer("lstm_cell_no_state", lambda: nn.LSTMCell(5, 4, bias=False), (3, 5), outputs=("h1", "c1"))
    else:
        layer(f"{_low}_state", lambda m=_make: Lambda2(m(5, 6, 2), lambda m, x, h: m(x, h)), (4, 2, 5), (2, 2, 6),
              outputs=_outputs)
        layer(f"{_low}_cell", lambda k=_kind: getattr(nn, k + "Cell")(5, 4), (3, 5), (3, 4))
        layer(f"{_low}_cell_no_state", lambda k=_kind: getattr(nn, k + "Cell")(5, 4), (3, 5))
layer("rnn_relu", lambda: nn.RNN(5, 4, nonlinearity="relu"), (4, 2, 5), outputs=("y", "h"))
layer("rnn_cell_relu", lambda: nn.RNNCell(5, 4, nonlinearity="relu"), (3, 5), (3, 4))

# ---- attention


def attend(**options):
    """Self-attention, only the result."""
    return lambda m, x: m(x, x, x, need_weights=False, **options)[0]


def mha(*size, **options):
    return nn.MultiheadAttention(*size, **options)


BOTH = ("y", "weights")
layer("mha", lambda: Lambda2(mha(12, 3, batch_first=True), attend()), (2, 5, 12), dtypes=NARROW,
      dynamic=BATCH, second=(4, 5, 12))
layer("mha_weights", lambda: Lambda2(mha(12, 3), lambda m, x: m(x, x, x)), (5, 2, 12), outputs=BOTH)
layer("mha_weights_per_head", lambda: Lambda2(mha(12, 3), lambda m, x: m(x, x, x, average_attn_weights=False)),
      (5, 2, 12), outputs=BOTH)
layer("mha_no_bias", lambda: Lambda2(mha(12, 2, bias=False), attend()), (5, 2, 12))
layer("mha_bias_kv", lambda: Lambda2(mha(12, 2, add_bias_kv=True), attend()), (5, 2, 12))
layer("mha_zero_attn", lambda: Lambda2(mha(12, 2, add_zero_attn=True), attend()), (5, 2, 12))
layer("mha_unbatched", lambda: Lambda2(mha(12, 2), attend()), (5, 12))
layer("mha_cross", lambda: Lambda2(mha(12, 2, kdim=8, vdim=6, batch_first=True),
                                   lambda m, q, k, v: m(q, k, v)), (2, 4, 12), (2, 6, 8), (2, 6, 6), outputs=BOTH)
layer("mha_mask", lambda: Lambda2(mha(12, 2, batch_first=True),
                                  lambda m, x, mask: m(x, x, x, attn_mask=mask, need_weights=False)[0]),
      (2, 5, 12), (5, 5))
layer("mha_mask_bool", lambda: Lambda2(mha(12, 2, batch_first=True),
                                       lambda m, x, mask: m(x, x, x, attn_mask=mask)[0]),
      (2, 5, 12), lambda: torch.ones(5, 5).triu(1).bool())
layer("mha_mask_per_head", lambda: Lambda2(mha(12, 2, batch_first=True),
                                           lambda m, x, mask: m(x, x, x, attn_mask=mask)[0]), (2, 5, 12), (4, 5, 5))
layer("mha_key_padding", lambda: Lambda2(mha(12, 2, batch_first=True),
                                         lambda m, x, mask: m(x, x, x, key_padding_mask=mask)[0]),
      (2, 5, 12), lambda: torch.tensor([[False] * 4 + [True], [False] * 2 + [True] * 3]))


def sdpa(**options):
    return lambda: Lambda(lambda *x: nn.functional.scaled_dot_product_attention(*x, **options))


QKV = ((2, 2, 6, 8), (2, 2, 6, 8), (2, 2, 6, 8))
layer("sdpa", sdpa(), *QKV, sweep=True, dtypes=NARROW)
layer("sdpa_causal", sdpa(is_causal=True), *QKV, dtypes=NARROW)
layer("sdpa_scale", sdpa(scale=0.3), *QKV)
layer("sdpa_mask", sdpa(), *QKV, (6, 6))
layer("sdpa_mask_4d", sdpa(), *QKV, (2, 1, 6, 6))
layer("sdpa_mask_bool", sdpa(), *QKV, lambda: torch.ones(6, 6).tril().bool())
layer("sdpa_cross", sdpa(), (2, 2, 3, 8), (2, 2, 7, 8), (2, 2, 7, 5))
layer("sdpa_grouped", sdpa(enable_gqa=True), (2, 4, 6, 8), (2, 2, 6, 8), (2, 2, 6, 8), ts=False)
layer("sdpa_3d", sdpa(), (2, 6, 8), (2, 6, 8), (2, 6, 8))

# ---- transformer


def encoder_layer(**options):
    return nn.TransformerEncoderLayer(12, 3, 20, batch_first=True, **options)


def decoder_layer(**options):
    return nn.TransformerDecoderLayer(12, 2, 20, batch_first=True, **options)


CAUSAL = lambda n: lambda: nn.Transformer.generate_square_subsequent_mask(n)  # noqa: E731
layer("encoder_layer", lambda: TensorsOnly(encoder_layer()), (2, 5, 12), sweep=True, dtypes=NARROW,
      dynamic=BATCH, second=(3, 5, 12))
layer("encoder_layer_gelu", lambda: TensorsOnly(encoder_layer(activation="gelu")), (2, 5, 12))
layer("encoder_layer_norm_first", lambda: TensorsOnly(encoder_layer(norm_first=True)), (2, 5, 12))
layer("encoder_layer_no_bias", lambda: TensorsOnly(encoder_layer(bias=False)), (2, 5, 12))
layer("encoder_layer_eps", lambda: TensorsOnly(encoder_layer(layer_norm_eps=0.1)), (2, 5, 12))
layer("encoder_layer_time_first", lambda: TensorsOnly(nn.TransformerEncoderLayer(12, 3, 20)), (5, 2, 12))
layer("encoder_layer_mask", lambda: Lambda2(encoder_layer(), lambda m, x, mask: m(x, src_mask=mask)),
      (2, 5, 12), CAUSAL(5))
layer("encoder_layer_mask_hint", lambda: Lambda2(encoder_layer(), lambda m, x, mask: m(
    x, src_mask=mask, is_causal=False)), (2, 5, 12), (5, 5))
layer("encoder_layer_causal", lambda: Lambda2(encoder_layer(), lambda m, x, mask: m(
    x, src_mask=mask, is_causal=True)), (2, 5, 12), CAUSAL(5))
layer("encoder_layer_key_padding", lambda: Lambda2(encoder_layer(), lambda m, x, mask: m(
    x, src_key_padding_mask=mask)), (2, 5, 12), lambda: torch.tensor([[False] * 4 + [True], [False] * 3 + [True] * 2]))
layer("encoder", lambda: TensorsOnly(nn.TransformerEncoder(encoder_layer(), 2, enable_nested_tensor=False)), (2, 5, 12),
      dynamic=BATCH, second=(3, 5, 12))
layer("encoder_norm", lambda: TensorsOnly(nn.TransformerEncoder(
    encoder_layer(norm_first=True), 3, norm=nn.LayerNorm(12), enable_nested_tensor=False)), (2, 5, 12))
layer("encoder_mask", lambda: Lambda2(nn.TransformerEncoder(encoder_layer(), 2, enable_nested_tensor=False),
                                      lambda m, x, mask: m(x, mask=mask)), (2, 5, 12), CAUSAL(5))
MEMORY = ((2, 4, 12), (2, 6, 12))
layer("decoder_layer", lambda: TensorsOnly(decoder_layer()), *MEMORY)
layer("decoder_layer_norm_first", lambda: TensorsOnly(decoder_layer(norm_first=True, activation="gelu")), *MEMORY)
layer("decoder_layer_masks", lambda: Lambda2(decoder_layer(), lambda m, x, y, a, b: m(
    x, y, tgt_mask=a, memory_mask=b)), *MEMORY, CAUSAL(4), (4, 6))
layer("decoder_layer_hint", lambda: Lambda2(decoder_layer(), lambda m, x, y, a: m(
    x, y, tgt_mask=a, tgt_is_causal=True)), *MEMORY, CAUSAL(4))
layer("decoder", lambda: TensorsOnly(nn.TransformerDecoder(decoder_layer(), 2)), *MEMORY)
layer("decoder_norm", lambda: TensorsOnly(nn.TransformerDecoder(decoder_layer(), 2, norm=nn.LayerNorm(12))), *MEMORY)


def transformer(**options):
    return nn.Transformer(12, 2, 1, 1, 16, batch_first=True, **options)


layer("transformer", lambda: TensorsOnly(transformer()), (2, 5, 12), (2, 4, 12))
layer("transformer_norm_first", lambda: TensorsOnly(transformer(norm_first=True, activation="gelu")), (2, 5, 12),
      (2, 4, 12))
layer("transformer_mask", lambda: Lambda2(transformer(), lambda m, x, y, mask: m(x, y, tgt_mask=mask)), (2, 5, 12),
      (2, 4, 12), CAUSAL(4))
layer("transformer_hint", lambda: Lambda2(transformer(), lambda m, x, y, mask: m(
    x, y, tgt_mask=mask, tgt_is_causal=True)), (2, 5, 12), (2, 4, 12), CAUSAL(4))
layer("transformer_time_first", lambda: TensorsOnly(nn.Transformer(12, 2, 1, 1, 16)), (5, 2, 12), (4, 2, 12))

# ---- what users build of them

layer("positional", lambda: Positional(), (2, 5, 12))
layer("residual", lambda: Residual(), (2, 6, 5, 5), dynamic=BATCH, second=(3, 6, 5, 5))
layer("tied", lambda: Tied(), ids(11, 2, 5))


class Positional(nn.Module):
    def __init__(self):
        super().__init__()
        self.position = nn.Parameter(torch.randn(1, 5, 12))
        self.norm = nn.LayerNorm(12)

    def forward(self, x):
        return self.norm(x + self.position)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
                                  nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6))

    def forward(self, x):
        return torch.relu(x + self.body(x))


class Tied(nn.Module):
    """The embedding's weights are the classifier's."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 6)
        self.head = nn.Linear(6, 11)
        self.head.weight = self.embedding.weight

    def forward(self, x):
        return self.head(self.embedding(x))
