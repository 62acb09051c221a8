"""A script as people write them for ONNX Runtime: run(ort, ...) gets the module. check_inference_session.py runs it with both."""

import numpy as np


def run(ort, path, feeds):
    """What it finds, in the order in which it asks."""
    found = []
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    found.append(session.get_providers())
    found.append([(value.name, value.type, value.shape) for value in session.get_inputs()])
    found.append([(value.name, value.type, value.shape) for value in session.get_outputs()])
    found.append([(value.name, value.type, value.shape) for value in session.get_overridable_initializers()])
    meta = session.get_modelmeta()
    # Without a version ONNX Runtime says 2**63 - 1.
    found.append((meta.producer_name, meta.graph_name, meta.domain, meta.description, meta.version % (2**63 - 1), meta.custom_metadata_map))
    names = [value.name for value in session.get_outputs()]
    found.append(session.run(None, feeds))
    found.append(session.run([], feeds))
    found.append(session.run(names[-1:], feeds, ort.RunOptions()))
    if all(value.dtype != object for value in feeds.values()):  # which ONNX Runtime refuses
        values = {name: ort.OrtValue.ortvalue_from_numpy(value) for name, value in feeds.items()}
        found.append([value.numpy() for value in session.run_with_ort_values(names, values)])
        binding = session.io_binding()
        for name, value in feeds.items():
            binding.bind_cpu_input(name, value)
        for name in names:
            binding.bind_output(name, "cpu")
        session.run_with_iobinding(binding)
        found.append(binding.copy_outputs_to_cpu())
        values = binding.get_outputs()
        found.append([(value.shape(), value.data_type(), value.device_name(), value.is_tensor()) for value in values])
    with open(path, "rb") as file:
        found.append(ort.InferenceSession(file.read(), sess_options=options).run(None, feeds))
    for bad in ({name: value for name, value in list(feeds.items())[1:]}, {**feeds, "nonsense": np.zeros(1)},
                {name: np.zeros((1,) * 7, np.complex64) for name in feeds}):
        try:
            session.run(None, bad)
            found.append("no error")
        except Exception:
            found.append("an error")
    return found


def same(a, b):
    """Equal, arrays nearly."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.dtype != object:
        return a.dtype == b.dtype and a.shape == b.shape and np.allclose(a, b, rtol=1e-3, atol=5e-3 if a.dtype == np.float16 else 1e-4)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and a.tolist() == b.tolist()
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return a == b
