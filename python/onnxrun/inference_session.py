"""The face of onnxruntime: a script that imports onnxrun in its place runs on.

    import onnxrun as ort
    session = ort.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    session.run(None, {"x": x})

Options that say how ONNX Runtime should work inside are taken and have no effect; those that change what comes out or what is
allowed do what they say, or are refused.
"""

import enum
import os

import numpy as np

from . import _onnxrun
from ._model import Model
from ._onnxrun import ArgumentError, UnsupportedError
from ._values import NAMES

PROVIDERS = ["CPUExecutionProvider"]

# Types as ONNX Runtime writes them.
_TYPE_NAMES = {"float32": "float", "float64": "double", "float8e4m3fn": "float8e4m3fn"}


def _type_text(dtype):
    # The library knows that a value is a sequence, not of what.
    if dtype in ("sequence", "map", "optional"):
        return {"sequence": "seq", "map": "map", "optional": "optional"}[dtype] + "(?)"
    return f"tensor({_TYPE_NAMES.get(dtype, dtype)})"


class GraphOptimizationLevel(enum.IntEnum):
    """ORT_DISABLE_ALL leaves the graph as it is; all others are the same."""

    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(enum.IntEnum):
    """Taken, without effect."""

    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class ExecutionOrder(enum.IntEnum):
    """Taken, without effect."""

    DEFAULT = 0
    PRIORITY_BASED = 1


class SessionOptions:
    """intra_op_num_threads (0: one for each core), graph_optimization_level (ORT_DISABLE_ALL: no rewrites) and
    enable_profiling have an effect. The session entry "onnxrun.packed" names a file of packed weights."""

    def __init__(self):
        self.intra_op_num_threads = 0
        self.inter_op_num_threads = 0
        self.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_ALL
        self.execution_mode = ExecutionMode.ORT_SEQUENTIAL
        self.execution_order = ExecutionOrder.DEFAULT
        self.enable_profiling = False
        self.profile_file_prefix = "onnxrun_profile_"
        self.optimized_model_filepath = ""
        self.enable_cpu_mem_arena = self.enable_mem_pattern = self.enable_mem_reuse = True
        self.log_severity_level, self.log_verbosity_level, self.logid = -1, 0, ""
        self.use_deterministic_compute = False
        self.operators = []  # layers of your own, classes made by onnxrun.operator
        self._entries = {}

    def add_session_config_entry(self, key, value):
        self._entries[key] = value

    def get_session_config_entry(self, key):
        if key not in self._entries:
            raise ArgumentError(f"there is no session entry '{key}'")
        return self._entries[key]

    def add_free_dimension_override_by_name(self, name, size):
        """Shapes are taken from the inputs of each run: nothing to do."""

    add_free_dimension_override_by_denotation = add_free_dimension_override_by_name

    def register_custom_ops_library(self, path):
        raise UnsupportedError(f"'{path}' is made for ONNX Runtime; write the operators with onnxrun.operator")

    def add_initializer(self, name, value):
        raise UnsupportedError("initializers cannot be replaced; make them inputs of the model")


class RunOptions:
    """terminate has an effect, before a run."""

    def __init__(self):
        self.log_severity_level, self.log_verbosity_level, self.logid = -1, 0, ""
        self.terminate = self.only_execute_path_to_fetches = False
        self._entries = {}

    def add_run_config_entry(self, key, value):
        self._entries[key] = value

    def get_run_config_entry(self, key):
        return self._entries[key]


class NodeArg:
    """An input or output: name, type ("tensor(float)") and shape (a list of int, str and None)."""

    def __init__(self, info):
        self.name = info.name
        self.type = _type_text(info.dtype)
        self.shape = list(info.shape or ())

    def __repr__(self):
        return f"NodeArg(name='{self.name}', type='{self.type}', shape={self.shape})"


class ModelMetadata:
    """What the file says about itself."""

    def __init__(self, model):
        info = model.info
        self.producer_name, self.graph_name, self.domain = info["producer_name"], info["graph_name"], info["domain"]
        self.description, self.graph_description = info["doc_string"], ""
        self.version = info["model_version"]
        self.custom_metadata_map = model.metadata


class OrtValue:
    """A value on the CPU, which all of them are."""

    def __init__(self, value):
        self._value = value

    @staticmethod
    def ortvalue_from_numpy(array, device_type="cpu", device_id=0):
        _check_device(device_type)
        return OrtValue(np.asarray(array))

    @staticmethod
    def ortvalue_from_shape_and_type(shape, element_type, device_type="cpu", device_id=0):
        _check_device(device_type)
        return OrtValue(np.empty(shape, element_type))

    def numpy(self):
        return self._value

    def shape(self):
        return list(self._value.shape)

    def data_type(self):
        if isinstance(self._value, np.ndarray):
            return _type_text("string" if self._value.dtype == object else self._value.dtype.name)
        return "seq(?)" if isinstance(self._value, list) else "map(?)"

    def element_type(self):
        return _onnxrun.DTYPES.get(self._value.dtype.name, 0)

    def device_name(self):
        return "cpu"

    def is_tensor(self):
        return isinstance(self._value, np.ndarray)

    def has_value(self):
        return self._value is not None

    def update_inplace(self, array):
        self._value[...] = array


