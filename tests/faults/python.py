"""Every call into the C library that can fail does so in turn while Python loads and runs models: an exception that says so, or the right
result; and afterwards all is as before. With inject.c preloaded; usage: python.py POINTS"""

import ctypes
import pathlib
import sys

import numpy as np
import onnxrun

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
POINTS = int(sys.argv[1])
library = ctypes.CDLL(None)
library.fault_arm.argtypes = [ctypes.c_char_p, ctypes.c_ulong, ctypes.c_int]
library.fault_arm.restype = None
library.fault_count.restype = ctypes.c_ulong


def path_of(name):
    return str(FIXTURES / name / "model.onnx")


def load_and_run():
    return onnxrun.load(path_of("conv_bn_relu_ts"))(np.ones((1, 3, 10, 10), np.float32))


def load_bytes():
    return onnxrun.load(DATA)(np.ones((1, 3, 10, 10), np.float32))


def run():
    return MODEL(np.ones((1, 3, 10, 10), np.float32))


def names():
    model = onnxrun.load(path_of("conv_bn_relu_ts"))
    return [str(v) for v in list(model.inputs) + list(model.outputs)]


def refuse():
    """A model that is none: an error of ours in any case, which says something."""
    try:
        onnxrun.load(b"no model at all")
    except onnxrun.Error as error:
        return len(str(error)) > 0


def same(a, b):
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def attempt(deed, kind, at, on):
    """The result, or the exception, while calls fail."""
    library.fault_arm(kind, at, on)
    try:
        found = deed()
    except (MemoryError, OSError, onnxrun.Error) as error:
        found = error
    finally:
        library.fault_arm(None, 0, 0)
    return found


tried, wrong = 0, []
with open(path_of("conv_bn_relu_ts"), "rb") as file:
    DATA = file.read()
MODEL = onnxrun.load(path_of("conv_bn_relu_ts"))
for deed, kinds in [(load_and_run, "malloc mmap open read fstat"), (load_bytes, "malloc mmap"), (run, "malloc mmap"), (names, "malloc open"),
                    (refuse, "malloc")]:
    expected = deed()
    for kind in kinds.encode().split():
        attempt(deed, kind, 0, 0)
        library.fault_arm(kind, 0, 0)
        deed()
        count = library.fault_count()
        library.fault_arm(None, 0, 0)
        for on in (0, 1):
            for at in range(1, count + 1, count // POINTS + 1):
                found = attempt(deed, kind, at, on)
                tried += 1
                if not isinstance(found, Exception) and not same(found, expected):
                    wrong.append(f"{deed.__name__}: {kind.decode()} {at}{' and all after it' if on else ''}: another result: {found!r:.200}")
    if not same(deed(), expected):
        wrong.append(f"{deed.__name__}: another result afterwards")
print("\n".join(wrong + [f"{tried} faults in Python, {len(wrong)} wrong"]))
sys.exit(bool(wrong) or tried < 50)
