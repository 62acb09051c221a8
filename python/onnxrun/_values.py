"""NumPy arrays, lists and dicts as the extension takes and gives them (python/extension/values.c)."""

from __future__ import annotations

import importlib
import re
from typing import Any

import numpy as np

from . import _arguments, _onnxrun

NUMBERS = _onnxrun.DTYPES  # {"float32": 1, ...}
NAMES = {0: "?", **{number: name for name, number in NUMBERS.items()}}
STRING, MAP, SEQUENCE, OPTIONAL = (NUMBERS[name] for name in ("string", "map", "sequence", "optional"))

# What NumPy has no type of; the package ml_dtypes has, by these names. Without it they are the bits, as integers.
_ML_DTYPES = {
    "bfloat16": "bfloat16", "float8e4m3fn": "float8_e4m3fn", "float8e4m3fnuz": "float8_e4m3fnuz",
    "float8e5m2": "float8_e5m2", "float8e5m2fnuz": "float8_e5m2fnuz", "uint4": "uint4", "int4": "int4",
    "float4e2m1": "float4_e2m1fn", "float8e8m0": "float8_e8m0fnu", "uint2": "uint2", "int2": "int2",
    "float6e2m3": "float6_e2m3fn", "float6e3m2": "float6_e3m2fn",
}
_SIGNED = ("int4", "int2")
_BITS = {NUMBERS[name]: np.dtype(np.int8 if name in _SIGNED else np.uint16 if name == "bfloat16" else np.uint8)
         for name in _ML_DTYPES}
_PLAIN = {NUMBERS[name]: np.dtype(name) for name in NUMBERS if name not in _ML_DTYPES and NUMBERS[name] < MAP and name != "string"}
_NUMBER_OF_ML = {theirs: NUMBERS[name] for name, theirs in _ML_DTYPES.items()}
_NATIVE = frozenset(_PLAIN.values())

try:
    ml_dtypes: Any = importlib.import_module("ml_dtypes")
except ImportError:
    ml_dtypes = None
_ML = {NUMBERS[name]: np.dtype(getattr(ml_dtypes, theirs)) for name, theirs in _ML_DTYPES.items() if hasattr(ml_dtypes, theirs)}


def numpy_dtype(number: int) -> np.dtype[Any] | None:
    """The dtype of arrays with elements of this type; None where there are none (sequences)."""
    if number == STRING:
        return np.dtype(object)
    return _PLAIN.get(number) or _ML.get(number) or _BITS.get(number)


def empty(shape: tuple[int, ...], number: int) -> np.ndarray[Any, Any]:
    return np.empty(shape, _PLAIN.get(number) or _BITS[number])


# --- to the extension ---


def dtype_number(dtype: Any) -> int:
    """Of a name ("float32", "bfloat16"), a type of NumPy or one of ml_dtypes; 0: there is none."""
    if isinstance(dtype, str) and dtype in NUMBERS:
        return NUMBERS[dtype]
    try:
        found = np.dtype(dtype)
    except (TypeError, UnicodeEncodeError):
        return 0
    if found.kind in "UOT":
        return STRING
    return _NUMBER_OF_ML.get(found.name) or NUMBERS.get(found.name, 0)


def type_name(number: int) -> str:
    return NAMES.get(number, "?")


def _strings(array: np.ndarray[Any, Any]) -> Any:
    items = array.ravel().tolist()
    for item in items:
        if not isinstance(item, (str, bytes)):
            raise TypeError(f"expected string, found {_arguments.shown(item)}")
    return STRING, array.shape, [item if isinstance(item, bytes) or item.isascii() else _utf8(item) for item in items]


def _utf8(text: str) -> bytes:
    """The bytes that from_native made the text of, which may be no UTF-8."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise ValueError(f"expected string, found {_arguments.shown(text)}, which is no text") from None


def _range(number: int) -> tuple[int, int] | None:
    """The least and the most of a whole type; None of others."""
    match, dtype = re.fullmatch(r"(u?)int(\d+)", NAMES[number]), numpy_dtype(number)
    if match:
        bits = int(match[2])
        return (0, 2**bits - 1) if match[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if dtype == np.bool_:
        return 0, 1
    return (0, int(np.iinfo(dtype).max)) if dtype is not None and dtype.kind in "iu" else None  # bits of what NumPy has no type of


def _converted(value: Any, number: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """As an array of the type, and which elements it has; what is real is rounded."""
    found, limits, dtype = np.asarray(value), _range(number), numpy_dtype(number)
    kinds = "biu" if limits else "biufc" if dtype in (np.complex64, np.complex128) else "biuf"
    if not found.size or found.dtype.kind not in kinds:
        return np.zeros(found.shape, dtype), np.zeros(found.shape, np.bool_)
    if limits:
        fits = (found >= limits[0]) & (found <= limits[1])
        return np.where(fits, found, 0).astype(dtype), fits
    with np.errstate(over="ignore"):
        array = found.astype(dtype)
    return array, np.isfinite(array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)) | ~np.isfinite(found)


def as_array(value: Any, number: int) -> np.ndarray[Any, Any]:
    """Python's numbers, and lists of them: the type has to have each."""
    array, fits = _converted(value, number)
    if not fits.all():
        given = np.asarray(value, object).ravel().tolist()
        wrong = next((item for item in given if not _converted(item, number)[1].all()), value)
        raise TypeError(f"expected {NAMES[number]}, found {_arguments.shown(wrong)}")
    return array


