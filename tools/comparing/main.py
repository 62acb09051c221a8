"""Times onnxrun beside the peers that are installed (ONNX Runtime, OpenVINO, MNN, ncnn, tract, LiteRT, ExecuTorch), in turn in one run."""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import peers
import quantized
from tool import Tool, save_inputs, worst_difference

WRONG = 100  # tolerances: who computes something else is not a peer in that row
HERE = os.path.dirname(os.path.abspath(__file__))


def geometric_mean(ratios):
    return math.exp(statistics.fmean(math.log(r) for r in ratios)) if ratios else float("nan")


def is_converted(key):
    """Whether a peer loads a format of its own, for which the model was converted before."""
    return getattr(peers.PEERS[key], "own_format", False)


def loads(row, converted):
    """Time to the first result, of onnxrun and of the best peer: from ONNX, or each from its own format."""
    ours = row["onnxrun"].get("packed_load_ms" if converted else "load_ms")
    theirs = [e["load_ms"] for key, e in row["peers"].items() if "load_ms" in e and is_converted(key) == converted]
    return f"{ours or math.nan:.3g}/{min(theirs, default=math.nan):.3g}"


def compare(tool, others, path, inputs, names, options, folder):
    """A row: times of onnxrun and of each peer, or why there is none."""
    files, together = save_inputs(inputs, folder)
    row = {"onnxrun": {}, "peers": {}}
    try:
        results = tool.outputs(path, files, os.path.join(folder, "out"), names)
    except RuntimeError as error:
        row["onnxrun"]["error"], results = str(error), None
    for peer in others:
        entry = row["peers"][peer.key] = {}
        try:
            entry.update(peer.ask(open=path, inputs=together, threads=options.threads), times=[])
            saved = os.path.join(folder, peer.key + ".npz")
            peer.ask(save=saved)
            with np.load(saved) as values:
                arrays = [values[k] for k in values]
                entry["difference"] = worst_difference(results, arrays) if results else None
                if options.quantized:  # a step is more than any tolerance, so it is not asked for
                    row["alike"], entry["difference"] = quantized.likeness(results, arrays) if results else None, None
        except RuntimeError as error:
            entry["error"] = str(error)
    times = []
    for _ in range(options.rounds):
        if results:
            times.append(tool.bench(path, files, options.seconds))
            if any(is_converted(peer.key) for peer in others):
                times[-1]["packed_ms"] = tool.packed_load(path, files, folder)
        for peer in others:
            entry = row["peers"][peer.key]
            if "error" in entry:
                continue
            try:
                entry["times"].append(peer.ask(time=options.seconds))
            except RuntimeError as error:
                entry["error"] = str(error)
    if times:
        row["onnxrun"].update(min_ms=min(t["min_ms"] for t in times), median_ms=statistics.median(t["median_ms"] for t in times),
                              load_ms=min(t["load_ms"] + t["first_ms"] for t in times),
                              packed_load_ms=min((t["packed_ms"] for t in times if "packed_ms" in t), default=None), bytes=min(t["peak_rss_bytes"] for t in times))
    for peer in others:
        entry = row["peers"][peer.key]
        measured = entry.pop("times", None)
        if measured and "error" not in entry:
            entry.update(min_ms=min(t["min_ms"] for t in measured), median_ms=statistics.median(t["median_ms"] for t in measured), bytes=peer.ask(peak=True)["bytes"])
    best = [e["min_ms"] for e in row["peers"].values() if "min_ms" in e and not (e["difference"] or 0) > WRONG]
    row["ratio"] = min(best) / row["onnxrun"]["min_ms"] if best and times else None
    return row


def describe(path):
    """Inputs of a model, drawn, and the names of its outputs. Unknown dimensions are 1."""
    import onnx
    import sweeps
    model = onnx.load(path, load_external_data=False)
    return sweeps.make_inputs(model), [o.name for o in model.graph.output]


def name_of(path):
    return os.path.basename(os.path.dirname(os.path.abspath(path))) if os.path.basename(path) == "model.onnx" else os.path.basename(path)


def text_of(entry):
    return f"{entry['min_ms']:.3g}" if "min_ms" in entry else "-"


