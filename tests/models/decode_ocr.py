#!/usr/bin/env python3
"""Turns the output of PP-OCR's recogniser into text.

    decode_ocr.py DICTIONARY OUTPUT [TEXT]

OUTPUT is a .npy or .pb file of probabilities, [1, steps, characters]. With
TEXT, exits 1 unless exactly that was read.
"""

import sys

import numpy as np


def read_dictionary(path):
    """Class 0 is CTC's blank; the space comes after the listed characters."""
    with open(path, encoding="utf-8") as file:
        characters = file.read().split("\n")[:-1]
    return ["", *characters, " "]


def decode(probabilities, dictionary):
    """The likeliest character of each step, repeats and blanks dropped."""
    best = probabilities[0].argmax(-1)
    kept = [k for i, k in enumerate(best)
            if k != 0 and (i == 0 or k != best[i - 1])]
    return "".join(dictionary[k] for k in kept)


def main(arguments):
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    dictionary = read_dictionary(arguments[0])
    if arguments[1].endswith(".npy"):
        output = np.load(arguments[1])
    else:
        import onnx
        output = onnx.numpy_helper.to_array(onnx.load_tensor(arguments[1]))
    text = decode(output, dictionary)
    print(text)
    return int(len(arguments) == 3 and text != arguments[2])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
