"""Models as C: onnxrun compile beside emx-onnx-cgen.

Of ONNX's suite it counts the cases that become C which gcc compiles and whose results are the expected ones: of all, and of those
whose inputs and outputs are tensors of numbers with the shapes that the file says. Of each model it prints the size of code and tables without
weights, milliseconds a run and the difference. onnx2c is not on PyPI, so it is not here."""

import argparse
import collections
import ctypes
import glob
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

FLAGS = ["-std=c11", "-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"]


def is_static(model):
    """Whether all that goes in and comes out is a tensor of numbers whose shape the file says."""
    for value in [*model.graph.input, *model.graph.output]:
        tensor = value.type.tensor_type
        if not value.type.HasField("tensor_type") or tensor.elem_type == TensorProto.STRING or not tensor.HasField("shape"):
            return False
        if not all(dim.HasField("dim_value") for dim in tensor.shape.dim):
            return False
    return True


# --- the suite ---

def agrees(found, expected):
    if found.shape != expected.shape:
        return False
    if expected.dtype.kind in "biuSUO" or expected.dtype.name.startswith(("int", "uint")):
        return bool((found == expected).all())
    narrow = expected.dtype.itemsize < 4
    return np.allclose(found.astype(np.float64), expected.astype(np.float64), rtol=1e-2 if narrow else 1e-3, atol=1e-3 if narrow else 1e-5, equal_nan=True)


def values_of(folder, kind):
    values = []
    while os.path.exists(path := os.path.join(folder, "test_data_set_0", f"{kind}_{len(values)}.pb")):
        tensor = TensorProto()
        with open(path, "rb") as file:
            tensor.ParseFromString(file.read())
        values.append(numpy_helper.to_array(tensor))
    return values


def try_emx(folder):
    """Its own runner for ONNX's tests: C, compiled by gcc, in a process."""
    from emx_onnx_cgen.onnx_backend.backend import EmxOnnxCgenBackend
    inputs, expected = values_of(folder, "input"), values_of(folder, "output")
    found = EmxOnnxCgenBackend.prepare(onnx.load(os.path.join(folder, "model.onnx"))).run(inputs)
    if len(found) != len(expected) or not all(agrees(np.asarray(f), e) for f, e in zip(found, expected)):
        raise RuntimeError("other results")


def emx_case(folder):
    try:
        try_emx(folder)
        return folder, "ok"
    except BaseException as error:  # whatever it says, the case is not one that it can do
        return folder, f"{type(error).__name__}: {str(error).strip().splitlines()[0][:120] if str(error).strip() else ''}"


def our_cases(check, folders):
    """What tests/compile says of each, which compiles, runs and compares."""
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.run([check, folder, "cc -O1", *folders], capture_output=True, text=True).stdout
    return {name: word == "ok" for word, name in re.findall(r"^(ok|UNSUPPORTED|FAIL|skip) ([^:\s]+)", said, re.MULTILINE)}


def count_suite(options):
    folders = sorted(glob.glob(os.path.join(options.suite, "node", "test_*")) + glob.glob(os.path.join(options.suite, "pytorch-*", "test_*")))[::options.every]
    static = {f for f in folders if is_static(onnx.load(os.path.join(f, "model.onnx"), load_external_data=False))}
    ours = our_cases(options.check, folders)
    with multiprocessing.Pool(options.jobs, maxtasksperchild=50) as pool:
        theirs = dict(pool.imap_unordered(emx_case, folders))
    for title, some in (("all cases", folders), ("static shapes", sorted(static))):
        can = {"onnxrun": {f for f in some if ours.get(os.path.basename(f))}, "emx-onnx-cgen": {f for f in some if theirs[f] == "ok"}}
        print(f"{title}: {len(some)}, " + ", ".join(f"{name} {len(done)} ({len(done) / max(len(some), 1):.1%})" for name, done in can.items()), flush=True)
        missing = sorted(os.path.basename(f) for f in can["emx-onnx-cgen"] - can["onnxrun"])
        print(f"  emx-onnx-cgen alone, {len(missing)}: {' '.join(missing)}")
        print(f"  onnxrun alone: {len(can['onnxrun'] - can['emx-onnx-cgen'])}")
    for reason, count in collections.Counter(re.sub(r"[\d']+", "#", r)[:80] for r in theirs.values() if r != "ok").most_common(12):
        print(f"  emx-onnx-cgen {count:4} times: {reason}")


# --- models ---

REPEAT = """
typedef void (*function)();
void repeat(function f, void **a, int count, long times) {
  for (long i = 0; i < times; i++) switch (count) {
    case 1: ((void (*)(void *))f)(a[0]); break;
    case 2: ((void (*)(void *, void *))f)(a[0], a[1]); break;
    case 3: ((void (*)(void *, void *, void *))f)(a[0], a[1], a[2]); break;
    case 4: ((void (*)(void *, void *, void *, void *))f)(a[0], a[1], a[2], a[3]); break;
    case 5: ((void (*)(void *, void *, void *, void *, void *))f)(a[0], a[1], a[2], a[3], a[4]); break;
  }
}
"""