def notes_of(row):
    notes = [f"onnxrun: {row['onnxrun']['error']}"] if "error" in row["onnxrun"] else []
    for key, entry in row["peers"].items():
        if "error" in entry:
            notes.append(f"{key}: {entry['error'][:80]}")
        elif entry.get("difference", 0) and entry["difference"] > 1:
            notes.append(f"{key} differs by {entry['difference']:.2g} tolerances")
    return "; ".join(notes)


def time_models(tool, options):
    """Whole models: every peer in a process of its own for each, so that load and memory are theirs."""
    keys = options.peers
    print(f"{'model':24} {'onnxrun':>9} " + " ".join(f"{peers.PEERS[k].name:>13}" for k in keys) + f" {'best/onnxrun':>13} {'load ms':>16} {'own format':>16} {'peak MiB':>14}")
    rows = {}
    for path in options.models:
        name = name_of(path)
        others = [peers.Peer(k) for k in keys]
        with tempfile.TemporaryDirectory() as folder:
            inputs, names = describe(path)
            row = rows[name] = compare(tool, others, path, inputs, names, options, folder)
        for peer in others:
            peer.close()
        ours, theirs = row["onnxrun"], [e for e in row["peers"].values() if "min_ms" in e]
        peak = f"{ours.get('bytes', math.nan) / 2**20:.0f}/{min((e['bytes'] for e in theirs), default=math.nan) / 2**20:.0f}"
        print(f"{name:24} {text_of(ours):>9} " + " ".join(f"{text_of(row['peers'][k]):>13}" for k in keys) +
              f" {row['ratio'] or math.nan:>13.2f} {loads(row, False):>16} {loads(row, True):>16} {peak:>14}  {notes_of(row)}", flush=True)
    print(f"geometric mean of fastest peer / onnxrun: {geometric_mean([r['ratio'] for r in rows.values() if r['ratio']]):.2f}")
    return rows


def time_quantized(tool, options):
    """The quantized forms of models beside ONNX Runtime's time, and beside the float32 model's."""
    rows = {}
    print(f"{'model':24} {'form':16} {'onnxrun':>9} {'ONNX Runtime':>13} {'ratio':>6} {'of float32':>11} {'alike':>8}")
    for path in options.models:
        name, float_ms = name_of(path), math.nan
        with tempfile.TemporaryDirectory() as folder:
            for form, file in quantized.forms_of(path, folder):
                other = peers.Peer("onnxruntime")
                inputs, names = describe(file)
                row = rows[f"{name} {form}"] = compare(tool, [other], file, inputs, names, options, folder)
                other.close()
                ours, theirs = row["onnxrun"], row["peers"]["onnxruntime"]
                if form == "float32":
                    float_ms = ours.get("min_ms", math.nan)
                row["of_float32"] = ours.get("min_ms", math.nan) / float_ms
                print(f"{name:24} {form:16} {text_of(ours):>9} {text_of(theirs):>13} {row['ratio'] or math.nan:6.2f} {row['of_float32']:11.2f} "
                      f"{row.get('alike') or 0:8.5f}  {'' if row['ratio'] else notes_of(row)}", flush=True)
    return rows


def sweep(tool, options):
    """Families of single layers beside ONNX Runtime."""
    import onnx
    import drawn
    import drawn_quantized
    import sweeps
    rows = {}
    known = drawn.families(options.drawn, options.seed, drawn.FAMILIES | drawn_quantized.FAMILIES) if options.drawn else sweeps.FAMILIES
    families = options.sweep or list(known)
    unknown = [f for f in families if f not in known]
    if unknown:
        sys.exit(f"tools/compare: expected families of {', '.join(known)}; found {unknown[0]}")
    other = peers.Peer("onnxruntime")
    for family in families:
        for name, model in known[family]():
            if options.match and options.match not in name:
                continue
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "model.onnx")
                onnx.save(model, path)
                row = compare(tool, [other], path, sweeps.make_inputs(model), [o.name for o in model.graph.output], options, folder)
            rows[f"{family}/{name}"] = row
            reference = row["peers"]["onnxruntime"]
            if options.all or not row["ratio"] or row["ratio"] < 0.9 or notes_of(row):
                print(f"{row['ratio'] or math.nan:6.2f}  {text_of(row['onnxrun']):>9} {text_of(reference):>9} ms  {name}  {notes_of(row)}", flush=True)
        ratios = [r["ratio"] for n, r in rows.items() if n.startswith(family + "/") and r["ratio"]]
        print(f"== {family}: {len(ratios)} shapes, geometric mean {geometric_mean(ratios):.2f}, least {min(ratios, default=math.nan):.2f}, under 0.9: {sum(r < 0.9 for r in ratios)}", flush=True)
    other.close()
    ratios = [r["ratio"] for r in rows.values() if r["ratio"]]
    print(f"== all: {len(ratios)} shapes, geometric mean of ONNX Runtime / onnxrun {geometric_mean(ratios):.2f}, under 0.9: {sum(r < 0.9 for r in ratios)}")
    return rows


