#!/usr/bin/env python3
"""Exports with the package in python/ what PyTorch's own exporters cannot write, or write wrong.

    check_export.py ONNXRUN

export() itself compares the file with the module; the folder that it leaves must pass `onnxrun check`, too. One line a
case: "ok export NAME" or "FAIL export NAME: reason".
"""

import contextlib
import io
import logging
import os
import subprocess
import sys
import tempfile
import warnings

import torch
import torchvision
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "python"))

import onnxrun  # noqa: E402
from cases import Lambda  # noqa: E402
from every_sequence import Lambda2  # noqa: E402
from fixture_io import randomise  # noqa: E402

randn, rand = torch.randn, torch.rand
CAUSAL = nn.Transformer.generate_square_subsequent_mask


def boxes(count):
    corner = rand(count, 2)
    return torch.cat([corner, corner + rand(count, 2)], 1) * 5


def encoder_layer():
    return nn.TransformerEncoderLayer(12, 3, 20, batch_first=True)


def cases():
    """(name, module, arguments, options of export)"""
    yield "linear", nn.Linear(3, 4), (randn(2, 3),), {}
    yield "embedding", nn.Embedding(4, 3), (torch.tensor([[1, 2]]),), {}
    yield "bfloat16", nn.Linear(3, 4).bfloat16(), (randn(2, 3).bfloat16(),), {}
    yield "keywords", nn.MultiheadAttention(8, 2), (randn(3, 1, 8),), {"kwargs": {"key": randn(4, 1, 8), "value": randn(4, 1, 8)}}
    yield "fractional_maxpool2d", nn.FractionalMaxPool2d(2, output_size=4, _random_samples=rand(2, 3, 2)), (randn(2, 3, 9, 10),), {}
    yield ("fractional_maxpool2d_ratio", nn.FractionalMaxPool2d(3, output_ratio=0.6, _random_samples=rand(2, 3, 2)),
           (randn(2, 3, 9, 10),), {})
    yield ("fractional_maxpool3d", nn.FractionalMaxPool3d(2, output_size=3, return_indices=True, _random_samples=rand(1, 2, 3)),
           (randn(1, 2, 7, 8, 6),), {})
    yield "adaptive_maxpool1d", nn.AdaptiveMaxPool1d(4), (randn(2, 3, 7),), {}
    yield "adaptive_maxpool2d", nn.AdaptiveMaxPool2d((3, 4), return_indices=True), (randn(2, 3, 7, 9),), {}
    yield "adaptive_maxpool2d_regular", nn.AdaptiveMaxPool2d((3, 2)), (randn(2, 3, 6, 8),), {}
    yield "adaptive_maxpool3d", nn.AdaptiveMaxPool3d(2), (randn(1, 3, 5, 6, 7),), {}
    yield "adaptive_avgpool3d", nn.AdaptiveAvgPool3d((2, 3, 4)), (randn(1, 3, 5, 6, 7),), {}
    yield "adaptive_avgpool3d_regular", nn.AdaptiveAvgPool3d(2), (randn(1, 3, 4, 6, 8),), {}
    yield "avgpool2d_divisor", nn.AvgPool2d(3, divisor_override=5), (randn(1, 3, 8, 9),), {}
    yield "avgpool2d_divisor_ceil", nn.AvgPool2d(3, 2, 1, ceil_mode=True, divisor_override=5), (randn(1, 3, 8, 9),), {}
    yield "avgpool3d_divisor", nn.AvgPool3d(3, 2, 1, ceil_mode=True, divisor_override=7), (randn(1, 3, 8, 9, 6),), {}
    yield "lstm_proj", nn.LSTM(5, 6, 2, proj_size=3, bidirectional=True, batch_first=True), (randn(2, 4, 5),), {}
    yield "lstm_proj_unbatched", nn.LSTM(5, 6, proj_size=3, bias=False), (randn(4, 5),), {}
    yield ("lstm_proj_state", Lambda2(nn.LSTM(5, 6, proj_size=3), lambda m, x, h, c: m(x, (h, c))),
           (randn(4, 2, 5), randn(1, 2, 3), randn(1, 2, 6)), {})
    yield "cross_map_lrn2d", nn.CrossMapLRN2d(3, 0.5, k=2), (randn(2, 7, 4, 5),), {}
    yield "cross_map_lrn2d_even", nn.Sequential(nn.CrossMapLRN2d(4, 0.5)), (randn(2, 7, 4, 5),), {}
    yield "rrelu", nn.RReLU(0.1, 0.5), (randn(3, 4),), {}
    yield ("rnn_dynamic", nn.RNN(5, 4, 2, bidirectional=True, batch_first=True), (randn(2, 6, 5),),
           {"dynamic_shapes": ({0: "batch", 1: "time"},)})
    yield "rnn_relu", nn.RNN(5, 4, nonlinearity="relu", bias=False), (randn(6, 2, 5),), {}
    yield "rnn_state", Lambda2(nn.RNN(5, 4, 2), lambda m, x, h: m(x, h)), (randn(6, 5), randn(2, 4)), {}
    yield "encoder_mask", Lambda2(encoder_layer(), lambda m, x, k: m(x, src_mask=k)), (randn(2, 5, 12), CAUSAL(5)), {}
    yield ("transformer_mask", Lambda2(nn.Transformer(12, 2, 1, 1, 16, batch_first=True), lambda m, x, y, k: m(x, y, tgt_mask=k)),
           (randn(2, 5, 12), randn(2, 4, 12), CAUSAL(4)), {})
    yield ("attention_of_rank_3", Lambda(lambda q, k, v, m: nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=m)),
           (randn(2, 6, 8), randn(2, 5, 8), randn(2, 5, 8), randn(2, 6, 5)), {})
    yield "nms", Lambda(lambda b, s: torchvision.ops.nms(b, s, 0.3)), (boxes(9), rand(9)), {}
    yield ("roi_align", Lambda(lambda x, r: torchvision.ops.roi_align(x, [r], (3, 2), 0.5, 2, True)),
           (randn(1, 3, 8, 8), boxes(3)), {})


