"""The face of onnxruntime: a script that imports onnxrun in its place runs on.

    import onnxrun as ort
    session = ort.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    session.run(None, {"x": x})

Options that say how ONNX Runtime should work inside are taken and have no effect; those that change what comes out or what is
allowed do what they say, or are refused.
"""

from __future__ import annotations

import ctypes
import enum
import os
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from . import _arguments, _onnxrun
from ._model import Model, Session, TensorInfo
from ._onnxrun import ArgumentError, UnsupportedError
from ._values import dtype_number, numpy_dtype, type_name

PROVIDERS = ["CPUExecutionProvider"]
MOST_ADDRESS = 2 ** (8 * ctypes.sizeof(ctypes.c_void_p)) - 1

# Types as ONNX Runtime writes them.
_TYPE_NAMES = {"float32": "float", "float64": "double", "float8e4m3fn": "float8e4m3fn"}


def _type_text(dtype: str) -> str:
    return f"tensor({_TYPE_NAMES.get(dtype, dtype)})"


def _numpy_type(name: str, element_type: Any) -> np.dtype[Any]:
    """Of a type of NumPy, or ONNX's number of it."""
    number = element_type if isinstance(element_type, int) and not isinstance(element_type, bool) else dtype_number(element_type)
    found = numpy_dtype(number)
    if found is None:
        _arguments.refuse(name, "a type of NumPy or a number of onnx.TensorProto", element_type)
    return found


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


def _member(kind: type[enum.IntEnum]) -> Callable[[str, Any], Any]:
    def check(name: str, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or value not in list(kind):
            _arguments.refuse(name, f"a member of {kind.__name__}", value)
        return kind(value)

    return check


_OPTION_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "intra_op_num_threads": _arguments.threads, "inter_op_num_threads": _arguments.threads,
    "graph_optimization_level": _member(GraphOptimizationLevel), "execution_mode": _member(ExecutionMode),
    "execution_order": _member(ExecutionOrder), "enable_profiling": _arguments.flag, "profile_file_prefix": _arguments.text,
    "enable_cpu_mem_arena": _arguments.flag, "enable_mem_pattern": _arguments.flag, "enable_mem_reuse": _arguments.flag,
    "log_severity_level": lambda name, value: _arguments.whole(name, value, -1, 4),
    "log_verbosity_level": lambda name, value: _arguments.whole(name, value, 0), "logid": _arguments.text,
    "use_deterministic_compute": _arguments.flag, "use_per_session_threads": _arguments.flag,
}


class SessionOptions:
    """intra_op_num_threads (0: one for each core), graph_optimization_level (ORT_DISABLE_ALL: no rewrites), enable_profiling,
    optimized_model_filepath (the rewritten model as ONNX) and overrides of dimensions have an effect. The session entry
    "onnxrun.packed" names a file of packed weights, operators holds layers of your own, classes made by onnxrun.operator."""

    __slots__ = ("intra_op_num_threads", "inter_op_num_threads", "graph_optimization_level", "execution_mode", "execution_order",
                 "enable_profiling", "profile_file_prefix", "optimized_model_filepath", "enable_cpu_mem_arena", "enable_mem_pattern",
                 "enable_mem_reuse", "log_severity_level", "log_verbosity_level", "logid", "use_deterministic_compute",
                 "use_per_session_threads", "operators", "_entries", "_dims")

    def __init__(self) -> None:
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
        self.use_per_session_threads = True
        self.operators: list[type] = []
        self._entries: dict[str, str] = {}
        self._dims: dict[str, int] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        check = _OPTION_CHECKS.get(name)
        object.__setattr__(self, name, check(name, value) if check else value)

    def add_session_config_entry(self, key: str, value: str) -> None:
        """Taken; "onnxrun.packed" has an effect."""
        self._entries[_arguments.text("key", key)] = _arguments.text("value", value)

    def get_session_config_entry(self, key: str) -> str:
        """What add_session_config_entry was given."""
        if _arguments.text("key", key) not in self._entries:
            raise ArgumentError(f"there is no session entry {_arguments.shown(key)}")
        return self._entries[key]

    def add_free_dimension_override_by_name(self, name: str, size: int) -> None:
        """The dimension of this name has this size: get_inputs says so, and arrays of another size are refused."""
        self._dims[_arguments.text("name", name)] = _arguments.whole("size", size, 1)

    def add_free_dimension_override_by_denotation(self, denotation: str, size: int) -> None:
        """Refused: what dimensions denote is not read."""
        raise UnsupportedError(f"dimensions by what they denote ({_arguments.shown(denotation)}) are not known; "
                               "add_free_dimension_override_by_name takes their names")

    def has_providers(self) -> bool:
        """Whether providers were added: there is one, and no more."""
        return False

    def add_provider(self, name: str, options: Mapping[str, str] | None = None) -> None:
        """Takes the CPU's."""
        if _arguments.text("name", name) not in PROVIDERS:
            raise UnsupportedError(f"there is no provider {_arguments.shown(name)}; onnxrun has {PROVIDERS}")

    def register_custom_ops_library(self, path: str) -> None:
        """Refused."""
        raise UnsupportedError(f"'{path}' is made for ONNX Runtime; write the operators with onnxrun.operator")

    def add_initializer(self, name: str, value: Any) -> None:
        """Refused."""
        raise UnsupportedError("initializers cannot be replaced; make them inputs of the model")

    def add_external_initializers(self, names: Any, values: Any) -> None:
        """Refused."""
        raise UnsupportedError("initializers cannot be replaced; external data is read from the folder of the model")


