"""Every block of code of README.md, wasm/README.md and docs/, in the order of its page and in a folder that is made for it: commands are run, snippets of C
and C++ run inside of the tool, as a plugin, excerpts are lines of the file that they are of, what is printed is what is printed. A block that
another test runs stands here with that test; one that nobody names is a failure.

usage: guides.py ROOT TOOL COMPILER WORK"""
import json
import os
import pathlib
import re
import shutil
import sys
import wave

import numpy as np

from expect import expect, fail, finish
from model_writer import FLOAT, INT64, floats, integers, node, write

root, tool, compiler, work = map(pathlib.Path, sys.argv[1:])
fixtures = root / "tests" / "fixtures"

# --- blocks ---


def blocks_of(path):
    """Fenced ones and those that are indented by four, without fence and indentation."""
    found, block, fence = [], [], False
    for line in [*path.read_text().splitlines(), ""]:
        if line.startswith("```"):
            fence = not fence
        elif fence or line.startswith("    "):
            block.append(line if fence else line[4:])
            continue
        elif not line and block:
            block.append("")
            continue
        if block:
            found.append("\n".join(block).strip("\n"))
            block = []
    return found


def show(text):
    return text.splitlines()[0][:80]


# --- what is done with one: rule(text), in the folder of its page ---


def shell(text):
    for line in text.splitlines():
        done = expect(["sh", "-c", line])
        if not done.stdout and not done.stderr and not line.startswith("cc "):
            fail(line, "prints nothing")


def elsewhere(path):
    """A test has it, or what a test runs."""
    def rule(text):
        if not (root / path).exists():
            fail(show(text), "there is no", path)
    return rule


def prints(command):
    """Its lines are lines of what the command prints; the number of a node depends on the processor."""
    plain = lambda line: re.sub(r"\bnode \d+", "node", line.rstrip())

    def rule(text):
        lines = [plain(line) for line in expect(["sh", "-c", command]).stdout.decode().splitlines()]
        for line in text.splitlines():
            if plain(line) not in lines:
                fail(command, "does not print", line)
    return rule


def excerpt(path):
    """Its lines are lines of the file, but for what looks at the status that they return."""
    squeeze = lambda words: re.sub(r"\s+|ONR_TRY\(", "", words)
    whole = squeeze((root / path).read_text())

    def rule(text):
        for line in text.splitlines():
            if squeeze(line).rstrip(";").removesuffix(")") not in whole:
                fail(path, "has no line", line)
    return rule


def plugin(name, source, *flags):
    pathlib.Path(name).write_text(source)
    expect(["cc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable", f"-I{root}/include", name, "-o", "snippet.so", *flags])
    expect([tool, "info", "model.onnx", "--plugin", "./snippet.so"])


def c(before="", after="return 0;"):
    """The body of a function, which returns 0 when all is as it should be."""
    def rule(text):
        head, body = re.fullmatch(r"((?:#include [^\n]*\n|\n)*)(.*)", text, re.S).groups()
        plugin("snippet.c", f"""#include <stdio.h>
#include <onnxrun/layer.h>
{head or "#include <onnxrun/onnxrun.h>"}
static int snippet(void) {{
{before}
{body}
{after}
}}
enum onr_status onr_plugin(struct onr_registry *registry, struct onr_error *error) {{
  (void)registry;
  return snippet() ? onr_fail(error, ONR_STATUS_INTERNAL, "the snippet failed") : ONR_STATUS_OK;
}}
""")
    return rule


def cpp(text):
    plugin("snippet.cpp", f"""#include <cstdio>
#include <vector>
#include <onnxrun/onnxrun.hpp>
#include <onnxrun/layer.h>
static void snippet() {{
{text}
}}
extern "C" onr_status onr_plugin(onr_registry *, onr_error *error) try {{
  snippet();
  return ONR_STATUS_OK;
}} catch (const std::exception &e) {{
  return onr_fail(error, ONR_STATUS_INTERNAL, "%s", e.what());
}}
""", "-std=c++17", "-lstdc++")


def program(text):
    """A program beside what docs/compile.md has made; the picture that it gives is black, which is no error."""
    pathlib.Path("main.c").write_text(text)
    shell("cc -std=c11 -Idigits main.c digits.o -lm -o program\n./program && echo ok")


def save(name):
    return lambda text: pathlib.Path(name).write_text(text + "\n") and None


