"""Writes transformer_cases.inc beside this file: weights, inputs and PyTorch's outputs, for test_transformer.c. Needs torch."""

from pathlib import Path

import torch

torch.manual_seed(0)
lines = ["/* Written by make_transformer_cases.py. */\n"]


def put(name, *tensors):
    flat = torch.cat([t.detach().float().flatten() for t in tensors]).tolist()
    values = ", ".join(f"{float(f'{v:.9g}')!r}f" for v in flat)
    lines.append(f"static const float {name}[] = {{{values}}};\n")


def randomised(module):
    """No weight is left at 0 or 1, so that a forgotten one shows."""
    for p in module.parameters():
        torch.nn.init.uniform_(p, -0.6, 0.6)
    return module


def attention(name, module, kdim, vdim, average):
    q, k, v = torch.randn(2, 3, 8), torch.randn(2, 5, kdim), torch.randn(2, 5, vdim)
    mask, padding = torch.randn(3, 5), torch.tensor([[False] * 5, [False, False, False, True, True]])
    swap = (lambda t: t) if module.batch_first else (lambda t: t.transpose(0, 1).contiguous())
    floats = torch.zeros(padding.shape).masked_fill(padding, float("-inf"))
    y, weights = module(swap(q), swap(k), swap(v), attn_mask=mask, key_padding_mask=floats, average_attn_weights=average)
    put(name + "_w", *module.parameters())
    put(name + "_x", swap(q), swap(k), swap(v), mask)
    put(name + "_y", y, weights)


def transformer(name, **options):
    module = randomised(torch.nn.Transformer(8, 2, 2, 2, 12, dropout=0.0, **options))
    first = options.get("batch_first", False)
    src, tgt = (torch.randn(2, 5, 8), torch.randn(2, 4, 8)) if first else (torch.randn(5, 2, 8), torch.randn(4, 2, 8))
    causal = torch.ones(4, 4).triu(1).bool()
    padding = torch.tensor([[False] * 5, [False, False, False, True, True]])
    y = module(src, tgt, tgt_mask=causal, src_key_padding_mask=padding, memory_key_padding_mask=padding)
    put(name + "_w", *module.parameters())
    put(name + "_x", src, tgt)
    put(name + "_y", y)


with torch.no_grad():
    attention("mha_plain", randomised(torch.nn.MultiheadAttention(8, 2)), 8, 8, True)
    attention("mha_dims", randomised(torch.nn.MultiheadAttention(8, 4, kdim=6, vdim=7, batch_first=True)), 6, 7, False)
    transformer("post")
    transformer("pre", norm_first=True, activation="gelu", batch_first=True)
Path(__file__).with_name("transformer_cases.inc").write_text("".join(lines))