class RunOptions:
    """terminate = True has an effect, before a run and, from another thread, during one."""

    __slots__ = ("log_severity_level", "log_verbosity_level", "logid", "only_execute_path_to_fetches", "_terminate", "_entries", "_running",
                 "_lock")

    def __init__(self) -> None:
        self.log_severity_level, self.log_verbosity_level, self.logid = -1, 0, ""
        self.only_execute_path_to_fetches = False
        self._terminate = False
        self._entries: dict[str, str] = {}
        self._running: list[Session] = []
        self._lock = threading.Lock()

    @property
    def terminate(self) -> bool:
        """True: runs with these options end in CancelledError."""
        return self._terminate

    @terminate.setter
    def terminate(self, value: bool) -> None:
        with self._lock:
            self._terminate = _arguments.flag("terminate", value)
            for session in self._running if self._terminate else ():
                session.cancel()

    def add_run_config_entry(self, key: str, value: str) -> None:
        """Taken, without effect."""
        self._entries[_arguments.text("key", key)] = _arguments.text("value", value)

    def get_run_config_entry(self, key: str) -> str:
        """What add_run_config_entry was given."""
        if _arguments.text("key", key) not in self._entries:
            raise ArgumentError(f"there is no run entry {_arguments.shown(key)}")
        return self._entries[key]

    def _run(self, session: Session, call: Callable[[Session], Any]) -> Any:
        with self._lock:
            self._running.append(session)
        session._stop = self  # whose terminate the run looks at once it can be cancelled
        try:
            return call(session)
        finally:
            session._stop = None
            with self._lock:
                self._running.remove(session)


class NodeArg:
    """An input or output: name, type ("tensor(float)") and shape (a list of int, str and None)."""

    def __init__(self, info: TensorInfo, type_text: str | None, dims: Mapping[str, int]) -> None:
        self.name = info.name
        self.type = type_text or _type_text(info.dtype)
        self.shape: list[int | str | None] = [dims.get(dim, dim) if isinstance(dim, str) else dim for dim in info.shape or ()]

    def __repr__(self) -> str:
        return f"NodeArg(name='{self.name}', type='{self.type}', shape={self.shape})"


class ModelMetadata:
    """What the file says about itself."""

    def __init__(self, model: Model) -> None:
        info = model.info
        self.producer_name: str = info["producer_name"]
        self.graph_name: str = info["graph_name"]
        self.domain: str = info["domain"]
        self.description: str = info["doc_string"]
        self.graph_description = ""
        self.version: int = info["model_version"]
        self.custom_metadata_map: dict[str, str] = model.metadata


def _as_array(name: str, value: Any) -> np.ndarray[Any, Any]:
    if isinstance(value, OrtValue):
        value = value.numpy()
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{name}: expected an array, found {_arguments.shown(value)}: {error}") from error


