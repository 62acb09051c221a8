"""The programs that tools/compare times beside onnxrun, with one face: open a model, run it, read its outputs.

As a program, one peer in a process of its own, which answers a line of JSON with a line of JSON:
    {"open": MODEL, "inputs": FILE.npz, "threads": N}   {"load_ms": ...}   until the first result is there
    {"time": SECONDS}                                   {"min_ms": ..., "median_ms": ...}
    {"count": N}                                        {}   N runs between two calls of the system's getppid
    {"save": FILE.npz}                                  {}   the outputs by position
    {"peak": true}                                      {"bytes": ...}   the most memory the process had
An error is {"error": "..."}.
"""

import importlib.util
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np


class OnnxRuntime:
    name, package = "ONNX Runtime", "onnxruntime"

    def __init__(self, path, inputs, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if threads > 1 else "0")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        for info in self.session.get_inputs():
            self.binding.bind_cpu_input(info.name, inputs[info.name])
        for info in self.session.get_outputs():
            self.binding.bind_output(info.name)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def outputs(self):
        return self.binding.copy_outputs_to_cpu()


class OpenVino:
    name, package = "OpenVINO", "openvino"

    def __init__(self, path, inputs, threads):
        import openvino
        core = openvino.Core()
        model = core.read_model(path)
        model.reshape({port: inputs[port.any_name].shape for port in model.inputs})
        compiled = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"})
        self.request = compiled.create_infer_request()
        self.held = core, model, compiled, inputs  # the request reads them and does not keep them alive
        for port in compiled.inputs:
            self.request.set_tensor(port, openvino.Tensor(inputs[port.any_name], shared_memory=True))
        self.count = len(compiled.outputs)

    def run(self):
        self.request.infer()

    def outputs(self):
        return [np.array(self.request.get_output_tensor(i).data) for i in range(self.count)]


class Mnn:
    name, package, own_format = "MNN", "MNN", True

    def __init__(self, path, inputs, threads):
        import MNN
        import onnx
        graph = onnx.load(path, load_external_data=False).graph
        names = [i.name for i in graph.input if i.name not in {t.name for t in graph.initializer}]
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "model.mnn")
            subprocess.run([sys.executable, "-m", "MNN.tools.mnnconvert", "-f", "ONNX", "--modelFile", path, "--MNNModel", file, "--bizCode", "x"],
                           check=True, capture_output=True)
            start = time.perf_counter()
            manager = MNN.nn.create_runtime_manager(({"backend": "CPU", "numThread": threads, "precision": "high"},))
            self.net = MNN.nn.load_module_from_file(file, names, [o.name for o in graph.output], runtime_manager=manager)
            self.load_seconds = time.perf_counter() - start  # converting is done once, before
        self.inputs = [MNN.expr.const(inputs[n], list(inputs[n].shape), MNN.expr.NCHW,
                                      MNN.expr.float if inputs[n].dtype == np.float32 else MNN.expr.int) for n in names]

    def run(self):
        self.results = self.net.forward(self.inputs)
        for result in self.results:
            result.read()

    def outputs(self):
        import MNN
        return [np.array(MNN.expr.convert(r, MNN.expr.NCHW).read()) for r in self.results]


class Ncnn:
    name, package, own_format = "ncnn", "pnnx", True

    def __init__(self, path, inputs, threads):
        import ncnn
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(os.path.abspath(path), os.path.join(folder, "model.onnx"))
            # pnnx's Python face asks for PyTorch; its program does not
            converter = os.path.join(importlib.util.find_spec("pnnx").submodule_search_locations[0], "pnnx")
            subprocess.run([converter, "model.onnx", "fp16=0"], cwd=folder, check=True, capture_output=True)
            with open(os.path.join(folder, "model_ncnn.py")) as file:
                example = file.read()  # it knows each input's batch dimension, which ncnn's own format leaves out
            axes = {name: int(axis) for name, axis in re.findall(r"(\w+)\.numpy\((?:\), )?batch_index=(\d+)\)", example)}
            self.wanted = {name: axis for name, axis in axes.items() if name.startswith("out")}
            start = time.perf_counter()
            self.net = ncnn.Net()
            self.net.opt.num_threads = threads
            self.net.opt.use_fp16_packed = self.net.opt.use_fp16_storage = self.net.opt.use_fp16_arithmetic = False
            self.net.opt.use_bf16_storage = False
            if self.net.load_param(os.path.join(folder, "model.ncnn.param")) or self.net.load_model(os.path.join(folder, "model.ncnn.bin")):
                raise RuntimeError("ncnn does not load what pnnx wrote")
            self.load_seconds = time.perf_counter() - start  # converting is done once, before
        self.inputs = []
        for i, value in enumerate(inputs.values()):
            name = f"in{i}"
            plain = np.take(value, 0, axes[name]) if axes[name] < value.ndim else value  # 233 is none
            self.inputs.append((name, ncnn.Mat(np.ascontiguousarray(plain)).clone()))

    def run(self):
        extractor = self.net.create_extractor()
        for name, value in self.inputs:
            extractor.input(name, value)
        self.results = [extractor.extract(name) for name in self.wanted]
        if any(code for code, _ in self.results):
            raise RuntimeError("ncnn does not run it")

    def outputs(self):
        arrays = [np.array(value) for _, value in self.results]
        return [np.expand_dims(a, axis) if axis <= a.ndim else a for a, axis in zip(arrays, self.wanted.values())]


