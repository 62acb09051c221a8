"""The tool onnxrun as tools/compare uses it."""

import json
import os
import re
import subprocess

import numpy as np


class Tool:
    name = "onnxrun"

    def __init__(self, path, threads):
        self.path, self.threads = path, str(threads)

    def call(self, command, model, files, *more):
        arguments = [self.path, command, model, "--threads", self.threads, *more]
        for name, file in files.items():
            arguments += ["-i", f"{name}={file}"]
        done = subprocess.run(arguments, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError((done.stderr.strip() or f"it ended with {done.returncode}").splitlines()[0][:300])
        return done.stdout

    def bench(self, model, files, seconds):
        return json.loads(self.call("bench", model, files, "--seconds", str(seconds), "--json"))

    def packed_load(self, model, files, folder):
        """Milliseconds until the first result, from a packed file."""
        packed = os.path.join(folder, "model.onr")
        if not os.path.exists(packed):
            subprocess.run([self.path, "pack", model, "-o", packed], check=True, capture_output=True)
        times = self.bench(packed, files, 0.001)
        return times["load_ms"] + times["first_ms"]

    def outputs(self, model, files, folder, names):
        self.call("run", model, files, "-o", folder)
        return [np.load(os.path.join(folder, re.sub(r"[^A-Za-z0-9._-]", "_", name) + ".npy")) for name in names]


def save_inputs(inputs, folder):
    """One file each for the tool, and one of all for the peers."""
    files = {}
    for i, (name, values) in enumerate(inputs.items()):
        files[name] = os.path.join(folder, f"input_{i}.npy")
        np.save(files[name], values)
    together = os.path.join(folder, "inputs.npz")
    np.savez(together, **inputs)
    return files, together


def worst_difference(found, expected):
    """The largest |found - expected| / (1e-4 + 1e-3 |expected|), of bytes in steps: at most 1 when they agree."""
    worst = 0.0
    for f, e in zip(found, expected):
        if f.shape != e.shape and f.size != e.size:
            return float("inf")
        if f.size and f.dtype in (np.int8, np.uint8):  # a tie is rounded either way
            worst = max(worst, float(np.max(np.abs(f.astype(int) - e.astype(int)))))
        elif f.size:
            f, e = f.astype(np.float64).ravel(), e.astype(np.float64).ravel()
            same = (f == e) | (np.isnan(f) & np.isnan(e))
            with np.errstate(invalid="ignore"):
                worst = max(worst, float(np.max(np.where(same, 0, np.nan_to_num(np.abs(f - e), nan=np.inf) / (1e-4 + 1e-3 * np.abs(e))))))
    return worst
