#!/usr/bin/env python3
"""Writes the hostile corpus: hostile_gen.py OUTDIR

Makes OUTDIR/<case>/model.onnx with its external data and inputs (input_<i>.pb, named), and OUTDIR/cases.tsv with the columns
name, phase (load, run, any), expected status, bytes of the file, and what is wrong with it. Needs numpy and onnx only.
run_cases.c runs them all. Every bug that is fixed adds a case.
"""

import glob
import importlib
import os
import sys

import numpy as np
from onnx import numpy_helper as NH

from corpus import cases, x1

here = os.path.dirname(os.path.abspath(__file__))
for path in sorted(glob.glob(os.path.join(here, 'cases_*.py'))):
    importlib.import_module(os.path.basename(path)[:-3])  # registers its cases


def write_case(folder, name, build):
    """Returns the size of the model file."""
    os.makedirs(folder, exist_ok=True)
    made = build(folder)
    made, feeds = made if isinstance(made, tuple) else (made, None)
    if feeds is None:
        feeds = {} if name == 'A16_nul_name' else x1  # no file can be named like its input
    data = made if isinstance(made, bytes) else made.SerializeToString()
    with open(os.path.join(folder, 'model.onnx'), 'wb') as file:
        file.write(data)
    for i, (name, array) in enumerate(feeds.items()):
        with open(os.path.join(folder, 'input_%d.pb' % i), 'wb') as file:
            file.write(NH.from_array(np.asarray(array), name).SerializeToString())
    return len(data)


def main():
    if len(sys.argv) != 2:
        sys.exit('usage: hostile_gen.py OUTDIR')
    rows = []
    for name, phase, expected, why, build in sorted(cases, key=lambda c: c[0]):
        size = write_case(os.path.join(sys.argv[1], name), name, build)
        rows.append((name, phase, expected, size, why))
    with open(os.path.join(sys.argv[1], 'cases.tsv'), 'w') as file:
        for row in rows:
            file.write('\t'.join(map(str, row)) + '\n')
    print(len(rows), 'cases')


if __name__ == '__main__':
    main()
