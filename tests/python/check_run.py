"""load, Model and Session: what goes in comes out, and what is wrong is told."""

import os
import pathlib
import pickle
import signal
import threading
import unittest

import numpy as np
import onnxrun
from onnx import helper
from support import fixture, identity, model_of, slow_model


class Run(unittest.TestCase):
    def test_fixtures_by_position_and_by_name(self):
        for name in ("mlp_ts", "cnn_dynamic_batch_dynamo", "cnn_f16_dynamo", "bool_masks_dynamo"):
            path, inputs, outputs = fixture(name)
            model = onnxrun.load(path)
            for found in (model(*inputs.values()), model(**inputs), tuple(model.run(inputs).values())):
                found = found if isinstance(found, tuple) else (found,)
                self.assertEqual(len(found), len(outputs), name)
                for expected, array in zip(outputs.values(), found):
                    self.assertEqual((array.dtype, array.shape), (expected.dtype, expected.shape), name)
                    np.testing.assert_allclose(array, expected, rtol=2e-3, atol=1e-3, err_msg=name)

    def test_every_type_of_numpy(self):
        for dtype in "?bBhHiIlLqQefdFD":
            x = np.arange(6).reshape(2, 3).astype(dtype)
            y = onnxrun.load(identity(x.dtype, [None, 3]))(x)
            self.assertEqual(y.dtype, x.dtype)
            np.testing.assert_array_equal(x, y)

    def test_types_of_ml_dtypes(self):
        import ml_dtypes
        for number, name, values in ((16, "bfloat16", [1.5, -2]), (17, "float8_e4m3fn", [1.5, -2]), (21, "uint4", [0, 15]),
                                     (22, "int4", [-8, 7]), (25, "uint2", [0, 3]), (26, "int2", [-2, 1]), (24, "float8_e8m0fnu", [1, 2])):
            x = np.array(values, np.float32).astype(getattr(ml_dtypes, name))
            y = onnxrun.load(identity(number, [2]))(x)
            self.assertEqual(y.dtype, x.dtype)
            np.testing.assert_array_equal(x.astype(np.float32), y.astype(np.float32))

    def test_layouts_are_made_contiguous(self):
        x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
        unaligned = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape)
        model = onnxrun.load(identity(np.float32, [None, None, None]))
        for array in (x.T, x[:, ::-1], x[..., ::2], x.astype(">f4"), np.asfortranarray(x), unaligned, x[:0]):
            np.testing.assert_array_equal(model(array), array)
        x.flags.writeable = False
        np.testing.assert_array_equal(model(x), x)
        np.testing.assert_array_equal(onnxrun.load(identity(np.float32, []))(np.float32(3)), np.float32(3))
        np.testing.assert_array_equal(onnxrun.load(identity(np.float32, [2]))([1, 2]), [1, 2])

    def test_results_are_the_callers(self):
        model = onnxrun.load(identity(np.float32, [2]), threads=1)
        first = model(np.ones(2, np.float32))
        second = model(np.zeros(2, np.float32))
        np.testing.assert_array_equal(first, 1)
        np.testing.assert_array_equal(second, 0)
        self.assertTrue(first.flags.owndata and first.flags.writeable)

    def test_strings(self):
        x = np.array([["a", "ß"], ["", "long " * 100]], object)
        model = onnxrun.load(identity(np.object_, [2, 2]))
        np.testing.assert_array_equal(model(x), x)
        np.testing.assert_array_equal(model(x.astype(str)), x)
        np.testing.assert_array_equal(model([["a", "b"], ["c", "d"]]), np.array([["a", "b"], ["c", "d"]], object))

    def test_sequences(self):
        tensors = helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, None))
        data = model_of([helper.make_node("SequenceInsert", ["s", "x"], ["y"])], {"s": tensors, "x": (np.float32, None)}, {"y": tensors})
        s, x = [np.zeros((2, 3), np.float32), np.ones(4, np.float32)], np.full((1, 1), 2, np.float32)
        found = onnxrun.load(data)(s, x)
        for expected, array in zip([*s, x], found, strict=True):
            np.testing.assert_array_equal(expected, array)
        optional = helper.make_optional_type_proto(helper.make_tensor_type_proto(1, [2]))
        model = onnxrun.load(model_of([helper.make_node("OptionalHasElement", ["o"], ["y"])], {"o": optional}, {"y": (np.bool_, [])}))
        self.assertTrue(model(np.ones(2, np.float32)))
        self.assertFalse(model(None))

    def test_outputs_whose_size_the_run_tells(self):
        model = onnxrun.load(model_of([helper.make_node("NonZero", ["x"], ["y"])], {"x": (np.float32, [None])}, {"y": (np.int64, [1, None])}))
        np.testing.assert_array_equal(model(np.array([0, 1, 0, 2], np.float32)), [[1, 3]])
        self.assertEqual(model(np.zeros(2, np.float32)).shape, (1, 0))

    def test_some_outputs(self):
        nodes = [helper.make_node("Neg", ["x"], ["a"]), helper.make_node("Add", ["x", "z"], ["b"])]
        x = np.array([1, 2], np.float32)
        model = onnxrun.load(model_of(nodes, {"x": (np.float32, [2]), "z": (np.float32, [2])}, {"a": (np.float32, [2]), "b": (np.float32, [2])}))
        a, b = model(x, x)
        np.testing.assert_array_equal(b, [2, 4])
        self.assertEqual(list(model.run({"x": x, "z": x})), ["a", "b"])
        (only,) = model.run({"x": x}, ["a"]).items()
        np.testing.assert_array_equal(only[1], [-1, -2])
        with self.assertRaisesRegex(onnxrun.ArgumentError, "'z' has not been set"):  # and not that of the last call
            model(x)
        with self.assertRaisesRegex(onnxrun.ArgumentError, "no output 'c'; the model has 'a', 'b'"):
            model.run({"x": x}, ["c"])

    def test_defaults(self):
        data = model_of([helper.make_node("Add", ["x", "w"], ["y"])], {"x": (np.float32, [2]), "w": (np.float32, [2])}, {"y": (np.float32, [2])},
                        {"w": np.array([10, 20], np.float32)})
        model = onnxrun.load(data)
        x = np.ones(2, np.float32)
        self.assertEqual([info.has_default for info in model.inputs], [False, True])
        np.testing.assert_array_equal(model(x), [11, 21])
        np.testing.assert_array_equal(model(x, w=x), [2, 2])
        np.testing.assert_array_equal(model(x), [11, 21])

    def test_states(self):
        data = model_of([helper.make_node("Concat", ["past", "x"], ["present"], axis=1), helper.make_node("ReduceSum", ["present"], ["y"], keepdims=0)],
                        {"past": (np.float32, [1, "past", 2]), "x": (np.float32, [1, "new", 2])},
                        {"y": (np.float32, []), "present": (np.float32, [1, "all", 2])})
        session = onnxrun.load(data).session(states="present=past")
        self.assertEqual(session.states, {"present": "past"})
        one = np.ones((1, 1, 2), np.float32)
        self.assertEqual([float(session(x=one)) for _ in range(3)], [2, 4, 6])
        self.assertEqual(session.run({"x": one}, ["present"])["present"].shape, (1, 4, 2))
        session.reset_states()
        self.assertEqual(float(session(x=one)), 2)
        self.assertEqual(float(session(x=one, past=np.zeros((1, 5, 2), np.float32))), 2)
        self.assertEqual(session.run({"x": one}, ["present"])["present"].shape, (1, 7, 2))
        with self.assertRaises(onnxrun.Error):
            session(x=one, past=np.zeros((1, 5, 3), np.float32))
        self.assertEqual(list(onnxrun.load(data).session(states=True).states), ["present"])

    def test_a_cache_of_int8(self):
        data = model_of([helper.make_node("Attention", ["q", "k", "v", "", "past_k", "past_v"], ["y", "present_k", "present_v"])],
                        {name: (np.float32, [1, 2, name, 16]) for name in ("q", "k", "v")}
                        | {name: (np.float32, [1, 2, "past", 16]) for name in ("past_k", "past_v")},
                        {name: (np.float32, [1, 2, None, 16]) for name in ("y", "present_k", "present_v")}, opsets={"": 23})
        model, random = onnxrun.load(data), np.random.default_rng(0)
        exact, narrow = (model.session(states=True, cache_int8=flag) for flag in (False, True))
        for rows in (40, 1, 1, 3):
            inputs = {name: random.standard_normal((1, 2, rows, 16), np.float32) for name in ("q", "k", "v")}
            expected, found = (session.run(inputs, ["y", "present_v"]) for session in (exact, narrow))
            np.testing.assert_allclose(found["y"], expected["y"], atol=0.02)
            steps = np.abs(expected["present_v"]).max(-1, keepdims=True) / 127
            self.assertLessEqual((np.abs(found["present_v"] - expected["present_v"]) / steps).max(), 0.501)
            self.assertTrue((found["present_v"] != expected["present_v"]).any())
        with self.assertRaises(onnxrun.ArgumentError):
            model.session(cache_int8=2)

    def test_what_a_model_tells(self):
        data = model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": (np.float32, ["batch", 3, None])}, {"y": (np.float32, ["batch", 3, None])},
                        producer_name="me", opsets={"": 18, "example": 2})
        import onnx
        proto = onnx.load_from_string(data)
        helper.set_model_props(proto, {"labels": "a,b"})
        model = onnxrun.load(proto.SerializeToString())
        self.assertEqual(model.inputs, (("x", "float32", ("batch", 3, None), False),))
        self.assertEqual(str(model.outputs[0]), "y: float32[batch, 3, ?]")
        self.assertEqual(model.metadata, {"labels": "a,b"})
        self.assertEqual(model.opsets, {"": 18, "example": 2})
        self.assertEqual((model.info["producer_name"], model.info["ir_version"]), ("me", 10))
        self.assertIn("input  x: float32[batch, 3, ?]", repr(model))
        self.assertIn("onnxrun.Session", repr(model.session()))

    def test_profile(self):
        path, inputs, _ = fixture("cnn_dynamic_batch_dynamo")
        profile = onnxrun.load(path, threads=1).profile(runs=3, **inputs)
        self.assertTrue(all(node.runs == 3 for node in profile))
        self.assertGreater(profile.total_ns, 0)
        self.assertIn("conv", {node.layer for node in profile})
        self.assertEqual(len(str(profile).splitlines()), len(profile) + 1)

    def test_names_are_those_of_the_file(self):
        name = "n" * 150 + "\n'\x1b é"
        data = model_of([helper.make_node("Softmax", ["x"], ["y"], name=name)], {"x": (np.float32, [2])}, {"y": (np.float32, [2])})
        profile = onnxrun.load(data).profile(x=np.zeros(2, np.float32))
        self.assertEqual([node.name for node in profile], [name])
        self.assertTrue(str(profile).isascii() and "\x1b" not in str(profile) and len(str(profile).splitlines()) == 2)

    def test_loading_bytes_and_paths(self):
        path, inputs, outputs = fixture("mlp_ts")
        data = pathlib.Path(path).read_bytes()
        for source in (path, pathlib.Path(path), data, bytearray(data), memoryview(data)):
            found = onnxrun.load(source, threads=2)(**inputs)
            np.testing.assert_allclose(found, *outputs.values(), rtol=1e-4, atol=1e-5)
        again = pickle.loads(pickle.dumps(onnxrun.load(path, threads=2)))
        np.testing.assert_array_equal(again(**inputs), found)
        portable = onnxrun.load(path, portable=True).session()
        portable(**inputs)
        self.assertNotIn("xnnpack", {node.kernel for node in portable.nodes()})

    def test_precision(self):
        path, inputs, outputs = fixture("mlp_ts")
        session = onnxrun.load(path, precision="fast").session()
        np.testing.assert_allclose(session(**inputs), *outputs.values(), rtol=2e-2, atol=2e-2)
        self.assertTrue(all(node.method == "half" or node.note for node in session.nodes() if node.multiply_adds))
        with self.assertRaisesRegex(ValueError, "expected 'exact' or 'fast', found 'half'"):
            onnxrun.load(path, precision="half")


