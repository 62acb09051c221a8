"""The interface of onnx.backend: onnxrun.backend.prepare(model).run(inputs)."""


import inspect

import numpy as np
import onnx
from onnx.backend.base import Backend, BackendRep, namedtupledict

from ._model import load

LOAD = frozenset(inspect.signature(load).parameters) - {"source"}


class OnnxrunBackendRep(BackendRep):
    def __init__(self, model):
        self._model = model

    def run(self, inputs, **kwargs):
        """inputs: a list in the order of the model's, a dict, or one array where there is one input."""
        if not isinstance(inputs, (list, tuple, dict)):
            inputs = [inputs]
        if not isinstance(inputs, dict):
            inputs = dict(zip((info.name for info in self._model.inputs), inputs))
        names = [info.name for info in self._model.outputs]
        return namedtupledict("Outputs", names)(*self._model.run(inputs).values())


class OnnxrunBackend(Backend):
    @classmethod
    def prepare(cls, model, device="CPU", **kwargs):
        """model: a ModelProto, its bytes, or a path. Arguments of onnxrun.load are handed on, others are not ours."""
        if not cls.supports_device(device):
            raise ValueError(f"there is no device {device}, only CPU")
        if isinstance(model, onnx.ModelProto):
            model = model.SerializeToString()
        return OnnxrunBackendRep(load(model, **{name: value for name, value in kwargs.items() if name in LOAD}))

    @classmethod
    def run_node(cls, node, inputs, device="CPU", outputs_info=None, **kwargs):
        """Runs one node on arrays."""
        opset = kwargs.pop("opset_version", onnx.defs.onnx_opset_version())
        arrays = [np.asarray(value) for value in inputs]
        names = [name for name in node.input if name]
        declared = [onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
                    for name, array in zip(names, arrays)]
        results = [onnx.helper.make_empty_tensor_value_info(name) for name in node.output if name]
        graph = onnx.helper.make_graph([node], "node", declared, results)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid(node.domain, opset)])
        model = onnx.shape_inference.infer_shapes(model)
        return cls.prepare(model, device, **kwargs).run(arrays)

    @classmethod
    def supports_device(cls, device):
        return onnx.backend.base.Device(device).type == onnx.backend.base.DeviceType.CPU


is_compatible = OnnxrunBackend.is_compatible
prepare = OnnxrunBackend.prepare
run_model = OnnxrunBackend.run_model
run_node = OnnxrunBackend.run_node
supports_device = OnnxrunBackend.supports_device
