#!/usr/bin/env python3
"""Random graphs for a given time, each run in every mode of onnxrun and compared with the judges: see tools/fuzz-graphs."""

import argparse
import glob
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time

import onnx
from onnx import helper, numpy_helper

import builder
import judge
import make_graphs

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
TOGETHER = 20
MODES = [[], ["--disable-passes", "all"], ["--backend", "portable"], ["--threads", "2"]]


def read_options():
    parser = argparse.ArgumentParser(prog="fuzz-graphs", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()) * 1000)
    parser.add_argument("--graphs", type=int, default=sys.maxsize, help="stop after this many")
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "fuzz"))
    parser.add_argument("--onnxrun", default=os.path.join(ROOT, "build", "onnxrun"))
    parser.add_argument("--reduce", metavar="FOLDER")
    return parser.parse_args()


def differing(program, mode, folder):
    """What onnxrun says of the cases of the folder that differ in this mode, by their names."""
    command = [program, "check", "--rtol", "1e-3", "--atol", "1e-4", *mode, folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    found = [line.split(" ", 2)[1:] for line in done.stdout.splitlines() if line.startswith(("FAIL ", "UNSUPPORTED "))]
    if done.returncode < 0 or (done.returncode and not found):
        found.append([":", f"exit status {done.returncode}: {done.stderr[-300:]}"])
    return {name.rstrip(":"): text for name, text in found}


def load(path):
    tensor = onnx.TensorProto()
    with open(path, "rb") as file:
        tensor.ParseFromString(file.read())
    return tensor.name, numpy_helper.to_array(tensor)


class Reducer:
    """Cuts a model that differs. What its values are stays known, so a part of it needs no new judgement."""

    def __init__(self, folder, program, mode):
        self.folder, self.program, self.mode = folder, program, mode
        self.model = onnx.load(os.path.join(folder, "model.onnx"))
        sets = sorted(glob.glob(os.path.join(folder, "test_data_set_*")))
        self.feeds = [dict(load(f) for f in glob.glob(os.path.join(s, "input_*.pb"))) for s in sets]
        self.known = [{} for _ in sets]

    def learn(self):
        """Every value of the graph, for every data set."""
        graph = self.model.graph
        names = [name for node in graph.node for name in node.output if name]
        for name in names:
            model = self.part(graph.node, list(graph.input), [helper.make_empty_tensor_value_info(name)])
            for known, feed, arrays in zip(self.known, self.feeds, judge.judge(model, self.feeds)):
                if arrays:
                    known[name] = arrays[0]
        for known, feed in zip(self.known, self.feeds):
            known.update(feed)

    def part(self, nodes, inputs, outputs):
        read = builder.reads(nodes)
        graph = helper.make_graph(nodes, "reduced", inputs, outputs, [i for i in self.model.graph.initializer if i.name in read])
        return helper.make_model(graph, ir_version=self.model.ir_version, opset_imports=list(self.model.opset_import), producer_name="fuzz-graphs")

    def write(self, target, nodes, output, inputs, sets):
        """The nodes that lead from the inputs to the output; 0 where their values are not known."""
        wanted, kept = {output}, []
        for node in reversed(nodes):
            if wanted & set(node.output):
                kept.insert(0, node)
                wanted = (wanted - set(node.output)) | builder.reads([node])
        used = [info for info in inputs if info.name in wanted]
        if not kept or not all(output in self.known[s] and all(i.name in self.known[s] for i in used) for s in sets):
            return None
        shutil.rmtree(target, ignore_errors=True)
        array = self.known[sets[0]][output]
        model = self.part(kept, used, [helper.make_tensor_value_info(output, builder.type_of(array.dtype), None)])
        make_graphs.write(target, model, [{i.name: self.known[s][i.name] for i in used} for s in sets], [[self.known[s][output]] for s in sets])
        return kept, used

    def differs(self, target):
        return bool(differing(self.program, self.mode, target))

    def as_input(self, name, sets):
        arrays = [self.known[s].get(name) for s in sets]
        if any(a is None for a in arrays):
            return None
        same = len({a.shape for a in arrays}) == 1
        return helper.make_tensor_value_info(name, builder.type_of(arrays[0].dtype), arrays[0].shape if same else [None] * arrays[0].ndim)

    def reduce(self, target):
        """Writes the smallest part that differs. Whether one was found with a single output."""
        self.learn()
        graph, best = self.model.graph, None
        trial = target + ".trial"
        for sets in [[s] for s in range(len(self.feeds))] + [list(range(len(self.feeds)))]:
            for output in [name for node in graph.node for name in node.output if name]:
                found = self.write(trial, list(graph.node), output, list(graph.input), sets)
                if found and self.differs(trial):
                    best = (*found, output, sets)
                    break
            if best:
                break
        shutil.rmtree(target, ignore_errors=True)
        if not best:
            shutil.rmtree(trial, ignore_errors=True)
            shutil.copytree(self.folder, target)
            return False
        nodes, inputs, output, sets = best
        for name in [name for node in nodes for name in node.output if name and name != output][::-1]:
            info = self.as_input(name, sets)
            if not info or not any(name in node.output for node in nodes):
                continue
            rest = [node for node in nodes if name not in node.output]
            produced = {o for node in rest for o in node.output} | {i.name for i in inputs} | {name} | {i.name for i in graph.initializer} | {""}
            found = self.write(trial, rest, output, inputs + [info], sets)
            if found and all(set(node.input) <= produced for node in found[0]) and self.differs(trial):
                nodes, inputs = found
        self.write(target, nodes, output, inputs, sets)
        shutil.rmtree(trial, ignore_errors=True)
        return True


def keep(case, mode, text, options, seed):
    target = os.path.join(options.out, f"{os.path.basename(case)}{''.join(mode)}")
    os.makedirs(options.out, exist_ok=True)
    Reducer(case, options.onnxrun, mode).reduce(target)
    graph = onnx.load(os.path.join(target, "model.onnx")).graph
    with open(os.path.join(target, "repeat.txt"), "w") as file:
        file.write(f"{' '.join([options.onnxrun, 'check', '--rtol 1e-3 --atol 1e-4', *mode, target])}\n"
                   f"whole graph: tests/onnx/graphs/make_graphs.py DIR {seed} 1\n{text}\n{onnx.printer.to_text(graph)}\n")
    print(f"\n{target}: {text}\n  left of it: {' '.join(node.op_type for node in graph.node)}", flush=True)


def one_batch(first, options):
    """Exit status: 1 where something differs. The number of graphs goes through a file, as the process may crash."""
    with tempfile.TemporaryDirectory() as work:
        cases = os.path.join(work, "cases")
        os.makedirs(cases)
        make_graphs.write_all_seeds(cases, first, TOGETHER)
        graphs = [c for c in os.listdir(cases) if c.isdigit()]
        found = {}
        for mode in MODES:
            for name, text in differing(options.onnxrun, mode, cases).items() if graphs else []:
                found.setdefault(name.split("_")[0], (name, mode, text))
        for name, mode, text in found.values():
            case = os.path.join(cases, name)
            if name and os.path.isdir(case):
                keep(case, mode, text, options, int(name.split("_")[0]))
            else:
                print(f"\nseeds {first} to {first + TOGETHER - 1}, {' '.join(mode)}: {text}", flush=True)
        with open(os.path.join(options.out, "count"), "w") as file:
            file.write(f"{len(graphs)} {len(found)} {len(os.listdir(cases)) * len(MODES)}")


def fuzz(options):
    os.makedirs(options.out, exist_ok=True)
    end, seed = time.time() + 60 * options.minutes, options.seed
    graphs = runs = wrong = 0
    while time.time() < end and graphs < options.graphs:
        batch = multiprocessing.Process(target=one_batch, args=(seed, options))
        batch.start()
        batch.join()
        if batch.exitcode:
            raise SystemExit(f"fuzz-graphs: the generator failed on seeds {seed} to {seed + TOGETHER - 1}")
        with open(os.path.join(options.out, "count")) as file:
            numbers = [int(n) for n in file.read().split()]
        graphs, wrong, runs, seed = graphs + numbers[0], wrong + numbers[1], runs + numbers[2], seed + TOGETHER
        if sys.stdout.isatty() or seed % 1000 < TOGETHER:
            print(f"\rseed {seed}: {graphs} graphs, {runs} runs, {wrong} differ", end="" if sys.stdout.isatty() else "\n", flush=True)
    print(f"\n{graphs} graphs of the seeds {options.seed} to {seed - 1}, {runs} runs: {wrong} differ" + (f"; see {options.out}" if wrong else ""))
    return wrong != 0


def main(options):
    if options.reduce:
        for mode in MODES:
            texts = differing(options.onnxrun, mode, options.reduce)
            if texts:
                keep(options.reduce.rstrip("/"), mode, next(iter(texts.values())), options, "SEED")
                return 1
        print("no mode differs")
        return 0
    return fuzz(options)


if __name__ == "__main__":
    sys.exit(main(read_options()))
