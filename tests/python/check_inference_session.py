"""The face of onnxruntime: the same script with both modules finds the same."""

import json
import os
import tempfile
import threading
import unittest

import numpy as np
import onnx
import onnxrun
import onnxruntime
from onnx import helper
from ort_script import run, same
from support import fixture, identity, model_of, slow_model


class Script(unittest.TestCase):
    def compare(self, path, feeds):
        theirs, ours = run(onnxruntime, path, feeds), run(onnxrun, path, feeds)
        self.assertEqual(len(theirs), len(ours))
        for i, (a, b) in enumerate(zip(theirs, ours)):
            self.assertTrue(same(a, b), f"{path}, finding {i}: onnxruntime {a!r}, onnxrun {b!r}")

    def test_fixtures(self):
        for name in ("mlp_ts", "cnn_dynamic_batch_ts", "bool_masks_ts", "cnn_f16_ts", "conv_bn_relu_ts9"):
            path, inputs, _ = fixture(name)
            self.compare(path, inputs)

    def test_types_and_metadata(self):
        types = {"f": np.float32, "d": np.float64, "i": np.int64, "b": np.bool_, "u": np.uint8, "s": np.object_, "h": np.float16}
        nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name in types]
        proto = onnx.load_from_string(model_of(nodes, {name: (dtype, ["n", 2]) for name, dtype in types.items()},
                                               {f"{name}_out": (dtype, ["n", 2]) for name, dtype in types.items()},
                                               producer_name="me", domain="com.example", doc_string="words", model_version=3))
        helper.set_model_props(proto, {"a": "1", "b": "ß"})
        feeds = {name: np.array([["x", "ß"]], object) if name == "s" else np.ones((1, 2), dtype) for name, dtype in types.items()}
        with tempfile.TemporaryDirectory() as folder:
            onnx.save(proto, os.path.join(folder, "types.onnx"))
            self.compare(os.path.join(folder, "types.onnx"), feeds)

    def test_a_classifier_of_maps(self):
        maps = helper.make_sequence_type_proto(helper.make_map_type_proto(7, helper.make_tensor_type_proto(1, [])))
        data = model_of([helper.make_node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[5, 7])],
                        {"x": (np.float32, [None, 2])}, {"y": maps}, opsets={"": 21, "ai.onnx.ml": 3})
        feed = {"x": np.array([[0.25, 0.75], [1, 0]], np.float32)}
        (theirs,) = onnxruntime.InferenceSession(data).run(None, feed)
        (ours,) = onnxrun.InferenceSession(data).run(None, feed)
        self.assertEqual(theirs, ours)