class Tract:
    name, package = "tract", "tract"

    def __init__(self, path, inputs, threads):
        import onnx
        import tract
        model = tract.onnx().load(path)
        names = [i.name for i in onnx.load(path, load_external_data=False).graph.input]
        for i, name in enumerate(names):
            kind = {"float32": "f32", "int64": "i64", "int32": "i32"}[str(inputs[name].dtype)]
            model.set_input_fact(i, ",".join([*map(str, inputs[name].shape), kind]))
        self.model = model.into_model().into_runnable() if hasattr(model, "into_model") else model.into_optimized().into_runnable()
        self.inputs = [inputs[name] for name in names]

    def run(self):
        self.results = self.model.run(self.inputs)

    def outputs(self):
        return [np.array(r.to_numpy()) for r in self.results]


def beside(path, suffix):
    """What models.py made of the same module for a peer that has no way from ONNX."""
    file = os.path.splitext(path)[0] + suffix
    if not os.path.exists(file):
        raise RuntimeError(f"there is no {os.path.basename(file)} beside it")
    return file


class LiteRt:
    name, package, own_format = "LiteRT", "ai_edge_litert", True

    def __init__(self, path, inputs, threads):
        from ai_edge_litert.interpreter import Interpreter
        file = beside(path, ".tflite")
        start = time.perf_counter()
        self.net = Interpreter(model_path=file, num_threads=threads)
        self.net.allocate_tensors()
        self.load_seconds = time.perf_counter() - start
        by_place = sorted(self.net.get_input_details(), key=lambda d: int(re.search(r"args_(\d+)", d["name"])[1]))
        for place, value in zip(by_place, inputs.values()):
            self.net.set_tensor(place["index"], value)

    def run(self):
        self.net.invoke()

    def outputs(self):
        return [np.array(self.net.get_tensor(d["index"])) for d in self.net.get_output_details()]


class ExecuTorch:
    name, package, own_format = "ExecuTorch", "executorch", True

    def __init__(self, path, inputs, threads):
        import torch
        from executorch.extension.pybindings import portable_lib as library
        file = beside(path, ".pte")
        library._unsafe_reset_threadpool(threads)
        start = time.perf_counter()
        self.net = library._load_for_executorch(file)
        self.load_seconds = time.perf_counter() - start
        self.inputs = tuple(torch.from_numpy(value) for value in inputs.values())

    def run(self):
        self.results = self.net.forward(self.inputs)

    def outputs(self):
        return [r.numpy().copy() for r in self.results]


PEERS = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "mnn": Mnn, "ncnn": Ncnn, "tract": Tract, "litert": LiteRt, "executorch": ExecuTorch}


def installed():
    return [key for key, peer in PEERS.items() if importlib.util.find_spec(peer.package)]


def timed(run, seconds):
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return {"min_ms": min(times), "median_ms": statistics.median(times)}


class Worker:
    def __init__(self, peer):
        self.peer, self.open_model = peer, None

    def answer(self, request):
        if "open" in request:
            inputs = dict(np.load(request["inputs"]))
            self.open_model = None
            start = time.perf_counter()
            model = self.peer(request["open"], inputs, request["threads"])
            loaded = getattr(model, "load_seconds", time.perf_counter() - start)
            start = time.perf_counter()
            model.run()
            self.open_model = model
            return {"load_ms": (loaded + time.perf_counter() - start) * 1e3}
        if "time" in request:
            return timed(self.open_model.run, request["time"])
        if "count" in request:
            os.getppid()
            for _ in range(request["count"]):
                self.open_model.run()
            os.getppid()
            return {}
        if "save" in request:
            np.savez(request["save"], *self.open_model.outputs())
            return {}
        return {"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}

    def serve(self):
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # what libraries print is not an answer
        for line in sys.stdin:
            try:
                answer = self.answer(json.loads(line))
            except Exception as error:  # any failure of a peer is a result
                answer = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
            print(json.dumps(answer), file=answers, flush=True)


class Peer:
    """A peer in another process. Calls raise RuntimeError when it fails or dies."""

    def __init__(self, key, python=(sys.executable,), environment=None):
        self.key, self.name = key, PEERS[key].name
        self.process = subprocess.Popen([*python, os.path.abspath(__file__), key], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=environment)

    def ask(self, **request):
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        answer = json.loads(line) if line else {"error": "it crashed"}
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self):
        self.process.kill()
        self.process.wait()


if __name__ == "__main__":
    Worker(PEERS[sys.argv[1]]).serve()
