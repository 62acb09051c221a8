"""Models with ONNX's Gradient, with what PyTorch's autograd says.

    python tests/models/make_gradient.py

writes tests/fixtures/gradient_NAME. One Gradient node for each y = f(x ...);
functions are written twice: as nodes, and for PyTorch.
"""

import os

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional

TRAINING = "ai.onnx.preview.training"
FOLDER = os.path.join(os.path.dirname(__file__), "..", "fixtures")
CASES = {}


def case(name, **inputs):
    def add(function):
        CASES[name] = function, inputs
        return function
    return add


class Graph:
    """Nodes, and the gradients that are outputs, with their values."""

    def __init__(self, inputs):
        self.nodes, self.initializers, self.results = [], [], {}
        self.inputs = {name: torch.tensor(value, requires_grad=True)
                       for name, value in inputs.items()}

    def node(self, op, inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name

    def constant(self, value):
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def gradient(self, y, xs, value, values=None, zs=(), given=None):
        """d sum(value) / d values, as outputs; their names."""
        outputs = [f"{y}_{x}" for x in xs]
        self.nodes.append(helper.make_node(
            "Gradient", given or [*xs, *zs], outputs, domain=TRAINING, xs=xs,
            zs=zs or None, y=y))
        values = values or [self.inputs[x] for x in xs]
        gradients = torch.autograd.grad(value.sum(), values, create_graph=True,
                                        retain_graph=True)
        self.results.update(zip(outputs, gradients))
        return outputs, gradients


@case("unary", x=(0.05, 0.95, (3, 5)), w=(-2, 2, (3, 5)))
def _(g, x, w):
    plain = ["Neg", "Abs", "Sqrt", "Reciprocal", "Exp", "Log", "Sin", "Cos",
             "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Tanh", "Asinh",
             "Atanh", "Erf", "Sigmoid", "Softplus"]
    for op in plain:
        function = getattr(torch, op.lower(), None) or getattr(functional, op.lower())
        g.gradient(g.node(op, ["x"]), ["x"], function(x))
    for op in ("Abs", "Sigmoid", "Softplus", "Erf"):
        function = getattr(torch, op.lower(), None) or getattr(functional, op.lower())
        g.gradient(g.node(op, ["w"]), ["w"], function(w))
    g.gradient(g.node("Acosh", [g.node("Exp", ["x"])]), ["x"], torch.acosh(torch.exp(x)))
    g.gradient(g.node("Relu", ["w"]), ["w"], torch.relu(w))
    g.gradient(g.node("LeakyRelu", ["w"], alpha=0.2), ["w"], functional.leaky_relu(w, 0.2))
    g.gradient(g.node("Swish", ["w"], alpha=1.5), ["w"], w * torch.sigmoid(1.5 * w))
    steps = g.node("Mul", [g.node("Floor", ["w"]), "w"])
    g.gradient(steps, ["w"], torch.floor(w) * w)


@case("binary", a=(0.5, 2, (2, 3, 4)), b=(0.5, 2, (3, 1)), c=(0.5, 2, (4,)))
def _(g, a, b, c):
    for op, function in (("Add", torch.add), ("Sub", torch.sub), ("Mul", torch.mul), ("Div", torch.div), ("Pow", torch.pow)):
        y, value = g.node(op, ["a", "b"]), function(a, b)
        g.gradient(y, ["a", "b"], value * 1)
        g.gradient(g.node(op, ["c", y]), ["a", "b", "c"], function(c, value))
    three = g.constant(np.array(3, np.int64))
    g.gradient(g.node("Pow", ["a", three]), ["a"], a ** 3)
    g.gradient(g.node("Sum", ["a", "b", "c", "a"]), ["a", "b", "c"], 2 * a + b + c)
    condition = g.node("Greater", ["a", "b"])
    g.gradient(g.node("Where", [condition, g.node("Mul", ["a", "c"]), "b"]), ["a", "b", "c"], torch.where(a > b, a * c, b))


@case("matrices", x=(-1, 1, (2, 3, 4)), w=(-1, 1, (4, 5)), v=(-1, 1, (5, 4)), p=(-1, 1, (3, 4)), c=(-1, 1, (5,)))
def _(g, x, w, v, p, c):
    weights = torch.linspace(-1, 1, 5)
    scale = g.constant(weights.numpy())
    y, value = g.node("MatMul", ["x", "w"]), x @ w
    g.gradient(g.node("Mul", [y, scale]), ["x", "w"], value * weights)
    for ta in (0, 1):
        for tb in (0, 1):
            a = g.node("Transpose", ["p"], perm=[1, 0]) if ta else "p"
            b = "v" if tb else "w"
            y = g.node("Gemm", [a, b, "c"], transA=ta, transB=tb, alpha=0.7, beta=1.3)
            value = 0.7 * p @ (v.T if tb else w) + 1.3 * c
            g.gradient(g.node("Mul", [y, scale]), ["p", b, "c"], value * weights, [p, v if tb else w, c])


@case("shapes", x=(-1, 1, (2, 3, 4)))
def _(g, x):
    def ints(*values):
        return g.constant(np.array(values, np.int64))

    def weighted(y, value):
        weights = torch.linspace(-1, 2, value.numel()).reshape(value.shape)
        g.gradient(g.node("Mul", [y, g.constant(weights.numpy())]), ["x"], value * weights)

    weighted(g.node("Reshape", ["x", ints(4, 6)]), x.reshape(4, 6))
    weighted(g.node("Flatten", ["x"], axis=2), x.reshape(6, 4))
    weighted(g.node("Squeeze", [g.node("Unsqueeze", ["x", ints(0, 2)]), ints(2)]), x[None])
    weighted(g.node("Transpose", ["x"], perm=[2, 0, 1]), x.permute(2, 0, 1))
    weighted(g.node("Transpose", ["x"]), x.permute(2, 1, 0))
    weighted(g.node("Expand", ["x", ints(5, 1, 1, 1)]), x.expand(5, 2, 3, 4))
    weighted(g.node("Identity", ["x"]), x * 1)
    for keep in (0, 1):
        weighted(g.node("ReduceSum", ["x", ints(1)], keepdims=keep), x.sum(1, keepdim=bool(keep)))
        weighted(g.node("ReduceMean", ["x", ints(0, -1)], keepdims=keep), x.mean((0, 2), keepdim=bool(keep)))
        weighted(g.node("ReduceSumSquare", ["x", ints(0)], keepdims=keep), (x * x).sum(0, keepdim=bool(keep)))
    weighted(g.node("ReduceSum", ["x"], keepdims=0), x.sum())
    for axis in (-1, 1):
        weighted(g.node("Softmax", ["x"], axis=axis), x.softmax(axis))
        weighted(g.node("LogSoftmax", ["x"], axis=axis), x.log_softmax(axis))
    wide = g.node("Cast", ["x"], to=TensorProto.DOUBLE)
    weighted(g.node("Cast", [g.node("Exp", [wide])], to=TensorProto.FLOAT), x.exp())


@case("functions", x=(-1, 1, (3, 4)), z=(-1, 1, (3, 4)), other=(-1, 1, (3, 4)))
def _(g, x, z, other):
    """The gradient elsewhere, of intermediate values, and of gradients."""
    h = g.node("Mul", ["x", "z"])
    y = g.node("Tanh", [h])
    value = torch.tanh(other * z)
    g.gradient(y, ["x"], value, [other], zs=["z"], given=["other", "z"])
    inner = torch.tanh(x * z)
    g.nodes.append(helper.make_node("Identity", [h], ["h"]))
    hidden = (x * z).detach().requires_grad_()
    last = g.node("Sin", ["h"])
    g.gradient(last, ["h"], torch.sin(hidden), [hidden])
    cubed = g.node("Mul", [g.node("Mul", ["x", "x"]), y])
    names, (first,) = g.gradient(cubed, ["x"], x * x * inner)
    names, (second, _) = g.gradient(names[0], ["x", "z"], first)
    g.gradient(names[0], ["x"], second)
    g.gradient(g.node("Exp", ["z"]), ["z"], torch.exp(z))


@case("loop", w=(-1, 1, (3, 4)), x=(-1, 1, (3, 4)))
def _(g, w, x):
    """Steps of gradient descent in a Loop: w is a state, x is captured."""
    def info(name, kind, shape):
        return helper.make_tensor_value_info(name, kind, shape)

    rate = g.constant(np.array(0.1, np.float32))
    body = helper.make_graph(
        [helper.make_node("Sub", ["s", "x"], ["d"]),
         helper.make_node("Tanh", ["d"], ["t"]),
         helper.make_node("ReduceSumSquare", ["t"], ["e"], keepdims=0),
         helper.make_node("Gradient", ["s", "x"], ["ds"], domain=TRAINING,
                          xs=["s"], zs=["x"], y="e"),
         helper.make_node("Mul", ["ds", rate], ["step"]),
         helper.make_node("Sub", ["s", "step"], ["next"]),
         helper.make_node("Identity", ["on"], ["again"])],
        "step", [info("i", TensorProto.INT64, []), info("on", TensorProto.BOOL, []),
                 info("s", TensorProto.FLOAT, [3, 4])],
        [info("again", TensorProto.BOOL, []), info("next", TensorProto.FLOAT, [3, 4]),
         info("e", TensorProto.FLOAT, [])])
    steps = g.constant(np.array(5, np.int64))
    g.nodes.append(helper.make_node("Loop", [steps, "", "w"], ["last", "errors"], body=body))
    errors, state = [], w
    for _ in range(5):
        errors.append((torch.tanh(state - x) ** 2).sum())
        state = state - 0.1 * torch.autograd.grad(errors[-1], state)[0]
    g.results.update(last=state, errors=torch.stack(errors))


def save(array, name, path):
    with open(path, "wb") as file:
        file.write(numpy_helper.from_array(array, name).SerializeToString())


def main():
    for name, (function, ranges) in CASES.items():
        random = np.random.default_rng(7)
        inputs = {n: random.uniform(low, high, shape).astype(np.float32)
                  for n, (low, high, shape) in ranges.items()}
        graph = Graph(inputs)
        function(graph, **graph.inputs)
        opsets = [helper.make_opsetid("", 24), helper.make_opsetid(TRAINING, 1)]
        model = helper.make_model(helper.make_graph(
            graph.nodes, name,
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, a.shape) for n, a in inputs.items()],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in graph.results],
            graph.initializers), opset_imports=opsets, ir_version=10)
        folder = os.path.join(FOLDER, f"gradient_{name}")
        data = os.path.join(folder, "test_data_set_0")
        os.makedirs(data, exist_ok=True)
        onnx.save(model, os.path.join(folder, "model.onnx"))
        for i, (n, a) in enumerate(inputs.items()):
            save(a, n, os.path.join(data, f"input_{i}.pb"))
        for i, (n, t) in enumerate(graph.results.items()):
            save(t.detach().numpy(), n, os.path.join(data, f"output_{i}.pb"))
        print(name, len(graph.results), "gradients")


if __name__ == "__main__":
    main()
