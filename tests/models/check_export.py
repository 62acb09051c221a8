#!/usr/bin/env python3
"""Exports with the package in python/ what PyTorch's own exporters cannot write, or write wrong; and tries all their keywords.

    check_export.py ONNXRUN

export() itself compares the file with the module; the folder that it leaves must pass `onnxrun check`, too. One line a
case: "ok export NAME" or "FAIL export NAME: reason".
"""

import contextlib
import inspect
import io
import logging
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import warnings

import onnx
import onnxrun  # of the build: PYTHONPATH
import torch
import torchvision
from cases import Lambda
from every_sequence import Lambda2
from fixture_io import randomise
from onnxscript import opset18, values
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))

randn, rand = torch.randn, torch.rand
CAUSAL = nn.Transformer.generate_square_subsequent_mask


def boxes(count):
    corner = rand(count, 2)
    return torch.cat([corner, corner + rand(count, 2)], 1) * 5


def encoder_layer():
    return nn.TransformerEncoderLayer(12, 3, 20, batch_first=True)


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("runs", torch.zeros(()))

    def forward(self, x):
        self.runs.add_(1)
        return x + self.runs


@torch.library.custom_op("test_export::twice", mutates_args=())
def twice(x: torch.Tensor) -> torch.Tensor:
    return x * 2


@twice.register_fake
def _(x):
    return torch.empty_like(x)


TWICE = torch.ops.test_export.twice.default


class Twice(nn.Module):
    def forward(self, x):
        return TWICE(x) + 1


class Picked(nn.Module):
    """Of its arguments it needs two, and a number."""

    def forward(self, a, b, c=None, flag=True, factor=2.0):
        return c * factor + a if flag else b


class Product(nn.Module):
    def forward(self, x, y, z):
        return x @ y.transpose(0, 1) + z


def traced():
    yield "linear", nn.Linear(3, 4), (randn(2, 3),)
    yield "picked", Picked(), (randn(3), randn(3), randn(3))
    yield "gru", nn.GRU(5, 4), (randn(6, 2, 5),)
    yield "rnn", nn.RNN(5, 4), (randn(6, 2, 5),)
    yield "lstm_proj", nn.LSTM(5, 6, proj_size=3), (randn(6, 2, 5),)
    yield "cross_map_lrn2d", nn.CrossMapLRN2d(3, 0.5), (randn(2, 7, 4, 5),)


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
    yield ("rnn_dynamic_keyword", nn.RNN(5, 4), (randn(6, 2, 5),), {"dynamic_shapes": {"input": {0: "time", 1: "batch"}}})
    yield "tensor_alone", nn.Linear(3, 4), randn(2, 3), {}
    yield "keywords_last", nn.MultiheadAttention(8, 2), (randn(3, 1, 8), {"key": randn(4, 1, 8), "value": randn(4, 1, 8)}), {}
    yield "keywords_swapped", Product(), (randn(2, 3),), {"kwargs": {"z": randn(2, 5), "y": randn(5, 3)}}
    yield "writes_into_arguments", Lambda(lambda x: x.add_(1) * 2), (randn(3),), {}
    yield "counts_its_runs", Counter(), (randn(3),), {}
    yield "complex", Lambda(lambda x: torch.view_as_complex(x) * 2), (randn(3, 2),), {}
    yield "own_translation", Twice(), (randn(3),), {"custom_translation_table": {TWICE: lambda x: opset18.Add(x, x)}}
    yield "program", torch.export.export(nn.AvgPool2d(3, divisor_override=5), (randn(1, 3, 8, 9),)), (), {}
    for name, module, x in traced():
        yield f"torchscript_{name}", module, x, {"dynamo": False}
    yield "nms", Lambda(lambda b, s: torchvision.ops.nms(b, s, 0.3)), (boxes(9), rand(9)), {}
    yield ("roi_align", Lambda(lambda x, r: torchvision.ops.roi_align(x, [r], (3, 2), 0.5, 2, True)),
           (randn(1, 3, 8, 8), boxes(3)), {})


