"""The snippets of docs/python.md, one after the other, in the folder that it names; and the examples that need no more packages."""

import contextlib
import io
import json
import os
import pathlib
import re
import runpy
import shlex
import shutil
import subprocess
import tempfile
import textwrap
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Docs(unittest.TestCase):
    def test_snippets(self):
        text = (ROOT / "docs" / "python.md").read_text()
        snippets = re.findall(r"^```python\n(.*?)^```$", text, flags=re.S | re.M)
        self.assertGreater(len(snippets), 5)
        names, printed, before = {"__name__": "docs"}, io.StringIO(), os.getcwd()
        os.chdir(ROOT / "tests" / "fixtures" / "demo")
        try:
            with contextlib.redirect_stdout(printed):
                for snippet in snippets:
                    exec(compile(snippet, "docs/python.md", "exec"), names)
        finally:
            os.chdir(before)
        self.assertIn("[0 1 2 3 4 5 6 7 8 9", printed.getvalue())
        self.assertIn("input 'picture': expected float32, got float64", printed.getvalue())

    def test_the_lines_of_the_readme(self):
        (block,) = re.findall(r"^    import numpy as np\n(?:(?:    .*)?\n)*", (ROOT / "README.md").read_text(), flags=re.M)
        before, printed, names = os.getcwd(), io.StringIO(), {}
        os.chdir(ROOT / "tests" / "fixtures" / "demo")
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(textwrap.dedent(block), "README.md", "exec"), names)
        finally:
            os.chdir(before)
        (said,) = re.findall(r"# (\[[0-9 ]*\])", block)
        self.assertTrue(printed.getvalue().startswith(said))
        self.assertTrue((names["same"] == names["probabilities"]).all())

    def test_guides(self):  # commands and Python, in the order of the page
        tool = pathlib.Path(os.environ["PYTHONPATH"]).parent / "onnxrun"
        for guide in ("load", "deploy"):  # quantise: tests/models/check_quantize.py, which has the packages
            text, names, before = (ROOT / "docs" / f"{guide}.md").read_text(), {"__name__": "docs"}, os.getcwd()
            steps = re.findall(r"^```python\n(.*?)^```$|^    (onnxrun [^\n]*)$", text, flags=re.S | re.M)
            self.assertGreater(len(steps), 3, guide)
            with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()):
                shutil.copytree(ROOT / "tests" / "fixtures" / "demo", scratch, dirs_exist_ok=True)
                os.chdir(scratch)
                try:
                    for snippet, command in steps:
                        if snippet:
                            exec(compile(snippet, f"docs/{guide}.md", "exec"), names)
                        elif "LD_PRELOAD" not in os.environ:  # a sanitizer's, which the tool has in it
                            done = subprocess.run([tool, *shlex.split(command)[1:]], capture_output=True, text=True)
                            self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
                finally:
                    os.chdir(before)

    def test_every_error_is_listed(self):
        import onnxrun
        text = (ROOT / "docs" / "python.md").read_text()
        for name in [*onnxrun.__all__, *onnxrun._ON_DEMAND]:
            if name.endswith("Error"):
                self.assertIn(f"`{name}`" if name != "Error" else "`onnxrun.Error`", text)


class Examples(unittest.TestCase):
    def test_cells_of_the_notebook(self):  # tests/python/run_large runs it as a notebook
        folder = ROOT / "examples" / "python"
        cells = json.loads((folder / "digits.ipynb").read_text())["cells"]
        self.assertFalse([cell for cell in cells if cell.get("outputs")], "commit it without outputs")
        names, before = {"__name__": "notebook"}, os.getcwd()
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                for cell in cells:
                    if cell["cell_type"] == "code":
                        exec(compile("".join(cell["source"]), "digits.ipynb", "exec"), names)
        finally:
            os.chdir(before)
        self.assertIn("are right", printed.getvalue())

    def printed(self, name):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            runpy.run_path(str(ROOT / "examples" / "python" / name), run_name="__main__")
        return printed.getvalue()

    def test_classify(self):
        import sys
        before, sys.argv = sys.argv, ["classify.py"]
        try:
            self.assertEqual([line[0] for line in self.printed("classify.py").splitlines()[:10]], list("0123456789"))
        finally:
            sys.argv = before

    def test_own_operator(self):
        self.assertEqual(self.printed("own_operator.py"), "[2. 3. 5.]\n")


if __name__ == "__main__":
    unittest.main()
