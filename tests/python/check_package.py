"""The package as a whole: its names, its stubs, the tool in it, what it says when an extra is missing."""

import ast
import importlib
import inspect
import os
import pathlib
import signal
import subprocess
import sys
import unittest

import onnxrun
from onnxrun import _onnxrun

PACKAGE = pathlib.Path(onnxrun.__file__).parent


class Names(unittest.TestCase):
    def test_every_public_name_is_there_and_described(self):
        for name in onnxrun.__all__:
            value = getattr(onnxrun, name)
            self.assertTrue(isinstance(value, str) or inspect.getdoc(value), f"{name} has no description")

    def test_every_name_is_listed(self):
        for name, value in vars(onnxrun).items():
            if name.startswith("_") or inspect.ismodule(value) or name in ("TYPE_CHECKING",):
                continue
            self.assertIn(name, onnxrun.__all__)

    def test_stubs_name_what_the_extension_has(self):
        tree = ast.parse((PACKAGE / "_onnxrun.pyi").read_text())
        stubs = {node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
        stubs.update({node.target.id: node for node in tree.body if isinstance(node, ast.AnnAssign)})
        self.assertEqual(set(stubs), {name for name in dir(_onnxrun) if not name.startswith("_")})
        for name in ("Model", "Session"):
            methods = {node.name for node in stubs[name].body if isinstance(node, ast.FunctionDef)} - {"__new__"}
            self.assertEqual(methods, {key for key in vars(getattr(_onnxrun, name)) if not key.startswith("_")})

    def test_public_functions_have_types(self):
        for owner in (onnxrun, onnxrun.Model, onnxrun.Session, onnxrun.InferenceSession, onnxrun.SessionOptions, onnxrun.OrtValue,
                      onnxrun.IOBinding):
            for name, value in vars(owner).items():
                if inspect.isfunction(value) and value.__module__.startswith("onnxrun.") and (not name.startswith("_") or name == "__call__"):
                    self.assertIn("return", value.__annotations__, f"{owner.__name__}.{name} has no types")
        self.assertTrue((PACKAGE / "py.typed").exists())

    def test_an_extra_that_is_missing_is_named(self):
        try:
            importlib.import_module("torch")
        except ImportError:
            with self.assertRaisesRegex(ImportError, r"pip install 'onnxrun\[export\]'"):
                onnxrun.export
        with self.assertRaisesRegex(AttributeError, "nonsense"):
            onnxrun.nonsense


@unittest.skipIf("LD_PRELOAD" in os.environ, "a sanitizer is loaded, which the tool has in it")
class Tool(unittest.TestCase):
    def run_tool(self, *words):
        return subprocess.run([sys.executable, "-m", "onnxrun", *words], capture_output=True, text=True, check=False)

    def test_a_reader_may_go_before_all_is_printed(self):
        command = f"'{sys.executable}' -m onnxrun ops --json | head -c 1; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        self.assertEqual((done.stdout, done.stderr), ("[" + str(128 + signal.SIGPIPE) + "\n", ""))

    def test_it_is_the_tool(self):
        done = self.run_tool("--version")
        self.assertEqual((done.returncode, done.stdout.strip()), (0, onnxrun.version()))
        self.assertIn(onnxrun.__version__, done.stdout)
        self.assertEqual(self.run_tool("nonsense").returncode, 2)
        self.assertEqual(self.run_tool("run", "there is none.onnx").returncode, 5)


if __name__ == "__main__":
    unittest.main()