def recipe(text):
    """Of a model with these inputs, by which they are read."""
    wanted = json.loads(text)
    write("recipe.onnx", [node("Identity", [name], [name + "_"]) for name in wanted["inputs"]],
          [("image", FLOAT, [1, 3, "h", "w"]), ("audio", FLOAT, [1, 576]), ("bytes", FLOAT, [1, 64])],
          [(name + "_", FLOAT, None) for name in wanted["inputs"]])
    pathlib.Path("recipe.json").write_text(json.dumps(wanted | {"labels": []} if "labels" not in wanted else wanted))
    pathlib.Path("bytes.bin").write_bytes(bytes(256))
    expect([tool, "run", "recipe.onnx", "-i", "image=photo.jpg", "-i", "audio=talk.wav", "-i", "bytes=bytes.bin", "-o", "results"])
    shapes = [np.load(f"results/{name}_.npy").shape for name in ("image", "audio", "bytes")]
    if shapes[0][-3:] != (3, 224, 224) or shapes[1][-1] != 576 or shapes[2][-2:] != (1, 64):
        fail("the recipe makes", shapes)


def refusal(text):
    """The error of a picture that is half as high, as JavaScript tells it, too."""
    message, status = re.fullmatch(r"(.*\S) +\(status (\w+)\)", text).groups()
    np.save("half.npy", np.zeros((1, 1, 4, 8), np.float32))
    expect([tool, "run", "model.onnx", "-i", "half.npy"], code=2, error=f"onnxrun: {status}: half.npy: {message}\n")


# --- what lies in the folder of a page ---


def demo():
    shutil.copytree(fixtures / "demo", ".", dirs_exist_ok=True)


def pixels():
    """A picture in, and a thousand numbers of it out."""
    write("model.onnx", [node("Reshape", ["x", "all"], ["flat"]), node("Slice", ["flat", "from", "to"], ["y"])], [("x", FLOAT, [1, 3, 224, 224])],
          [("y", FLOAT, [1000])], [integers("all", [-1]), integers("from", [0]), integers("to", [1000])])


def wrong():
    """Convolutions of a fixture, and an output of which one element is wrong."""
    shutil.copytree(fixtures / "conv_bn_relu_dynamo", ".", dirs_exist_ok=True)
    np.save("x.npy", np.random.default_rng(0).standard_normal((1, 3, 10, 10), np.float32))
    expect([tool, "run", "model.onnx", "-i", "x.npy", "-o", "wrong.npy"])
    y = np.load("wrong.npy")
    y[0, 7, 9, 9] = 41.5
    np.savez("wrong.npz", y=y, x=np.load("x.npy"))


