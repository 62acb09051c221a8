"""Inner loops of products keep their sums in registers: whether a compiler unrolls what it is told to is its luck.

usage: inner_loops.py BUILD_DIR

An innermost loop that multiplies and adds LEAST vectors and stores more than a third as many to the stack has its sums in
memory: four times slower on some processors, as fast on others, right on all, so that no other test sees it.
"""

import glob
import os
import re
import subprocess
import sys

LEAST = 12
KERNELS = ("attention/attention", "conv/conv_gemm", "conv/depthwise", "conv_integer/depthwise_dot", "matmul/sgemm", "quantize/byte_product_dot")
MULTIPLY_ADD = re.compile(r"v(f(n?m)(add|sub)|pdpbusd|pmaddwd)")
STORE = re.compile(r"vmov\w+ +%[xyz]mm\d+,-?(0x)?[0-9a-f]*\(%r[sb]p")
JUMP = re.compile(r"j\w+ +([0-9a-f]+) <")


def functions(path):
    """(name, [(address, instruction)]) of an object file."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True).stdout
    name, body = None, []
    for line in text.splitlines():
        if head := re.match(r"[0-9a-f]+ <(.*)>:", line):
            if name:
                yield name, body
            name, body = head[1], []
        elif part := re.match(r" *([0-9a-f]+):\t(.*)", line):
            body.append((int(part[1], 16), part[2]))
    if name:
        yield name, body


def inner_loops(body):
    """The instructions of each loop that holds no other."""
    place = {address: i for i, (address, _) in enumerate(body)}
    spans = []
    for i, (_, text) in enumerate(body):
        jump = JUMP.match(text)
        start = place.get(int(jump[1], 16), i + 1) if jump else i + 1
        if start <= i:
            spans.append((start, i))
    for start, end in spans:
        if not any(span != (start, end) and start <= span[0] and span[1] <= end for span in spans):
            yield [text for _, text in body[start:end + 1]]


def main():
    build, loops, wrong = sys.argv[1], 0, []
    for kernel in KERNELS:
        found = 0
        for path in sorted(glob.glob(f"{build}/CMakeFiles/onnxrun_kernels_*.dir/src/kernels/{kernel}_simd.c.o")):
            level = re.search(r"onnxrun_kernels_(\w+)\.dir", path)[1]
            for name, body in functions(path):
                for loop in inner_loops(body):
                    sums = sum(bool(MULTIPLY_ADD.match(text)) for text in loop)
                    stores = sum(bool(STORE.match(text)) for text in loop)
                    found += sums >= LEAST
                    if sums >= LEAST and 3 * stores > sums:
                        wrong.append(f"{kernel} at {level}, {name}: {sums} multiply-adds and {stores} stores to the stack")
        if not found:
            wrong.append(f"{kernel}: expected loops of {LEAST} multiply-adds, found none")
        loops += found
    print(f"{loops} inner loops")
    for line in wrong:
        print("FAIL:", line)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
