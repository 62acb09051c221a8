"""What the tests of the package share."""

import pathlib

import numpy as np
import onnx
from onnx import helper, numpy_helper

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"


def model_of(nodes, inputs, outputs, initializers=None, opset=21, **fields):
    """Bytes of a model. inputs, outputs: {name: (numpy type or ONNX number, shape)} or {name: TypeProto}."""
    def infos(values):
        for name, value in values.items():
            if isinstance(value, onnx.TypeProto):
                yield helper.make_value_info(name, value)
            else:
                dtype = value[0] if isinstance(value[0], int) else helper.np_dtype_to_tensor_dtype(np.dtype(value[0]))
                yield helper.make_tensor_value_info(name, dtype, value[1])

    graph = helper.make_graph(nodes, "graph", list(infos(inputs)), list(infos(outputs)),
                              [numpy_helper.from_array(value, name) for name, value in (initializers or {}).items()])
    opsets = fields.pop("opsets", {"": opset})
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=10, **fields).SerializeToString()


def identity(dtype, shape):
    return model_of([helper.make_node("Identity", ["x"], ["y"])], {"x": (dtype, shape)}, {"y": (dtype, shape)})


def slow_model(turns):
    """A loop of many turns of a product."""
    body = helper.make_graph(
        [helper.make_node("MatMul", ["a", "a"], ["b"]), helper.make_node("Tanh", ["b"], ["c"]),
         helper.make_node("Identity", ["go"], ["go_on"])],
        "body",
        [helper.make_tensor_value_info("i", 7, []), helper.make_tensor_value_info("go", 9, []),
         helper.make_tensor_value_info("a", 1, [64, 64])],
        [helper.make_tensor_value_info("go_on", 9, []), helper.make_tensor_value_info("c", 1, [64, 64])])
    return model_of([helper.make_node("Loop", ["turns", "", "x"], ["y"], body=body)], {"x": (np.float32, [64, 64])},
                    {"y": (np.float32, [64, 64])}, {"turns": np.array(turns, np.int64)})


def fixture(name):
    """Path of a model, and its inputs and outputs by name."""
    folder = FIXTURES / name
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    (data,) = sorted(folder.glob("test_data_set_0"))

    def read(kind, infos):
        tensors = [onnx.load_tensor(data / f"{kind}_{i}.pb") for i in range(len(infos))]
        return {info.name: numpy_helper.to_array(tensor) for info, tensor in zip(infos, tensors)}

    return str(folder / "model.onnx"), read("input", model.graph.input), read("output", model.graph.output)