def machine():
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            lines = dict(line.split(":", 1) for line in file if ":" in line)
        lines = {k.strip(): v.strip() for k, v in lines.items()}
        widest = next((w for flag, w in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in lines.get("flags", "").split()), "")
        name = f"{lines.get('model name', name)} {widest}".strip()
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} cores"


def draw_chart(report, path):
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plot
    rows = {n: r for n, r in report["rows"].items() if r["ratio"]}
    keys = ["onnxrun", *report["peers"]]
    figure, axes = plot.subplots(figsize=(9, 0.62 * len(rows) + 1.4))
    height = 0.8 / len(keys)
    for i, key in enumerate(keys):
        values = []
        for row in rows.values():
            entry = row["onnxrun"] if key == "onnxrun" else row["peers"].get(key, {})
            values.append(entry["min_ms"] / row["onnxrun"]["min_ms"] if "min_ms" in entry else 0)
        places = [n + (i - len(keys) / 2) * height for n in range(len(rows))]
        axes.barh(places, values, height, align="edge", label="onnxrun" if key == "onnxrun" else peers.PEERS[key].name)
    axes.set_yticks(range(len(rows)), [f"{n}  ({r['onnxrun']['min_ms']:.3g} ms)" for n, r in rows.items()])
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlim(0, 4)
    axes.set_xlabel("time, onnxrun = 1 (shorter is faster; bars beyond 4 are cut)")
    axes.set_title(f"{report['machine']}, {report['threads']} thread(s), {report['date']}", fontsize=9)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


def read_options(arguments):
    parser = argparse.ArgumentParser(prog="tools/compare", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL.onnx")
    parser.add_argument("--quantized", action="store_true", help="the quantized forms of the models, beside ONNX Runtime")
    parser.add_argument("--sweep", nargs="*", metavar="FAMILY")
    parser.add_argument("--drawn", type=int, metavar="N", help="of a sweep, N drawn shapes of each family instead of the chosen ones")
    parser.add_argument("--seed", type=int, default=0, help="which drawn shapes")
    parser.add_argument("--match", help="of a sweep, the shapes whose names hold this")
    parser.add_argument("--all", action="store_true", help="print every shape of a sweep")
    parser.add_argument("--onnxrun", default=os.path.join(HERE, "..", "..", "build", "onnxrun"))
    parser.add_argument("--peers", type=lambda text: text.split(","), help="of " + ",".join(peers.PEERS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--chart", metavar="FILE.svg", help="draw the models' times")
    options = parser.parse_args(arguments)
    if not options.models and options.sweep is None:
        parser.error("expected models, or --sweep")
    options.rounds = options.rounds or (10 if options.models else 3)
    options.seconds = options.seconds or (0.5 if options.models else 0.05)
    missing = [p for p in options.peers or [] if p not in peers.installed()]
    if missing:
        parser.error(f"{missing[0]} is not installed here; there are {', '.join(peers.installed())}")
    options.peers = options.peers or peers.installed()
    return options


def main(arguments):
    options = read_options(arguments)
    tool = Tool(options.onnxrun, options.threads)
    timing = sweep if options.sweep is not None else time_quantized if options.quantized else time_models
    rows = timing(tool, options)
    report = {"date": time.strftime("%Y-%m-%d"), "machine": machine(), "threads": options.threads, "peers": options.peers, "rows": rows}
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file, indent=1)
    if options.chart:
        draw_chart(report, options.chart)
    wrong = [n for n, r in rows.items() if "error" in r["onnxrun"] or any((e.get("difference") or 0) > 1 for e in r["peers"].values())]
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (KeyboardInterrupt, subprocess.CalledProcessError) as error:
        sys.exit(f"tools/compare: {error or 'stopped'}")
