"""Uses the package as people do who check types: test_types.sh gives it to mypy, nothing runs it."""

import numpy as np
import numpy.typing as npt
import onnxrun
import onnxrun as ort

model = onnxrun.load("model.onnx", threads=1, limits={"total_bytes": "2GiB"})
y = model(np.zeros((1, 2), np.float32))
d: dict[str, object] = dict(model.run({"x": y}, ["y"]))
s = model.session(states=True)
for node in s.nodes():
    print(node.layer, node.total_ns / 1e6)
print(s.memory_bytes, model.profile(y, runs=3).total_ns, model.info["threads"])
o = ort.SessionOptions()
o.intra_op_num_threads = 2
o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
session = ort.InferenceSession("model.onnx", o, providers=["CPUExecutionProvider"])
name: str = session.get_inputs()[0].name
(a,) = session.run(None, {name: y})
v = ort.OrtValue.ortvalue_from_numpy(y)
b = session.io_binding()
b.bind_ortvalue_input(name, v)
b.bind_output("y")
session.run_with_iobinding(b)
print(np.asarray(v), v.shape(), b.copy_outputs_to_cpu(), session.get_modelmeta().custom_metadata_map["a"])
print(session.get_providers(), onnxrun.version(), onnxrun.__version__)


@onnxrun.operator("com.example", "Scale")
class Scale:
    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def shape(self, x: onnxrun.TensorType) -> onnxrun.TensorType:
        return onnxrun.TensorType(np.float32, x.shape)

    def run(self, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return x * np.float32(self.factor)


print(Scale(2.0).factor, onnxrun.load(b"", operators=[Scale]))
try:
    onnxrun.load("nowhere.onnx")
except (onnxrun.MissingFileError, onnxrun.ArgumentError) as error:
    print(error.status, error.where, error.message)
onnxrun.quantize("a", "b")
for difference in onnxrun.check(Scale, (1, 2), "model.onnx"):
    print(difference.name, difference.largest)
onnxrun.export(Scale, (y,), "model.onnx")
onnxrun.optimise("model.onnx", "smaller.onnx")