class Wrong(unittest.TestCase):
    def test_errors_have_classes(self):
        self.assertTrue(issubclass(onnxrun.ShapeError, onnxrun.Error) and issubclass(onnxrun.ShapeError, ValueError))
        with self.assertRaises(onnxrun.FileError) as caught:
            onnxrun.load("there is none.onnx")
        self.assertEqual((caught.exception.status, caught.exception.where), ("IO", ""))
        self.assertIsInstance(caught.exception, OSError)
        with self.assertRaises(onnxrun.ParseError):
            onnxrun.load(b"nonsense")
        with self.assertRaisesRegex(onnxrun.UnsupportedError, "Nonsense"):
            onnxrun.load(model_of([helper.make_node("Nonsense", ["x"], ["y"])], {"x": (np.float32, [2])}, {"y": (np.float32, [2])}))
        with self.assertRaisesRegex(onnxrun.LimitError, "tensor_bytes"):
            onnxrun.load(identity(np.float32, [100]), limits={"tensor_bytes": 16})(np.zeros(100, np.float32))
        with self.assertRaisesRegex(onnxrun.ArgumentError, "nothing"):
            onnxrun.load(identity(np.float32, [100]), limits={"nothing": 16})

    def test_errors_name_the_input(self):
        model = onnxrun.load(identity(np.float32, [2, 3]))
        x = np.zeros((2, 3), np.float32)
        for args, named, words in (((x.astype(float),), {}, "'x': expected float32, got float64"), ((x[0],), {}, "'x': expected rank 2"),
                                   ((), {"y": x}, "no input 'y'; the model has 'x'"), ((x,), {"x": x}, "'x' was given twice"),
                                   ((x, x), {}, "2 inputs were given, the model has 1"), (("text",), {}, "'x'"), (([[1, 2], [3]],), {}, "'x'"),
                                   ((np.zeros((1,) * 9, np.float32),), {}, "9 dimensions"), ((x.astype("V4"),), {}, "'x'"),
                                   ((x[:, :2],), {}, "dimension 1 is fixed to 3")):
            with self.assertRaisesRegex(onnxrun.ArgumentError, words):
                model(*args, **named)
        np.testing.assert_array_equal(model(x), x)

    def test_long_lists_are_cut(self):
        names = [f"past{i}" for i in range(12)]
        model = onnxrun.load(model_of([helper.make_node("Sum", names, ["y"])], {name: (np.float32, [2]) for name in names}, {"y": (np.float32, [2])}))
        with self.assertRaisesRegex(onnxrun.ArgumentError, "no input 'z'; the model has 'past0', .*, 'past5' and 6 others$"):
            model(z=1)


