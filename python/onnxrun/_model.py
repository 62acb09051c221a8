"""load, Model and Session."""

from __future__ import annotations

import os
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from . import _arguments, _onnxrun
from ._onnxrun import ArgumentError, FileError, StateError
from ._operators import rows as operator_rows
from ._values import NAMES, empty, from_native, numpy_dtype, to_native


class TensorInfo(NamedTuple):
    """An input or output as the file declares it."""

    name: str
    dtype: str  #: "float32", "string", "sequence" ...; "?" where the file does not say
    shape: tuple[int | str | None, ...] | None  #: of int, str (a name) and None (open); None: not declared
    has_default: bool = False  #: an input that may be left out

    @property
    def numpy_dtype(self) -> np.dtype[Any] | None:
        return numpy_dtype(_onnxrun.DTYPES.get(self.dtype, 0))

    def __str__(self) -> str:
        shape = "" if self.shape is None else f"[{', '.join('?' if dim is None else str(dim) for dim in self.shape)}]"
        return f"{_shown(self.name)}: {self.dtype}{_shown(shape)}{' (has a default)' if self.has_default else ''}"


def _shown(text: str) -> str:
    """Of a file, as a line of a terminal takes it: short, and without characters that command one."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= 96 else text[:93] + "..."


class Node(NamedTuple):
    """A node as it is run: what computes it, and with a profile its time."""

    layer: str  #: "conv2d"
    op_type: str  #: of the file's node, "Conv"
    name: str
    module_path: str  #: of PyTorch, "encoder.layers.0"; "" when the file does not say
    source: str  #: "model.py:41"; "" when the file does not say
    kernel: str  #: "portable", "vector" or "xnnpack"
    method: str  #: "winograd4", "product" ...
    input_type: str
    output_type: str
    output_shape: tuple[int, ...] | None
    parameters: int
    multiply_adds: int
    runs: int
    total_ns: int
    note: str | None = None  #: with precision "fast": why it does not compute in float16


class Profile(list[Node]):
    """Nodes in the order in which they run; as text a table, the slowest first."""

    @property
    def total_ns(self) -> int:
        return sum(node.total_ns for node in self)

    def __str__(self) -> str:
        total = self.total_ns or 1
        rows = [f"{'ms a run':>10} {'share':>6}  {'layer':<20} {'kernel':<9} node"]
        for node in sorted(self, key=lambda node: -node.total_ns):
            where = node.module_path or node.name
            rows.append(f"{node.total_ns / max(node.runs, 1) / 1e6:10.3f} {node.total_ns / total:6.1%}  {node.layer:<20} "
                        f"{node.kernel:<9} {_shown(where)}")
        return "\n".join(rows)


MOST_RUNS = 1_000_000  # of a profile

_models: weakref.WeakSet[Model] = weakref.WeakSet()
_forks = 0  # how often this process was forked off since the package was imported


def _after_fork() -> None:
    """Threads stay behind: sessions from before are not used any more, new ones run on the calling thread alone."""
    global _forks
    _forks += 1
    for model in _models:
        model._idle.clear()


os.register_at_fork(after_in_child=_after_fork)


class Model:
    """An ONNX file, loaded. Made by load(); any number of threads may call it."""

    def __init__(self, source: str | PathLike[str] | bytes | bytearray | memoryview, *, threads: int = 0, portable: bool = False,
                 external_directory: str | PathLike[str] | None = None, disabled_passes: str | None = None,
                 packed: str | PathLike[str] | None = None, packed_write: bool = False, limits: Mapping[str, int | str] | None = None,
                 operators: Iterable[type] = (), precision: str = "exact") -> None:
        self._source = _source(source)
        if not isinstance(precision, str) or precision not in ("exact", "fast"):
            _arguments.refuse("precision", "'exact' or 'fast'", precision)
        self._options: dict[str, Any] = {
            "threads": _arguments.threads("threads", threads),
            "portable": _arguments.flag("portable", portable),
            "external_directory": None if external_directory is None else _arguments.path("external_directory", external_directory),
            "disabled_passes": None if disabled_passes is None else _arguments.text("disabled_passes", disabled_passes),
            "packed": None if packed is None else _arguments.path("packed", packed),
            "packed_write": _arguments.flag("packed_write", packed_write),
            "limits": _limits(limits),
            "operators": tuple(_arguments.items("operators", operators)),
            "precision": precision}
        if packed_write and packed is None:
            raise ArgumentError("packed_write: does nothing without packed, the file that is written")
        self._native = self._load()
        self._forks = _forks
        self._idle: list[Session] = []  # sessions that no call is using
        self._info = self._native.info()
        inputs = self._native.inputs()
        self.inputs = tuple(TensorInfo(name, NAMES[dtype], shape, i >= self._info["num_required_inputs"])
                            for i, (name, dtype, shape, _) in enumerate(inputs))
        outputs = self._native.outputs()
        self.outputs = tuple(TensorInfo(name, NAMES[dtype], shape) for name, dtype, shape, _ in outputs)
        self._types = [dtype for _, dtype, _, _ in inputs]
        self._type_texts = {name: text for name, _, _, text in [*inputs, *outputs]}
        self._input_index = {info.name: i for i, info in enumerate(self.inputs)}
        self._output_index = {info.name: i for i, info in enumerate(self.outputs)}
        _models.add(self)
        if self._info["packed"] == "refused":
            which = self._options["packed"] or ("the model" if isinstance(self._source, bytes) else self._source)
            warnings.warn(f"packed: {which} is not used: {self._info['packed_note']}; weights are packed anew", RuntimeWarning, stacklevel=3)

    def _load(self) -> _onnxrun.Model:
        rows = operator_rows(self._options["operators"])
        try:
            given = {**self._options, "operators": rows or None, "fast": self._options["precision"] == "fast"}
            del given["precision"]
            return _onnxrun.Model(self._source, **given)
        except FileError as error:
            if isinstance(self._source, bytes):
                raise
            _arguments.raise_as_open(error, self._source)

    @property
    def metadata(self) -> dict[str, str]:
        """What its maker has written into it (metadata_props)."""
        return self._native.metadata()

    @property
    def opsets(self) -> dict[str, int]:
        """{domain: version}; "" is ai.onnx."""
        return self._native.opsets()

    @property
    def info(self) -> dict[str, Any]:
        """Who made it, its size, its nodes: the fields of struct onr_model_info."""
        return dict(self._info)

    def session(self, *, threads: int | None = None, profile: bool = False, states: str | bool | None = None,
                cache_int8: bool = False) -> Session:
        """One stream of runs. threads: None shares the model's, 0 is one for each core. states: "OUTPUT=INPUT,..." with a *
        for what names share, True for all that the model makes by adding rows to an input: outputs that are inputs of
        the next run. cache_int8: those that are keys and values of attention are kept as int8, in a quarter of the memory;
        they are seen in the model's type."""
        if threads is None:
            threads = 1 if self._forks != _forks else None
        else:
            threads = _arguments.threads("threads", threads)
        if states is not None and not isinstance(states, bool):
            _arguments.text("states", states)
        native = _onnxrun.Session(self._native, threads=threads, profile=_arguments.flag("profile", profile),
                                  cache_int8=_arguments.flag("cache_int8", cache_int8))
        return Session(self, native, states)

    def __call__(self, /, *args: Any, **named: Any) -> Any:
        """Runs it: inputs in their order or by name. The output, a tuple where there are several."""
        return self._with_session(lambda session: session(*args, **named))

    def run(self, inputs: Mapping[str, Any], outputs: Sequence[str] | None = None) -> dict[str, Any]:
        """{name: array} of these outputs, or of all, from {name: array}."""
        found: dict[str, Any] = self._with_session(lambda session: session.run(inputs, outputs))
        return found

    def profile(self, /, *args: Any, runs: int = 10, **named: Any) -> Profile:
        """The nodes with their times, of `runs` runs after a first one that is not counted."""
        runs = _arguments.whole("runs", runs, 1, MOST_RUNS)
        session = self.session(profile=True)
        session(*args, **named)
        before = session.nodes()
        for _ in range(runs):
            session(*args, **named)
        return Profile(node._replace(runs=node.runs - old.runs, total_ns=node.total_ns - old.total_ns)
                       for node, old in zip(session.nodes(), before))

    def _with_session(self, call: Callable[[Session], Any]) -> Any:
        try:
            session = self._idle.pop()
        except IndexError:
            session = self.session()
        try:
            return call(session)
        finally:
            self._idle.append(session)

    def __reduce__(self) -> tuple[Any, ...]:
        return _load_again, (self._source, self._options)

    def __repr__(self) -> str:
        source = f"{len(self._source)} bytes" if isinstance(self._source, bytes) else repr(self._source)
        lines = [f"<onnxrun.Model {source}, {self._info['parameters']:,} parameters, {self._info['threads']} threads"]
        lines += [f"  input  {info}" for info in self.inputs] + [f"  output {info}" for info in self.outputs]
        return "\n".join(lines) + ">"


