#!/usr/bin/env python3
"""Writes the ONNX backend test suite of the installed onnx package as folders.

    make_suite.py DIR        DIR/SET/CASE/{model.onnx, test_data_set_*/...}

The same package writes the same bytes every time.

The package ships the cases of all sets but `node` as files; those of `node` are
Python code that is run here. Needs onnx and numpy.
"""

import os
import shutil
import sys

import numpy as np
import onnx
import onnx.backend.test
from onnx import numpy_helper

SHIPPED = ["simple", "pytorch-converted", "pytorch-operator"]


def value_bytes(value, value_type, name):
    """A value as the message that its declared type asks for."""
    kind = value_type.WhichOneof("value")
    if kind == "sequence_type":
        return numpy_helper.from_list(value, name).SerializeToString()
    if kind == "optional_type":
        return numpy_helper.from_optional(value, name).SerializeToString()
    if isinstance(value, onnx.TensorProto):
        value.name = name
        return value.SerializeToString()
    return numpy_helper.from_array(np.asarray(value), name).SerializeToString()


def write_values(folder, kind, values, declared):
    for i, (value, info) in enumerate(zip(values, declared)):
        path = os.path.join(folder, f"{kind}_{i}.pb")
        with open(path, "wb") as file:
            file.write(value_bytes(value, info.type, info.name))


def write_node_cases(folder):
    from onnx.backend.test.case.node import collect_testcases

    cases = [case for case in collect_testcases(None) if case.model is not None]
    for case in cases:
        target = os.path.join(folder, case.name)
        os.makedirs(target, exist_ok=True)
        onnx.save(case.model, os.path.join(target, "model.onnx"))
        for i, (inputs, outputs) in enumerate(case.data_sets):
            data = os.path.join(target, f"test_data_set_{i}")
            os.makedirs(data, exist_ok=True)
            write_values(data, "input", inputs, case.model.graph.input)
            write_values(data, "output", outputs, case.model.graph.output)
    return len(cases)


def data_folder(name):
    return os.path.join(os.path.dirname(onnx.backend.test.__file__), "data", name)


def copy_shipped_cases(name, folder):
    source = data_folder(name)
    cases = sorted(case for case in os.listdir(source) if os.path.isdir(os.path.join(source, case)))
    for case in cases:
        shutil.copytree(os.path.join(source, case), os.path.join(folder, case), dirs_exist_ok=True)
    return len(cases)


def write_light_cases(folder):
    """Large networks without their weights: a model and its output for inputs 0, 1/n, 2/n ... as the suite's runner has it."""
    source = data_folder("light")
    models = sorted(file for file in os.listdir(source) if file.endswith(".onnx"))
    for file in models:
        name = file[:-len(".onnx")]
        target = os.path.join(folder, name)
        data = os.path.join(target, "test_data_set_0")
        os.makedirs(data, exist_ok=True)
        shutil.copyfile(os.path.join(source, file), os.path.join(target, "model.onnx"))
        shutil.copyfile(os.path.join(source, name + "_output_0.pb"), os.path.join(data, "output_0.pb"))
        graph = onnx.load(os.path.join(source, file)).graph
        constants = {tensor.name for tensor in graph.initializer}
        inputs = [info for info in graph.input if info.name not in constants]
        values = []
        for info in inputs:
            shape = [dim.dim_value or 1 for dim in info.type.tensor_type.shape.dim]
            count = int(np.prod(shape))
            values.append((np.arange(count).reshape(shape) / count).astype(np.float32))
        write_values(data, "input", values, inputs)
    return len(models)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = sys.argv[1]
    for name in SHIPPED:
        print(name, copy_shipped_cases(name, os.path.join(root, name)), flush=True)
    print("light", write_light_cases(os.path.join(root, "light")), flush=True)
    print("node", write_node_cases(os.path.join(root, "node")), flush=True)


if __name__ == "__main__":
    main()
