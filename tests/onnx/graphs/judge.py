"""What a graph computes: ONNX Runtime without optimisation and onnx.reference, where both agree."""

import collections

import numpy as np
import onnxruntime
from onnx import reference

LARGEST, MOST = 1e4, 200000  # of a number, of elements
NOT_BUILT = ("NOT_IMPLEMENTED", "is not a registered function/op", "is under development")  # says nothing of the model

disputes = collections.Counter()  # by operators


def options():
    chosen = onnxruntime.SessionOptions()
    chosen.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    chosen.intra_op_num_threads = chosen.inter_op_num_threads = 1
    chosen.log_severity_level = 4
    return chosen


def by_onnxruntime(model, feeds):
    """For each of `feeds` the outputs, None where it refuses them; and whether that is for want of a kernel."""
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options(), providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has classes of its own for what it refuses, without a common base
        return [None] * len(feeds), any(text in str(error) for text in NOT_BUILT)
    results = []
    for feed in feeds:
        try:
            results.append(session.run(None, feed))
        except Exception:  # as above
            results.append(None)
    return results, False


def by_reference(model, feeds):
    try:
        evaluator = reference.ReferenceEvaluator(model)
    except Exception:  # whatever NumPy and its operators raise
        return [None] * len(feeds)
    results = []
    for feed in feeds:
        try:
            arrays = evaluator.run(None, feed)
            results.append([np.asarray(a) for a in arrays] if all(isinstance(a, (np.ndarray, np.generic)) for a in arrays) else None)
        except Exception:  # as above
            results.append(None)
    return results


def is_comparable(arrays):
    """Tensors, not empty, not huge, nothing infinite, and in the range where float32 can be compared."""
    return all(isinstance(a, (np.ndarray, np.generic)) and 0 < a.size <= MOST and (a.dtype.kind != "f" or (np.isfinite(a).all() and np.abs(a).max() < LARGEST)) for a in arrays)


def agree(a, b, rtol=2.5e-4, atol=2.5e-5):
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return np.allclose(a, b, rtol, atol, equal_nan=True) if a.dtype.kind == "f" else bool((a == b).all())


def judge(model, feeds):
    """The outputs for each of `feeds`. None: refused, or not comparable, or the judges are not of one mind."""
    results, is_not_built = by_onnxruntime(model, feeds)
    others = by_reference(model, [f for f, r in zip(feeds, results) if r is not None or is_not_built])
    judged = []
    for result in results:
        other = others.pop(0) if result is not None or is_not_built else None
        if result is not None and other is not None and not (len(result) == len(other) and all(map(agree, result, other))):
            disputes["+".join(sorted({n.op_type for n in model.graph.node}))] += 1
            result = None
        elif is_not_built:
            result = other
        judged.append(result if result is not None and is_comparable(result) else None)
    return judged
