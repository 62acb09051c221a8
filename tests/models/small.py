"""Makes the small fixtures of layers.py and nets.py."""

import os

import torch

import fixture_io as fio
import layers  # noqa: F401  (registers its cases)
import nets  # noqa: F401
from cases import CASES

# The exporters' default opsets name no opset in the folder's name.
DEFAULT = {"dynamo": 20, "ts": 17}


def variants(case):
    for exporter, opsets in (("dynamo", case.dynamo), ("ts", case.ts)):
        for opset in opsets:
            suffix = "" if opset == DEFAULT[exporter] else str(opset)
            yield f"{case.name}_{exporter}{suffix}", exporter, opset


def write(folder, case, exporter, opset):
    fio.seed(case.name)
    module = fio.randomise(case.build()).eval()
    inputs = [case.inputs()] + [make() for make in case.more]
    exported = module
    if exporter == "ts" and case.name.startswith("scripted"):
        with fio.quiet():
            exported = torch.jit.script(module)
    fio.export(exported, inputs[0], os.path.join(folder, "model.onnx"),
               exporter=exporter, opset=opset, input_names=case.names,
               output_names=case.outputs, dynamic=case.dynamic)
    for i, values in enumerate(inputs):
        fio.save_torch_data(folder, i, module, values, case.names)
    ignored = set(fio.weights_that_do_not_matter(module, inputs))
    if ignored - set(case.unused):
        raise RuntimeError(f"{case.name}: no output depends on "
                           f"{sorted(ignored)}")


def make(folder, only, again):
    os.makedirs(folder, exist_ok=True)
    failed = 0
    # Dynamic ones first, for the reason that architectures.variants gives.
    for case in sorted(CASES, key=lambda case: not case.dynamic):
        for name, exporter, opset in variants(case):
            target = os.path.join(folder, name)
            if not name.startswith(only):
                continue
            if os.path.exists(target) and not again:
                continue
            try:
                with fio.new_folder(target) as part:
                    write(part, case, exporter, opset)
                    runtime = fio.require(part)
                print(f"ok {name} ({runtime})", flush=True)
            except Exception as problem:
                first = str(problem).strip().splitlines()[:1]
                print(f"FAIL {name}: {type(problem).__name__} {first}",
                      flush=True)
                failed += 1
    return failed
