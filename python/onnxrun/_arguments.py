"""What the public functions ask of their arguments: each check returns the value, or raises an ArgumentError that names the
argument, what was expected and what was found."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

import numpy as np

from ._onnxrun import ArgumentError, FileError

MOST_THREADS = 1024
MOST_SHOWN = 60
MOST_LISTED = 6

T = TypeVar("T")


def shown(value: object) -> str:
    """What was found, in few words."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        text = repr(value)
        return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"an object of {type(value).__module__.partition('.')[0]}.{type(value).__name__}".replace("of builtins.", "of ")


def listed(names: Iterable[str]) -> str:
    """Of many the first few, and how many others there are."""
    known = list(names)
    left = len(known) - MOST_LISTED
    few = ", ".join(shown(name) for name in known[:MOST_LISTED])
    return f"{few} and {left} other{'s' if left > 1 else ''}" if left > 0 else few or "none"


def refuse(name: str, expected: str, found: object, hint: str = "") -> NoReturn:
    raise ArgumentError(f"{name}: expected {expected}, found {shown(found)}{'; ' if hint else ''}{hint}")


def text(name: str, value: str) -> str:
    """A str that C takes: without the NUL that ends one there, nor halves of characters."""
    if not isinstance(value, str) or "\0" in value or not _is_encoded(value.encode):
        refuse(name, "a str", value)
    return value


def _is_encoded(encode: Callable[[], bytes]) -> bool:
    try:
        return encode() is not None
    except UnicodeEncodeError:
        return False


def path(name: str, value: str | os.PathLike[str]) -> str:
    """A str without the NUL that no file system has."""
    try:
        found = os.fsdecode(os.fspath(value)) if not isinstance(value, bytes) else None
    except TypeError:
        found = None
    if not found or "\0" in found or not _is_encoded(lambda: os.fsencode(found)):
        refuse(name, "a path, a str or os.PathLike", value)
    return found


def whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    try:
        number = None if isinstance(value, (bool, np.bool_)) else value.__index__()
    except (AttributeError, TypeError):
        number = None
    if number is None or number < least or (most is not None and number > most):
        refuse(name, f"a whole number of {least} or more" if most is None else f"a whole number from {least} to {most}", value)
    return int(number)


def threads(name: str, value: int) -> int:
    return whole(name, value, 0, MOST_THREADS)


def flag(name: str, value: bool) -> bool:
    if not isinstance(value, (bool, np.bool_)) and (not isinstance(value, int) or value not in (0, 1)):
        refuse(name, "True or False", value)
    return bool(value)


def mapping(name: str, value: Any, hint: str = "") -> dict[str, Any]:
    """{name: anything}"""
    if not isinstance(value, Mapping):
        refuse(name, "a dict by names", value, hint)
    for key in value:
        if not isinstance(key, str):
            refuse(name, "names as keys, of type str", key)
    return dict(value)


def names(name: str, value: Any) -> list[str]:
    """A list of str, for which a str alone is easily mistaken: it is a sequence of its letters."""
    if isinstance(value, str):
        refuse(name, "a list of names", value, f"write [{value!r}]")
    return [text(f"{name}[{i}]", item) for i, item in enumerate(items(name, value))]


def items(name: str, value: Any) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        refuse(name, "a list", value)
    try:
        return list(value)
    except TypeError:  # an array without dimensions says that it is iterable
        refuse(name, "a list", value)


def instance(name: str, value: Any, kind: type[T], hint: str = "") -> T:
    if not isinstance(value, kind):
        refuse(name, f"an onnxrun.{kind.__name__}", value, hint)
    return value


# --- files that cannot be opened: as classes of open() ---


class MissingFileError(FileError, FileNotFoundError):
    """There is no such file."""


class FolderError(FileError, IsADirectoryError):
    """It is a folder."""


class ForbiddenFileError(FileError, PermissionError):
    """This user may not read it."""


_OF_NUMBER = {errno.ENOENT: MissingFileError, errno.EISDIR: FolderError, errno.EACCES: ForbiddenFileError, errno.EPERM: ForbiddenFileError}


def raise_as_open(error: FileError, file: str) -> NoReturn:
    """The library's error about a file, with the class and the number of what open() says of it."""
    try:
        with open(file, "rb"):
            raise error
    except FileError:
        raise
    except OSError as reason:
        found = _OF_NUMBER.get(reason.errno or 0, FileError)(str(error))
        found.errno, found.strerror, found.filename = reason.errno, reason.strerror, file
        found.message = str(error)
        raise found from None