def aligned(array):
    """A copy that begins at a multiple of 64 bytes."""
    memory = np.zeros(array.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    view = memory[start:start + array.nbytes].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def compiled(folder, sources, library):
    """Bytes of code and tables, and the library."""
    begun = time.time()
    objects = []
    for source in sources:
        objects.append(source + ".o")
        subprocess.run(["gcc", *FLAGS, "-fPIC", "-c", source, "-o", objects[-1]], check=True, capture_output=True, cwd=folder)
    sections = subprocess.run(["size", "-A", objects[0]], check=True, capture_output=True, text=True, cwd=folder).stdout
    size = sum(int(n) for name, n in re.findall(r"^(\.(?:text|rodata|data)\S*)\s+(\d+)", sections, re.MULTILINE))
    subprocess.run(["gcc", "-shared", *objects, "-o", library, "-lm"], check=True, cwd=folder)
    return size, time.time() - begun


def ours_of(tool, model, shapes, folder):
    dims = [word for shape in shapes.values() for word in ("--dim", shape)]
    subprocess.run([tool, "compile", model, "-o", folder, "--name", "net", "--weights", "file", *dims], check=True, capture_output=True)
    with open(os.path.join(folder, "net.h"), encoding="utf-8") as file:
        header = file.read()
    arena = int(re.search(r"net_ARENA_BYTES (\d+)", header)[1])
    extra = [aligned(np.zeros(arena, np.uint8))]
    if "void *weights" in header:
        extra.append(aligned(np.fromfile(os.path.join(folder, "net.weights"), np.uint8)))
    return ["net.c", "repeat.c"], "net_run", extra


def theirs_of(model, shapes, folder):
    subprocess.run([os.path.join(os.path.dirname(sys.executable), "emx-onnx-cgen"), "compile", model, os.path.join(folder, "net.c"), "--model-name", "net", "--large-weight-threshold", "1",
                    *(word for shape in shapes.values() for word in ("--input-dim", shape))], check=True, capture_output=True)
    return ["net.c", "repeat.c"], "net", []


def run_one(make, inputs, outputs, seconds):
    """Size, milliseconds, results."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "repeat.c"), "w", encoding="utf-8") as file:
            file.write(REPEAT)
        sources, name, extra = make(folder)
        size, build = compiled(folder, sources, "net.so")
        library = ctypes.CDLL(os.path.join(folder, "net.so"))
        if hasattr(library, "net_load"):
            weights = [f for f in os.listdir(folder) if f.endswith(".bin")]
            if weights and not library.net_load(os.path.join(folder, weights[0]).encode()):
                raise RuntimeError("its weights are not loaded")
        values = [aligned(x) for x in inputs] + [aligned(np.zeros(shape, kind)) for shape, kind in outputs] + extra
        arguments = (ctypes.c_void_p * len(values))(*(v.ctypes.data for v in values))
        function = ctypes.cast(getattr(library, name), ctypes.c_void_p)
        times, best, begun = 1, np.inf, time.time()
        while time.time() - begun < seconds or best == np.inf:
            start = time.perf_counter()
            library.repeat(function, arguments, len(values), ctypes.c_long(times))
            spent = time.perf_counter() - start
            best = min(best, spent / times)
            times = max(1, int(times * min(10, 0.05 / max(spent, 1e-9))))
        return size, best * 1e3, [v.copy() for v in values[len(inputs):len(inputs) + len(outputs)]], build


def compare_model(options, path):
    import sweeps
    from tool import worst_difference
    model = onnx.load(path)
    drawn = sweeps.make_inputs(model)
    shapes = {d.dim_param: f"{d.dim_param}=1" for value in model.graph.input for d in value.type.tensor_type.shape.dim if d.dim_param}
    inferred = onnx.shape_inference.infer_shapes(model)
    kinds = [(tuple(d.dim_value or 1 for d in o.type.tensor_type.shape.dim), onnx.helper.tensor_dtype_to_np_dtype(o.type.tensor_type.elem_type)) for o in inferred.graph.output]
    rows = []
    for name, make in (("onnxrun", lambda f: ours_of(options.onnxrun, path, shapes, f)), ("emx-onnx-cgen", lambda f: theirs_of(path, shapes, f))):
        try:
            rows.append((name, *run_one(make, list(drawn.values()), kinds, options.seconds)))
        except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
            print(f"{os.path.basename(os.path.dirname(path)):20} {name}: {getattr(error, 'stderr', None) or error}"[:300])
    for name, size, ms, results, build in rows:
        print(f"{os.path.basename(os.path.dirname(path)):20} {name:14} {size / 1024:9.1f} KB {ms:12.4g} ms {build:7.1f} s to compile, {worst_difference(results, rows[0][3]):.2g} tolerances", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tools/compare --compilers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser.add_argument("models", nargs="*", metavar="MODEL.onnx")
    parser.add_argument("--onnxrun", default=os.path.join(here, "build", "onnxrun"))
    parser.add_argument("--check", default=os.path.join(here, "build", "tests", "compile_check"))
    parser.add_argument("--suite", help="the folder of ONNX's backend tests that tools/test makes; none: models alone")
    parser.add_argument("--every", type=int, default=1, help="every so manieth case")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    if not shutil.which("gcc"):
        sys.exit("tools/compare --compilers: gcc is not there")
    if options.suite:
        count_suite(options)
    for path in options.models:
        compare_model(options, path)


if __name__ == "__main__":
    main()
