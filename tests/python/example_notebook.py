"""Runs examples/python/digits.ipynb, and looks at what its cells print."""

import pathlib
import unittest

import nbformat
from nbclient import NotebookClient

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "examples" / "python"


class Notebook(unittest.TestCase):
    def test_it_runs(self):
        path = FOLDER / "digits.ipynb"
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}}).execute()
        found = "\n".join(output.get("text") or output["data"]["text/plain"] for cell in notebook.cells if cell.cell_type == "code"
                          for output in cell.outputs)
        for words in ("<onnxrun.Model", "picture: float32[batch, 1, 8, 8]", "[0 1 2 3 4 5 6 7 8 9", "are right", "conv",
                      "expected float32, got float64"):
            self.assertIn(words, found)


if __name__ == "__main__":
    unittest.main()