class Threads(unittest.TestCase):
    def test_a_model_serves_many_threads(self):
        path, inputs, outputs = fixture("cnn_dynamic_batch_dynamo")
        for threads in (1, 2):
            model = onnxrun.load(path, threads=threads)
            expected, wrong = model(**inputs), []

            def work():
                for _ in range(20):
                    if not np.array_equal(model(**inputs), expected):
                        wrong.append(1)

            workers = [threading.Thread(target=work) for _ in range(4)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            self.assertFalse(wrong)

    def test_a_session_refuses_a_second_thread(self):
        session = onnxrun.load(slow_model(10_000_000), threads=1, limits={"work": "1000T"}).session()
        x = np.eye(64, dtype=np.float32)
        caught = []

        def run():
            try:
                session(x)
            except onnxrun.Error as error:
                caught.append(error)

        worker = threading.Thread(target=run)
        worker.start()
        while not caught:  # until it is in the run, which lets go of the interpreter
            try:
                session.nodes()
            except onnxrun.StateError as error:
                caught.append(error)
        self.assertIn("in use by another thread", str(caught[0]))
        session.cancel()
        worker.join()
        self.assertIsInstance(caught[1], onnxrun.CancelledError)

    def test_ctrl_c_ends_a_run(self):
        session = onnxrun.load(slow_model(10_000_000), limits={"work": "1000T"}).session()
        timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            session(np.eye(64, dtype=np.float32))
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)
        timer.join()

    def test_a_handler_that_goes_on_lets_the_run_go_on(self):
        session = onnxrun.load(slow_model(3000)).session()
        x, seen = np.eye(64, dtype=np.float32), []
        before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
        try:
            expected = session(x)
            timer = threading.Timer(0.01, lambda: os.kill(os.getpid(), signal.SIGINT))
            timer.start()
            while not seen:
                np.testing.assert_array_equal(session(x), expected)
            timer.join()
        finally:
            signal.signal(signal.SIGINT, before)

    def test_a_fork_runs_alone(self):
        path, inputs, _ = fixture("mlp_ts")
        model = onnxrun.load(path, threads=2)
        session = model.session()
        expected = session(**inputs)
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            code = 1
            try:
                if np.array_equal(model(**inputs), expected):
                    try:
                        session(**inputs)
                    except onnxrun.StateError:
                        del session, model
                        code = 0
            finally:
                os._exit(code)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)


if __name__ == "__main__":
    unittest.main()
