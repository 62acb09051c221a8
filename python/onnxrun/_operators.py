"""Layers written in Python."""

from typing import Any, NamedTuple

from ._values import NAMES, NUMBERS, empty, from_native, to_native


class TensorType(NamedTuple):
    """Type and shape of an input or output."""

    dtype: str  #: "float32" ...
    shape: tuple
    value: Any = None  #: of an input: what it holds, where that is known before the run (constants, and shape_inputs)


def operator(domain, op_type):
    """Makes a class an ONNX operator: onnxrun.load(path, operators=[Scale]).

        @onnxrun.operator("com.example", "Scale")
        class Scale:
            def __init__(self, factor=1.0):  # attributes of the node, by name
                self.factor = factor

            def shape(self, x):  # TensorType of each input; of each output. Left out: outputs are like input 0
                return x

            def run(self, x):  # arrays of its own; an array, a tuple where there are several outputs
                return x * self.factor

    An omitted input is None. Class attributes: dynamic = True where only run knows the sizes (shape then says the type and any
    sizes); impure = True for what is no function of its inputs; shape_inputs = (1,) for inputs whose contents shape reads.
    Several threads may call run at the same time. A name that is registered wins over a built-in operator.
    """

    def mark(cls):
        if not callable(getattr(cls, "run", None)):
            raise TypeError(f"{cls.__name__} has no method run")
        cls.onnx_operator = (domain, op_type)
        return cls

    return mark


class _Node:
    """What a node's parameters point to (python/extension/operators.c)."""

    empty = staticmethod(empty)

    def __init__(self, cls, attributes):
        self._object = cls(**{name: from_native(value) if isinstance(value, tuple) else value for name, value in attributes.items()})
        self._name = cls.__name__

    def infer(self, inputs, num_outputs):
        inputs = [item and TensorType(NAMES[item[0]], item[1], item[2] and from_native(item[2])) for item in inputs]
        shape = getattr(self._object, "shape", None)
        results = self._several(shape(*inputs) if shape else [inputs[0]] * num_outputs, num_outputs, TensorType, "shape")
        return [(NUMBERS[result.dtype], tuple(dim or 0 for dim in result.shape)) for result in results]

    def run(self, inputs, num_outputs):
        results = self._object.run(*(item and from_native(item) for item in inputs))
        return [to_native(result) for result in self._several(results, num_outputs, (), "run")]

    def _several(self, results, count, single, method):
        if isinstance(results, single) or not isinstance(results, (tuple, list)):
            results = [results]
        if len(results) != count:
            raise ValueError(f"{self._name}.{method} gave {len(results)} outputs, the node has {count}")
        return results


def rows(operators):
    """Classes as the extension takes them."""
    result = []
    for cls in operators:
        if not hasattr(cls, "onnx_operator"):
            raise TypeError(f"{cls!r} is no operator; decorate it with onnxrun.operator(domain, op_type)")
        shape_inputs = sum(1 << i for i in getattr(cls, "shape_inputs", ()))
        result.append((*cls.onnx_operator, lambda attributes, cls=cls: _Node(cls, attributes), getattr(cls, "dynamic", False),
                       getattr(cls, "impure", False), shape_inputs))
    return tuple(result)