class OrtValue:
    """A value on the CPU, which all of them are."""

    def __init__(self, value: Any) -> None:
        self._value = value

    @staticmethod
    def ortvalue_from_numpy(array: Any, device_type: str = "cpu", device_id: int = 0) -> OrtValue:
        """Of the array, whose memory it shares."""
        _check_device(device_type, device_id)
        return OrtValue(_as_array("array", array))

    @staticmethod
    def ortvalue_from_numpy_with_onnx_type(data: Any, onnx_element_type: int) -> OrtValue:
        """The array's memory as elements of another type of the same size, such as bfloat16."""
        dtype, array = _numpy_type("onnx_element_type", onnx_element_type), _as_array("data", data)
        if dtype.itemsize != array.dtype.itemsize:
            raise ArgumentError(f"data: elements of {dtype} have {dtype.itemsize} bytes, those of the array {array.dtype.itemsize}")
        return OrtValue(array.view(dtype))

    @staticmethod
    def ortvalue_from_shape_and_type(shape: Sequence[int], element_type: Any, device_type: str = "cpu", device_id: int = 0) -> OrtValue:
        """With memory that holds anything. element_type: of NumPy, or a number of onnx.TensorProto."""
        _check_device(device_type, device_id)
        return OrtValue(np.empty(_sizes("shape", shape), _numpy_type("element_type", element_type)))

    @staticmethod
    def from_dlpack(data: Any) -> OrtValue:
        """Of another package's array, whose memory it shares."""
        if not hasattr(data, "__dlpack__"):
            _arguments.refuse("data", "an object with __dlpack__", data)
        return OrtValue(np.from_dlpack(data))

    def numpy(self) -> Any:
        """The array itself; of a sequence the list."""
        return self._value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self._tensor()
        if copy is False and dtype is not None and np.dtype(dtype) != array.dtype:
            raise ValueError(f"an array of {np.dtype(dtype)} cannot be made of one of {array.dtype} without a copy")
        return np.array(array, dtype) if copy else np.asarray(array, dtype)

    def __dlpack__(self, **arguments: Any) -> Any:
        return self._tensor().__dlpack__(**arguments)

    def __dlpack_device__(self) -> Any:
        return self._tensor().__dlpack_device__()

    def shape(self) -> list[int]:
        """Its sizes."""
        return list(self._tensor().shape)

    def data_type(self) -> str:
        """As "tensor(float)"."""
        if self.is_tensor():
            return _type_text(type_name(dtype_number(self._value.dtype)))
        if not isinstance(self._value, list):
            return "map(?)"
        return f"seq({OrtValue(self._value[0]).data_type()})" if self._value else "seq(?)"

    def element_type(self) -> int:
        """The number of onnx.TensorProto."""
        return dtype_number(self._tensor().dtype)

    def data_ptr(self) -> int:
        """The address of its memory."""
        return int(self._tensor().ctypes.data)

    def tensor_size_in_bytes(self) -> int:
        """Of its elements."""
        return int(self._tensor().nbytes)

    def device_name(self) -> str:
        """Always "cpu" so far."""
        return "cpu"

    def is_tensor(self) -> bool:
        """Whether it is an array."""
        return isinstance(self._value, np.ndarray)

    def is_tensor_sequence(self) -> bool:
        """Whether it is a list of arrays."""
        return isinstance(self._value, list) and all(isinstance(item, np.ndarray) for item in self._value)

    def is_sparse_tensor(self) -> bool:
        """False: results are dense."""
        return False

    def has_value(self) -> bool:
        """False of an optional that has none."""
        return self._value is not None

    def update_inplace(self, array: Any) -> None:
        """Writes the array, of the same type and shape, into the value's memory."""
        mine, given = self._tensor(), _as_array("array", array)
        if (given.dtype, given.shape) != (mine.dtype, mine.shape):
            raise ArgumentError(f"array: expected {_described(mine)}, as the value is, found {_described(given)}")
        if not mine.flags.writeable:
            raise ArgumentError("the value's memory is an array that must not be written to")
        mine[...] = given

    def _tensor(self) -> np.ndarray[Any, Any]:
        if isinstance(self._value, np.ndarray):
            return self._value
        raise ArgumentError(f"the value is no tensor but {_arguments.shown(self._value)}")


def _described(array: np.ndarray[Any, Any]) -> str:
    return f"{type_name(dtype_number(array.dtype))}[{','.join(map(str, array.shape))}]"


def _sizes(name: str, shape: Any) -> tuple[int, ...]:
    return tuple(_arguments.whole(f"{name}[{i}]", size, 0) for i, size in enumerate(_arguments.items(name, shape)))


