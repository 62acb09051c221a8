"""Makes the cases of every_layer.py, every_window.py and every_sequence.py.

A case that an exporter cannot write leaves a folder with one file, `refused`, that holds its message.
"""

import multiprocessing
import os

import torch

import every_layer
import every_sequence  # noqa: F401  (registers its cases)
import every_window  # noqa: F401
import fixture_io as fio
from small import variants

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16,
          "f64": torch.float64}


def to_dtype(values, dtype):
    return tuple(v.to(dtype) if v.is_floating_point() else v for v in values)


def write(folder, case, exporter, opset):
    dtype = DTYPES[case.dtype]
    fio.seed(case.name)
    module = fio.randomise(case.build()).eval().to(dtype)
    inputs = [to_dtype(make(), dtype) for make in (case.inputs, *case.more)]
    try:
        fio.export(module, inputs[0], os.path.join(folder, "model.onnx"),
                   exporter=exporter, opset=opset, input_names=case.names,
                   output_names=case.outputs, dynamic=case.dynamic)
    except Exception as problem:  # whatever an exporter raises is a refusal
        for name in os.listdir(folder):
            os.remove(os.path.join(folder, name))
        text = f"{type(problem).__name__}: {problem}"
        with open(os.path.join(folder, "refused"), "w", encoding="utf-8") as file:
            file.write(text[:2000] + "\n")
        return
    for i, values in enumerate(inputs):
        fio.save_torch_data(folder, i, module, values, case.names)


def _be_quiet():
    """Exporters print from C++ too."""
    torch.set_num_threads(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def _make_one(task):
    target, index, exporter, opset = task
    try:
        with fio.new_folder(target) as part:
            write(part, every_layer.EVERY[index], exporter, opset)
    except Exception as problem:  # a bug of the generator: the others go on
        return f"{os.path.basename(target)}: {type(problem).__name__}: {problem}"
    return None


def make(folder, only, again):
    os.makedirs(folder, exist_ok=True)
    tasks = [(os.path.join(folder, name), index, exporter, opset)
             for index, case in enumerate(every_layer.EVERY)
             for name, exporter, opset in variants(case) if name.startswith(only)]
    tasks = [t for t in tasks if again or not os.path.exists(t[0])]
    failed = 0
    # Dynamic ones first, for the reason that architectures.variants gives.
    tasks.sort(key=lambda t: not every_layer.EVERY[t[1]].dynamic)
    with multiprocessing.get_context("spawn").Pool(os.cpu_count(), _be_quiet) as pool:
        for count, problem in enumerate(pool.imap_unordered(_make_one, tasks, 4), 1):
            if problem:
                failed += 1
                print(f"FAIL {problem}", flush=True)
            if count % 50 == 0 or count == len(tasks):
                print(f"{count} of {len(tasks)} made", flush=True)
    return failed