def passes(tool, folder):
    done = subprocess.run([tool, "check", "--rtol", "1e-4", "--atol", "1e-4", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"onnxrun check: {done.stdout.strip()} {done.stderr.strip()}")


def expect(kind, text, module, args, path, **options):
    """export must raise that, and say that."""
    try:
        onnxrun.export(module, args, path, **options)
    except kind as problem:
        if text in str(problem):
            return
        raise RuntimeError(f"expected '{text}' in: {problem}") from problem
    raise RuntimeError(f"expected {kind.__name__}: {text}")


def printed(module, args, path, **options):
    """What export prints, and returns."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        differences = onnxrun.export(module, args, path, **options)
    return text.getvalue(), differences


def require(condition, text):
    if not condition:
        raise RuntimeError(text)


# --- what is no comparison ---


def finds_the_tool(tool, path):
    """Errors come before the export."""
    layer, x = nn.Linear(2, 2), (randn(1, 2),)
    saved = {name: os.environ.pop(name, None) for name in ("ONNXRUN", "PATH")}
    expect(FileNotFoundError, "tool: there is no such program: '/no/such/tool'", layer, x, path, tool="/no/such/tool")
    os.environ["ONNXRUN"] = "/no/such/tool"
    expect(FileNotFoundError, "ONNXRUN: there is no such program", layer, x, path)
    del os.environ["ONNXRUN"]
    os.environ.update({name: value for name, value in saved.items() if value is not None})
    require(not os.path.exists(path), "a file was written")
    onnxrun.export(layer, x, path)  # the package's own
    os.environ["ONNXRUN"] = tool
    onnxrun.export(layer, x, path)


def sees_what_differs(tool, path):
    layer = nn.Linear(2, 2)
    onnxrun.export(layer, (randn(1, 2),), path, tool=tool)
    with torch.no_grad():
        layer.weight.add_(1)
    require(onnxrun.check(layer, (torch.ones(1, 2),), path, tool=tool)[0].agrees is False, "another module agrees with the file")


def leaves_the_module_alone(tool, path):
    training = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(2)).train()
    onnxrun.export(training, (randn(4, 2),), path, tool=tool)
    require(all(m.training for m in training.modules()), "the module is left in evaluation mode")
    counter = Counter()
    onnxrun.export(counter, (randn(2),), path, tool=tool)
    require(counter.runs == 0, "the module has counted")
    x = torch.zeros(3)
    onnxrun.export(Lambda(lambda x: x.add_(1)), (x,), path, tool=tool)
    require(not x.any(), "the argument has changed")


def tells_of_random_numbers(tool, path):
    module = Lambda(lambda x: (nn.functional.dropout(x, 0.5), x + 1))
    for options in ({}, {"dynamo": False}):
        text, differences = printed(module, (torch.ones(40),), path, tool=tool, **options)
        require("random" in text and [d.agrees for d in differences] == [None, True], text)
    require("aten.dropout" in printed(module, (torch.ones(40),), path, tool=tool)[0], "the operator is not named")


def writes_foreign_operators(tool, path):
    """What only the user's own runtime knows is written, and not compared."""
    schema = onnx.defs.OpSchema
    onnx.defs.register_schema(schema("Twice", "com.example", 1, inputs=[schema.FormalParameter("X", "T")],
                                     outputs=[schema.FormalParameter("Y", "T")],
                                     type_constraints=[("T", ["tensor(float)"], "floating point")]))
    own = values.Opset("com.example", 1)
    branch = Lambda(lambda x: torch.cond(x.sum() > 0, lambda x: TWICE(x) + 0, lambda x: x - 1, (x,)))
    for module in (Twice(), branch):
        text, differences = printed(module, (randn(3),), path, tool=tool, custom_translation_table={TWICE: lambda x: own.Twice(x)})
        require("not checked" in text and "com.example::Twice" in text and not differences, text)
        require(os.path.exists(path), "no file")
        os.remove(path)
    symbolic = Lambda(lambda x: torch.onnx.ops.symbolic("com.example::X", [x], dtype=x.dtype, shape=x.shape, version=1))
    require("symbolic" in printed(symbolic, (randn(3),), path, tool=tool)[0], "symbolic operators are compared")


def takes_other_sizes(tool, path):
    """What was declared dynamic is dynamic."""
    time_first = ({0: "time", 1: "batch"},)
    for layer in (nn.RNN(5, 4), nn.GRU(5, 4, 2, bidirectional=True), nn.LSTM(5, 4), nn.LSTM(5, 6, 2, proj_size=3, bidirectional=True),
                  nn.Sequential(nn.GRU(5, 4))):
        onnxrun.export(layer, (randn(6, 2, 5),), path, tool=tool, dynamic_shapes=time_first)
        require(all(d.agrees for d in onnxrun.check(layer, (randn(9, 3, 5),), path, tool=tool)), f"{layer}: another length differs")
    product, others = Product(), (randn(7, 3), randn(4, 3), randn(7, 4))
    for options in ({}, {"dynamo": False}):  # axes in another order than inputs
        onnxrun.export(product, (randn(2, 3), randn(5, 3), randn(2, 5)), path, tool=tool, input_names=["x", "y", "z"],
                       dynamic_axes={"z": {1: "m", 0: "n"}, "x": [0], "y": [0]}, **options)
        require(onnxrun.check(product, others, path, tool=tool)[0].agrees, f"{options}: another size differs")


# --- keywords ---

# Of the signature of torch.onnx.export: a value that is no default. The second exporter sees those that it looks at, too.
BOTH = {"kwargs": None, "verbose": True, "input_names": ["a"], "output_names": ["b"], "opset_version": 18, "export_params": False,
        "keep_initializers_as_inputs": True, "dynamic_axes": {"a": {0: "n"}}}
DYNAMO = {"external_data": False, "dynamic_shapes": ({0: "n"},), "custom_translation_table": {TWICE: lambda x: opset18.Add(x, x)},
          "report": True, "optimize": False, "verify": True, "dump_exported_program": True, "artifacts_dir": "artifacts", "profile": True}
TORCHSCRIPT = {"operator_export_type": torch.onnx.OperatorExportTypes.ONNX_ATEN_FALLBACK, "do_constant_folding": False,
               "custom_opsets": {"com.example": 1}, "export_modules_as_functions": True, "autograd_inlining": False}
ELSEWHERE = {"model", "args", "f", "dynamo", "training"}


def every_keyword_is_known(tool, path):
    signature = set(inspect.signature(torch.onnx.export).parameters)
    known = ELSEWHERE | set(BOTH) | set(DYNAMO) | set(TORCHSCRIPT)
    require(signature == known, f"torch.onnx.export has others: {sorted(signature ^ known)}")
    with open(os.path.join(HERE, "..", "..", "docs", "export_from_python.md"), encoding="utf-8") as file:
        table = file.read()
    require(all(f"`{name}`" in table for name in signature), "docs/export_from_python.md does not name all of them")


def keywords_work(tool, path):
    layer, x = nn.Linear(3, 2), (randn(4, 3),)
    for name, value in {**BOTH, **DYNAMO}.items():
        options = {name: os.path.join(os.path.dirname(path), value) if name == "artifacts_dir" else value}
        if name in ("report", "dump_exported_program", "profile"):
            options["artifacts_dir"] = os.path.dirname(path)
        if name == "dynamic_axes":
            options["input_names"] = ["a"]
        try:
            onnxrun.export(layer, x, path, tool=tool, **options)
        except ModuleNotFoundError:  # a package that torch.onnx.export asks for
            require(name == "profile", name)
    for name, value in {**BOTH, **TORCHSCRIPT}.items():
        # PyTorch itself refuses two of these, and prints in C++ what no test can catch.
        if name not in ("export_modules_as_functions", "operator_export_type", "verbose"):
            extra = {"input_names": ["a"]} if name == "dynamic_axes" else {}
            onnxrun.export(layer, x, path, tool=tool, dynamo=False, **{name: value, **extra})


def keywords_are_refused(tool, path):
    layer, x = nn.Linear(3, 2), (randn(4, 3),)
    for name, value in DYNAMO.items():
        expect(ValueError, f"{name}:", layer, x, path, dynamo=False, **{name: value})
    for name, value in TORCHSCRIPT.items():
        expect(ValueError, f"{name}:", layer, x, path, **{name: value})
    expect(ValueError, "training:", layer, x, path, training=torch.onnx.TrainingMode.TRAINING)
    expect(TypeError, "'no_such'", layer, x, path, no_such=1)
    expect(onnxrun.ArgumentError, "f:", layer, x, None)
    expect(onnxrun.ArgumentError, "f: expected a path", layer, x, 3)
    expect(onnxrun.ArgumentError, "model: expected a torch.nn.Module", None, x, path)
    expect(onnxrun.ArgumentError, "args: expected a list, found None", layer, None, path)
    for words, arguments in (("module: expected a torch.nn.Module", (None, x, path)), ("args: expected", (layer, None, path)), ("path: expected", (layer, x, None))):
        try:
            onnxrun.check(*arguments)
            raise RuntimeError(f"check takes {arguments}")
        except onnxrun.ArgumentError as error:
            require(words in str(error), str(error))
    expect(onnxrun.MissingFileError, "there is no such folder: '/no/such'", layer, x, "/no/such/x.onnx")
    expect(TypeError, "f:", layer, x, io.BytesIO())
    require(not os.path.exists(path), "a file was written")
    onnxrun.export(layer, x, path, tool=tool, training=torch.onnx.TrainingMode.EVAL, do_constant_folding=True, export_params=True)


def lines_of_the_readme(tool, path):
    """From `import onnxrun` to `quantize`, with a module of one's own."""
    with open(os.path.join(HERE, "..", "..", "README.md"), encoding="utf-8") as file:
        text = file.read()
    lines = re.search(r"^    import onnxrun\n(?:    .*\n)+", text, re.M)[0] + re.search(r"^    onnxrun\.quantize.*\n", text, re.M)[0]
    x, before = randn(4, 3), os.getcwd()
    os.makedirs(path)
    os.chdir(path)
    try:
        os.environ["ONNXRUN"] = tool
        exec(compile(textwrap.dedent(lines), "README.md", "exec"), {"module": nn.Sequential(nn.Linear(3, 2)), "x": x, "samples": [(x.numpy(),)]})
        require(os.path.exists("case/test_data_set_0") and os.path.exists("model_int8.onnx"), "not all was written")
    finally:
        os.chdir(before)


EXTRA = (finds_the_tool, sees_what_differs, leaves_the_module_alone, tells_of_random_numbers, writes_foreign_operators, takes_other_sizes,
         every_keyword_is_known, keywords_work, keywords_are_refused, lines_of_the_readme)


def export_case(tool, folder, name, module, args, options):
    module = randomise(module) if isinstance(module, nn.Module) else module
    target = os.path.join(folder, name)
    differences = onnxrun.export(module, args, target + ".onnx", tool=tool, folder=target, **options)
    require(differences and all(d.agrees for d in differences), f"not compared: {differences}")
    passes(tool, target)


def main(tool):
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    failed = 0
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        todo = [(case[0], lambda c=case: export_case(tool, folder, *c)) for case in cases()]
        todo += [(f.__name__, lambda f=f: f(tool, os.path.join(folder, f.__name__ + ".onnx"))) for f in EXTRA]
        for name, call in todo:
            try:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    call()
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
