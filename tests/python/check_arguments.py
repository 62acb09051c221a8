"""Every argument of every public function, given what it is not for: an error of onnxrun's that names the argument, never one of
Python's own from somewhere inside."""

import inspect
import os
import pathlib
import re
import tempfile
import unittest
import warnings

import numpy as np
import onnx
import onnxrun
from onnx import helper
from support import fixture, model_of

PATH, INPUTS, OUTPUTS = fixture("mlp_ts")
(INPUT,), (OUTPUT,) = INPUTS, OUTPUTS

# What people hand in by mistake, of each kind.
WRONG = [None, True, -1, 2**70, 0.5, float("nan"), "", "nonsense", "a\0b", "\ud800", {"\ud800": 1}, b"nonsense", [], [1], ["nonsense"], (), {}, {"nonsense": 1}, {1: 2},
         object(), np.float32, np.zeros(3), np.zeros(()), int, len, onnx.ModelProto(), {"x"}]


def session():
    return onnxrun.InferenceSession(PATH)


BINDING = session().io_binding()
BINDING.bind_cpu_input(INPUT, INPUTS[INPUT])
BINDING.bind_output(OUTPUT)

# What is called with the wrong, and the arguments of a call that is right.
CALLS = {
    "load": (lambda: onnxrun.load, {"source": PATH}),
    "optimise": (lambda: onnxrun.optimise, {"source": PATH, "target": "optimised.onnx"}),
    "operator": (lambda: onnxrun.operator, {"domain": "com.example", "op_type": "Scale"}),
    "Model.session": (lambda: onnxrun.load(PATH).session, {}),
    "Model.run": (lambda: onnxrun.load(PATH).run, {"inputs": INPUTS}),
    "Model.profile": (lambda: lambda runs=10: onnxrun.load(PATH).profile(runs=runs, **INPUTS), {}),
    "Session.run": (lambda: onnxrun.load(PATH).session().run, {"inputs": INPUTS}),
    "InferenceSession": (lambda: onnxrun.InferenceSession, {"path_or_bytes": PATH}),
    "InferenceSession.run": (lambda: session().run, {"output_names": None, "input_feed": INPUTS}),
    "InferenceSession.run_with_ort_values": (lambda: session().run_with_ort_values, {"output_names": None, "input_dict_ort_values": INPUTS}),
    "InferenceSession.run_with_iobinding": (lambda: BINDING._session.run_with_iobinding, {"iobinding": BINDING}),
    "InferenceSession.run_async": (lambda: session().run_async, {"output_names": None, "input_feed": INPUTS, "callback": lambda *_: None,
                                                                 "user_data": 0}),
    "InferenceSession.set_providers": (lambda: session().set_providers, {}),
    "SessionOptions.add_session_config_entry": (lambda: onnxrun.SessionOptions().add_session_config_entry, {"key": "a", "value": "b"}),
    "SessionOptions.get_session_config_entry": (lambda: onnxrun.SessionOptions().get_session_config_entry, {}),
    "SessionOptions.add_free_dimension_override_by_name": (lambda: onnxrun.SessionOptions().add_free_dimension_override_by_name,
                                                           {"name": "n", "size": 1}),
    "SessionOptions.add_provider": (lambda: onnxrun.SessionOptions().add_provider, {"name": "CPUExecutionProvider"}),
    "RunOptions.add_run_config_entry": (lambda: onnxrun.RunOptions().add_run_config_entry, {"key": "a", "value": "b"}),
    "RunOptions.get_run_config_entry": (lambda: onnxrun.RunOptions().get_run_config_entry, {}),
    "OrtValue.ortvalue_from_numpy": (lambda: onnxrun.OrtValue.ortvalue_from_numpy, {"array": np.zeros(2)}),
    "OrtValue.ortvalue_from_numpy_with_onnx_type": (lambda: onnxrun.OrtValue.ortvalue_from_numpy_with_onnx_type,
                                                    {"data": np.zeros(2, np.float32), "onnx_element_type": 1}),
    "OrtValue.ortvalue_from_shape_and_type": (lambda: onnxrun.OrtValue.ortvalue_from_shape_and_type, {"shape": [2], "element_type": np.float32}),
    "OrtValue.from_dlpack": (lambda: onnxrun.OrtValue.from_dlpack, {}),
    "OrtValue.update_inplace": (lambda: onnxrun.OrtValue(np.zeros(2)).update_inplace, {}),
    "IOBinding": (lambda: onnxrun.IOBinding, {}),
    "IOBinding.bind_cpu_input": (lambda: session().io_binding().bind_cpu_input, {"name": INPUT, "arr_on_cpu": INPUTS[INPUT]}),
    "IOBinding.bind_input": (lambda: session().io_binding().bind_input, {"name": INPUT, "device_type": "cpu", "device_id": 0, "element_type": np.float32,
                                                                         "shape": [1], "buffer_ptr": np.zeros(1).ctypes.data}),
    "IOBinding.bind_ortvalue_input": (lambda: session().io_binding().bind_ortvalue_input, {"name": INPUT, "ortvalue": onnxrun.OrtValue(INPUTS[INPUT])}),
    "IOBinding.bind_output": (lambda: session().io_binding().bind_output, {"name": OUTPUT, "element_type": np.float32, "shape": [1]}),
    "IOBinding.bind_ortvalue_output": (lambda: session().io_binding().bind_ortvalue_output, {"name": OUTPUT, "ortvalue": onnxrun.OrtValue(np.zeros(2))}),
}
# What they take whatever it is: what is ignored, what is handed on, what any object is right for.
ANYTHING = {"InferenceSession": {"provider_options", "disabled_optimizers", "enable_fallback"}, "InferenceSession.run_async": {"user_data", "callback"},
            "InferenceSession.set_providers": {"provider_options"}, "SessionOptions.add_provider": {"options"},
            "IOBinding.bind_cpu_input": {"arr_on_cpu"}, "OrtValue.ortvalue_from_numpy": {"array"},
            "OrtValue.ortvalue_from_numpy_with_onnx_type": {"data"}, "OrtValue.update_inplace": {"array"}}