class IOBinding:
    """Inputs and outputs that InferenceSession.run_with_iobinding uses."""

    def __init__(self, session):
        self._session = session
        self._inputs, self._outputs, self._results = {}, {}, []

    def bind_cpu_input(self, name, array):
        self._inputs[name] = array

    def bind_ortvalue_input(self, name, value):
        self._inputs[name] = value.numpy()

    def bind_output(self, name, device_type="cpu", device_id=0, element_type=None, shape=None, buffer_ptr=None):
        _check_device(device_type)
        if buffer_ptr is not None:
            raise UnsupportedError("memory by its address cannot be bound; bind an OrtValue")
        self._outputs[name] = None

    def bind_ortvalue_output(self, name, value):
        self._outputs[name] = value

    def synchronize_inputs(self):
        pass

    synchronize_outputs = synchronize_inputs

    def get_outputs(self):
        return self._results

    def copy_outputs_to_cpu(self):
        return [value.numpy() for value in self._results]

    def clear_binding_inputs(self):
        self._inputs.clear()

    def clear_binding_outputs(self):
        self._outputs.clear()
        self._results = []

    def _run(self):
        names = list(self._outputs)
        results = self._session.run(names, self._inputs)
        self._results = []
        for name, result in zip(names, results):
            bound = self._outputs[name]
            if bound is None:
                bound = OrtValue(result)
            else:
                bound.update_inplace(result)
            self._results.append(bound)


def _check_device(device):
    if device != "cpu":
        raise UnsupportedError(f"there is no device '{device}', only cpu")


class InferenceSession:
    """A model and what runs it. Any number of threads may call run."""

    def __init__(self, path_or_bytes, sess_options=None, providers=None, provider_options=None, **kwargs):
        self._options = options = sess_options or SessionOptions()
        self.set_providers(providers, provider_options)
        plain = options.graph_optimization_level == GraphOptimizationLevel.ORT_DISABLE_ALL
        self._model = Model(path_or_bytes, threads=max(options.intra_op_num_threads, 0), disabled_passes="all" if plain else None,
                            packed=options._entries.get("onnxrun.packed"), packed_write=True, operators=tuple(options.operators) or None)
        self._profiling = self._model.session(profile=True) if options.enable_profiling else None

    @property
    def model(self):
        """The onnxrun.Model."""
        return self._model

    def run(self, output_names, input_feed, run_options=None):
        """The outputs of these names, or all, as a list."""
        if run_options is not None and run_options.terminate:
            raise _onnxrun.CancelledError("RunOptions.terminate is set")
        feed = {name: value.numpy() if isinstance(value, OrtValue) else value for name, value in input_feed.items()}
        names = [info.name for info in self._model.outputs] if not output_names else list(output_names)
        runner = self._profiling or self._model
        results = runner.run(feed, names if output_names else None)
        return [results[name] for name in names]

    def run_with_ort_values(self, output_names, input_feed, run_options=None):
        return [OrtValue(value) for value in self.run(output_names, input_feed, run_options)]

    def run_with_iobinding(self, binding, run_options=None):
        binding._run()

    def io_binding(self):
        return IOBinding(self)

    def get_inputs(self):
        return [NodeArg(info) for info in self._model.inputs if not info.has_default]

    def get_overridable_initializers(self):
        return [NodeArg(info) for info in self._model.inputs if info.has_default]

    def get_outputs(self):
        return [NodeArg(info) for info in self._model.outputs]

    def get_modelmeta(self):
        return ModelMetadata(self._model)

    def get_session_options(self):
        return self._options

    def get_providers(self):
        return list(PROVIDERS)

    def get_provider_options(self):
        return {name: {} for name in PROVIDERS}

    def set_providers(self, providers=None, provider_options=None):
        """What is asked for has to have the CPU among it, as scripts with a fallback have."""
        names = [name if isinstance(name, str) else name[0] for name in providers or PROVIDERS]
        if "CPUExecutionProvider" not in names:
            raise ArgumentError(f"there is no provider {names}; onnxrun has {PROVIDERS}")

    def disable_fallback(self):
        pass

    enable_fallback = disable_fallback

    def end_profiling(self):
        """Writes the nodes of all runs as a trace (JSON, for Perfetto or chrome://tracing) and returns the file's name."""
        import json

        if self._profiling is None:
            return ""
        events, start = [], 0.0
        for node in self._profiling.nodes():
            duration = node.total_ns / 1e3
            events.append({"cat": "Node", "ph": "X", "pid": os.getpid(), "tid": 0, "ts": start, "dur": duration, "name": node.name or node.layer,
                           "args": {"op_name": node.op_type, "layer": node.layer, "kernel": node.kernel, "runs": node.runs,
                                    "module": node.module_path}})
            start += duration
        path = f"{self._options.profile_file_prefix}{os.getpid()}.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(events, file)
        self._profiling = None
        return path


def get_available_providers():
    """["CPUExecutionProvider"]"""
    return list(PROVIDERS)


get_all_providers = get_available_providers


def get_device():
    """What it runs on."""
    return "CPU"


def set_default_logger_severity(severity):
    """The library never logs."""


set_default_logger_verbosity = set_seed = disable_telemetry_events = set_default_logger_severity
