#!/usr/bin/env python3
"""Writes parameters.txt: what PyTorch's sum(p.numel()) is for the networks of tests/fixtures.

    make_parameters.py > parameters.txt        needs the packages of tools/requirements.txt
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "models"))

import layers  # noqa: E402,F401  (registers its cases)
import nets  # noqa: E402,F401
import small  # noqa: E402
from cases import CASES  # noqa: E402

print("# Parameters by PyTorch's count, sum(p.numel()), of models in tests/fixtures; make_parameters.py writes this file.")
for case in CASES:
    count = sum(p.numel() for p in case.build().parameters())
    for name, exporter, _ in small.variants(case):
        if count and exporter == "dynamo" and os.path.exists(os.path.join(HERE, "..", "fixtures", name)):
            print(name, count)
