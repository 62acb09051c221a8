"""An operator of one's own in Python, in a model that has a node of it.

    python own_operator.py
"""

import numpy as np
import onnxrun
from onnx import TensorProto, helper


@onnxrun.operator("com.example", "MovingAverage")
class MovingAverage:
    def __init__(self, width=2):  # attributes of the node
        self.width = width

    def shape(self, x):  # what comes out, from what goes in
        return onnxrun.TensorType(x.dtype, (x.shape[0] - self.width + 1,))

    def run(self, x):
        return np.convolve(x, np.full(self.width, 1 / self.width, x.dtype), "valid")


def make_model():
    nodes = [helper.make_node("Abs", ["x"], ["size"]),
             helper.make_node("MovingAverage", ["size"], ["y"], domain="com.example", width=3)]
    graph = helper.make_graph(nodes, "average", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["m"])])
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.example", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


if __name__ == "__main__":
    model = onnxrun.load(make_model(), operators=[MovingAverage])
    print(model(np.array([3, -3, 0, 6, -9], np.float32)))
