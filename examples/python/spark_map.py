"""The same with Spark's mapInPandas: each task loads the model once, and runs it over the parts that it is given.

    pip install . pyspark pandas pyarrow        (and Java)
    python spark_map.py MODEL.onnx PICTURES.npy
"""

import os
import sys

import numpy as np
import onnxrun
import pandas
from pyspark.sql import SparkSession


def classifier(path):
    def classify(parts):
        model = onnxrun.load(path, threads=1)  # Spark spreads the work over the cores
        for part in parts:
            pictures = np.stack(part["picture"].to_numpy()).astype(np.float32).reshape(-1, 1, 8, 8)
            yield pandas.DataFrame({"id": part["id"], "digit": model(pictures).argmax(axis=1)})

    return classify


def main(model_path, pictures_path):
    pictures = np.load(pictures_path)
    rows = pandas.DataFrame({"id": range(len(pictures)), "picture": list(pictures.reshape(len(pictures), -1))})
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers on this machine; a cluster has it in its configuration
    spark = SparkSession.builder.master("local[2]").appName("digits").getOrCreate()
    try:
        found = spark.createDataFrame(rows).mapInPandas(classifier(model_path), "id long, digit long")
        print([row["digit"] for row in found.orderBy("id").collect()])
    finally:
        spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