# Functions without arguments, or with such alone.
WITHOUT = {"RunOptions", "SessionOptions", "ModelMetadata", "NodeArg", "OrtValue", "Model", "Session", "Node", "Profile", "TensorInfo", "TensorType",
           "Difference", "check", "export", "quantize", "version", "set_seed", "get_version_string"}


class Arguments(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.before = os.getcwd()
        os.chdir(self.folder.name)

    def tearDown(self):
        os.chdir(self.before)
        self.folder.cleanup()

    def sweep(self, label, function, right):
        accepted = {}
        for name in inspect.signature(function).parameters:
            if name in ANYTHING.get(label, ()):
                continue
            for wrong in WRONG:
                with self.subTest(call=label, argument=name, wrong=repr(wrong)), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        function(**{**right, name: wrong})
                        accepted.setdefault(name, []).append(wrong)
                    except (onnxrun.ArgumentError, onnxrun.FileError, onnxrun.UnsupportedError, onnxrun.ParseError) as error:
                        self.assertTrue(str(error), "an error without a word")
                        self.assertNotIn("object at 0x", str(error))
                        str(error).encode()  # it can be printed
        return accepted

    def test_every_function(self):
        for label, (make, right) in CALLS.items():
            function = make()
            accepted = self.sweep(label, function, right)
            for name, values in accepted.items():
                self.assertLess(len(values), len(WRONG) - 8, f"{label}: {name} takes nearly anything: {values}")

    def test_the_table_has_every_function(self):
        known = {label.partition(".")[0] for label in CALLS} | WITHOUT
        for name in [*onnxrun.__all__, *onnxrun._ON_DEMAND]:
            if name.endswith("Error") or name.startswith(("__", "get_", "set_default", "enable_", "disable_", "Execution", "Graph")):
                continue
            self.assertIn(name, known)
        for owner in (onnxrun.Model, onnxrun.Session, onnxrun.InferenceSession, onnxrun.SessionOptions, onnxrun.RunOptions, onnxrun.OrtValue,
                      onnxrun.IOBinding):
            for name, value in vars(owner).items():
                value = getattr(value, "__func__", value)
                if name.startswith("_") or not inspect.isfunction(value) or (owner, name) in ((onnxrun.Model, "profile"),):
                    continue
                takes = [key for key in inspect.signature(value).parameters if key not in ("self", "args", "named")]
                refuses = inspect.getdoc(value).startswith("Refused")
                if takes and not refuses:
                    self.assertIn(f"{owner.__name__}.{name}", CALLS, takes)

    def test_the_words(self):
        model = onnxrun.load(PATH)
        for words, call in (
            ("source: expected the path of a model or its bytes, found None", lambda: onnxrun.load(None)),
            (r"found an object of onnx\S*ModelProto; its bytes are SerializeToString", lambda: onnxrun.load(onnx.load(PATH))),
            ("threads: expected a whole number from 0 to 1024, found -1", lambda: onnxrun.load(PATH, threads=-1)),
            ("disabled_passes: expected a str", lambda: onnxrun.load(PATH, disabled_passes=["all"])),
            (r"limits\['nodes'\]: expected a whole number", lambda: onnxrun.load(PATH, limits={"nodes": 0.5})),
            ("packed_write: does nothing without packed", lambda: onnxrun.load(PATH, packed_write=True)),
            (r"operators\[0\]: expected a class decorated by", lambda: onnxrun.load(PATH, operators=[len])),
            (r"inputs: expected a dict by names, found an object of list; arrays .* model\(\.\.\.\)", lambda: model.run([1])),
            (r"outputs: expected a list of names, found 'y'; write \['y'\]", lambda: model.run(INPUTS, "y")),
            ("input 'nonsense'", lambda: model.run({"nonsense": 1})),
            ("callback: expected a function", lambda: session().run_async(None, INPUTS, None, 0)),
            ("there is no device 'cuda' 0", lambda: onnxrun.OrtValue.ortvalue_from_numpy(np.zeros(1), "cuda")),
            ("Scale.* has none", lambda: onnxrun.operator("com.example", "Scale")(type("Scale", (), {}))),
        ):
            with self.assertRaisesRegex((onnxrun.ArgumentError, onnxrun.UnsupportedError), words):
                call()
        self.assertTrue(issubclass(onnxrun.ArgumentError, TypeError) and issubclass(onnxrun.ArgumentError, ValueError))

    def test_inputs_that_are_no_arrays(self):
        for number, right in ((np.uint8, 7), (np.float32, 7), (np.object_, "text")):
            model = onnxrun.load(model_of([helper.make_node("Identity", ["x"], ["y"])], {"x": (number, [])}, {"y": (number, [])}))
            self.assertEqual(model(right), right)
            for wrong in (None, 300 if number is np.uint8 else 2**2000, {"a": 1}, {1}, object(), [[1, 2], [3]], np.array(object())):
                with self.subTest(number=number, wrong=repr(wrong)), self.assertRaisesRegex(onnxrun.ArgumentError, "'x'"):
                    model(wrong)

    def test_numbers_are_taken_where_the_type_has_them(self):
        """In lists and alone, by the ranges of NumPy's and ml_dtypes' own types."""
        for number, right, wrong in ((np.uint8, [0, 255, True], [256, -1, 1.5, 2.0, float("nan"), None, "7", 1j, [1]]),
                                     (np.int64, [2**63 - 1, -(2**63)], [2**63, 1.0, "1", None]), (np.uint64, [2**64 - 1], [2**64, -1]),
                                     (np.bool_, [True, 0, 1], [2, -1, 0.5, "True"]), (22, [-8, 7], [8, -9, 0.5]), (21, [15], [16, -1]),
                                     (np.float16, [65504, 0.1, float("inf"), float("nan")], [65520, 1e300, "1.5", None, 1j]),
                                     (np.float32, [2**24 + 1, True], [3.5e38, b"1"]), (16, [1.5, 2.0**127], [3.4e38, None, 1j]),
                                     (np.complex64, [1j, 2.5], [1e300, None]), (np.object_, ["a", b"b"], [1, None, True, 1.5])):
            model = onnxrun.load(model_of([helper.make_node("Identity", ["x"], ["y"])], {"x": (number, [None])}, {"y": (number, [None])}))
            expected = np.array(right, np.float64 if isinstance(number, int) else number)
            if number is np.object_:
                expected = np.array(["a", "b"], object)
            np.testing.assert_array_equal(model(right).astype(expected.dtype), expected)
            self.assertEqual(model([]).shape, (0,))
            for value in wrong:
                words = f"input 'x': expected {model.inputs[0].dtype}, found {re.escape(repr(value))}"
                with self.subTest(number=number, wrong=value), self.assertRaisesRegex(onnxrun.ArgumentError, "'x'" if isinstance(value, list) else words):
                    model([right[0], value])

    def test_arrays_of_no_type_of_onnx(self):
        model = onnxrun.load(model_of([helper.make_node("Identity", ["x"], ["y"])], {"x": (np.float32, [2])}, {"y": (np.float32, [2])}))
        for dtype in ("datetime64[s]", "timedelta64[s]", np.longdouble, [("a", np.float32)]):
            with self.subTest(dtype=dtype), self.assertRaisesRegex(onnxrun.ArgumentError, "input 'x': arrays of .* have no ONNX type"):
                model(np.zeros(2, dtype))

    def test_masked_arrays(self):
        model = onnxrun.load(model_of([helper.make_node("Identity", ["x"], ["y"])], {"x": (np.float32, [2])}, {"y": (np.float32, [2])}))
        x = np.ma.masked_array(np.ones(2, np.float32), mask=[False, True])
        with self.assertRaisesRegex(onnxrun.ArgumentError, "input 'x': expected float32, found a masked array"):
            model(x)
        np.testing.assert_array_equal(model(x.filled(3)), [1, 3])
        np.testing.assert_array_equal(model(np.ma.masked_array(x.data)), [1, 1])

    def test_strings_that_are_no_text(self):
        model = onnxrun.load(model_of([helper.make_node("Identity", ["x"], ["y"])], {"x": (np.object_, [None])}, {"y": (np.object_, [None])}))
        (text,) = model([b"caf\xe9"])  # not UTF-8: given back as it came
        self.assertEqual(text.encode(errors="surrogateescape"), b"caf\xe9")
        self.assertEqual(model([text]), [text])
        with self.assertRaisesRegex(onnxrun.ArgumentError, r"input 'x': expected string, found '.ud800', which is no text"):
            model(["a", "\ud800"])

    def test_sequences_have_one_type(self):
        floats = helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, None))
        model = onnxrun.load(model_of([helper.make_node("Identity", ["s"], ["y"])], {"s": floats}, {"y": floats}))
        one = np.ones(2, np.float32)
        self.assertEqual(len(model([one, one])), 2)
        self.assertEqual(model([]), [])
        for wrong, words in (([one, np.ones(2)], "entry 0 is float32, entry 1 is float64"), ([one, [one]], "entry 1 is sequence"),
                             ([one, np.array("a")], "entry 1 is string"), (5, "expected a list, got int"), ("abc", "expected a list, got str"),
                             ({"a": one}, "expected a list, got dict"), (np.ones((2, 2), np.float32), "expected a list, got an array"),
                             ([None], "expected an array, got None")):
            with self.subTest(wrong=repr(wrong)), self.assertRaisesRegex(onnxrun.ArgumentError, f"input 's': .*{words}"):
                model(wrong)

    def test_files_that_cannot_be_opened(self):
        with self.assertRaisesRegex(FileNotFoundError, "there is none.onnx") as caught:
            onnxrun.load("there is none.onnx")
        self.assertIsInstance(caught.exception, onnxrun.FileError)
        self.assertEqual(os.path.basename(caught.exception.filename), "there is none.onnx")
        with self.assertRaises(IsADirectoryError):
            onnxrun.load(".")
        with self.assertRaises(FileNotFoundError):
            onnxrun.InferenceSession("there is none.onnx")
        with self.assertRaises(FileNotFoundError):
            onnxrun.optimise("there is none.onnx", "x.onnx")
        with self.assertRaises(onnxrun.FileError):
            onnxrun.optimise(PATH, "nowhere/x.onnx")
        if os.geteuid():
            pathlib.Path("secret.onnx").touch(0)
            with self.assertRaises(PermissionError):
                onnxrun.load("secret.onnx")

    def test_packed_weights_that_do_not_fit_are_told(self):
        pathlib.Path("packed").write_bytes(b"nonsense")
        with self.assertWarnsRegex(RuntimeWarning, "packed: packed is not used: .*; weights are packed anew"):
            onnxrun.load(PATH, packed="packed")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            onnxrun.load(PATH, packed="new", packed_write=True)
            onnxrun.load(PATH, packed="new")