def senses():
    """A classifier with a photo, and a model of speech with a minute of it."""
    write("classifier.onnx", [node("ReduceMean", ["x", "axes"], ["m"], {"keepdims": 0}), node("MatMul", ["m", "w"], ["y"])],
          [("x", FLOAT, [1, 3, 224, 224])], [("y", FLOAT, None)], [integers("axes", [2, 3]), floats("w", [3, 8], range(24))])
    write("speech.onnx", [node("ReduceMean", ["input"], ["m"]), node("Add", ["state", "m"], ["stateN"]), node("Identity", ["sr"], ["rate"])],
          [("input", FLOAT, [1, None]), ("state", FLOAT, [1, 1]), ("sr", INT64, [])], [("stateN", FLOAT, None), ("rate", INT64, None)])
    shutil.copy(fixtures / "demo" / "digit.png", "photo.jpg")  # its first bytes say what it is
    pathlib.Path("labels.txt").write_text("".join(f"class {k}\n" for k in range(8)))
    with wave.open("talk.wav", "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16000))


def decoder():
    """As small as one can be: tokens, and keys of which nothing is made."""
    write("model.onnx", [node("Gather", ["table", "input_ids"], ["h"]), node("Concat", ["past_key_values.0.key", "h"], ["present.0.key"], {"axis": 1}),
                         node("MatMul", ["h", "head"], ["logits"])],
          [("input_ids", INT64, [1, "n"]), ("past_key_values.0.key", FLOAT, [1, "p", 2])], [("logits", FLOAT, None), ("present.0.key", FLOAT, None)],
          [floats("table", [4, 2], range(8)), floats("head", [2, 4], range(8))])


def own_layer():
    write("model.onnx", [node("Scale", ["x"], ["y"], domain="example.layers")], [("x", FLOAT, [2])], [("y", FLOAT, [2])], domains=["example.layers"])


# --- the pages: what prepares their folder, and who runs their blocks ---

README_TEST, PYTHON_TEST, QUANTISE_TEST = "tests/cmake/test_readme.sh", "tests/python/check_docs.py", "tests/models/check_quantize.py"
LAYER = excerpt("examples/own_layer.c")
GENERATE = """struct onr_model *model;
struct onr_session *session;
struct onr_error error;
struct onr_tensor scores, prompt = {onr_desc_make(ONR_DTYPE_I64, 2, (int64_t[]){1, 3}), (int64_t[]){1, 2, 3}};
struct onr_tensor token = {onr_desc_make(ONR_DTYPE_I64, 2, (int64_t[]){1, 1}), (int64_t[]){1}};
size_t count;
if (onr_model_load("model.onnx", NULL, &model, &error) || onr_session_create(model, NULL, &session, &error)) return 1;"""
PACKED = "struct onr_model *model = NULL;\nstruct onr_error error;"

PAGES = {
    "README.md": (pixels, [
        elsewhere(".ci/run"), elsewhere(README_TEST), elsewhere("tests/models/check_export.py"), elsewhere(QUANTISE_TEST),
        prints(f"onnxrun info {fixtures}/conv_bn_relu_dynamo/model.onnx"), elsewhere(PYTHON_TEST),
        c("static float pixels[3 * 224 * 224];", "return onr_desc_elements(&y.desc) != 1000;"), *[elsewhere(README_TEST)] * 4, elsewhere("tools/build")]),
    "docs/compile.md": (demo, [shell, program, elsewhere("tests/compile/test_cortex_m.sh")]),
    "docs/cpp.md": (pixels, [cpp, cpp]),
    "docs/debugging.md": (wrong, [shell, prints("onnxrun compare model.onnx --reference wrong.npz || [ $? = 1 ]"), shell]),
    "docs/deploy.md": (demo, [shell, shell]),
    "docs/export_from_python.md": (demo, [elsewhere(QUANTISE_TEST)]),
    "docs/inputs.md": (senses, [shell, recipe]),
    "docs/language_models.md": (decoder, [c(GENERATE, "return count != 1 || onr_desc_elements(&scores.desc) != 4;"), shell]),
    "docs/load.md": (demo, [shell, elsewhere(PYTHON_TEST), shell, shell, elsewhere(PYTHON_TEST)]),
    "docs/optimise.md": (demo, [shell]),
    "docs/packed_weights.md": (demo, [shell, c(PACKED, "return info.packed != ONR_PACKED_MAPPED;"), shell]),
    "docs/profile.md": (demo, [shell, shell]),
    "docs/python.md": (demo, [elsewhere("tools/wheel"), *[elsewhere(PYTHON_TEST)] * 8]),
    "docs/quantise.md": (demo, [elsewhere(QUANTISE_TEST)] * 4),
    "docs/small.md": (demo, [elsewhere("tests/small/test_small.sh")]),
    "wasm/README.md": (demo, [*[elsewhere("tests/wasm/package.test.mjs")] * 2, refusal, *[elsewhere("tests/wasm/demo_page.py")] * 2]),
    "docs/your_own_layer.md": (own_layer, [LAYER, LAYER, LAYER, LAYER, LAYER, save("scale.c"), shell]),
}


def run_page(page):
    blocks = blocks_of(root / page)
    prepare, rules = PAGES.get(page, (None, []))
    if len(blocks) != len(rules):
        fail(page, "has", len(blocks), "blocks of code,", len(rules), "are known here:", [show(text) for text in blocks])
        return
    folder = work / page.replace("/", "_")
    folder.mkdir()
    os.chdir(folder)
    if prepare:
        prepare()
    for rule, text in zip(rules, blocks):
        rule(text)


def main():
    programs = work / "bin"
    programs.mkdir()
    for name, line in (("cc", f'exec "{compiler}" "$@"'), ("python", f'exec "{sys.executable}" "$@"'), ("pkg-config", f'echo "-I{root}/include"')):
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    os.environ["PATH"] = os.pathsep.join((str(programs), str(tool.parent), os.environ["PATH"]))
    for path in (root / "README.md", root / "wasm" / "README.md", *sorted((root / "docs").glob("*.md"))):
        run_page(str(path.relative_to(root)))
    finish()


main()