def _load_again(source: str | bytes, options: dict[str, Any]) -> Model:
    return Model(source, **options)


def _source(source: Any) -> str | bytes:
    """A path that another process finds, too, or bytes that nobody changes."""
    if isinstance(source, bytes):
        return source
    if isinstance(source, str) or hasattr(source, "__fspath__"):
        return os.path.abspath(_arguments.path("source", source))
    try:
        return memoryview(source).tobytes()
    except TypeError:
        hint = "its bytes are SerializeToString()" if hasattr(source, "SerializeToString") else ""
        _arguments.refuse("source", "the path of a model or its bytes", source, hint)


def _limits(limits: Any) -> dict[str, int | str]:
    given = {} if limits is None else _arguments.mapping("limits", limits)
    for name, value in given.items():
        _arguments.text("limits", name)
        given[name] = _arguments.text(f"limits[{name!r}]", value) if isinstance(value, str) else _arguments.whole(f"limits[{name!r}]", value, 0)
    return given


class Session:
    """One stream of runs through a model, for one thread at a time. Made by Model.session()."""

    def __init__(self, model: Model, native: _onnxrun.Session, states: str | bool | None) -> None:
        self.model = model
        self._native = native
        self._forks = _forks
        self._wanted: tuple[int, ...] | None = None
        self._stop: Any = None  # its terminate ends the run
        self.states: dict[str, str] = {}
        if states:
            names = None if states is True else states
            self.states = {model.outputs[y].name: model.inputs[x].name for y, x in native.add_states(names)}

    def __call__(self, /, *args: Any, **named: Any) -> Any:
        """Runs it: inputs in their order or by name. The output, a tuple where there are several (states left out)."""
        model = self.model
        values: list[Any] = [None] * len(model.inputs)
        if len(args) > len(values):
            raise ArgumentError(f"{len(args)} inputs were given, the model has {len(values)}")
        for i, value in enumerate(args):
            values[i] = self._convert(i, value)
        for name, value in named.items():
            i = self._input(name)
            if i < len(args):
                raise ArgumentError(f"input '{name}' was given twice")
            values[i] = self._convert(i, value)
        self._want(None)
        results = [from_native(value) for value, info in zip(self._run(values), model.outputs) if info.name not in self.states]
        return results[0] if len(results) == 1 else tuple(results)

    def run(self, inputs: Mapping[str, Any], outputs: Sequence[str] | None = None) -> dict[str, Any]:
        """{name: array} of these outputs, or of all but states, from {name: array}."""
        model = self.model
        values: list[Any] = [None] * len(model.inputs)
        for name, value in _arguments.mapping("inputs", inputs, "arrays in the order of the inputs are taken by model(...)").items():
            i = self._input(name)
            values[i] = self._convert(i, value)
        if outputs is None:
            names = [info.name for info in model.outputs if info.name not in self.states]
        else:
            names = _arguments.names("outputs", outputs)
        for name in names:
            if name not in model._output_index:
                raise ArgumentError(f"there is no output {_arguments.shown(name)}; the model has {_arguments.listed(model._output_index)}")
        self._want(None if outputs is None else tuple(sorted({model._output_index[name] for name in names})))
        results = self._run(values)
        return {name: from_native(results[model._output_index[name]]) for name in names}

    def cancel(self) -> None:
        """Ends the run that is under way, from another thread: it raises CancelledError."""
        self._native.cancel()

    def reset_states(self) -> None:
        """The next run begins anew."""
        self._native.reset_states()

    def trim(self) -> None:
        """Gives back the memory that runs are done in."""
        self._native.trim()

    def nodes(self) -> Profile:
        """The nodes of the last run; with profile=True they have their times."""
        return Profile(Node(**{**node, "input_type": NAMES[node["input_type"]], "output_type": NAMES[node["output_type"]]})
                       for node in self._native.nodes())

    @property
    def memory_bytes(self) -> int:
        """What the session holds, weights aside, which are the model's."""
        return self._native.bytes()[1]

    def _input(self, name: str) -> int:
        try:
            return self.model._input_index[name]
        except KeyError:
            raise ArgumentError(f"there is no input {_arguments.shown(name)}; the model has {_arguments.listed(self.model._input_index)}") from None

    def _convert(self, i: int, value: Any) -> Any:
        number = self.model._types[i]
        if value is None and NAMES[number] != "optional":
            return None
        try:
            return to_native(value, number)
        except (TypeError, ValueError, OverflowError) as error:
            raise ArgumentError(f"input '{self.model.inputs[i].name}': {error}") from error

    def _want(self, wanted: tuple[int, ...] | None) -> None:
        if wanted != self._wanted:
            self._native.want(wanted)
            self._wanted = wanted

    def _run(self, values: list[Any]) -> list[Any]:
        if self._forks != _forks:
            raise StateError("the session was made before the process was forked; make a new one")
        return self._native.run(values, empty, self._stop)

    def __repr__(self) -> str:
        states = f", states {self.states}" if self.states else ""
        return f"<onnxrun.Session of {self.model._source if not isinstance(self.model._source, bytes) else 'bytes'!r}{states}>"


