"""Writes embedding_cases.inc beside this file: weights and PyTorch's outputs, for test_embedding.c. Needs torch."""

from pathlib import Path

import torch

torch.manual_seed(0)
lines = ["/* Written by make_embedding_cases.py. */\n"]


def put(name, tensor):
    values = ", ".join(f"{float(f'{v:.9g}')!r}f" for v in tensor.detach().float().flatten().tolist())
    lines.append(f"static const float {name}[] = {{{values}}};\n")


weight, scales = torch.randn(6, 4), torch.randn(8)
rows = torch.tensor([[0, 5, 2, 2], [1, 3, 4, 0]])
flat, offsets = rows.flatten(), torch.tensor([0, 3, 3])
put("weight", weight)
put("scales", scales)
embedding = torch.nn.functional.embedding
bag = torch.nn.functional.embedding_bag
put("plain_y", embedding(rows, weight))
put("norm2_y", embedding(rows, weight.clone(), max_norm=1.0))
put("norm1_y", embedding(rows, weight.clone(), max_norm=1.5, norm_type=1.0))
put("mean_y", bag(rows, weight))
put("max_y", bag(flat, weight, offsets, mode="max"))
put("sum_y", bag(flat, weight, offsets, mode="sum", per_sample_weights=scales))
put("padding_y", bag(rows, weight, padding_idx=2))
put("last_y", bag(flat, weight, torch.tensor([0, 3, 3, 8]), include_last_offset=True))
Path(__file__).with_name("embedding_cases.inc").write_text("".join(lines))
