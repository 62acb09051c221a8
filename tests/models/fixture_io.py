"""Writes models and their data in the ONNX backend-test layout.

    NAME/model.onnx [+ model.onnx.data]
    NAME/test_data_set_0/input_0.pb ... output_0.pb ...

Expected outputs come from PyTorch (or, for models that people ship, from
onnxruntime with graph optimisation off), never from onnxrun.
"""

import contextlib
import inspect
import io
import os
import re
import shutil
import warnings
import zlib

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
RTOL, ATOL = 1e-3, 1e-4


def seed(name):
    """One seed a name, so that adding a case leaves the others as they are."""
    torch.manual_seed(zlib.crc32(name.encode()))


def randomise(module):
    """Replaces every constant parameter and statistic by random values.

    PyTorch starts biases at 0, norm weights at 1 and running statistics at
    0 and 1: a runtime that ignored them would still be right.
    """
    with torch.no_grad():
        for parameter in module.parameters():
            if not parameter.is_floating_point() or parameter.numel() == 0:
                continue
            first = parameter.flatten()[0].item()
            if bool((parameter == first).all()):
                noise = torch.randn(parameter.shape, dtype=torch.float64)
                parameter.copy_(first + 0.2 * noise)
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(0.5 * torch.randn(buffer.shape))
            elif name.endswith("running_var"):
                buffer.copy_(0.5 + torch.rand(buffer.shape))
    return module


def flat(value):
    """The tensors of a nested tuple, in the order in which they are exported."""
    if isinstance(value, torch.Tensor):
        return [value]
    return [tensor for part in value for tensor in flat(part)]


def forward(module, inputs):
    with torch.no_grad():
        return flat(module(*inputs))


def weights_that_do_not_matter(module, data_sets):
    """Names of parameters that can change without changing any output."""
    def outputs():
        return [y for inputs in data_sets for y in forward(module, inputs)]

    before = outputs()
    ignored = []
    for name, parameter in module.named_parameters():
        saved = parameter.detach().clone()
        with torch.no_grad():
            noise = torch.randn(parameter.shape, dtype=torch.float32)
            scale = float(saved.float().abs().mean()) + 0.1
            parameter.add_((noise * scale).to(parameter.dtype))
        after = outputs()
        with torch.no_grad():
            parameter.copy_(saved)
        if all(torch.equal(a, b) for a, b in zip(before, after)):
            ignored.append(name)
    return ignored


@contextlib.contextmanager
def quiet():
    """The exporters print progress and warnings of no use here."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        with contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield


def _dynamic_shapes(module, input_names, inputs, dynamic, named):
    """dynamic_axes ({name: {axis: symbol}}) in the form torch.export wants: what *arguments take is a tuple of its own.

    named: the symbols are only names, so that the exporter may find relations between them.
    """
    dims = {}
    shapes = []
    for name, tensor in zip(input_names, inputs):
        axes = dynamic.get(name, {})
        for symbol in axes.values():
            dims.setdefault(symbol, symbol if named else torch.export.Dim(symbol))
        shapes.append({axis: dims[symbol] for axis, symbol in axes.items()})
    kinds = [p.kind for p in inspect.signature(module.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        return tuple(shapes)
    plain = kinds.index(inspect.Parameter.VAR_POSITIONAL)
    return (*shapes[:plain], *([tuple(shapes[plain:])] if shapes[plain:] else []))


def export(module, inputs, path, *, exporter, opset, input_names, output_names,
           dynamic=None, named=False, **options):
    """Exports with one of PyTorch's exporters, 'dynamo' or 'ts'; further options are torch.onnx.export's."""
    # torch.export otherwise remembers sizes of what it traced before, and a
    # dimension that should be dynamic is fixed.
    torch._dynamo.reset()
    common = dict(input_names=list(input_names), output_names=output_names and list(output_names),
                  opset_version=opset, **options)
    with quiet():
        if exporter == "dynamo":
            shapes = None
            if dynamic:
                shapes = _dynamic_shapes(module, input_names, inputs, dynamic, named)
            torch.onnx.export(module, inputs, path, dynamo=True, verbose=False,
                              dynamic_shapes=shapes, **common)
        else:
            # The fast path calls fused operators that TorchScript's exporter
            # does not know.
            torch.backends.mha.set_fastpath_enabled(False)
            try:
                torch.onnx.export(module, inputs, path, dynamo=False,
                                  dynamic_axes=dynamic, **common)
            finally:
                torch.backends.mha.set_fastpath_enabled(True)
    _make_paths_relative(path)
    _require_dynamic(path, dynamic or {})


def _require_dynamic(path, dynamic):
    """Exporters fix a dimension without a word when they think they must."""
    for value in onnx.load(path, load_external_data=False).graph.input:
        dims = value.type.tensor_type.shape.dim
        for axis, symbol in dynamic.get(value.name, {}).items():
            if not dims[axis].dim_param:
                raise RuntimeError(f"input {value.name}: {symbol} became "
                                   f"{dims[axis].dim_value}")


_FILE = re.compile(r'(/[^\s"\':]*\.py)')


def _relative(match):
    path = match.group(1)
    if "/site-packages/" in path:
        return path.split("/site-packages/", 1)[1]
    if path.startswith(ROOT + "/"):
        return path[len(ROOT) + 1:]
    return os.path.basename(path)


def _clean_graph(graph):
    for entry in graph.metadata_props:
        entry.value = _FILE.sub(_relative, entry.value)
    for node in graph.node:
        for entry in node.metadata_props:
            entry.value = _FILE.sub(_relative, entry.value)
        if node.doc_string:
            node.doc_string = _FILE.sub(_relative, node.doc_string)
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                _clean_graph(inner)


def _make_paths_relative(path):
    """Stack traces name files of the machine that exported the model."""
    model = onnx.load(path, load_external_data=False)
    _clean_graph(model.graph)
    data = model.SerializeToString(deterministic=True)
    if ROOT.encode() in data:
        raise RuntimeError(f"{path}: still names {ROOT}")
    with open(path, "wb") as file:
        file.write(data)


def save_tensor(path, array, name):
    with open(path, "wb") as file:
        file.write(numpy_helper.from_array(np.asarray(array), name)
                   .SerializeToString(deterministic=True))


def load_tensor(path):
    tensor = onnx.load_tensor(path)
    return tensor.name, numpy_helper.to_array(tensor)


def save_data_set(folder, index, inputs, outputs):
    """inputs, outputs: {name: array} in the model's order."""
    data = os.path.join(folder, f"test_data_set_{index}")
    os.makedirs(data, exist_ok=True)
    for kind, values in (("input", inputs), ("output", outputs)):
        for i, (name, array) in enumerate(values.items()):
            save_tensor(os.path.join(data, f"{kind}_{i}.pb"), array, name)