def load(source: str | PathLike[str] | bytes | bytearray | memoryview, *, threads: int = 0, portable: bool = False,
         external_directory: str | PathLike[str] | None = None, disabled_passes: str | None = None,
         packed: str | PathLike[str] | None = None, packed_write: bool = False, limits: Mapping[str, int | str] | None = None,
         operators: Iterable[type] = (), precision: str = "exact") -> Model:
    """Loads an ONNX model from a path or from bytes.

    threads: of a run, 0: one for each core. portable: plain C kernels alone. external_directory: one more folder that
    external data may lie in. packed: a file of packed weights, which is written with packed_write where it does not fit, and else
    not used, with a RuntimeWarning.
    limits: {"total_bytes": "2GiB", ...}. operators: classes made by operator(), layers of your own.
    precision: "exact", or "fast": products and convolutions by constant weights in float16 where the processor can
    (Session.nodes tells which: method is "half", or note says why not).
    """
    return Model(source, threads=threads, portable=portable, external_directory=external_directory, disabled_passes=disabled_passes,
                 packed=packed, packed_write=packed_write, limits=limits, operators=operators, precision=precision)


def optimise(source: str | PathLike[str], target: str | PathLike[str], *, disabled_passes: str | None = None) -> None:
    """Writes the model at the path `source`, rewritten as far as ONNX has words for it, as an ONNX file for any program
    (docs/optimise.md)."""
    path = _arguments.path("source", source)
    goal = _arguments.path("target", target)
    try:
        _onnxrun.optimise(path, goal, disabled_passes=None if disabled_passes is None else _arguments.text("disabled_passes", disabled_passes))
    except FileError as error:
        if os.path.exists(path):
            raise
        _arguments.raise_as_open(error, path)
