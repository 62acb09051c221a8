"""Cases of MultiheadAttention and Transformer: further keys, masks of each head, sequences without a batch."""
from torch import nn


class Attention(nn.Module):
    """The fourth input is attn_mask, and options are those of forward."""

    def __init__(self, module, **options):
        super().__init__()
        self.module = module
        self.options = options

    def forward(self, query, key, value, mask=None):
        y, weights = self.module(query, key, value, attn_mask=mask, **self.options)
        return (y, weights) if weights is not None else y


def cases(case):
    q, k = (3, 2, 8), (5, 2, 8)
    mha = nn.MultiheadAttention
    case("mha_bias_kv", Attention(mha(8, 2, add_bias_kv=True)), q, k, k)
    case("mha_bias_kv_mask", Attention(mha(8, 2, add_bias_kv=True, kdim=3, vdim=5)), q, (5, 2, 3), (5, 2, 5), (3, 5))
    case("mha_zero", Attention(mha(8, 4, add_zero_attn=True, batch_first=True, bias=False), average_attn_weights=False), (2, 3, 8), (2, 5, 8), (2, 5, 8))
    case("mha_both", Attention(mha(8, 2, add_bias_kv=True, add_zero_attn=True)), q, k, k, (3, 5))
    case("mha_no_weights", Attention(mha(8, 2), need_weights=False), q, k, k)
    case("mha_head_masks", Attention(mha(8, 2), average_attn_weights=False), q, k, k, (4, 3, 5))
    case("mha_alone", Attention(mha(8, 2)), (3, 8), (5, 8), (5, 8))
    case("mha_alone_head_masks", Attention(mha(8, 2, batch_first=True, add_bias_kv=True), average_attn_weights=False), (3, 8), (5, 8), (5, 8), (2, 3, 5))
    case("transformer_alone", nn.Transformer(8, 2, 1, 1, 12, norm_first=True), (5, 8), (4, 8))