class Operators(unittest.TestCase):
    def run_with(self, **methods):
        scale = onnxrun.operator("com.example", "Scale")(type("Scale", (), methods))
        data = model_of([helper.make_node("Scale", ["x"], ["y"], domain="com.example")], {"x": (np.float32, [2])}, {"y": (np.float32, [2])},
                        opsets={"": 21, "com.example": 1})
        return onnxrun.load(data, operators=[scale])(np.array([1, 2], np.float32))

    def test_types_of_numpy(self):
        for dtype in ("float32", np.float32, np.dtype(np.float32)):
            found = self.run_with(shape=lambda self, x: onnxrun.TensorType(dtype, x.shape), run=lambda self, x: x * np.float32(2))
            np.testing.assert_array_equal(found, [2, 4])

    def test_what_they_give_is_checked(self):
        def run(self, x):
            return x

        for methods, words in (({"run": lambda self, x: None}, "Scale.run gave None for output 0"),
                               ({"run": run, "shape": lambda self, x: None}, "Scale.shape, output 0: expected an onnxrun.TensorType, found None"),
                               ({"run": run, "shape": lambda self, x: onnxrun.TensorType("floaty", x.shape)}, "dtype: expected the name of a type"),
                               ({"run": run, "shape": lambda self, x: onnxrun.TensorType("float32", 2)}, "shape: expected a list, found 2"),
                               ({"run": run, "shape": lambda self, x: onnxrun.TensorType("float32", (0.5,))}, r"shape\[0\]: expected a whole number"),
                               ({"run": run, "shape_inputs": (40,)}, "shape_inputs: expected a whole number from 0 to 31, found 40"),
                               ({"run": run, "dynamic": "yes"}, "Scale.dynamic: expected True or False")):
            with self.subTest(words), self.assertRaisesRegex(onnxrun.Error, words):
                self.run_with(**methods)


if __name__ == "__main__":
    unittest.main()
