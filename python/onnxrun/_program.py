"""The program onnxrun, and what a run of a file by it tells."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil

from .__main__ import TOOL
from ._arguments import MissingFileError


@dataclasses.dataclass
class Difference:
    """How far one output of the file is from the module's."""

    name: str
    largest: float       # absolute; 0 for equal integers; infinite for another type or shape
    agrees: bool | None  # within the tolerance; None: the module itself gives something else each time
    by: str = ""         # in words


def find_tool(tool=None):
    """The program onnxrun: the argument, else the environment variable ONNXRUN, else the package's own."""
    for what, candidate in (("tool", tool), ("the environment variable ONNXRUN", os.environ.get("ONNXRUN"))):
        if candidate:
            found = shutil.which(os.fspath(candidate))
            if not found:
                raise MissingFileError(errno.ENOENT, f"{what}: there is no such program", os.fspath(candidate))
            return found
    return TOOL
