#!/usr/bin/env python3
"""Checks of real models that go beyond one tensor at a time.

    compare.py ONNXRUN MODELS_DIR

Quantised models round differently in every runtime: their outputs must point
the same way and decide the same. The text recogniser must read the text that
was drawn. The voice detector must stay right over twenty frames when its own
state is carried along. One line a check: "ok NAME" or "FAIL NAME: reason".
"""

import os
import re
import subprocess
import sys
import tempfile

import numpy as np

import decode_ocr
import fixture_io as fio


class Runner:
    """Runs models with the command-line tool, as a user would."""

    def __init__(self, onnxrun, models):
        self.onnxrun, self.models = onnxrun, models

    def data_sets(self, name):
        """The (inputs, outputs) of a model's data sets."""
        folder = os.path.join(self.models, name)
        return [fio.load_data_set(data) for data in fio.data_sets(folder)]

    def run(self, name, inputs, outputs):
        """The arrays that onnxrun computes for the named outputs."""
        with tempfile.TemporaryDirectory() as folder:
            command = [self.onnxrun, "run",
                       os.path.join(self.models, name, "model.onnx")]
            for i, (input_name, array) in enumerate(inputs.items()):
                path = os.path.join(folder, f"input_{i}.npy")
                np.save(path, array)
                command += ["-i", f"{input_name}={path}"]
            results = os.path.join(folder, "results")
            os.mkdir(results)
            done = subprocess.run([*command, "-o", results], text=True,
                                  capture_output=True, timeout=300,
                                  check=False)
            if done.returncode:
                message = (done.stderr or done.stdout).strip()
                raise RuntimeError(f"exit {done.returncode}: {message[:300]}")
            return [np.load(os.path.join(
                results, re.sub(r"[^A-Za-z0-9._-]", "_", output) + ".npy"))
                for output in outputs]


def quantised(runner, name, decide):
    """Cosine of everything the model says, and each decision."""
    found, expected = [], []
    for inputs, outputs in runner.data_sets(name):
        results = runner.run(name, inputs, outputs)
        for result, output in zip(results, outputs.values()):
            if result.shape != output.shape:
                raise RuntimeError(f"expected shape {output.shape}, "
                                   f"found {result.shape}")
            if not np.array_equal(decide(result), decide(output)):
                raise RuntimeError(f"decides {decide(result)}, "
                                   f"expected {decide(output)}")
            found.append(result.ravel())
            expected.append(output.ravel())
    a = np.concatenate(found).astype(np.float64)
    b = np.concatenate(expected).astype(np.float64)
    cosine = a @ b / np.sqrt((a @ a) * (b @ b))
    if not cosine >= 0.999:
        raise RuntimeError(f"cosine {cosine:.5f}, expected 0.999 or more")


def reads_text(runner):
    folder = os.path.join(runner.models, "ppocr_rec")
    dictionary = decode_ocr.read_dictionary(
        os.path.join(folder, "dictionary.txt"))
    with open(os.path.join(folder, "texts.txt"), encoding="utf-8") as file:
        texts = file.read().splitlines()
    sets = runner.data_sets("ppocr_rec")
    if not texts or len(texts) != len(sets):
        raise RuntimeError(f"{len(texts)} texts, {len(sets)} data sets")
    for text, (inputs, outputs) in zip(texts, sets):
        (result,) = runner.run("ppocr_rec", inputs, outputs)
        read = decode_ocr.decode(result, dictionary)
        if read != text:
            raise RuntimeError(f"reads {read!r}, expected {text!r}")


def hears_voice(runner, name):
    state = None
    for frame, (inputs, outputs) in enumerate(runner.data_sets(name)):
        if state is not None:
            inputs["state"] = state
        voice, state = runner.run(name, inputs, ("output", "stateN"))
        if not np.allclose(voice, outputs["output"], rtol=1e-3, atol=1e-3):
            raise RuntimeError(
                f"frame {frame}: probability {voice.item():.4f}, "
                f"expected {outputs['output'].item():.4f}")


# Quantised models, and what their outputs decide.
QUANTISED = {
    "smart_turn": lambda p: p > 0.5,
    **dict.fromkeys(("title_decoder", "tashkeel_bilstm", "tashkeel_rawi",
                     "tashkeel_rawi_v2"), lambda p: p.argmax(axis=-1)),
    "tashkeel_rawi_v3": lambda p: p > 0 if p.ndim == 2 else p.argmax(axis=-1),
    **dict.fromkeys(("title_encoder", "voice_embedder", "voice_filter"),
                    lambda p: 0),
}


def main(onnxrun, models):
    runner = Runner(onnxrun, models)
    checks = {
        **{f"{name} decisions": lambda name=name, decide=decide: quantised(
            runner, name, decide) for name, decide in QUANTISED.items()},
        "ppocr_rec text": lambda: reads_text(runner),
        "silero_vad_16k carried": lambda: hears_voice(runner,
                                                      "silero_vad_16k"),
        "silero_vad_8k carried": lambda: hears_voice(runner, "silero_vad_8k"),
    }
    failed = 0
    for name, check in checks.items():
        try:
            check()
            print(f"ok {name}", flush=True)
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as problem:
            failed += 1
            print(f"FAIL {name}: {problem}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