def load_data_set(data):
    """Returns ({name: input}, {name: output}) of a test_data_set folder."""
    sets = []
    for kind in ("input", "output"):
        values = {}
        while os.path.exists(
                path := os.path.join(data, f"{kind}_{len(values)}.pb")):
            name, array = load_tensor(path)
            values[name] = array
        sets.append(values)
    return tuple(sets)


def data_sets(folder):
    names = [n for n in os.listdir(folder) if n.startswith("test_data_set_")]
    names.sort(key=lambda n: int(n.rsplit("_", 1)[1]))
    return [os.path.join(folder, name) for name in names]


def to_array(tensor):
    """NumPy has no bfloat16 of its own; onnx knows ml_dtypes' one."""
    if tensor.dtype == torch.bfloat16:
        return tensor.contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def save_torch_data(folder, index, module, inputs, input_names):
    """A data set whose expected outputs PyTorch computes in eval mode."""
    graph = onnx.load(os.path.join(folder, "model.onnx"),
                      load_external_data=False).graph
    given = dict(zip(input_names, inputs))
    # Old files list initializers among the inputs.
    constants = {tensor.name for tensor in graph.initializer}
    used = [v.name for v in graph.input if v.name not in constants]
    results = forward(module, inputs)
    if len(results) != len(graph.output):
        raise RuntimeError(f"{folder}: {len(graph.output)} outputs exported, "
                           f"{len(results)} expected")
    save_data_set(folder, index,
                  {name: to_array(given[name]) for name in used},
                  {value.name: to_array(result)
                   for value, result in zip(graph.output, results)})


def reference_session(path):
    """onnxruntime as a reference: no graph optimisation, one thread."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(path, options,
                                        providers=["CPUExecutionProvider"])


def _difference(name, expected, found):
    found = np.asarray(found)
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return (f"{name}: expected {expected.dtype}{list(expected.shape)}, "
                f"found {found.dtype}{list(found.shape)}")
    if expected.dtype == np.float16:
        rtol, atol = 1e-2, 1e-2
    else:
        rtol, atol = RTOL, ATOL
    if np.issubdtype(expected.dtype, np.floating):
        same = np.allclose(found.astype(np.float64), expected.astype(np.float64),
                           rtol=rtol, atol=atol, equal_nan=True)
    else:
        same = np.array_equal(found, expected)
    if same:
        return None
    worst = np.max(np.abs(found.astype(np.float64) -
                          expected.astype(np.float64)))
    return f"{name}: differs by up to {worst:.3g}"


def _onnx_reference(path):
    from onnx.reference import ReferenceEvaluator
    return ReferenceEvaluator(path)


def verify(folder):
    """Do independent runtimes compute the expected outputs?

    Asks onnxruntime, then onnx.reference where onnxruntime cannot run the
    model. Returns (runtime, None) or (runtime, reason).
    """
    path = os.path.join(folder, "model.onnx")
    refusals = []
    for runtime, make in (("onnxruntime", reference_session),
                          ("onnx.reference", _onnx_reference)):
        try:
            session = make(path)
            for data in data_sets(folder):
                inputs, outputs = load_data_set(data)
                found = session.run(list(outputs), inputs)
                for (name, expected), value in zip(outputs.items(), found):
                    reason = _difference(name, expected, value)
                    if reason:
                        return runtime, f"{os.path.basename(data)}: {reason}"
            return runtime, None
        except Exception as problem:  # whatever a runtime raises is a refusal
            refusals.append(f"{runtime}: {str(problem).strip()[:200]}")
    return "none", "; ".join(refusals)


def require(folder):
    """The runtime that agrees with the expected outputs; raises without one."""
    runtime, reason = verify(folder)
    if reason:
        raise RuntimeError(f"{runtime}: {reason}")
    return runtime


@contextlib.contextmanager
def new_folder(folder):
    """A folder that appears under its name only when it is complete."""
    part = folder + ".part"
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(part)
    try:
        yield part
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(part, folder)