def _at_address(element_type: Any, shape: Any, address: Any) -> np.ndarray[Any, Any]:
    """The caller's memory as an array."""
    dtype, sizes = _numpy_type("element_type", element_type), _sizes("shape", shape)
    if dtype.hasobject:
        raise UnsupportedError("strings have no memory that could be bound by its address")
    count = int(np.prod(sizes, dtype=np.int64)) * dtype.itemsize
    memory = (ctypes.c_ubyte * count).from_address(_arguments.whole("buffer_ptr", address, 1, MOST_ADDRESS))
    return np.frombuffer(memoryview(memory), dtype).reshape(sizes)


class IOBinding:
    """Inputs and outputs that InferenceSession.run_with_iobinding uses."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = _arguments.instance("session", session, InferenceSession)
        self._inputs: dict[str, Any] = {}
        self._outputs: dict[str, OrtValue | None] = {}
        self._results: list[OrtValue] = []

    def bind_cpu_input(self, name: str, arr_on_cpu: Any) -> None:
        """An array."""
        self._inputs[self._input(name)] = arr_on_cpu

    def bind_input(self, name: str, device_type: str, device_id: int, element_type: Any, shape: Sequence[int], buffer_ptr: int) -> None:
        """Memory at an address, which has to stay until the run is over."""
        _check_device(device_type, device_id)
        self._inputs[self._input(name)] = _at_address(element_type, shape, buffer_ptr)

    def bind_ortvalue_input(self, name: str, ortvalue: OrtValue) -> None:
        """A value."""
        self._inputs[self._input(name)] = _arguments.instance("ortvalue", ortvalue, OrtValue).numpy()

    def bind_output(self, name: str, device_type: str = "cpu", device_id: int = 0, element_type: Any = None,
                    shape: Sequence[int] | None = None, buffer_ptr: int | None = None) -> None:
        """element_type and shape: what the result has to be. With an address it is written there, else memory is made."""
        _check_device(device_type, device_id)
        bound = None
        if buffer_ptr is not None:
            if element_type is None or shape is None:
                raise ArgumentError("buffer_ptr: needs element_type and shape, which say what is written there")
            bound = OrtValue(_at_address(element_type, shape, buffer_ptr))
        elif element_type is not None or shape is not None:
            if element_type is None or shape is None:
                raise ArgumentError("element_type and shape: expected both of them, or none")
            bound = OrtValue.ortvalue_from_shape_and_type(shape, element_type)
        self._outputs[self._output(name)] = bound

    def bind_ortvalue_output(self, name: str, ortvalue: OrtValue) -> None:
        """A value of the type and shape of the result, which is written to its memory."""
        self._outputs[self._output(name)] = _arguments.instance("ortvalue", ortvalue, OrtValue)

    def synchronize_inputs(self) -> None:
        """Nothing to do on a CPU."""

    def synchronize_outputs(self) -> None:
        """Nothing to do on a CPU."""

    def get_outputs(self) -> list[OrtValue]:
        """Of the last run, in the order in which they were bound."""
        return self._results

    def copy_outputs_to_cpu(self) -> list[Any]:
        """The same as arrays."""
        return [value.numpy() for value in self._results]

    def clear_binding_inputs(self) -> None:
        """Forgets them."""
        self._inputs.clear()

    def clear_binding_outputs(self) -> None:
        """Forgets them."""
        self._outputs.clear()
        self._results = []

    def _input(self, name: str) -> str:
        return _known("input", name, (info.name for info in self._session.model.inputs))

    def _output(self, name: str) -> str:
        return _known("output", name, (info.name for info in self._session.model.outputs))

    def _run(self, run_options: RunOptions | None) -> None:
        names = list(self._outputs)
        if not names:
            raise ArgumentError("no output is bound; bind_output(name) does it")
        results = self._session.run(names, self._inputs, run_options)
        for name, result in zip(names, results):
            bound = self._outputs[name]
            if bound is not None:
                try:
                    bound.update_inplace(result)
                except ArgumentError as error:
                    raise ArgumentError(f"output '{name}' does not fit the value that is bound to it: {error}") from error
        self._results = [self._outputs[name] or OrtValue(result) for name, result in zip(names, results)]


def _known(what: str, name: Any, names: Iterable[str]) -> str:
    known = list(names)
    if not isinstance(name, str) or name not in known:
        raise ArgumentError(f"there is no {what} {_arguments.shown(name)}; the model has {_arguments.listed(known)}")
    return name


def _check_device(device: Any, number: Any = 0) -> None:
    if not (isinstance(device, str) and device == "cpu" and isinstance(number, int) and number == 0):
        raise UnsupportedError(f"there is no device {_arguments.shown(device)} {_arguments.shown(number)}, only 'cpu' 0")


class InferenceSession:
    """A model and what runs it. Any number of threads may call run."""

    def __init__(self, path_or_bytes: str | os.PathLike[str] | bytes, sess_options: SessionOptions | None = None,
                 providers: Sequence[str | tuple[str, Mapping[str, Any]]] | None = None,
                 provider_options: Sequence[Mapping[str, Any]] | None = None, *, disabled_optimizers: Sequence[str] | None = None,
                 enable_fallback: int | bool = 1) -> None:
        """disabled_optimizers names rewrites of ONNX Runtime, enable_fallback its providers: taken, without effect."""
        self._options = options = SessionOptions() if sess_options is None else _arguments.instance("sess_options", sess_options,
                                                                                                  SessionOptions)
        self.set_providers(providers, provider_options)
        plain = options.graph_optimization_level == GraphOptimizationLevel.ORT_DISABLE_ALL
        packed = options._entries.get("onnxrun.packed")
        self._model = Model(path_or_bytes, threads=options.intra_op_num_threads, disabled_passes="all" if plain else None,
                            packed=packed, packed_write=packed is not None, operators=tuple(options.operators))
        self._check_dims()
        if options.optimized_model_filepath:
            self._write_optimised(path_or_bytes, "all" if plain else None)
        self._started_ns = time.perf_counter_ns()
        self._profiling = self._model.session(profile=True) if options.enable_profiling else None

    @property
    def model(self) -> Model:
        """The onnxrun.Model."""
        return self._model

    def run(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any], run_options: RunOptions | None = None) -> list[Any]:
        """The outputs of these names, or all, as a list."""
        return self._prepare(output_names, input_feed, run_options)()

    def run_with_ort_values(self, output_names: Sequence[str] | None, input_dict_ort_values: Mapping[str, OrtValue],
                            run_options: RunOptions | None = None) -> list[OrtValue]:
        """The same with values."""
        return [OrtValue(value) for value in self.run(output_names, input_dict_ort_values, run_options)]

    def run_with_iobinding(self, iobinding: IOBinding, run_options: RunOptions | None = None) -> None:
        """The same with what is bound."""
        _arguments.instance("iobinding", iobinding, IOBinding)._run(run_options)

    def run_async(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any],
                  callback: Callable[[list[Any], Any, str], None], user_data: Any, run_options: RunOptions | None = None) -> None:
        """On another thread: it calls callback(outputs, user_data, ""), or callback([], user_data, text) of an error."""
        if not callable(callback):
            _arguments.refuse("callback", "a function of outputs, user_data and the text of an error", callback)

        run = self._prepare(output_names, input_feed, run_options)

        def work() -> None:
            try:
                results, text = run(), ""
            except _onnxrun.Error as error:
                results, text = [], str(error)
            callback(results, user_data, text)

        threading.Thread(target=work, name="onnxrun.run_async").start()

    def io_binding(self) -> IOBinding:
        """For run_with_iobinding."""
        return IOBinding(self)

    def _argument(self, info: TensorInfo) -> NodeArg:
        return NodeArg(info, self._model._type_texts[info.name], self._options._dims)

    def get_inputs(self) -> list[NodeArg]:
        """Those that have to be given."""
        return [self._argument(info) for info in self._model.inputs if not info.has_default]

    def get_overridable_initializers(self) -> list[NodeArg]:
        """Inputs that may be left out."""
        return [self._argument(info) for info in self._model.inputs if info.has_default]

    def get_outputs(self) -> list[NodeArg]:
        """All of them."""
        return [self._argument(info) for info in self._model.outputs]

    def get_modelmeta(self) -> ModelMetadata:
        """What the file says about itself."""
        return ModelMetadata(self._model)

    def get_session_options(self) -> SessionOptions:
        """What it was made with."""
        return self._options

    def get_providers(self) -> list[str]:
        """["CPUExecutionProvider"]"""
        return list(PROVIDERS)

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        """There are none."""
        return {name: {} for name in PROVIDERS}

    def set_providers(self, providers: Sequence[str | tuple[str, Mapping[str, Any]]] | None = None,
                      provider_options: Sequence[Mapping[str, Any]] | None = None) -> None:
        """What is asked for has to have the CPU among it, as scripts with a fallback have."""
        given = PROVIDERS if providers is None else _arguments.items("providers", providers)
        names = [_arguments.text(f"providers[{i}]", item[0] if isinstance(item, tuple) and item else item) for i, item in enumerate(given)]
        if names and "CPUExecutionProvider" not in names:
            raise ArgumentError(f"providers: there is none of {names}; onnxrun has {PROVIDERS}")

    def disable_fallback(self) -> None:
        """There is one provider: nothing to do."""

    def enable_fallback(self) -> None:
        """There is one provider: nothing to do."""

    def get_profiling_start_time_ns(self) -> int:
        """By time.perf_counter_ns."""
        return self._started_ns

    def end_profiling(self) -> str:
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

    def _prepare(self, output_names: Any, input_feed: Any, run_options: Any) -> Callable[[], list[Any]]:
        """Checks the arguments of a run, and returns what does it."""
        feed = {name: value.numpy() if isinstance(value, OrtValue) else value
                for name, value in _arguments.mapping("input_feed", input_feed).items()}
        self._check_sizes(feed)
        wanted = [_known("output", name, (info.name for info in self._model.outputs))
                  for name in (_arguments.names("output_names", output_names) if output_names is not None else ())]
        names = wanted or [info.name for info in self._model.outputs]
        options = None if run_options is None else _arguments.instance("run_options", run_options, RunOptions)

        def run() -> list[Any]:
            results = self._with_session(options, lambda session: session.run(feed, wanted or None))
            return [results[name] for name in names]

        return run

    def _with_session(self, run_options: RunOptions | None, call: Callable[[Session], Any]) -> Any:
        if run_options is not None:
            options, plain = run_options, call
            if options.terminate:
                raise _onnxrun.CancelledError("RunOptions.terminate is set")
            call = lambda session: options._run(session, plain)  # noqa: E731
        return call(self._profiling) if self._profiling else self._model._with_session(call)

    def _check_dims(self) -> None:
        known = {dim for info in self._model.inputs for dim in info.shape or () if isinstance(dim, str)}
        for name in self._options._dims:
            if name not in known:
                warnings.warn(f"the model has no dimension '{name}' that could have a size; it has {sorted(known)}", RuntimeWarning,
                              stacklevel=3)

    def _check_sizes(self, feed: Mapping[str, Any]) -> None:
        dims = self._options._dims
        for info in self._model.inputs if dims else ():
            shape = getattr(feed.get(info.name), "shape", ())
            for found, name in zip(shape, info.shape or ()):
                if isinstance(name, str) and dims.get(name, found) != found:
                    raise ArgumentError(f"input '{info.name}': dimension '{name}' is {found}, SessionOptions say {dims[name]}")

    def _write_optimised(self, source: Any, disabled_passes: str | None) -> None:
        read = None if isinstance(source, (bytes, bytearray, memoryview)) else _arguments.path("path_or_bytes", source)
        target = _arguments.path("optimized_model_filepath", self._options.optimized_model_filepath)
        if read is not None:
            _onnxrun.optimise(read, target, disabled_passes=disabled_passes)
            return
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            file.write(source)
            file.flush()
            _onnxrun.optimise(file.name, target, disabled_passes=disabled_passes)


def get_available_providers() -> list[str]:
    """["CPUExecutionProvider"]"""
    return list(PROVIDERS)


def get_all_providers() -> list[str]:
    """["CPUExecutionProvider"]"""
    return list(PROVIDERS)


def get_device() -> str:
    """What it runs on."""
    return "CPU"


def get_build_info() -> str:
    """What onnxrun.version() says."""
    return _onnxrun.version()


def set_default_logger_severity(severity: int) -> None:
    """The library never logs."""


def set_default_logger_verbosity(verbosity: int) -> None:
    """The library never logs."""


def set_seed(seed: int) -> None:
    """Taken, without effect: each run begins at the seeds of the model's nodes."""


def disable_telemetry_events() -> None:
    """There are none."""


def enable_telemetry_events() -> None:
    """There are none, and there will be none."""
