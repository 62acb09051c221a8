#!/usr/bin/env python3
"""Checks the cases that make_fixtures --layers has made against layers_expected.txt.

    check_layers.py ONNXRUN DIR

A case must pass, unless the list says that the exporter refuses it or writes something else than the module computes. One
line for each case that does otherwise, "FAIL layer NAME: reason", then a line with the counts.
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# By what the name ends in, without the exporter: two units in the last place of the narrow types.
TOLERANCES = {"_f16": ("4e-3", "4e-3"), "_bf16": ("3e-2", "3e-2")}


def read_expected():
    expected = {}
    with open(os.path.join(HERE, "layers_expected.txt"), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                name, kind, _ = line.split(maxsplit=2)
                expected[name] = kind
    return expected


def tolerance(name):
    stem = name.rsplit("_", 1)[0]
    return next((t for suffix, t in TOLERANCES.items() if stem.endswith(suffix)), ("1e-4", "1e-4"))


def check(tool, folder, names):
    """{name: reason}, "" for one that passes."""
    results = {}
    for rtol, atol in sorted({tolerance(name) for name in names}):
        group = [n for n in names if tolerance(n) == (rtol, atol)]
        for start in range(0, len(group), 500):
            paths = [os.path.join(folder, n) for n in group[start:start + 500]]
            done = subprocess.run([tool, "check", "--rtol", rtol, "--atol", atol, *paths], capture_output=True, text=True, check=False)
            for line in done.stdout.splitlines():
                word, _, rest = line.partition(" ")
                if word in ("ok", "FAIL", "UNSUPPORTED"):
                    name, _, reason = rest.partition(": ")
                    results[name] = reason
    return results


def main(tool, folder):
    expected = read_expected()
    names = sorted(n for n in os.listdir(folder) if not n.endswith(".part"))
    refused = {n for n in names if os.path.exists(os.path.join(folder, n, "refused"))}
    results = check(tool, folder, [n for n in names if n not in refused])
    counts = {"ok": 0, "refused": 0, "wrong": 0}
    failed = 0
    for name in names:
        reason = results.get(name, "onnxrun check says nothing of it")
        found = "refused" if name in refused else "wrong" if reason else "ok"
        wanted = expected.get(name, "ok")
        if found == wanted:
            counts[found] += 1
            continue
        failed += 1
        print(f"FAIL layer {name}: expected {wanted}, found {found} {reason if found == 'wrong' else ''}")
    missing = [name for name in expected if name not in names]
    for name in missing:
        print(f"FAIL layer {name}: is in layers_expected.txt, but was not made")
    print(f"layers: {counts['ok']} agree with PyTorch, {counts['refused']} are refused by the exporter, {counts['wrong']} are "
          f"written wrong by it; {failed + len(missing)} are not as expected")
    return 1 if failed or missing or not names else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
