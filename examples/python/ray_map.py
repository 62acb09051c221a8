"""A data set that has outgrown one machine, mapped through a model with Ray Data: each worker loads the model once and keeps it.

    pip install . "ray[data]"
    python ray_map.py MODEL.onnx PICTURES.npy
"""

import sys

import numpy as np
import onnxrun
import ray


class Classify:
    def __init__(self, path):
        self.model = onnxrun.load(path, threads=1)  # Ray spreads the work over the cores

    def __call__(self, batch):
        batch["digit"] = self.model(batch.pop("data")).argmax(axis=1)
        return batch


def main(model_path, pictures_path):
    pictures = ray.data.from_numpy(np.load(pictures_path))
    digits = pictures.map_batches(Classify, fn_constructor_args=(model_path,), batch_size=4, compute=ray.data.ActorPoolStrategy(size=2))
    print([int(row["digit"]) for row in digits.take_all()])


if __name__ == "__main__":
    main(*sys.argv[1:])
