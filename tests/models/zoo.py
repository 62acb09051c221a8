#!/usr/bin/env python3
"""Makes the models of the zoo, runs them in onnxrun and ONNX Runtime, and says how they compare.

    zoo.py ONNXRUN DIR                  make what is not there yet, check all
    ... --only NAME,NAME                only models whose names start with one of these
    ... --minutes M                     begin no further model after M minutes
    ... --table FILE                    also write the results as a table

Each torch module is exported by both exporters, with fixed sizes and with open ones, for which there are three shapes. Expected
values are those of ONNX Runtime without graph optimisation; where PyTorch computes others by more than the tolerance, the
row says so. One line a model: "ok NAME ..." or "FAIL NAME: reason". DIR/results.json keeps what was found as it is found:
a run that was cut short goes on where it stopped, and the same program is not checked twice.
"""

import argparse
import datetime
import functools
import importlib
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
import zlib

import numpy as np
import onnx
import onnx_ir
import onnxruntime
import torch
from torch import nn

import fixture_io as fio
import zoo_models
import zoo_tabular

# In this order, so that a run that is cut short has seen every model: TorchScript's exporter takes a tenth of the time.
VARIANTS = [("ts", True), ("dynamo", True), ("ts", False), ("dynamo", False)]
MAKE_SECONDS, CHECK_SECONDS, BENCH_SECONDS = 900, 120, 0.4


def enliven(module):
    """Every weight matters: no zero or constant one, and none so small that what it makes vanishes in the sum."""
    fio.randomise(module)
    with torch.no_grad():
        for parameter in module.parameters():
            if not parameter.is_floating_point() or parameter.numel() < 2:
                continue
            if parameter.dim() > 1:
                usual = (parameter.numel() / parameter.shape[0]) ** -0.5
                if float(parameter.std()) < 0.7 * usual:
                    parameter.copy_(usual * torch.randn(parameter.shape))
            elif float(parameter.abs().mean()) < 1e-2:
                parameter.copy_(0.2 * torch.randn(parameter.shape))
    return module


def calibrate(module, inputs):
    """BatchNorm's statistics become those of the net's own activations; else they explode or vanish over many layers."""
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
        if norm.affine:     # where half of all is cut off behind each norm, every block of a deep net doubles a rounding
            norm.bias.data.add_(0.5)
    with torch.no_grad():
        try:
            module(*inputs)
        except ValueError:      # one value a channel: no statistics
            fio.randomise(module)
        module.eval()
        for norm in norms:      # the statistics of few values may be 0
            norm.running_var.clamp_(min=1e-2)


def parse(inputs, sizes):
    """[(name, kind, dims)]; a dim is a number or a letter."""
    found = []
    for one in inputs.split():
        name, kind, dims = re.fullmatch(r"(\w+)=([a-z]\d*)\[(.*)\]", one).groups()
        found.append((name, kind, [int(d) if d.isdigit() else d for d in dims.split(",")]))
    return found, {**zoo_models.SIZES, **sizes}


