"""export: torch.onnx.export for all that PyTorch's layers can be."""

import contextlib
import os

import onnx
import torch

from . import verification
from .modules import substitutes
from .operators import TRANSLATIONS
from .recurrent import TRANSLATIONS as RECURRENT
from .rewrites import rewrite


@contextlib.contextmanager
def _inference(module):
    """Evaluation mode, and no short cuts that exporters cannot follow."""
    training = [m for m in module.modules() if m.training]
    fast = torch.backends.mha.get_fastpath_enabled()
    detect = torch.nn.modules.transformer._detect_is_causal_mask
    module.eval()
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


def _dimensions(shapes, known):
    """dynamic_shapes with names for dimensions, as torch.onnx.export takes them, in torch.export's form."""
    if isinstance(shapes, str):
        return known.setdefault(shapes, torch.export.Dim(shapes))
    if isinstance(shapes, dict):
        return {key: _dimensions(value, known) for key, value in shapes.items()}
    if isinstance(shapes, (list, tuple)):
        return type(shapes)(_dimensions(value, known) for value in shapes)
    return shapes


def _write_folder(folder, path, model, module, args, kwargs):
    os.makedirs(folder, exist_ok=True)
    copy = os.path.join(folder, "model.onnx")
    if os.path.abspath(copy) != os.path.abspath(path):
        onnx.save(onnx.load(path), copy)
    with torch.no_grad():
        results = verification.tensors_of(module(*args, **kwargs))
    verification.write_data_set(folder, 0, model, verification.tensors_of((args, kwargs)), results)


def export(module, args, path, *, kwargs=None, dynamic_shapes=None, check=True, tool=None, tolerance=None, folder=None, **options):
    """Writes module, called as module(*args, **kwargs), to an ONNX file, and checks the file.

    dynamic_shapes and further options (input_names, output_names, opset_version, external_data, ...) are torch.onnx.export's.
    check: run the file with the program onnxrun (tool; by default the environment variable ONNXRUN, or onnxrun on the PATH),
    print how far each output is from the module's, and raise RuntimeError where one differs by more than tolerance, which is
    (relative, absolute), by default (1e-4, 1e-4) in float32.
    folder: also written, with the model and one test_data_set_0, for `onnxrun check folder`.

    Returns the list of differences, empty without a check.
    """
    args, kwargs = tuple(args), dict(kwargs or {})
    if check:
        tool = verification.find_tool(tool)  # before the long part
    with _inference(module):
        with substitutes(module) as exported:
            with torch.no_grad():
                program = torch.export.export(exported, args, kwargs, dynamic_shapes=_dimensions(dynamic_shapes, {}), strict=False)
            torch.onnx.export(rewrite(program), args, path, kwargs=kwargs, dynamo=True, verbose=False,
                              custom_translation_table={**TRANSLATIONS, **RECURRENT}, **options)
        model = onnx.load(path, load_external_data=False)
        if folder:
            _write_folder(folder, path, model, module, args, kwargs)
        if not check:
            return []
        differences = verification.check(module, args, path, kwargs=kwargs, tool=tool, tolerance=tolerance)
    wrong = [d for d in differences if not d.agrees]
    for d in differences:
        print(f"{path}: output {d.name} {'agrees with' if d.agrees else 'DIFFERS from'} the module, by at most {d.largest:.2g}")
    if wrong:
        raise RuntimeError(f"{path} does not compute what the module does: output {wrong[0].name} differs by {wrong[0].largest:.2g}")
    return differences