class Ours(unittest.TestCase):
    def test_providers(self):
        path, _, _ = fixture("mlp_ts")
        onnxrun.InferenceSession(path, providers=["CUDAExecutionProvider", ("CPUExecutionProvider", {})])
        with self.assertRaisesRegex(onnxrun.ArgumentError, "providers: there is none"):
            onnxrun.InferenceSession(path, providers=["CUDAExecutionProvider"])
        self.assertEqual((onnxrun.get_device(), onnxrun.get_available_providers()), ("CPU", ["CPUExecutionProvider"]))

    def test_profiling_writes_a_trace(self):
        path, inputs, _ = fixture("mlp_ts")
        with tempfile.TemporaryDirectory() as folder:
            options = onnxrun.SessionOptions()
            options.enable_profiling = True
            options.profile_file_prefix = os.path.join(folder, "trace")
            session = onnxrun.InferenceSession(path, options)
            session.run(None, inputs)
            with open(session.end_profiling(), encoding="utf-8") as file:
                events = json.load(file)
        self.assertEqual({event["args"]["layer"] for event in events}, {"gemm"})
        self.assertTrue(all(event["dur"] > 0 for event in events))

    def test_no_rewrites(self):
        path, inputs, _ = fixture("conv_bn_relu_ts9")
        options = onnxrun.SessionOptions()
        options.graph_optimization_level = onnxrun.GraphOptimizationLevel.ORT_DISABLE_ALL
        plain, whole = onnxrun.InferenceSession(path, options), onnxrun.InferenceSession(path)
        self.assertGreater(plain.model.info["num_nodes"], whole.model.info["num_nodes"])
        self.assertTrue(same(plain.run(None, inputs), whole.run(None, inputs)))

    def test_bound_values_are_written(self):
        path, inputs, outputs = fixture("mlp_ts")
        ((name, expected),) = outputs.items()
        session = onnxrun.InferenceSession(path)
        binding, value = session.io_binding(), onnxrun.OrtValue.ortvalue_from_shape_and_type(expected.shape, np.float32)
        for key, array in inputs.items():
            binding.bind_ortvalue_input(key, onnxrun.OrtValue.ortvalue_from_numpy(array))
        binding.bind_ortvalue_output(name, value)
        session.run_with_iobinding(binding)
        np.testing.assert_allclose(value.numpy(), expected, rtol=1e-4, atol=1e-5)
        self.assertIs(binding.get_outputs()[0], value)

    def test_bound_values_that_do_not_fit_are_refused(self):
        path, inputs, outputs = fixture("mlp_ts")
        ((name, expected),) = outputs.items()
        session = onnxrun.InferenceSession(path)
        for array, words in ((np.zeros(expected.shape, np.float64), "expected float64"), (np.zeros((1, *expected.shape), np.float32), "float32"),
                             (np.zeros(expected.shape[-1:], np.float32), "does not fit"), (np.zeros(expected.shape, np.int32), "expected int32")):
            binding = session.io_binding()
            for key, value in inputs.items():
                binding.bind_cpu_input(key, value)
            binding.bind_ortvalue_output(name, onnxrun.OrtValue.ortvalue_from_numpy(array))
            with self.subTest(array.dtype, shape=array.shape), self.assertRaisesRegex(onnxrun.ArgumentError, f"output '{name}' .*{words}"):
                session.run_with_iobinding(binding)
            self.assertFalse(array.any(), "a refused value was written to")
        value = onnxrun.OrtValue.ortvalue_from_numpy(np.zeros(3, np.float32))
        for wrong in (np.zeros(3), np.zeros((1, 3), np.float32), np.float32(0), [1, 2, 3]):
            with self.assertRaisesRegex(onnxrun.ArgumentError, r"expected float32\[3\]"):
                value.update_inplace(wrong)

    def test_memory_by_its_address(self):
        path, inputs, outputs = fixture("mlp_ts")
        ((name, expected),), ((key, x),) = outputs.items(), inputs.items()
        found = np.zeros_like(expected)
        binding = onnxrun.InferenceSession(path).io_binding()
        binding.bind_input(key, "cpu", 0, np.float32, x.shape, x.ctypes.data)
        binding.bind_output(name, "cpu", 0, np.float32, expected.shape, found.ctypes.data)
        binding._session.run_with_iobinding(binding)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)

    def test_values_are_arrays(self):
        array = np.arange(6, dtype=np.float32).reshape(2, 3)
        for module in (onnxrun, onnxruntime):
            value = module.OrtValue.ortvalue_from_numpy(array)
            np.testing.assert_array_equal(np.asarray(value.numpy()), array)
            self.assertEqual((value.tensor_size_in_bytes(), value.element_type(), value.data_ptr() != 0, value.is_tensor_sequence(),
                              value.is_sparse_tensor(), value.data_type()), (24, 1, True, False, False, "tensor(float)"))
            self.assertEqual(module.OrtValue.ortvalue_from_shape_and_type([2], 10).numpy().dtype, np.float16)
        value = onnxrun.OrtValue.ortvalue_from_numpy(array)
        self.assertIs(np.asarray(value), array)
        self.assertEqual(np.asarray(value, np.float64).dtype, np.float64)
        np.testing.assert_array_equal(np.from_dlpack(value), array)

    def test_options_that_are_misspelt_are_refused(self):
        with self.assertRaises(AttributeError):
            onnxrun.SessionOptions().intra_op_num_thread = 1
        for name, value, expected in (("intra_op_num_threads", -1, "a whole number from 0 to 1024"), ("intra_op_num_threads", "2", "a whole number"),
                                      ("inter_op_num_threads", 1.5, "a whole number"), ("graph_optimization_level", 5, "a member of GraphOptimizationLevel"),
                                      ("graph_optimization_level", "all", "a member"), ("execution_mode", True, "a member of ExecutionMode"),
                                      ("enable_profiling", "yes", "True or False"), ("log_severity_level", 9, "a whole number from -1 to 4"), ("logid", 3, "a str")):
            with self.subTest(name=name, value=value), self.assertRaisesRegex(onnxrun.Error, f"{name}: expected {expected}"):
                setattr(onnxrun.SessionOptions(), name, value)
        with self.assertRaises(AttributeError):
            onnxrun.RunOptions().terminated = True
        with self.assertRaises(TypeError):
            onnxrun.InferenceSession(fixture("mlp_ts")[0], session_options=None)

    def test_sizes_of_dimensions(self):
        path, inputs, _ = fixture("cnn_dynamic_batch_dynamo")
        ((key, x),) = inputs.items()
        name = onnxruntime.InferenceSession(path).get_inputs()[0].shape[0]
        shapes = []
        for module in (onnxruntime, onnxrun):
            options = module.SessionOptions()
            options.add_free_dimension_override_by_name(name, len(x))
            session = module.InferenceSession(path, options)
            shapes.append([value.shape for value in session.get_inputs()])
            session.run(None, inputs)
        self.assertEqual(*shapes)
        with self.assertRaisesRegex(onnxrun.ArgumentError, f"'{key}': dimension '{name}' is {len(x) + 1}, SessionOptions say {len(x)}"):
            session.run(None, {key: np.concatenate([x, x[:1]])})
        options.add_free_dimension_override_by_name("nonsense", 1)
        with self.assertWarnsRegex(RuntimeWarning, "no dimension 'nonsense'"):
            onnxrun.InferenceSession(path, options)
        with self.assertRaises(onnxrun.UnsupportedError):
            options.add_free_dimension_override_by_denotation("DATA_BATCH", 1)

    def test_the_rewritten_model_is_written(self):
        data = model_of([helper.make_node("Identity", ["x"], ["a"]), helper.make_node("Neg", ["a"], ["b"]), helper.make_node("Identity", ["b"], ["y"])],
                        {"x": (np.float32, ["n", 2])}, {"y": (np.float32, ["n", 2])})
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.onnx")
            onnx.save(onnx.load_from_string(data), path)
            for i, source in enumerate((path, data)):
                options = onnxrun.SessionOptions()
                options.optimized_model_filepath = os.path.join(folder, f"{i}.onnx")
                onnxrun.InferenceSession(source, options)
                self.assertEqual([node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node], ["Neg"])
                (found,) = onnxruntime.InferenceSession(options.optimized_model_filepath).run(None, {"x": np.ones((1, 2), np.float32)})
                np.testing.assert_array_equal(found, [[-1, -1]])
            options.optimized_model_filepath = path  # the model itself is replaced when all is written; another file is kept
            x = np.ones((1, 2), np.float32)
            (found,) = onnxrun.InferenceSession(path, options).run(None, {"x": x})
            np.testing.assert_array_equal(found, -x)
            self.assertEqual([node.op_type for node in onnx.load(path).graph.node], ["Neg"])
            options.optimized_model_filepath = os.path.join(folder, "text")
            with open(options.optimized_model_filepath, "w", encoding="utf-8") as file:
                file.write("text")
            with self.assertRaisesRegex(onnxrun.FileError, "text': there is a file of something else in its place"):
                onnxrun.InferenceSession(path, options)
            options.optimized_model_filepath = os.path.join(folder, "nowhere", "x.onnx")
            with self.assertRaises(onnxrun.FileError):
                onnxrun.InferenceSession(path, options)

    def test_run_async(self):
        path, inputs, outputs = fixture("mlp_ts")
        done, calls = threading.Event(), []

        def take(*arguments):
            calls.append(arguments)
            done.set()

        session = onnxrun.InferenceSession(path)
        session.run_async(None, inputs, take, "mine")
        self.assertTrue(done.wait(60))
        ((results, mine, error),) = calls
        self.assertEqual((mine, error), ("mine", ""))
        np.testing.assert_allclose(results[0], *outputs.values(), rtol=1e-4, atol=1e-5)
        done.clear()
        session.run_async(None, {name: x.astype(np.int8) for name, x in inputs.items()}, take, None)
        self.assertTrue(done.wait(60))
        self.assertEqual(calls[1][0], [])
        self.assertIn("int8", calls[1][2])

    def test_types_of_what_holds_tensors(self):
        """As onnxruntime itself writes them."""
        tensors = helper.make_tensor_type_proto(1, [None, 2])
        sequence = helper.make_sequence_type_proto(tensors)
        words = helper.make_map_type_proto(onnx.TensorProto.INT64, helper.make_tensor_type_proto(8, None))
        for declared in (sequence, helper.make_sequence_type_proto(helper.make_tensor_type_proto(7, None)), helper.make_optional_type_proto(tensors),
                         helper.make_optional_type_proto(sequence)):
            data = model_of([helper.make_node("Identity", ["s"], ["y"])], {"s": declared}, {"y": declared})
            (found,), (expected,) = onnxrun.InferenceSession(data).get_inputs(), onnxruntime.InferenceSession(data).get_inputs()
            self.assertEqual(found.type, expected.type)
        for declared, text in ((words, "map(int64,tensor(string))"), (helper.make_sequence_type_proto(words), "seq(map(int64,tensor(string)))")):
            data = model_of([helper.make_node("Identity", ["s"], ["y"])], {"s": declared}, {"y": declared})
            self.assertEqual(onnxrun.InferenceSession(data).get_inputs()[0].type, text)
        (output,) = onnxrun.InferenceSession(model_of([helper.make_node("SequenceConstruct", ["x"], ["y"])], {"x": (np.float32, [2])}, {"y": sequence})).get_outputs()
        self.assertEqual(output.type, "seq(tensor(float))")
        value = onnxrun.OrtValue([np.zeros(2, np.float64)])
        self.assertEqual(value.data_type(), "seq(tensor(double))")

    def test_terminate_is_not_lost_before_the_run_begins(self):
        options = onnxrun.RunOptions()

        class Late:
            """An array whose conversion, behind the first look at terminate, sets it."""

            def __array__(self, dtype=None, copy=None):
                options.terminate = True
                return np.ones(2, np.float32)

        session = onnxrun.InferenceSession(identity(np.float32, [2]))
        with self.assertRaises(onnxrun.CancelledError):
            session.run(None, {"x": Late()}, options)
        options.terminate = False
        np.testing.assert_array_equal(session.run(None, {"x": np.ones(2, np.float32)}, options)[0], [1, 1])

    def test_terminate_ends_a_run(self):
        session, options = onnxrun.InferenceSession(slow_model(10_000_000)), onnxrun.RunOptions()
        timer = threading.Timer(0.1, lambda: setattr(options, "terminate", True))
        timer.start()
        with self.assertRaises(onnxrun.CancelledError):
            session.run(None, {"x": np.eye(64, dtype=np.float32)}, options)
        timer.join()
        with self.assertRaises(onnxrun.CancelledError):
            session.run(None, {"x": np.eye(64, dtype=np.float32)}, options)


if __name__ == "__main__":
    unittest.main()
