"""The face of onnxruntime: the same script with both modules finds the same."""

import json
import os
import tempfile
import unittest

import numpy as np
import onnx
import onnxrun
import onnxruntime
from onnx import helper
from ort_script import run, same
from support import fixture, model_of


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
        with self.assertRaisesRegex(onnxrun.ArgumentError, "no provider"):
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


if __name__ == "__main__":
    unittest.main()