def sample(inputs, sizes, index):
    specs, sizes = parse(inputs, sizes)
    values = []
    for _, kind, dims in specs:
        shape = [d if isinstance(d, int) else sizes[d][index] for d in dims]
        if kind == "m":
            value = torch.ones(shape, dtype=torch.long)
            value[-1, -(shape[1] // 3) or shape[1]:] = 0
        elif kind[0] == "i":
            value = torch.randint(2, int(kind[1:]), shape)
        else:
            value = torch.rand(shape) if kind == "u" else torch.randn(shape)
        values.append(value)
    return tuple(values)


def open_dims(inputs, only=None):
    return {name: {axis: d for axis, d in enumerate(dims) if isinstance(d, str) and (only is None or d in only)}
            for name, _, dims in parse(inputs, {})[0]}


def session(path, level):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def error_of(found, expected):
    """How far apart two arrays are, in units of what is allowed; and by how much."""
    if found.shape != expected.shape:
        return np.inf
    if not np.issubdtype(expected.dtype, np.floating):
        return 0.0 if np.array_equal(found, expected) else np.inf
    with np.errstate(all="ignore"):
        a, b = found.astype(np.float64), expected.astype(np.float64)
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        excess = np.where(same, 0, np.abs(a - b) - fio.RTOL * np.abs(b))
    return float(np.nan_to_num(excess, nan=np.inf).max(initial=0))


def reference_of(folder):
    return session(os.path.join(folder, "model.onnx"), onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)


def save_expected(folder, data_sets, torch_outputs, reference=None):
    """Writes what ONNX Runtime computes; returns notes and the tolerance that two witnesses' distance asks for."""
    reference = reference or reference_of(folder)
    fast = session(os.path.join(folder, "model.onnx"), onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL)
    names = [value.name for value in reference.get_outputs()]
    taken = [value.name for value in reference.get_inputs()]
    notes, apart, kept, deviant, smallest = [], 0.0, 0, 0, np.inf
    for inputs, truth in zip(data_sets, torch_outputs):
        inputs = {name: inputs[name] for name in taken}
        try:
            outputs = reference.run(names, inputs)
        except Exception as problem:
            notes.append("ONNX Runtime: " + str(problem).strip().replace("\n", " ")[-160:])
            continue
        for name, value, other, known in zip(names, outputs, fast.run(names, inputs), truth or [None] * len(names)):
            if not isinstance(value, np.ndarray):
                continue
            spread = float(np.abs(value).mean()) if value.size and value.dtype.kind == "f" else 0
            smallest = min(smallest, spread or np.inf)
            for witness in (other, known):
                far = 0.0 if witness is None else error_of(np.asarray(witness), value)
                if far <= 1e-2 * max(spread, 1e-2):
                    apart = max(apart, far)
                elif witness is known:
                    deviant += 1
        fio.save_data_set(folder, kept, inputs, dict(zip(names, outputs)))
        kept += 1
    if not kept:
        raise RuntimeError("; ".join(notes))
    if kept < len(data_sets):
        notes = [f"the file runs at {kept} of {len(data_sets)} shapes"]
    if deviant:
        notes.append("the file computes something else than PyTorch")
    # One tolerance serves all data sets: it must still mean something for the one with the smallest values.
    return {"notes": notes, "atol": max(fio.ATOL, min(3 * apart, 1e-3 * smallest)), "sets": kept}


def is_steady(reference, inputs):
    """Whether a change in the last digits of the inputs changes no more than the last digits of the outputs."""
    random = np.random.default_rng(0)
    near = {name: value * (1 + 1e-5 * random.choice((-1, 1), value.shape)).astype(np.float32) if value.dtype == np.float32
            else value for name, value in inputs.items()}
    return all(error_of(a, b) <= 1e-3 * max(1e-2, np.abs(b).mean()) if a.size else a.shape == b.shape
               for a, b in zip(reference.run(None, near), reference.run(None, inputs)))


def steady_sample(reference, inputs, sizes, index):
    """Inputs at which no rounding decides, as of two boxes which is the better one, where some are found."""
    names = zoo_models.names_of(inputs)
    taken = [value.name for value in reference.get_inputs()]
    try:
        for _ in range(4):
            values = sample(inputs, sizes, index)
            arrays = dict(zip(names, (fio.to_array(v) for v in values)))
            if is_steady(reference, {name: arrays[name] for name in taken}):
                break
    except Exception:   # this is for others to tell
        values = sample(inputs, sizes, index)
    return values


def export(module, folder, inputs, first, exporter, dynamic):
    """Returns notes."""
    def attempt(**options):
        fio.export(module, first, os.path.join(folder, "model.onnx"), exporter=exporter,
                   opset=20 if exporter == "dynamo" else 17, input_names=zoo_models.names_of(inputs), output_names=None,
                   dynamic=dynamic, named=True, **options)
    try:
        attempt()
    except onnx_ir.passes.PassError:
        attempt(optimize=False)
        return ["not optimised by the exporter"]
    return []


def eases(module, has_batch):
    """Before each attempt to export, the later ones easier: (notes, the symbols that stay open, None for all)."""
    yield [], None
    # The newer exporter cannot write PyTorch's fused attention in some layouts.
    written_out = False
    for part in module.modules():
        if hasattr(part, "set_attn_implementation"):
            part.set_attn_implementation("eager")
            written_out = True
        if hasattr(part, "fused_attn"):
            part.fused_attn = False
            written_out = True
    if written_out:
        yield ["attention written out"], None
    # Some modules compute with sizes as with numbers: those are open in the number of examples only.
    if has_batch:
        yield ["only the batch is open"], "N"


def make_torch(model, folder, exporter, is_dynamic):
    fio.seed(model.name)
    module, inputs = model.build(), model.inputs
    if isinstance(module, tuple):
        module, inputs = module
    fio.seed(model.name)
    module = enliven(module.float()).eval()
    first = sample(inputs, model.sizes, 0)
    calibrate(module, sample(inputs, {**model.sizes, "N": (8, 8, 8)}, 2))
    if hasattr(module, "settle"):
        module.settle(*first)
    has_batch = any("N" in dims for _, _, dims in parse(inputs, {})[0])
    for notes, symbols in eases(module, is_dynamic and has_batch):
        try:
            notes += export(module, folder, inputs, first, exporter, open_dims(inputs, symbols) if is_dynamic else None)
            break
        except Exception as problem:
            failure = problem
    else:
        raise failure
    sizes = {**zoo_models.SIZES, **model.sizes}
    if symbols:
        sizes = {k: (v if k == symbols else v[:1] * 3) for k, v in sizes.items()}
    reference = reference_of(folder)
    data_sets = [steady_sample(reference, inputs, sizes, i) for i in range(3 if is_dynamic else 1)]
    names = zoo_models.names_of(inputs)
    arrays = [dict(zip(names, (fio.to_array(v) for v in values))) for values in data_sets]
    with torch.no_grad():
        truth = [[fio.to_array(t) for t in zoo_models.tensors(module(*values))] for values in data_sets]
    made = save_expected(folder, arrays, truth, reference)
    made["notes"] = notes + made["notes"]
    return made


def time_reference(folder):
    """Load and the fastest run of ONNX Runtime, in ms, one thread, as users have it."""
    start = time.perf_counter()
    fast = session(os.path.join(folder, "model.onnx"), onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL)
    load = time.perf_counter() - start
    inputs, outputs = fio.load_data_set(fio.data_sets(folder)[0])
    best, until, runs = np.inf, time.perf_counter() + BENCH_SECONDS, 0
    while runs < 3 or time.perf_counter() < until:
        start = time.perf_counter()
        fast.run(None, inputs)
        best = min(best, time.perf_counter() - start)
        runs += 1
    return {"ort_load_ms": 1e3 * load, "ort_ms": 1e3 * best}


def make(target, maker):
    """In a process of its own: exporters print, crash, hang and remember."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    try:
        with fio.new_folder(target) as part:
            made = maker(part)
            with open(os.path.join(part, "made.json"), "w", encoding="utf-8") as file:
                json.dump(made, file)
    except Exception as problem:
        with fio.new_folder(target) as part, open(os.path.join(part, "refused"), "w", encoding="utf-8") as file:
            file.write(f"{type(problem).__name__}: {problem}"[:4000])


def apart(function, *arguments, seconds):
    process = multiprocessing.get_context("fork").Process(target=function, args=arguments)
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
        return f"not done in {seconds} s"
    return None if process.exitcode == 0 else f"exit {process.exitcode}"


def make_apart(target, maker):
    warm_up()
    problem = apart(make, target, maker, seconds=MAKE_SECONDS)
    if problem:
        with fio.new_folder(target) as part, open(os.path.join(part, "refused"), "w", encoding="utf-8") as file:
            file.write(problem)


@functools.cache
def warm_up():
    """What each model's process would import again: the packages, and PyTorch's exporters as they first run."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    for package in ("timm", "transformers", "diffusers"):
        importlib.import_module(package)
    with tempfile.TemporaryDirectory() as folder:
        for exporter, _ in VARIANTS[:2]:
            export(nn.Linear(3, 3), folder, "x=f[N,3]", (torch.zeros(2, 3),), exporter, open_dims("x=f[N,3]"))


def _measure_reference(folder):
    with open(os.path.join(folder, "ort.json"), "w", encoding="utf-8") as file:
        json.dump(time_reference(folder), file)


def strings_of(folder, onnxrun):
    """String inputs once more as NumPy's own types, U and S: None or what is wrong."""
    inputs, outputs = fio.load_data_set(fio.data_sets(folder)[0])
    if not any(array.dtype.kind in "OU" for array in inputs.values()):
        return None
    for kind in ("U", "S"):
        command = [onnxrun, "run", os.path.join(folder, "model.onnx")]
        for name, array in inputs.items():
            path = os.path.join(folder, f"{name}_{kind}.npy")
            np.save(path, array.astype(kind) if array.dtype.kind in "OU" else array)
            command += ["-i", f"{name}={path}"]
        results = os.path.join(folder, "results")
        os.makedirs(results, exist_ok=True)
        done = subprocess.run([*command, "-o", results], text=True, capture_output=True, timeout=60, check=False)
        if done.returncode:
            return f".npy of type {kind}: {done.stderr.strip()[:200]}"
        for name, expected in outputs.items():
            found = np.load(os.path.join(results, re.sub(r"[^A-Za-z0-9._-]", "_", name) + ".npy"))
            if found.dtype.kind in "US":
                same = np.array_equal(found.astype("U"), expected.astype("U"))
            else:
                same = error_of(found, expected) <= fio.ATOL
            if not same:
                return f".npy of type {kind}: {name} differs"
    return None


def check(onnxrun, folder):
    """What onnxrun makes of a folder, and how long it and ONNX Runtime take."""
    if os.path.exists(os.path.join(folder, "refused")):
        with open(os.path.join(folder, "refused"), encoding="utf-8") as file:
            return {"state": "refused", "reason": " ".join(file.read().split())[:160]}
    with open(os.path.join(folder, "made.json"), encoding="utf-8") as file:
        made = json.load(file)
    result = {"notes": made["notes"], "sets": made["sets"], "atol": made["atol"]}
    try:
        done = subprocess.run([onnxrun, "check", "--rtol", str(fio.RTOL), "--atol", str(made["atol"]), folder], text=True,
                              capture_output=True, timeout=CHECK_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {**result, "state": "wrong", "reason": f"not done in {CHECK_SECONDS} s"}
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if re.search("FAIL|UNSUPP|error", line)]
        return {**result, "state": "wrong", "reason": f"exit {done.returncode}: " + " ".join(lines[:1])[-300:]}
    problem = strings_of(folder, onnxrun)
    if problem:
        return {**result, "state": "wrong", "reason": problem}
    command = [onnxrun, "bench", "--json", "--seconds", str(BENCH_SECONDS), os.path.join(folder, "model.onnx")]
    data = fio.data_sets(folder)[0]
    for i, name in enumerate(fio.load_data_set(data)[0]):
        command += ["-i", f"{name}={os.path.join(data, f'input_{i}.pb')}"]
    done = subprocess.run(command, text=True, capture_output=True, timeout=CHECK_SECONDS, check=False)
    not_timed = apart(_measure_reference, folder, seconds=CHECK_SECONDS)
    if not done.returncode and not not_timed:
        found = json.loads(done.stdout)
        with open(os.path.join(folder, "ort.json"), encoding="utf-8") as file:
            result.update(json.load(file))
        result.update(load_ms=found["load_ms"], ms=found["min_ms"], rss=found["peak_rss_bytes"])
    return {**result, "state": "right"}


def tasks(only=""):
    """(family, model, variant, maker) of all models, or of those whose names start with one of a list."""
    rows = []
    for exporter, is_dynamic in VARIANTS:
        rows += [(model.family, model.name, f"{exporter} {'dynamic' if is_dynamic else 'static'}",
                  lambda folder, m=model, e=exporter, d=is_dynamic: make_torch(m, folder, e, d))
                 for model in zoo_models.MODELS]
        if len(rows) == len(zoo_models.MODELS):
            rows += [(family, name, "converter", lambda folder, m=maker: m(folder, save_expected))
                     for family, name, maker in zoo_tabular.MODELS]
    return [row for row in rows if row[1].startswith(tuple(only.split(",")))]


def key_of(row):
    return "|".join(row[:3])


def line_of(label, result):
    if result["state"] == "wrong":
        return f"FAIL {label}: {result['reason']}"
    if result["state"] == "refused":
        return f"-- {label}: {result['reason'][:120]}"
    return " ".join([f"ok {label}{figures_of(result)}", *result["notes"]])


def figures_of(result):
    if "ms" not in result:
        return ""
    ratio = result["ms"] / result["ort_ms"]
    return (f" {result['ms']:.3g} ms, {ratio:.2f} of ONNX Runtime's; load {result['load_ms']:.0f} ms, "
            f"{result['load_ms'] / result['ort_load_ms']:.2f} of its; {result['rss'] / 2**20:.0f} MiB")


def write_table(path, found):
    keys = [key_of(row) for row in tasks()]
    planned, results = len(keys), {key: found[key] for key in keys if key in found}
    states = [r["state"] for r in results.values()]
    made = [s for s in states if s != "refused"]
    lines = [
        "# The zoo", "",
        f"What `tools/test --zoo=` found up to {datetime.date.today()}, written by `tests/models/zoo.py --table`: "
        f"{made.count('right')} of {len(made)} files right, of "
        f"{len({key.split('|')[1] for key, r in results.items() if r['state'] != 'refused'})} models; "
        f"{states.count('refused')} more variants no exporter or ONNX Runtime would make or run. "
        f"{planned - len(results) or 'None'} of the {planned} variants that the tables of `tests/models/zoo_models.py` and "
        "`zoo_tabular.py` name have not been run yet.", "",
        "Weights are random, drawn such that each matters. Right: within 1e-3 of each value plus 1e-4 (where ONNX Runtime "
        "with and without its optimisations, or PyTorch, differ by more: up to thrice that, at most a thousandth of the mean "
        "magnitude of the smallest output; the notes say so) of ONNX Runtime without optimisation, at each of the "
        "shapes. Times are the fastest of many runs with one thread, on a machine that did other work, too: a hint. "
        "A ratio above 1 means that onnxrun is slower than ONNX Runtime 1.32 with all its optimisations.", "",
        "| family | model | file | shapes | right | ms | of ONNX Runtime | load ms | of ONNX Runtime | MiB | notes |",
        "|---|---|---|---|---|---|---|---|---|---|---|"]
    for key in sorted(results, key=lambda k: (k.split("|")[0], k.lower())):
        r = results[key]
        if r["state"] == "refused":
            continue
        family, name, variant = key.split("|")
        figures = [""] * 5
        if "ms" in r:
            figures = [f"{r['ms']:.3g}", f"{r['ms'] / r['ort_ms']:.2f}", f"{r['load_ms']:.0f}",
                       f"{r['load_ms'] / r['ort_load_ms']:.2f}", f"{r['rss'] / 2**20:.0f}"]
        wider = [f"tolerance {r['atol']:.1e}"] if r["atol"] > fio.ATOL else []
        notes = "; ".join(wider + ([r["reason"]] if "reason" in r else []) + r["notes"]).replace("|", "/")
        lines.append(f"| {family} | {name} | {variant} | {r['sets']} | {'yes' if r['state'] == 'right' else '**no**'} | "
                     + " | ".join(figures) + f" | {notes} |")
    lines += ["", "## Not made", "",
              "What PyTorch's exporters or the converters do not write, or write such that ONNX Runtime cannot run it:", ""]
    lines += [f"- {', '.join(key.split('|')[1:])}" for key in sorted(results) if results[key]["state"] == "refused"]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("onnxrun")
    parser.add_argument("folder")
    parser.add_argument("--only", default="")
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--table")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    torch.set_num_threads(1)
    with open(options.onnxrun, "rb") as file:
        program = zlib.crc32(file.read())
    path = os.path.join(options.folder, "results.json")
    results = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
    begin = time.monotonic()
    rows = tasks(options.only)
    for row in rows:
        if time.monotonic() - begin > 60 * options.minutes:
            break
        key, (_, name, variant, maker) = key_of(row), row
        result = results.get(key, {})
        target = os.path.join(options.folder, re.sub(r"\W", "_", f"{name}_{variant}"))
        if result.get("program") != program or not os.path.exists(target):
            if not os.path.exists(target):
                make_apart(target, maker)
            result = results[key] = {**check(options.onnxrun, target), "program": program}
            with open(path + ".part", "w", encoding="utf-8") as file:
                json.dump(results, file, indent=1)
            os.replace(path + ".part", path)
        print(line_of(f"{name} {variant}", result), flush=True)
    if options.table:
        write_table(options.table, results)
    return 1 if any(results.get(key_of(row), {}).get("state") == "wrong" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