def passes(tool, folder):
    done = subprocess.run([tool, "check", "--rtol", "1e-4", "--atol", "1e-4", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"onnxrun check: {done.stdout.strip()} {done.stderr.strip()}")


def expect(kind, call, text):
    try:
        call()
    except kind as problem:
        if text in str(problem):
            return
        raise RuntimeError(f"expected '{text}' in: {problem}") from problem
    raise RuntimeError(f"expected {kind.__name__}")


def refuses(tool, folder):
    """Errors come before the export, or name the output that is wrong."""
    path = os.path.join(folder, "model.onnx")
    saved = {name: os.environ.pop(name, None) for name in ("ONNXRUN", "PATH")}
    expect(FileNotFoundError, lambda: onnxrun.export(nn.Linear(2, 2), (randn(1, 2),), path), "not on the PATH")
    os.environ.update({name: value for name, value in saved.items() if value is not None})
    layer = nn.Linear(2, 2)
    onnxrun.export(layer, (randn(1, 2),), path, tool=tool)
    with torch.no_grad():
        layer.weight.add_(1)
    if onnxrun.check(layer, (torch.ones(1, 2),), path, tool=tool)[0].agrees:
        raise RuntimeError("another module agrees with the file")
    training = nn.Sequential(nn.Dropout(0.5)).train()
    onnxrun.export(training, (randn(1, 2),), path, tool=tool)
    if not training[0].training:
        raise RuntimeError("the module is left in evaluation mode")


def takes_other_sizes(tool, folder):
    """What was declared dynamic is dynamic."""
    path = os.path.join(folder, "model.onnx")
    layer = nn.RNN(5, 4, batch_first=True)
    onnxrun.export(layer, (randn(2, 6, 5),), path, tool=tool, dynamic_shapes=({0: "batch", 1: "time"},))
    if not all(d.agrees for d in onnxrun.check(layer, (randn(3, 9, 5),), path, tool=tool)):
        raise RuntimeError("another length gives another result")


def main(tool):
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    failed = 0
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        todo = [(name, lambda m=module, a=args, o=options, n=name: onnxrun.export(
            randomise(m), a, os.path.join(folder, n + ".onnx"), tool=tool, folder=os.path.join(folder, n), **o))
            for name, module, args, options in cases()]
        extra = {"errors": refuses, "other sizes": takes_other_sizes}
        todo += [(name, lambda f=function: f(tool, folder)) for name, function in extra.items()]
        for name, call in todo:
            try:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    call()
                    if name not in extra:
                        passes(tool, os.path.join(folder, name))
                print(f"ok export {name}", flush=True)
            except Exception as problem:  # whatever goes wrong is this case's failure
                failed += 1
                print(f"FAIL export {name}: {type(problem).__name__}: {' '.join(str(problem).split())[:300]}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(os.path.abspath(sys.argv[1])))
