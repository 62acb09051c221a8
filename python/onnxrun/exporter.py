"""export: torch.onnx.export for all that PyTorch's layers can be."""

from __future__ import annotations

import contextlib
import copy
import errno
import inspect
import os
import shutil
from typing import Any

import onnx
import torch

from . import _arguments as checks
from . import keywords, verification
from ._onnxrun import ArgumentError
from .modules import substitutes
from .operators import TRANSLATIONS
from .recurrent import TRANSLATIONS as RECURRENT
from .rewrites import rewrite


# Layers that are not replaced when the caller has a translation for their operator.
aten = torch.ops.aten
OWN_LAYERS = {torch.nn.RNN: {aten.rnn_tanh.input, aten.rnn_relu.input}, torch.nn.LSTM: {aten.lstm.input}}


@contextlib.contextmanager
def _inference(module):
    """Evaluation mode, and no short cuts that exporters cannot follow."""
    training = [m for m in module.modules() if m.training] if isinstance(module, torch.nn.Module) else []
    fast = torch.backends.mha.get_fastpath_enabled()
    detect = torch.nn.modules.transformer._detect_is_causal_mask
    for m in training:
        m.training = False
    torch.backends.mha.set_fastpath_enabled(False)
    # Without a hint the layer looks at the mask's contents, which an exporter cannot; the mask says it all anyway.
    torch.nn.modules.transformer._detect_is_causal_mask = lambda mask, is_causal=None, size=None: is_causal is True
    try:
        yield
    finally:
        torch.nn.modules.transformer._detect_is_causal_mask = detect
        torch.backends.mha.set_fastpath_enabled(fast)
        for m in training:
            m.training = True


@contextlib.contextmanager
def _captured(change):
    """Within, torch.export.export gives change(program): torch.onnx.export itself prepares dynamic dimensions and captures."""
    export = torch.export.export
    torch.export.export = lambda *args, **kwargs: change(export(*args, **kwargs))
    try:
        yield
    finally:
        torch.export.export = export


def _ordered(axes, names, module, args, kwargs):
    """dynamic_axes in the order of the inputs, and with all of them, as torch.onnx.export reads it whatever the names are."""
    if not names:
        try:
            names = list(inspect.signature(module.forward).bind(*args, **kwargs).arguments)
        except TypeError:
            return axes  # the exporter will say why
        if any(name not in names for name in axes):
            return axes  # names of outputs, or of parts of an argument
    return {**{name: axes.get(name) for name in names}, **axes}


def _export_dynamo(module, args, f, kwargs, options):
    """Gives the program that was written."""
    own = options.pop("custom_translation_table", None) or {}
    if options.get("dynamic_axes") and isinstance(module, torch.nn.Module):
        options["dynamic_axes"] = _ordered(options["dynamic_axes"], options.get("input_names"), module, args, kwargs)
    programs = []

    def change(program):
        programs.append(rewrite(program, own))
        return program

    options["custom_translation_table"] = {**TRANSLATIONS, **RECURRENT, **own}
    options.setdefault("verbose", False)
    if isinstance(module, torch.export.ExportedProgram):
        torch.onnx.export(change(copy.deepcopy(module)), args, f, kwargs=kwargs, dynamo=True, **options)
    else:
        kept = [layer for layer, operators in OWN_LAYERS.items() if own.keys() & operators]
        with substitutes(module, kept) as exported, _captured(change), torch.no_grad():
            torch.onnx.export(exported, args, f, kwargs=kwargs, dynamo=True, **options)
    return programs[-1]


def _export_torchscript(module, args, f, kwargs, options):
    if not isinstance(module, torch.nn.Module) or isinstance(module, torch.jit.ScriptModule):
        torch.onnx.export(module, args, f, kwargs=kwargs, dynamo=False, **options)
        return None
    with substitutes(module, [torch.nn.RNN]) as exported:  # that exporter writes it
        torch.onnx.export(exported, args, f, kwargs=kwargs, dynamo=False, **options)
    return None


def _arguments(model, args, kwargs):
    """args and kwargs as torch.onnx.export takes them: a tensor alone, keywords as the last of args, those of a program."""
    if isinstance(model, torch.export.ExportedProgram) and not args and not kwargs:
        args, kwargs = model.example_inputs
    args = (args,) if isinstance(args, torch.Tensor) else tuple(checks.items("args", args))
    if not kwargs and args and isinstance(args[-1], dict):
        args, kwargs = args[:-1], args[-1]
    return args, dict(kwargs or {})


def _copy_model(model, source, target):
    """The file, and those that its weights lie in."""
    places = {entry.value for tensor in model.graph.initializer for entry in tensor.external_data if entry.key == "location"}
    for name in places:
        copied = os.path.join(os.path.dirname(target), name)
        os.makedirs(os.path.dirname(copied), exist_ok=True)
        shutil.copyfile(os.path.join(os.path.dirname(source), name), copied)
    shutil.copyfile(source, target)


