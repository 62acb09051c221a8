"""The library as gcc sees it: warnings, recursion that is not in recursion.txt, stack that is not bounded, and layers that never look at
the cancel flag (cancel.py).

calls.py BUILD TARGET: compiles the sources of BUILD's compile_commands.json into TARGET, with the warnings that clang compiles them
with, and prints what is wrong. Calls by pointer (a layer's run, a kernel, a part of a parallel loop) have no name in it: a chain ends
there and the next one begins.
"""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cancel

HERE = os.path.dirname(os.path.abspath(__file__))
# Of the levels those of the widest vectors: AVX2 and AVX-VNNI have the same kernels in half of them.
PARTS = re.compile(r"onnxrun_(objects|kernels_(base|avx512|vnni|fp16))[.]dir")
MOST_BYTES = 64 * 1024
# -O1: what is found depends on it less than at -O2. Calls stay calls.
OPTIONS = ["-O1", "-fno-inline", "-fcallgraph-info=su", "-Werror", "-Wno-format-truncation", "-Wno-enum-compare"]
NODE = re.compile(r'node: \{ title: "([^"]+)" label: "[^"]*\\n(\d+) bytes \(([a-z,]+)\)')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


def commands(build, target):
    """For each source: its folder and how gcc compiles it."""
    with open(os.path.join(build, "compile_commands.json")) as file:
        entries = json.load(file)
    for entry in entries:
        words = shlex.split(entry["command"])
        output = words[words.index("-o") + 1]
        if not PARTS.fullmatch(output.split("/")[1]):
            continue
        first = next(i for i, w in enumerate(words) if w.startswith("-"))
        kept = [w for w in words[first:words.index("-o")] if not w.startswith(("-O", "-f"))]
        name = output.replace("/", "_")  # a kernel is compiled once for each level
        yield entry["directory"], ["gcc", *kept, *OPTIONS, "-o", os.path.join(target, name), "-c", entry["file"]]


def compile_all(build, target):
    def run(job):
        done = subprocess.run(job[1], cwd=job[0], capture_output=True, text=True)
        return done.stderr if done.returncode else ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [w for w in pool.map(run, commands(build, target)) if w]
    if wrong:
        sys.exit("calls.py: gcc failed:\n" + "\n".join(wrong))


def name_of(title):
    """Without the file of a static function and what gcc appends to its copies."""
    return title.split(":")[-1].split(".")[0]


def key_of(name, title):
    """A static function is one of its object: kernels are compiled for each level."""
    return f"{name}:{title}" if ":" in title else title


def read(target):
    """Bytes of each function's frame, functions whose frame has no bound, and calls."""
    frames, unbounded, calls = {}, [], {}
    for name in sorted(os.listdir(target)):
        if not name.endswith(".ci"):
            continue
        with open(os.path.join(target, name)) as file:
            text = file.read()
        for title, size, kind in NODE.findall(text):
            frames[key_of(name, title)] = int(size)
            if kind == "dynamic":
                unbounded.append(name_of(title))
        for source, called in EDGE.findall(text):
            calls.setdefault(key_of(name, source), set()).add(key_of(name, called))
    return frames, unbounded, {f: sorted(c for c in calls.get(f, ()) if c in frames) for f in frames}


def in_order(calls):
    """Groups of functions that call one another, what is called first (Tarjan's algorithm, without recursion)."""
    number, least, stack, on_stack, groups = {}, {}, [], set(), []
    for root in calls:
        work = [] if root in number else [(root, iter(calls[root]))]
        if work:
            number[root] = least[root] = len(number)
            stack.append(root), on_stack.add(root)
        while work:
            function, rest = work[-1]
            called = next(rest, None)
            if called is None:
                work.pop()
                if work:
                    least[work[-1][0]] = min(least[work[-1][0]], least[function])
                if least[function] == number[function]:
                    cut = stack.index(function)
                    groups.append(stack[cut:])
                    on_stack.difference_update(stack[cut:])
                    del stack[cut:]
            elif called not in number:
                number[called] = least[called] = len(number)
                stack.append(called), on_stack.add(called)
                work.append((called, iter(calls[called])))
            elif called in on_stack:
                least[function] = min(least[function], number[called])
    return groups


def known_recursion():
    with open(os.path.join(HERE, "recursion.txt")) as file:
        lines = [line.split("|") for line in file if line.strip() and not line.startswith("#")]
    return {frozenset(names.split()): reason.strip() for names, reason in lines}


def check_recursion(groups, calls):
    found = {frozenset(map(name_of, g)) for g in groups if len(g) > 1 or g[0] in calls[g[0]]}
    known = known_recursion()
    return [f"recursion without a bound in recursion.txt: {' '.join(sorted(f))}" for f in found if not known.get(f)] + \
           [f"recursion.txt has what there is not: {' '.join(sorted(k))}" for k in known if k not in found]


def check_stack(groups, frames, calls):
    """The deepest chain of calls by name, each recursion once."""
    deepest, chain = {}, {}
    for group in groups:
        below = max((c for f in group for c in calls[f] if c not in group), key=deepest.get, default=None)
        for function in group:
            deepest[function] = sum(frames[f] for f in group) + (deepest[below] if below else 0)
            chain[function] = [f"{name_of(function)} {frames[function]}"] + (chain[below] if below else [])
    worst = max(deepest, key=deepest.get)
    print(f"{len(frames)} functions; the deepest chain takes {deepest[worst]} bytes: {' > '.join(chain[worst])}")
    called = {c for f in calls for c in calls[f]}
    return [f"{deepest[f]} bytes of stack: {' > '.join(chain[f])}" for f in deepest if deepest[f] > MOST_BYTES and f not in called]


def check_cancel(target, frames, calls):
    statics = {(f.split(":")[0].removesuffix(".ci"), name_of(f)): f for f in frames if ":" in f}
    include = os.path.join(HERE, "..", "..", "include")
    return cancel.check(target, include, calls, lambda name, function: statics.get((name.removesuffix(".o"), function), function), name_of)


def main():
    build, target = map(os.path.abspath, sys.argv[1:])
    shutil.rmtree(target, ignore_errors=True)  # of sources that are no more
    os.makedirs(target, exist_ok=True)
    compile_all(build, target)
    frames, unbounded, calls = read(target)
    if len(frames) < 1000:
        sys.exit(f"calls.py: expected the library's functions in {target}; found {len(frames)}")
    groups = in_order(calls)
    wrong = [f"a frame without a bound: {name}" for name in unbounded] + check_recursion(groups, calls) + check_stack(groups, frames, calls)
    wrong += check_cancel(target, frames, calls)
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