def _unusual(array: np.ndarray[Any, Any], number: int) -> Any:
    """Anything but a contiguous array of a plain type."""
    dtype = array.dtype
    if dtype.kind == "O" and number not in (0, STRING):
        raise TypeError(f"expected {NAMES[number]}, got an array of Python objects")
    if dtype.kind in "USOT":
        return _strings(array)
    if dtype.kind == "V" or dtype.name in _NUMBER_OF_ML:  # of ml_dtypes
        number = _NUMBER_OF_ML.get(dtype.name, number)
        if number not in _BITS:
            raise TypeError(f"arrays of {dtype} have no ONNX type")
        small = number in (NUMBERS["int4"], NUMBERS["uint4"], NUMBERS["int2"], NUMBERS["uint2"])
        bits = array.astype(_BITS[number]) if small else np.ascontiguousarray(array).view(_BITS[number])
        return number, array.shape, np.ascontiguousarray(bits)
    if number in _BITS and dtype == _BITS[number]:
        return number, array.shape, np.ascontiguousarray(array)
    if not dtype.isnative:
        array = array.astype(dtype.newbyteorder("="))
    if array.dtype not in _NATIVE:
        raise TypeError(f"arrays of {dtype} have no ONNX type")
    return np.require(array, requirements=["C", "A"]).reshape(array.shape)


def to_native(value: Any, number: int = 0) -> Any:
    """value as the extension takes it; number: the declared type, 0: none."""
    if type(value) is np.ndarray and number < MAP:
        if value.dtype in _NATIVE and value.flags.c_contiguous and value.flags.aligned and number not in _BITS:
            return value
        return _unusual(value, number)
    if number == SEQUENCE:
        return _sequence(value)
    if number == OPTIONAL:
        return OPTIONAL, (), [] if value is None else [_entry(value)]
    if number == MAP or (number == 0 and isinstance(value, dict)):
        return _map(value)
    if value is None or isinstance(value, (dict, set, frozenset)):
        raise TypeError(f"expected {'an array' if number == 0 else NAMES[number]}, got {'None' if value is None else type(value).__name__}")
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise TypeError(f"expected {NAMES[number]}, found a masked array, some elements of which are not there; filled() gives them a value")
    if hasattr(value, "__array__") or hasattr(value, "__dlpack__"):
        return to_native(np.asarray(value), number)
    if number == STRING:
        return _strings(np.asarray(value, object))
    return to_native(as_array(value, number) if number else np.asarray(value), number)


def _sequence(value: Any) -> Any:
    """All entries have one type, as in ONNX."""
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"expected a list, got {'an array' if isinstance(value, np.ndarray) else type(value).__name__}")
    entries = [_entry(item) for item in value]
    for i, entry in enumerate(entries):
        first, other = _type_of(entries[0]), _type_of(entry)
        if first != other:
            raise TypeError(f"the entries of a sequence have one type: entry 0 is {NAMES[first]}, entry {i} is {NAMES[other]}")
    return SEQUENCE, (), entries


def _type_of(entry: Any) -> int:
    return entry[0] if isinstance(entry, tuple) else dtype_number(entry.dtype)


def _entry(value: Any) -> Any:
    """Of a sequence or optional, in which a list is a sequence."""
    return to_native(value, SEQUENCE if isinstance(value, list) else 0)


def _map(value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"expected a dict, got {'an array' if isinstance(value, np.ndarray) else type(value).__name__}")
    return MAP, (), [_operand(list(value.keys())), _operand(list(value.values()))]


def _operand(items: list[Any]) -> Any:
    """Keys or values of a map."""
    array = np.asarray(items)
    return to_native(array.astype(np.float32) if items and isinstance(items[0], float) else array)


# --- from the extension ---


def from_native(value: Any) -> Any:
    number = value[0]
    if number == STRING:
        array = np.empty(len(value[2]), object)
        array[:] = value[2]
        return array.reshape(value[1])
    if number == SEQUENCE:
        return [from_native(item) for item in value[1]]
    if number == OPTIONAL:
        return from_native(value[1][0]) if value[1] else None
    if number == MAP:
        keys, values = (from_native(item) for item in value[1])
        return dict(zip(keys.tolist(), values.tolist() if isinstance(values, np.ndarray) else values))
    dtype = _ML.get(number)
    if dtype is None:
        return value[1]
    return value[1].view(dtype)
