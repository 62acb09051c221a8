"""examples/python/serve.py: what it answers is what the model says, bad rows are told, and requests that come together are one batch."""

import concurrent.futures
import os
import pathlib
import sys
import unittest

import numpy as np
import onnxrun

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = ROOT / "tests" / "fixtures" / "demo"
os.environ["MODEL"] = str(DEMO / "model.onnx")
sys.path.insert(0, str(ROOT / "examples" / "python"))

import serve  # noqa: E402
from fastapi.testclient import TestClient  # noqa: E402


class Server(unittest.TestCase):
    def test_it_answers(self):
        pictures = np.load(DEMO / "digits.npy")
        expected = onnxrun.load(DEMO / "model.onnx")(pictures)
        with TestClient(serve.app) as client:
            # Until the batch is full the model waits for the others, so that they are there together.
            model, gathered = serve.app.state.batcher.model, serve.app.state.batcher.waiting

            def wait(rows, first=[True]):
                while first[0] and gathered.qsize() < len(pictures) - len(rows):
                    pass
                first[0] = False
                return model(rows)

            wait.inputs = model.inputs
            serve.app.state.batcher.model = wait
            with concurrent.futures.ThreadPoolExecutor(len(pictures)) as pool:
                answers = list(pool.map(lambda x: client.post("/run", json={"x": x.tolist()}), pictures))
            self.assertEqual([answer.status_code for answer in answers], [200] * len(pictures))
            np.testing.assert_allclose([answer.json()["y"] for answer in answers], expected, rtol=1e-4, atol=1e-5)
            batches = client.get("/batches").json()
            self.assertEqual(sum(batches), len(pictures))
            self.assertEqual(len(batches), 2, "what came while the first batch ran is no one batch")
            self.assertEqual(client.post("/run", json={"x": [[1, 2]]}).status_code, 422)
            self.assertIn("expected a row of picture: float32[batch, 1, 8, 8]", client.post("/run", json={"x": [1]}).json()["detail"])
            self.assertEqual(client.post("/run", json={"x": ["text"]}).status_code, 422)
            self.assertEqual(client.post("/run", json={"x": pictures[0].tolist()}).status_code, 200)

    def test_models_of_another_kind(self):
        picture = np.load(DEMO / "digits.npy")[0]
        with TestClient(serve.app) as client:
            batcher = serve.app.state.batcher
            model = batcher.model

            def answer_of(function, row):
                function.inputs = model.inputs
                batcher.model = function
                return client.post("/run", json={"x": row})

            several = answer_of(lambda rows: (model(rows), rows), picture.tolist())
            np.testing.assert_allclose(several.json()["y"], model(picture[None])[0], rtol=1e-4, atol=1e-5)
            scalar = answer_of(lambda rows: np.float32(rows.sum()), picture.tolist())
            self.assertEqual(scalar.status_code, 500)
            self.assertIn("the model has no row for each", scalar.json()["detail"])
            for wrong in (np.full(picture.shape, None).tolist(), [{"a": 1}], np.full(picture.shape, "NaN").tolist()):
                self.assertEqual(answer_of(lambda rows: model(rows), wrong).status_code, 422)
            self.assertEqual(answer_of(lambda rows: model(rows), picture.tolist()).status_code, 200)


if __name__ == "__main__":
    unittest.main()
