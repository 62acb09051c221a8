"""ONNX's own runner of backends over onnxrun.backend: all of its cases but those that tests/onnx/suite/expected.txt does not expect
to pass, those of EXCLUDED, and the large models, which the runner would download."""

import pathlib
import re
import unittest
import warnings

import numpy as np
import onnxrun.backend

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # making the cases
    import onnx.backend.test

    # What is 0 in exact arithmetic is 2e-7 in the expected values.
    backend_test = onnx.backend.test.BackendTest(onnxrun.backend, __name__, test_kwargs={
        name: {"atol": 1e-6} for name in ("test_dft_inverse", "test_dft_inverse_opset19")})

EXCLUDED = {"test_loop16_seq_none": "the runner asks for the length of a scalar in a sequence; onnx/test_suite has the case"}
EXPECTED = pathlib.Path(__file__).resolve().parent.parent / "onnx" / "suite" / "expected.txt"


def rows():
    for line in EXPECTED.read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split()[:2]


for name, result in rows():
    if result != "ok" or name in EXCLUDED:
        backend_test.exclude(f"^{re.escape(name)}_(cpu|cuda)$")
backend_test.exclude("_cuda$")

cases = dict(backend_test.test_cases)
cases.pop("OnnxBackendRealModelTest")  # they are downloaded


class Complete(unittest.TestCase):
    def test_every_case_of_the_list_is_run(self):
        run = {name.removesuffix("_cpu") for case in cases.values() for name in dir(case) if name.endswith("_cpu")}
        missing = {name for name, result in rows() if result == "ok" and not name.startswith("light_")} - run
        self.assertFalse(missing)

    def test_one_node(self):
        node = onnx.helper.make_node("Add", ["a", "b"], ["c"])
        (c,) = onnxrun.backend.run_node(node, [np.ones(2, np.float32), np.ones(2, np.float32)])
        np.testing.assert_array_equal(c, [2, 2])
        self.assertFalse(onnxrun.backend.supports_device("CUDA"))


globals().update(cases)

if __name__ == "__main__":
    unittest.main()
