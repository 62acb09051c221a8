"""Says what is on pictures of digits, and how sure it is.

    python classify.py [MODEL.onnx PICTURES.npy]
"""

import pathlib
import sys

import numpy as np
import onnxrun

DEMO = pathlib.Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "demo"


def main(model_path=DEMO / "model.onnx", pictures_path=DEMO / "digits.npy"):
    model = onnxrun.load(model_path)
    pictures = np.load(pictures_path)
    probabilities = model(pictures)
    for digit, sure in zip(probabilities.argmax(axis=1), probabilities.max(axis=1)):
        print(f"{digit} ({sure:.0%})")


if __name__ == "__main__":
    main(*sys.argv[1:])
