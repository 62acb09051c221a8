"""Branch coverage from what llvm-cov exports, and the branches that no test takes.

report.py EXPORT.json ROOT UNREACHED.txt [--all] [--missing]

A branch is one outcome of one condition: "if (a && b)" has four. Conditions inside macros count where the macro is used. UNREACHED.txt has
a line for each that cannot be taken, or that no test can bring about:

    FILE | FUNCTION | CONDITION | true or false | REASON        (the first three may be patterns of a shell)

Prints the rate of every group, a folder or the planner (--all: of every file), and how many branches are neither taken nor listed (--missing:
which). Exit status 1: a group is below its least rate, or a line of UNREACHED.txt says of a branch that is taken that it cannot be.
"""
import collections
import fnmatch
import json
import os
import re
import sys

# Groups whose branches should be taken or listed, and the least part, in percent, that is: what has been reached, until it is all.
PLANNER = "the planner"
PLANNING = re.compile(r"src/exec/(plan|planner|plan_cache|memory_plan)[.][ch]")
LEAST = {"onnx/file": 95, "onnx/import": 95, PLANNER: 95, "onnx/node": 92, "onnx/ops": 90, "src/exec": 87}

Branch = collections.namedtuple("Branch", "file line column function condition side")


class Source:
    def __init__(self, root):
        self.root, self.lines = root, {}

    def text(self, path, first, column, last, end):
        """What stands between two places, on one line."""
        if path not in self.lines:
            with open(os.path.join(self.root, path), encoding="utf-8") as file:
                self.lines[path] = file.read().split("\n")
        lines = self.lines[path][first - 1:last]
        lines[-1] = lines[-1][:end - 1]
        lines[0] = lines[0][column - 1:]
        return " ".join(" ".join(lines).split())


def places(function):
    """For each file or macro of a function: where in its own file it is used."""
    above = {}
    for *place, _, file, expanded, kind in function["regions"]:
        if kind == 1:
            above[expanded] = (file, place)

    def top(file, place):
        while file in above and file != 0:
            file, place = above[file]
        return (place, True) if file == 0 else (None, False)

    return top


def outcomes(export, root):
    """Every branch below root, and how often it was taken."""
    source, taken = Source(root), collections.Counter()
    for function in export["data"][0]["functions"]:
        path = os.path.relpath(function["filenames"][0], root)
        if path.startswith(".."):
            continue
        top = places(function)
        numbers = collections.Counter()
        for *place, true, false, file, _, _ in function.get("branches", []):
            spot, known = top(file, place)
            if not known:
                continue
            condition = source.text(path, *spot)
            inner = ""
            if file != 0:  # the conditions of one macro, by number
                numbers[tuple(spot)] += 1
                inner = f" #{numbers[tuple(spot)]}" if numbers[tuple(spot)] > 1 else ""
            name = function["name"].split(":")[-1]
            for side, count in (("true", true), ("false", false)):
                taken[Branch(path, spot[0], spot[1], name, condition + inner, side)] += count
    return taken


def group_of(path):
    return PLANNER if PLANNING.fullmatch(path) else "/".join(path.split("/")[:2])


def read_list(path):
    with open(path, encoding="utf-8") as file:
        rows = [[word.strip() for word in line.split(" | ")] for line in file if line.strip() and not line.startswith("#")]
    for row in rows:
        if len(row) != 5 or row[3] not in ("true", "false"):
            sys.exit(f"{path}: expected FILE | FUNCTION | CONDITION | true or false | REASON; found {' | '.join(row)}")
    return rows


def matches(row, branch):
    return row[3] == branch.side and all(a == b or fnmatch.fnmatchcase(b, a) for a, b in zip(row[:3], (branch.file, branch.function, branch.condition)))


def rates(taken, key):
    groups = collections.defaultdict(lambda: [0, 0])
    for branch, count in taken.items():
        group = groups[key(branch.file)]
        group[0] += count > 0
        group[1] += 1
    return groups


def listed_too(taken, rows):
    """As taken, but those of UNREACHED.txt are left out."""
    return {b: n for b, n in taken.items() if n or not any(matches(row, b) for row in rows)}


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    with open(arguments[0], encoding="utf-8") as file:
        taken = outcomes(json.load(file), os.path.abspath(arguments[1]))
    rows = read_list(arguments[2])
    used = [False] * len(rows)
    missing, wrong = [], []
    for branch, count in sorted(taken.items()):
        fitting = [i for i, row in enumerate(rows) if matches(row, branch)]
        for i in fitting:
            used[i] = used[i] or count == 0
        if not count and not fitting and group_of(branch.file) in LEAST:
            missing.append(branch)
    if "--all" in sys.argv:
        for file, (some, all_) in sorted(rates(taken, lambda f: f).items()):
            print(f"{100 * some / all_:6.1f} % of {all_:5} branches  {file}")
    for group, (some, all_) in sorted(rates(taken, group_of).items()):
        print(f"{100 * some / all_:6.2f} % of {all_:5} branches, {all_ - some} not taken: {group}")
    for group, (some, all_) in sorted(rates(listed_too(taken, rows), group_of).items()):
        if group in LEAST:
            print(f"{100 * some / all_:6.2f} % are taken or listed: {group}")
        if 100 * some < LEAST.get(group, 0) * all_:
            wrong.append(f"{group}: less than {LEAST[group]} % of all branches are taken or listed")
    print(f"{len(missing)} branches of {', '.join(LEAST)} are neither taken nor listed")
    if "--missing" in sys.argv:
        print("\n".join(f"{b.file}:{b.line}: {b.function}: never {b.side}: {b.condition}" for b in missing))
    wrong += [f"{arguments[2]}: there is no such branch, or it is taken: {' | '.join(row)}" for row, u in zip(rows, used) if not u]
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
