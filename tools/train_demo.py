#!/usr/bin/env python3
"""Trains the demo's model: a small CNN that reads handwritten digits.

    tools/train_demo.py [DIR]           default: tests/fixtures/demo

scikit-learn ships the pictures (1,797 of 8x8 grey levels). Writes the model
(dynamo exporter, dynamic batch, softmax inside) and twelve held-out pictures
with their labels and expected probabilities. Needs the packages of
tools/requirements.txt.
"""

import os
import sys

if __name__ == "__main__" and any(word.startswith("-") for word in sys.argv[1:]):
    print(__doc__, file=sys.stdout if sys.argv[1] in ("-h", "--help") else sys.stderr)
    sys.exit(0 if sys.argv[1] in ("-h", "--help") else 2)

import numpy as np  # noqa: E402  (help needs none of these)
import torch  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "models"))

import fixture_io as fio  # noqa: E402  (found through the path above)


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32),
            nn.ReLU(), nn.MaxPool2d(2))
        self.classes = nn.Sequential(nn.Flatten(), nn.Dropout(0.3),
                                     nn.Linear(32 * 4 * 4, 10))

    def forward(self, picture):
        logits = self.classes(self.features(picture))
        return logits if self.training else torch.softmax(logits, 1)


def split():
    digits = load_digits()
    pictures = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
    labels = torch.tensor(digits.target)
    order = torch.randperm(len(labels))
    pictures, labels = pictures[order], labels[order]
    held = len(labels) // 5
    return (pictures[held:], labels[held:]), (pictures[:held], labels[:held])


def train(model, pictures, labels, epochs=40, batch=64):
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(labels)).split(batch):
            optimizer.zero_grad()
            F.cross_entropy(model(pictures[chosen]), labels[chosen]).backward()
            optimizer.step()
    return model.eval()


def one_of_each(labels, count):
    """Places of the first picture of every digit, then of further ones."""
    first = [int((labels == digit).nonzero()[0]) for digit in range(10)]
    rest = [i for i in range(len(labels)) if i not in first]
    return torch.tensor(first + rest[:count - 10])


def main():
    folder = os.path.join(ROOT, "tests", "fixtures", "demo")
    if len(sys.argv) > 1:
        folder = sys.argv[1]
    torch.manual_seed(2026)
    torch.set_num_threads(1)
    seen, held = split()
    model = train(Digits(), *seen)
    with torch.no_grad():
        right = (model(held[0]).argmax(1) == held[1]).float().mean().item()
    print(f"accuracy on {len(held[1])} held-out pictures: {100 * right:.1f} %")
    if right <= 0.97:
        return 1

    chosen = one_of_each(held[1], 12)
    pictures, labels = held[0][chosen], held[1][chosen]
    with fio.new_folder(folder) as part:
        fio.export(model, (pictures,), os.path.join(part, "model.onnx"),
                   exporter="dynamo", opset=20, input_names=("picture",),
                   output_names=("probabilities",),
                   dynamic={"picture": {0: "batch"}})
        np.save(os.path.join(part, "digits.npy"), pictures.numpy())
        np.save(os.path.join(part, "labels.npy"), labels.numpy())
        fio.save_torch_data(part, 0, model, (pictures,), ("picture",))
        fio.save_torch_data(part, 1, model, (pictures[:1],), ("picture",))
        print(f"agrees with {fio.require(part)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