def _write_folder(folder, path, model, inputs, outputs):
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, "model.onnx")
    if os.path.abspath(target) != os.path.abspath(path):
        _copy_model(model, os.path.abspath(path), os.path.abspath(target))
    verification.write_data_set(folder, 0, model, inputs, outputs)


def _random_operators(program):
    """Names of the operators that draw random numbers, as far as the program shows them."""
    targets = [node.target for node in program.graph.nodes if node.op == "call_function"] if program is not None else []
    return sorted({str(t) for t in targets if torch.Tag.nondeterministic_seeded in getattr(t, "tags", ())})


def _reason_for_no_check(program, options):
    if options.get("export_params") is False:
        return "export_params=False leaves out the weights"
    symbolic = program is not None and any("onnx_symbolic" in str(node.target) for node in program.graph.nodes)
    return "torch.onnx.ops.symbolic computes nothing in PyTorch that the file could be compared with" if symbolic else None


def _compare(called, args, kwargs, path, written, inputs, tool, tolerance):
    """The differences, and why there are none."""
    try:
        return verification.compare(called, args, kwargs, path, written, inputs, tool, tolerance), None
    except verification.UnsupportedError as problem:
        foreign = verification.foreign_operators(written)
        if not foreign:
            raise
        return [], f"it has {', '.join(foreign)}, which its own runtime knows; {' '.join(str(problem).split())}"


def _report(path, differences, program):
    drawn = _random_operators(program)
    for d in differences:
        if d.agrees is None:
            operators = f" ({', '.join(drawn)})" if drawn else ""
            print(f"{path}: output {d.name} is not compared: the module draws random numbers{operators}, two runs of it differ")
        else:
            print(f"{path}: output {d.name} {'agrees with' if d.agrees else 'DIFFERS from'} the module, {d.by}")
    for d in differences:
        if d.agrees is False:
            raise RuntimeError(f"{path} does not compute what the module does: output {d.name} differs, {d.by}")


def export(model: Any, args: Any = (), f: str | os.PathLike[str] | None = None, *, kwargs: dict[str, Any] | None = None, dynamo: bool = True,
           check: bool = True, tool: str | os.PathLike[str] | None = None, tolerance: tuple[float, float] | None = None,
           folder: str | os.PathLike[str] | None = None, **options: Any) -> list[verification.Difference]:
    """Writes model, called as model(*args, **kwargs), to the ONNX file f, and checks the file.

    All keywords of torch.onnx.export are passed on (custom_translation_table adds to the package's own, and wins) or refused by name:
    f must be a path, training must be EVAL, and what PyTorch's other exporter (dynamo=False, or True) alone looks at is an error.
    check: run the file with the program onnxrun (tool; by default the environment variable ONNXRUN, or onnxrun on the PATH),
    print how far each output is from the module's, and raise RuntimeError where one differs by more than tolerance, which is
    (relative, absolute), by default (1e-4, 1e-4) in float32. A note says where that is impossible: the module draws random numbers,
    or the file has operators of a domain that onnxrun does not know.
    folder: also written, with the model and one test_data_set_0, for `onnxrun check folder`.

    Returns the list of differences, empty without a check.
    """
    if f is None or hasattr(f, "write"):
        raise ArgumentError("f: the file is written and run, so that a path is needed; torch.onnx.export gives a program, or writes a stream")
    path, is_program = checks.path("f", f), isinstance(model, torch.export.ExportedProgram)
    if not isinstance(model, (torch.nn.Module, torch.export.ExportedProgram, torch.jit.ScriptFunction)):
        checks.refuse("model", "a torch.nn.Module or a torch.export.ExportedProgram", model)
    if not os.path.isdir(os.path.dirname(path) or "."):
        raise checks.MissingFileError(errno.ENOENT, "there is no such folder", os.path.dirname(path))
    dynamo = bool(dynamo) or is_program
    keywords.check(options, dynamo)
    args, kwargs = _arguments(model, args, kwargs)
    if check:
        tool = verification.find_tool(tool)  # before the long part
    called = model.module() if is_program else model
    with _inference(called):
        write = _export_dynamo if dynamo else _export_torchscript
        program = write(model, args, path, kwargs, dict(options))
        written = onnx.load(path, load_external_data=False)
        reason = _reason_for_no_check(program, options)
        differences = []
        if folder or (check and not reason):
            captured = program.example_inputs if program is not None and not is_program else None
            inputs = verification.inputs_of(called, args, kwargs, written, captured, options.get("input_names"))
        if folder:
            results = verification.as_declared(verification.call(called, args, kwargs), written.graph.output)
            _write_folder(folder, path, written, inputs, results)
        if check and not reason:
            differences, reason = _compare(called, args, kwargs, path, written, inputs, tool, tolerance)
    if check and reason:
        print(f"{path}: not checked: {reason}")
    _report(path, differences, program)
    return differences
