"""Optimised models beside their sources: onnx.checker accepts them, they have no more nodes, onnxrun and ONNX Runtime
compute what the case expects (or, where ONNX Runtime differs from the case on the source, what it makes of the source).

usage: check_optimise.py ONNXRUN EXPECTED FOLDER...     cases in ONNX's backend-test layout
EXPECTED lists the cases for which one of these does not hold:  NAME KIND REASON
  unsaid    it cannot be said in ONNX (the tool says why)
  runtime   ONNX Runtime runs neither the source nor what was written, or cannot be given its types
  lost      it runs the source, but not what was written
  more      it has more nodes: the source's operators are spelt with several
  differs   ONNX Runtime's own results differ between the two
A case that does better than its line is a failure, too."""

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

onnxruntime.set_default_logger_severity(4)
RTOL, ATOL = 1e-3, 1e-4


def load(path, info):
    data = path.read_bytes()
    kind = info.type.WhichOneof("value") if info else "tensor_type"
    if kind == "sequence_type":
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    if kind == "optional_type":
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    return numpy_helper.to_array(onnx.TensorProto.FromString(data))


def numbered(folder, what):
    return sorted(folder.glob(f"{what}_*.pb"), key=lambda p: int(p.stem.split("_")[1]))


def inputs_of(model, folder):
    constants = {i.name for i in model.graph.initializer}
    infos = [i for i in model.graph.input if i.name not in constants] or list(model.graph.input)
    if len(infos) < len(numbered(folder, "input")):
        infos = list(model.graph.input)
    return {i.name: load(p, i) for i, p in zip(infos, numbered(folder, "input"))}


def same(a, b):
    if isinstance(a, list) or isinstance(b, list):
        return isinstance(a, list) and isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if a is None or b is None:
        return a is b
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    if a.dtype.kind in "fc" and b.dtype.kind in "fc":
        tolerance = 2e-2 if a.dtype.itemsize == 2 else RTOL
        return np.allclose(a.astype(np.complex128), b.astype(np.complex128), tolerance, max(ATOL, tolerance / 10), True)
    return bool((a.astype(str) == b.astype(str)).all()) if a.dtype.kind in "OSU" else bool((a == b).all())


def nodes(graph):
    return sum(n.op_type != "Constant" for n in graph.node) + sum(
        nodes(a.g) for n in graph.node for a in n.attribute if a.type == onnx.AttributeProto.GRAPH
    )


def runtime(path, feeds):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = {i.name for i in session.get_inputs()}
    return session.run(None, {n: v for n, v in feeds.items() if n in names})


def attempt(path, feeds):
    try:
        return runtime(path, feeds), ""
    except Exception as e:
        return None, str(e).strip().splitlines()[0][:200]


def check(tool, case, scratch):
    target = scratch / case.name / "model.onnx"
    target.parent.mkdir()
    for data in case.glob("test_data_set_*"):
        (target.parent / data.name).symlink_to(data.resolve())
    made = subprocess.run([tool, "optimise", case / "model.onnx", "-o", target], capture_output=True, text=True)
    if made.returncode == 4:
        return "unsaid", made.stderr.strip().split("\n")[-1].strip()
    if made.returncode:
        return "FAIL", made.stderr.strip()
    source, model = onnx.load(case / "model.onnx"), onnx.load(target)
    try:
        onnx.checker.check_model(target, full_check=True)
    except Exception as e:
        return "FAIL", f"checker: {str(e).strip().splitlines()[0]}"
    if [o.name for o in source.graph.output] != [o.name for o in model.graph.output]:
        return "FAIL", "the names of its outputs"
    if not {i.name for i in model.graph.input} <= {i.name for i in source.graph.input}:
        return "FAIL", "the names of its inputs"
    before, after = (
        subprocess.run([tool, "check", "--rtol", "1e-3", "--atol", "1e-5", p], capture_output=True, text=True).stdout
        for p in (case, target.parent)
    )
    if before.startswith("ok") and not after.startswith("ok"):
        return "FAIL", f"onnxrun: {after.splitlines()[0]}"
    for data in sorted(case.glob("test_data_set_*"))[:1]:
        try:
            feeds = inputs_of(source, data)
            expected = [load(p, i) for i, p in zip(source.graph.output, numbered(data, "output"))]
        except Exception as e:
            return "runtime", str(e)
        theirs, why = attempt(case / "model.onnx", feeds)
        ours, our_why = attempt(target, feeds)
        if ours is None:
            return ("runtime", why) if theirs is None else ("lost", our_why)
        if all(map(same, expected, ours)):
            continue  # also where only what was written can be run
        if theirs is None:
            return "runtime", why
        if not all(map(same, theirs, ours)):
            return "differs", "" if before.startswith("ok") else "it is random"
    if nodes(model.graph) > nodes(source.graph) + sum(nodes_of_functions(source)):
        return "more", f"{nodes(model.graph)} nodes of {nodes(source.graph)}"
    return "ok", f"{nodes(source.graph)} {nodes(model.graph)}"


def nodes_of_functions(model):
    return [len(f.node) for f in model.functions]


def main():
    tool, listed = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    expected = {}
    for line in listed.read_text().splitlines():
        if line and not line.startswith("#"):
            name, kind = line.split()[:2]
            expected[name] = kind
    cases = sorted({m.parent for f in sys.argv[3:] for m in Path(f).rglob("model.onnx")})
    wrong, before, after, good = 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(2) as pool:
        for case, (kind, why) in zip(cases, pool.map(lambda c: check(tool, c, Path(scratch)), cases)):
            if kind == "ok":
                good += 1
                before, after = before + int(why.split()[0]), after + int(why.split()[1])
            if kind != expected.pop(case.name, "ok"):
                wrong += 1
                print(case.name, kind, why, flush=True)
    for name in expected:
        print(f"{name}: listed, and not there")
    print(f"{len(cases)} cases: {good} as good as their sources, with {after} nodes of {before}; {wrong} not as expected")
    return wrong > 0 or bool(expected) or not cases


if __name__ == "__main__":
    sys.exit(main())
