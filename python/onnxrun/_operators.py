"""Layers written in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from . import _arguments
from ._onnxrun import ArgumentError
from ._values import NAMES, dtype_number, empty, from_native, to_native

MOST_INPUTS = 32  # that shape_inputs can name, bits of a word

Class = TypeVar("Class", bound=type)


class TensorType(NamedTuple):
    """Type and shape of an input or output."""

    dtype: Any  #: of an input its name, "float32" ...; of an output also a type of NumPy
    shape: tuple[int, ...]  #: a dimension of an output that only run knows is None
    value: Any = None  #: of an input: what it holds, where that is known before the run (constants, and shape_inputs)


def operator(domain: str, op_type: str) -> Callable[[Class], Class]:
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

    _arguments.text("domain", domain)
    if not _arguments.text("op_type", op_type):
        _arguments.refuse("op_type", "a name", op_type)

    def mark(cls: Class) -> Class:
        if not isinstance(cls, type):
            _arguments.refuse("onnxrun.operator", "to decorate a class", cls)
        if not callable(getattr(cls, "run", None)):
            raise ArgumentError(f"onnxrun.operator: expected a class with a method run, {cls.__name__} has none")
        setattr(cls, "onnx_operator", (domain, op_type))
        return cls

    return mark


class _Node:
    """What a node's parameters point to (python/extension/operators.c)."""

    empty = staticmethod(empty)

    def __init__(self, cls: type, attributes: dict[str, Any]) -> None:
        self._object: Any = cls(**{name: from_native(value) if isinstance(value, tuple) else value for name, value in attributes.items()})
        self._name = cls.__name__

    def infer(self, inputs: list[Any], num_outputs: int) -> list[Any]:
        types = [item and TensorType(NAMES[item[0]], item[1], item[2] and from_native(item[2])) for item in inputs]
        shape = getattr(self._object, "shape", None)
        results = self._several(shape(*types) if shape else [types[0]] * num_outputs, num_outputs, TensorType, "shape")
        return [self._type(i, result) for i, result in enumerate(results)]

    def run(self, inputs: list[Any], num_outputs: int) -> list[Any]:
        results = self._several(self._object.run(*(item and from_native(item) for item in inputs)), num_outputs, (), "run")
        return [self._value(i, result) for i, result in enumerate(results)]

    def _several(self, results: Any, count: int, single: Any, method: str) -> Any:
        if isinstance(results, single) or not isinstance(results, (tuple, list)):
            results = [results]
        if len(results) != count:
            raise ValueError(f"{self._name}.{method} gave {len(results)} outputs, the node has {count}")
        return results

    def _type(self, i: int, result: Any) -> tuple[int, tuple[int, ...]]:
        where = f"{self._name}.shape, output {i}"
        if not isinstance(result, TensorType):
            _arguments.refuse(where, "an onnxrun.TensorType", result)
        number = dtype_number(result.dtype)
        if not number:
            _arguments.refuse(f"{where}: dtype", 'the name of a type, as "float32", or a type of NumPy', result.dtype)
        dims = _arguments.items(f"{where}: shape", result.shape)
        return number, tuple(0 if dim is None else _arguments.whole(f"{where}: shape[{d}]", dim, 0) for d, dim in enumerate(dims))

    def _value(self, i: int, result: Any) -> Any:
        if result is None:
            raise ValueError(f"{self._name}.run gave None for output {i}; expected an array")
        return to_native(result)


def rows(operators: Iterable[Any]) -> tuple[Any, ...]:
    """Classes as the extension takes them."""
    result = []
    for i, cls in enumerate(operators):
        if not isinstance(cls, type) or not hasattr(cls, "onnx_operator"):
            _arguments.refuse(f"operators[{i}]", "a class decorated by onnxrun.operator(domain, op_type)", cls)
        shape_inputs = 0
        for k in _arguments.items(f"{cls.__name__}.shape_inputs", getattr(cls, "shape_inputs", ())):
            shape_inputs |= 1 << _arguments.whole(f"{cls.__name__}.shape_inputs", k, 0, MOST_INPUTS - 1)
        result.append((*cls.onnx_operator, lambda attributes, cls=cls: _Node(cls, attributes),
                       _arguments.flag(f"{cls.__name__}.dynamic", getattr(cls, "dynamic", False)),
                       _arguments.flag(f"{cls.__name__}.impure", getattr(cls, "impure", False)), shape_inputs))
    return tuple(result)
