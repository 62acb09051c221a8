"""Writes own_layer.onnx beside this file: nodes of a custom domain, for examples/own_layer.c. Needs onnx and numpy."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

BATCH, IN, OUT = "batch", 20, 30


def fill(shape, step):
    """The numbers of fill() in examples/own_layer.c."""
    index = np.arange(np.prod(shape))
    return (((index * step % 17) - 8) / 8).astype(np.float32).reshape(shape)


graph = helper.make_graph(
    [
        helper.make_node("Linear", ["x", "weight", "bias"], ["h"], domain="example.layers"),
        helper.make_node("Centre", ["h"], ["y"], domain="example.layers", factor=0.5),
    ],
    "own_layer",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [BATCH, IN])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [BATCH, OUT])],
    [numpy_helper.from_array(fill((OUT, IN), 7), "weight"), numpy_helper.from_array(fill((OUT,), 5), "bias")],
)
opsets = [helper.make_opsetid("", 20), helper.make_opsetid("example.layers", 1)]
model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
checker.check_model(model)
Path(__file__).with_name("own_layer.onnx").write_bytes(model.SerializeToString())
