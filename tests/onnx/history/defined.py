"""Changes to a case of another type that give it a defined result.

A suite's case with its inputs cast to another type may ask for what the standard leaves undefined, or for what the reference
does not do as the standard says: division of integers by zero, NaN as an integer, bits of types of two widths.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper


def is_integer(array):
    return array.dtype.kind in "iu" or "int" in array.dtype.name


def divisor(case, kind):
    """No integer is divided by zero."""
    x, y = case.inputs
    return case._replace(inputs=[x, np.where(y == 0, 3, y).astype(y.dtype)]) if is_integer(y) else case


def base(case, kind):
    """Powers that are integers: no fraction of a negative number, no negative power of zero."""
    x, y = case.inputs
    return case._replace(inputs=[(np.abs(x) + 1).astype(x.dtype), y]) if is_integer(x) and not is_integer(y) else case


def source(case, kind):
    """No NaN or infinity becomes an integer; float8e8m0 has neither a sign nor, saturating, an infinity."""
    x, like = case.inputs
    if x.dtype.kind in "OUb" or not (is_integer(like) or "e8m0" in like.dtype.name):
        return case
    finite = np.nan_to_num(x.astype(np.float32), nan=1, posinf=2, neginf=3)
    return case._replace(inputs=[finite.astype(x.dtype), like])


def zero_point(case, kind):
    """The reference leaves out the zero points of float8 and float4, to which the standard's formula applies: they are 0."""
    x, scale, *zero = case.inputs
    if not zero or not ("float8" in zero[0].dtype.name or "float4" in zero[0].dtype.name):
        return case
    return case._replace(inputs=[x, scale, np.zeros_like(zero[0])])


def with_attribute(case, name, value):
    node = onnx.NodeProto()
    node.CopyFrom(case.node)
    kept = [a for a in node.attribute if a.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])
    return case._replace(node=node)


def width(case, kind):
    """Both types have the same number of bits; the reference compares bytes."""
    targets = {"int4": "UINT4", "uint4": "INT4", "float4e2m1": "UINT4", "int2": "UINT2", "uint2": "INT2"}
    to = targets.get(kind[len("tensor("):-1])
    return with_attribute(case, "to", TensorProto.DataType.Value(to)) if to else case


def sampling(case, kind):
    """How an integer between two pixels is rounded is not said; the reference turns the weights into integers."""
    x = case.inputs[0]
    return with_attribute(case, "mode", "nearest") if is_integer(x) or x.dtype.kind == "b" else case


CHANGES = {
    "BitCast": width,
    "CastLike": source,
    "DequantizeLinear": zero_point,
    "Div": divisor,
    "GridSample": sampling,
    "Mod": divisor,
    "Pow": base,
    "QuantizeLinear": zero_point,
}


def change(case, kind):
    function = CHANGES.get(case.node.op_type)
    return function(case, kind) if function else case
