"""python -m onnxrun.reference: what it writes, and what it says of what is wrong, in one line and without a traceback."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import wave

import numpy as np
import onnx
import onnxrun.reference
from onnx import helper
from support import model_of


@unittest.skipIf("LD_PRELOAD" in os.environ, "a sanitizer is loaded, which the tool that it runs has in it")
class Reference(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "model.onnx")
        data = model_of([helper.make_node("Neg", ["x"], ["a"]), helper.make_node("Exp", ["a"], ["y"])], {"x": (np.float32, ["n", 2])},
                        {"y": (np.float32, ["n", 2])})
        onnx.save(onnx.load_from_string(data), self.path)
        self.two = os.path.join(self.folder.name, "two.onnx")
        data = model_of([helper.make_node("Add", ["a", "b"], ["y"])], {"a": (np.float32, ["n"]), "b": (np.float32, ["m"])}, {"y": (np.float32, None)})
        onnx.save(onnx.load_from_string(data), self.two)

    def run_with(self, *words):
        return subprocess.run([sys.executable, "-m", "onnxrun.reference", *words], capture_output=True, text=True, check=False,
                              cwd=self.folder.name)

    def test_nothing_that_is_read_is_lost(self):
        np.save(os.path.join(self.folder.name, "x.npy"), np.ones((1, 2), np.float32))
        for target in ("model.onnx", "x.npy"):
            before = pathlib.Path(self.folder.name, target).read_bytes()
            done = self.run_with("model.onnx", "-i", "x=x.npy", "-o", target)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("would be lost", done.stderr)
            self.assertEqual(pathlib.Path(self.folder.name, target).read_bytes(), before)
        data = np.arange(9, dtype=np.float32)
        data.tofile(os.path.join(self.folder.name, "weights.data"))
        with self.assertRaisesRegex(onnxrun.FileError, "weights.data': there is a file of something else in its place"):
            onnxrun.optimise(self.path, os.path.join(self.folder.name, "weights.data"))

    def test_values(self):
        x = np.array([[1, 2]], np.float32)
        np.save(os.path.join(self.folder.name, "x.npy"), x)
        done = self.run_with(self.path, "-o", "r.npz", "-i", "x=x.npy")
        self.assertEqual((done.returncode, done.stdout), (0, "3 values -> r.npz\n"), done.stderr)
        found = np.load(os.path.join(self.folder.name, "r.npz"))
        np.testing.assert_allclose(found["y"], np.exp(-x), rtol=1e-6)
        np.testing.assert_array_equal(found["a"], -x)
        for given in ("x.npy", "[[1, 2]]", "x=[[1, 2]]"):
            done = self.run_with(self.path, "-o", "r.npz", "-i", given)
            self.assertEqual(done.returncode, 0, done.stderr)
            np.testing.assert_array_equal(np.load(os.path.join(self.folder.name, "r.npz"))["x"], x)
        self.assertEqual(self.run_with(self.path, "-o", "r.npz", "--dim", "n=3").returncode, 0)
        self.assertEqual(np.load(os.path.join(self.folder.name, "r.npz"))["y"].shape, (3, 2))
        self.assertEqual(onnxrun.reference.write(self.path, {"x": x}, os.path.join(self.folder.name, "again.npz")), 3)

    def test_strings_and_odd_names(self):
        """Strings are in it, of sequences it is said that they are not; "file" is a name as any other."""
        nodes = [helper.make_node("Identity", ["text"], ["a:b"]), helper.make_node("SequenceConstruct", ["x", "x"], ["list"]),
                 helper.make_node("SequenceAt", ["list", "one"], ["file"])]
        data = model_of(nodes, {"text": (np.str_, [2]), "x": (np.float32, [2]), "one": (np.int64, [])}, {"a:b": (np.str_, [2]), "file": (np.float32, [2])})
        onnx.save(onnx.load_from_string(data), self.path)
        done = self.run_with(self.path, "-o", "r.npz", "-i", 'text=["é", ""]', "-i", "x=[1, 2]", "-i", "one=1")
        self.assertEqual((done.returncode, done.stdout), (0, "5 values -> r.npz\n"), done.stderr)
        self.assertEqual(done.stderr, "onnxrun: not written, as no array holds them: 'list'\n")
        found = np.load(os.path.join(self.folder.name, "r.npz"))
        self.assertEqual(found["a:b"].tolist(), ["é", ""])
        self.assertEqual(found["file"].tolist(), [1, 2])
        inputs = {"text": np.array(["é", ""], object), "x": np.array([1, 2], np.float32), "one": np.array(1)}
        with self.assertWarnsRegex(UserWarning, "again.npz: not written, as no array holds them: 'list'"):
            self.assertEqual(onnxrun.reference.write(self.path, inputs, os.path.join(self.folder.name, "again.npz")), 5)

    def test_frames(self):
        """Each frame of sound is a run; compare finds all of them."""
        samples = np.arange(-4, 6, dtype=np.int16) * 1024
        with wave.open(os.path.join(self.folder.name, "x.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        data = model_of([helper.make_node("Neg", ["x"], ["y"])], {"x": (np.float32, [1, 4])}, {"y": (np.float32, [1, 4])})
        onnx.save(onnx.load_from_string(data), self.path)
        words = ["-i", "x.wav", "--rate", "8000", "--frame", "4:2"]
        done = self.run_with(self.path, "-o", "r.npz", *words)
        self.assertEqual((done.returncode, done.stdout), (0, "10 values -> r.npz\n"), done.stderr)
        found = np.load(os.path.join(self.folder.name, "r.npz"))
        np.testing.assert_allclose(found["y#3"], -samples[None, 2:6] / 32768)
        np.testing.assert_allclose(found["y"], -np.concatenate([np.zeros(2), samples[:2] / 32768])[None])
        for reference in (["--reference", "r.npz"], []):
            done = subprocess.run([sys.executable, "-m", "onnxrun", "compare", self.path, *words, *reference], capture_output=True, text=True,
                                  check=False, cwd=self.folder.name)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, "(?m)^5 values compared with .*, 0 differ$")

    def test_pictures(self):
        """Gray levels of 8 x 8 are taken as they are, less the mean, over the deviation."""
        pixels = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
        pathlib.Path(self.folder.name, "x.pgm").write_bytes(b"P5 8 8 255\n" + pixels.tobytes())
        data = model_of([helper.make_node("Neg", ["x"], ["y"])], {"x": (np.float32, [1, 1, 8, 8])}, {"y": (np.float32, [1, 1, 8, 8])})
        onnx.save(onnx.load_from_string(data), self.path)
        recipe = pathlib.Path(self.folder.name, "model.json")
        for words in (["--mean", "0.5", "--std", "0.25"], []):
            done = self.run_with(self.path, "-o", "r.npz", "-i", "x.pgm", *words)
            self.assertEqual(done.returncode, 0, done.stderr)
            found = np.load(os.path.join(self.folder.name, "r.npz"))
            np.testing.assert_allclose(found["y"], -((pixels / 255 - 0.5) / 0.25)[None, None], atol=1e-6)
            recipe.write_text('{"inputs": {"x": {"mean": [0.5], "std": [0.25]}}}')

    def test_what_is_wrong_is_one_line(self):
        pathlib.Path(self.folder.name, "text").write_text("text")
        np.save(os.path.join(self.folder.name, "wrong.npy"), np.zeros((1, 3), np.float32))
        for words, code, said in (((["nowhere.onnx", "-o", "r.npz"]), 2, "nowhere.onnx: cannot be opened: No such file"),
                                  ((["text", "-o", "r.npz"]), 2, "text: no ONNX model"),
                                  (([self.path, "-o", "r.npz", "-i", "x=nowhere.npy"]), 2, "nowhere.npy: cannot be opened: No such file"),
                                  (([self.path, "-o", "r.npz", "-i", "x=text"]), 2, "text"),
                                  (([self.path, "-o", "r.npz", "-i", "x=[[1,2]]", "--mean", "1"]), 2, "--mean is for pictures"),
                                  (([self.path, "-o", "r.npz", "--mean", "1"]), 2, "--mean: it is about inputs, and none is given"),
                                  (([self.path, "-o", "r.npz", "-i", "z=text"]), 2, "-i: the model has no 'z'; it has 'x'"),
                                  (([self.path, "-o", "r.npz", "-i", "nowhere"]), 2, "nowhere: cannot be opened"),
                                  (([self.two, "-o", "r.npz", "-i", "text"]), 2, "-i: expected NAME=VALUE, got 'text'"),
                                  (([self.path, "-o", "r.npz", "--dim", "n=many"]), 2, "--dim: expected a whole number of 1 or more, got 'many'"),
                                  (([self.path, "-o", "r.npz", "--dim", "m=2"]), 2, "--dim: the model has no 'm'; it has 'n'"),
                                  (([self.path, "-o", "nowhere/r.npz"]), 5, "No such file or directory: 'nowhere/r.npz'"),
                                  (([self.path, "-o", "r.npz", "-i", "x=wrong.npy"]), 2, "wrong.npy: input 'x': dimension 1 is fixed to 2"),
                                  (([self.two, "-o", "r.npz", "--dim", "n=2", "--dim", "m=3"]), 5, "ONNX Runtime: ")):
            done = self.run_with(*words)
            with self.subTest(words=words):
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(said, done.stderr)
                self.assertNotIn("Traceback", done.stderr)
                self.assertFalse(os.path.exists(os.path.join(self.folder.name, "r.npz")))

    def test_inputs_that_are_no_dict(self):
        with self.assertRaisesRegex(onnxrun.ArgumentError, "inputs: expected {name: array}, found list"):
            onnxrun.reference.write(self.path, [1], "r.npz")

    def test_packages_that_are_missing_are_named(self):
        blocked = "import sys; sys.modules['onnxruntime'] = None; import onnxrun.reference"
        done = subprocess.run([sys.executable, "-c", blocked], capture_output=True, text=True, check=False)
        self.assertIn("pip install 'onnxrun[reference]'", done.stderr)
        self.assertIn("ImportError", done.stderr)


if __name__ == "__main__":
    unittest.main()
