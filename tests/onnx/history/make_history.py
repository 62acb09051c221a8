#!/usr/bin/env python3
"""Writes single-node cases for old operator versions and for every tensor type.

    make_history.py SUITE DIR        DIR/{forms,versions,types,geometry,quantised,specials}/CASE/{model.onnx, test_data_set_0/...}

SUITE is the folder that tests/onnx/suite/make_suite.py wrote: it has the newest version of most operators and few types.
  forms     old forms written out in forms.py, their results in numpy; the domain ai.onnx.ml from forms_ml.py; models of
            convolutions from forms_conv.py
  versions  cases of SUITE under an older opset whose schema allows the same node
  types     cases of SUITE with inputs of another type that the schema allows
  geometry  pools, Resize and products of random geometry within models (geometry.py)
  quantised layers between DequantizeLinear and QuantizeLinear (quantised.py), as ONNX Runtime computes each node
  specials  cases of SUITE with NaN and infinities, and what is fused into them
The results of all but forms and quantised come from onnx.reference and from ONNX Runtime. Where both answer they must agree, or the case
is left out: a case whose right answer is in doubt tests nothing. Inputs for which the standard defines no result are changed
(defined.py). Needs onnx, numpy and onnxruntime.
"""

import collections
import os
import sys

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, defs, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import defined
import forms
import forms_conv
import forms_ml
import geometry
import quantised
import specials

CASES_PER_VERSION = 3
SEED = 20
BESIDE_ANOTHER_DOMAIN = 17  # opset of ai.onnx in a model whose node is of another domain
# Needs a decoder of pictures.
LEFT_OUT = {"ImageDecoder"}
# With a seed they give what onnx.reference draws; ONNX Runtime draws other numbers.
RANDOM = {"Bernoulli", "Dropout"}
# The reference leaves out the imaginary part: it gets both parts by themselves.
TWO_PARTS = {"Resize"}
# The reference computes these in the type of the input, rounding each step, and gives all results this type, or it has no
# code for some types: it gets float32 here, and its results are rounded once.
WIDE = {"AffineGrid", "Det", "InstanceNormalization", "LayerNormalization", "MeanVarianceNormalization", "RMSNormalization", "RotaryEmbedding"}
# Their meaning changed while the schema stayed: forms.py has the old one.
CHANGED = {"Softmax": 13, "LogSoftmax": 13, "Hardmax": 13}
# Shapes of these had to be equal (without the attribute `broadcast`) before opset 7.
ELEMENTWISE = {"Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Less", "Greater", "PRelu", "Gemm"}
VARIADIC_ELEMENTWISE = {"Sum": 8, "Mean": 8, "Min": 8, "Max": 8}

Case = collections.namedtuple("Case", "node inputs opset")


def schemas():
    table = collections.defaultdict(dict)
    for schema in defs.get_all_schemas_with_history():
        if schema.domain == "" and not schema.deprecated:
            table[schema.name][schema.since_version] = schema
    return table


def in_force(versions, opset):
    return max((v for v in versions if v <= opset), default=0)


def type_name(array):
    kind = helper.np_dtype_to_tensor_dtype(array.dtype) if array.dtype.kind not in "OU" else TensorProto.STRING
    return "tensor(" + TensorProto.DataType.Name(kind).lower() + ")"


def is_map(value):
    """Whether it is a map, or a list of maps; all else are arrays."""
    return isinstance(value, (dict, list))


def map_type(value):
    if isinstance(value, list):
        return helper.make_sequence_type_proto(map_type(value[0]))
    keys = TensorProto.STRING if isinstance(next(iter(value)), str) else TensorProto.INT64
    kind = helper.np_dtype_to_tensor_dtype(np.asarray(next(iter(value.values()))).dtype)
    return helper.make_map_type_proto(keys, helper.make_tensor_type_proto(kind, []))


def value_proto(value, name):
    if isinstance(value, list):
        entries = [value_proto(v, "") for v in value]
        return onnx.SequenceProto(name=name, elem_type=onnx.SequenceProto.MAP, map_values=entries)
    if isinstance(value, dict):
        values = [numpy_helper.from_array(np.asarray(v)) for v in value.values()]
        sequence = onnx.SequenceProto(elem_type=onnx.SequenceProto.TENSOR, tensor_values=values)
        if isinstance(next(iter(value)), str):
            return onnx.MapProto(name=name, key_type=TensorProto.STRING, string_keys=[k.encode() for k in value], values=sequence)
        return onnx.MapProto(name=name, key_type=TensorProto.INT64, keys=list(value), values=sequence)
    return numpy_helper.from_array(value, name)


def value_info(name, array=None):
    if array is None:
        return onnx.ValueInfoProto(name=name)
    if is_map(array):
        return helper.make_value_info(name, map_type(array))
    kind = TensorProto.STRING if array.dtype.kind in "OU" else helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor_value_info(name, kind, array.shape)


def make_model(case, outputs=None):
    names = [n for n in case.node.input if n]
    inputs = [value_info(n, x) for n, x in zip(names, case.inputs)]
    results = [n for n in case.node.output if n]
    infos = [value_info(n, None if outputs is None else y) for n, y in zip(results, outputs or results)]
    graph = helper.make_graph([case.node], "history", inputs, infos)
    ir = 13 if case.opset >= 25 else 10
    opsets = [helper.make_opsetid(case.node.domain, case.opset)]
    if case.node.domain:
        opsets.append(helper.make_opsetid("", BESIDE_ANOTHER_DOMAIN))
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir, producer_name="onnxrun")


def run_reference(model, feeds):
    try:
        return [y if is_map(y) else np.asarray(y) for y in ReferenceEvaluator(model).run(None, feeds)]
    except Exception:  # whatever it raises, it has no answer
        return None


def run_runtime(model, feeds):
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return [y if is_map(y) else np.asarray(y) for y in session.run(None, feeds)]
    except Exception:  # an old version or a type without a kernel, a type that numpy has no name for
        return None


def with_reference(case):
    if case.node.op_type in TWO_PARTS and case.inputs[0].dtype.kind == "c":
        x, *others = case.inputs
        parts = [with_reference(case._replace(inputs=[part, *others])) for part in (x.real.copy(), x.imag.copy())]
        return None if None in parts else [(re + 1j * im).astype(x.dtype) for re, im in zip(*parts)]
    return run_reference(make_model(case), dict(zip([n for n in case.node.input if n], case.inputs)))


def with_runtime(case):
    if case.node.op_type in RANDOM:
        return None
    return run_runtime(make_model(case), dict(zip([n for n in case.node.input if n], case.inputs)))


def same(a, b):
    """Whether two lists of results agree within what float16 sums allow."""
    for x, y in zip(a, b):
        if x.shape != y.shape or type_name(x) != type_name(y):
            return False
        if x.dtype.kind in "OUb":
            if not np.array_equal(x, y):
                return False
            continue
        loose = x.dtype.itemsize < 4
        if x.dtype.kind != "c":
            x, y = x.astype(np.float64), y.astype(np.float64)
        if not np.allclose(x, y, rtol=1e-2 if loose else 1e-3, atol=1e-2 if loose else 1e-5, equal_nan=True):
            return False
    return True


def answer(case, schema):
    """The results of a case, or None when nobody computes them or the two differ."""
    reference, runtime = with_reference(case), with_runtime(case)
    if reference is not None and runtime is not None and not same(reference, runtime):
        return None
    results = runtime if reference is None else reference
    return results if results is not None and declared(case, results, schema) else None


def wide_answer(case, schema, variable, kind):
    """As answer(), by the reference in float32; `kind` is the type of the variable."""
    dtype = numpy_type(kind)
    wide = case._replace(inputs=[x.astype(np.float32) if type_name(x) == kind else x for x in case.inputs])
    results = with_reference(wide)
    if results is None:
        return None
    outputs = [schema.outputs[min(i, len(schema.outputs) - 1)] for i in range(len(results))]
    results = [y.astype(dtype) if p.type_str == variable else y for y, p in zip(results, outputs)]
    runtime = with_runtime(case)
    return results if runtime is None or same(results, runtime) else None


def declared(case, results, schema):
    """Whether the types of the results are those that the schema binds."""
    bound = bindings(case, schema)
    if bound is None:
        return False
    for i, result in enumerate(results):
        parameter = schema.outputs[min(i, len(schema.outputs) - 1)]
        if result.dtype == np.dtype(object) and not all(isinstance(x, str) for x in result.ravel()):
            return False
        if type_name(result) not in parameter.types or bound.get(parameter.type_str, type_name(result)) != type_name(result):
            return False
    return True


def bindings(case, schema):
    """Which type each type variable of the schema has in a case; None when the case does not fit the schema."""
    if len(case.node.input) < schema.min_input or len(case.node.input) > schema.max_input:
        return None
    if len(case.node.output) < schema.min_output or len(case.node.output) > schema.max_output:
        return None
    known = schema.attributes
    if any(a.name not in known for a in case.node.attribute):
        return None
    if any(a.required and a.name not in {b.name for b in case.node.attribute} for a in known.values()):
        return None
    bound = {}
    arrays = iter(case.inputs)
    for i, name in enumerate(case.node.input):
        parameter = schema.inputs[min(i, len(schema.inputs) - 1)]
        if not name:
            continue
        kind = type_name(next(arrays))
        if kind not in parameter.types:
            return None
        if parameter.is_homogeneous and bound.setdefault(parameter.type_str, kind) != kind:
            return None
    return bound


def write_data(path, number, inputs, outputs):
    """inputs and outputs: [(name, value)]"""
    data = os.path.join(path, f"test_data_set_{number}")
    os.makedirs(data)
    for kind, values in (("input", inputs), ("output", outputs)):
        for i, (name, value) in enumerate(values):
            with open(os.path.join(data, f"{kind}_{i}.pb"), "wb") as file:
                file.write(value_proto(value, name).SerializeToString())


def write_case(folder, name, case, outputs):
    path = os.path.join(folder, name)
    named = lambda values, names: zip([n for n in names if n], values)
    write_data(path, 0, named(case.inputs, case.node.input), named(outputs, case.node.output))
    onnx.save(make_model(case, outputs), os.path.join(path, "model.onnx"))


def read_suite(suite):
    """The single-node cases on tensors of the folder `node`: {op: [(name, case)]}."""
    found = collections.defaultdict(list)
    for name in sorted(os.listdir(os.path.join(suite, "node"))):
        path = os.path.join(suite, "node", name)
        model = onnx.load(os.path.join(path, "model.onnx"))
        graph = model.graph
        opset = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)
        plain = all(v.type.WhichOneof("value") == "tensor_type" for v in [*graph.input, *graph.output])
        if len(graph.node) != 1 or graph.node[0].domain or graph.initializer or not plain or not opset:
            continue
        node = graph.node[0]
        if node.op_type in LEFT_OUT or any(a.type in (onnx.AttributeProto.GRAPH,) for a in node.attribute):
            continue
        if node.op_type == "Bernoulli" and all(a.name != "seed" for a in node.attribute):
            continue
        inputs = []
        for i in range(len(graph.input)):
            with open(os.path.join(path, "test_data_set_0", f"input_{i}.pb"), "rb") as file:
                inputs.append(numpy_helper.to_array(onnx.TensorProto.FromString(file.read())))
        if [v.name for v in graph.input] == [n for n in node.input if n] and sum(x.size for x in inputs) < 100000:
            found[node.op_type].append((name, Case(node, inputs, opset)))
    return found


def fits_old_rules(case, version):
    op = case.node.op_type
    if version < CHANGED.get(op, 0):
        return False
    if op == "AveragePool" and version < 7 and any(a.name in ("pads", "auto_pad") for a in case.node.attribute):
        return False  # the text leaves padding out of the mean, as forms.py does; the reference counts it
    if (op in ELEMENTWISE and version < 7) or version < VARIADIC_ELEMENTWISE.get(op, 0):
        return len({x.shape for x in case.inputs}) == 1
    return True


def versions(folder, cases, table):
    """Cases under every older version that allows the node as it is."""
    for op in sorted(cases):
        for version, schema in sorted(table[op].items()):
            written = 0
            for name, case in cases[op]:
                older = case._replace(opset=version)
                if in_force(table[op], case.opset) == version or not fits_old_rules(older, version):
                    continue
                if bindings(older, schema) is None:
                    continue
                outputs = answer(older, schema)
                if outputs is not None:
                    write_case(folder, f"{name}_opset{version}", older, outputs)
                    written += 1
                if written == CASES_PER_VERSION:
                    break


def numpy_type(kind):
    return helper.tensor_dtype_to_np_dtype(TensorProto.DataType.Value(kind[len("tensor("):-1].upper()))


def cast(array, kind, random):
    """The array in another type, with values that the type holds."""
    dtype = numpy_type(kind)
    if kind == "tensor(string)":
        return np.array([str(int(x)) if array.dtype.kind != "O" else x for x in array.ravel()], object).reshape(array.shape)
    if array.dtype.kind == "O":
        array = np.arange(array.size).reshape(array.shape)
    if kind == "tensor(bool)":
        return random.random(array.shape) < 0.5
    if dtype.kind in "iu" or "int" in dtype.name:
        low, high = (0 if "uint" in dtype.name else -1), 1
        bits = 8 * dtype.itemsize if dtype.kind in "iu" else int(dtype.name.lstrip("uint"))
        if bits > 2:
            low, high = (0 if low == 0 else -5), 7
        if array.dtype.kind in "iu" and (array.astype(dtype).astype(np.int64) == array).all():
            return array.astype(dtype)
        return random.integers(low, high + 1, array.shape).astype(dtype)
    if array.dtype.kind in "b":
        return random.random(array.shape).astype(dtype)
    array = np.clip(array.astype(np.float64), -6, 6)
    return (array * (1 - 0.5j) if dtype.kind == "c" else array).astype(dtype)


def types(folder, cases, table):
    """For each type variable and each of its types one case under the newest version that has the node."""
    for op in sorted(cases):
        newest = max(table[op])
        schema = table[op][newest]
        written = set()
        for name, case in cases[op]:
            case = case._replace(opset=newest)
            bound = bindings(case, schema)
            if bound is None:
                continue
            written |= {(v, k) for v, k in bound.items() if k == "tensor(float)"}
            for constraint in schema.type_constraints:
                variable = constraint.type_param_str
                for kind in sorted(constraint.allowed_type_strs):
                    if variable not in bound or (variable, kind) in written or not kind.startswith("tensor("):
                        continue
                    if write_type(folder, op, variable, kind, case, schema):
                        written.add((variable, kind))


def write_type(folder, op, variable, kind, case, schema):
    random = np.random.default_rng(SEED)
    parameters = [schema.inputs[min(i, len(schema.inputs) - 1)] for i, n in enumerate(case.node.input) if n]
    inputs = [cast(x, kind, random) if p.type_str == variable else x for x, p in zip(case.inputs, parameters)]
    other = defined.change(case._replace(inputs=inputs), kind)
    if bindings(other, schema) is None:
        return False
    if op in WIDE and kind in ("tensor(float16)", "tensor(bfloat16)", "tensor(double)"):
        outputs = wide_answer(other, schema, variable, kind)
    else:
        outputs = answer(other, schema)
    if outputs is None:
        return False
    write_case(folder, f"type_{op}_{variable}_{kind[len('tensor('):-1]}", other, outputs)
    return True


def write_forms(folder):
    for name, op, opset, inputs, attributes, outputs in forms.cases():
        names = [f"x{i}" if x is not None else "" for i, x in enumerate(inputs)]
        node = helper.make_node(op, names, [f"y{i}" for i in range(len(outputs))], **attributes)
        write_case(folder, f"form_{name}_{opset}", Case(node, [x for x in inputs if x is not None], opset), outputs)


def judged(case, judge):
    """The results of a case by who may judge it; text has type object."""
    answers = [f(case) for who, f in (("reference", with_reference), ("runtime", with_runtime)) if judge in (who, "both")]
    if any(a is None for a in answers) or (judge == "both" and not same(*answers)):
        sys.exit(f"{case.node.op_type} {case.node.name}: {judge} does not say what is right: {answers}")
    # ONNX Runtime gives the values of maps as float; they are float32 in all maps of forms_ml.py that it makes.
    text = lambda y: y.astype(object) if y.dtype.kind == "U" else y
    return [[{k: np.float32(v) for k, v in m.items()} for m in y] if is_map(y) else text(y) for y in answers[0]]


def write_forms_ml(folder):
    for name, op, version, inputs, attributes, judge in forms_ml.cases():
        schema = defs.get_schema(op, version, "ai.onnx.ml")
        names = [f"x{i}" for i in range(len(inputs))], [f"y{i}" for i in range(schema.min_output)]
        case = Case(helper.make_node(op, *names, name=name, domain="ai.onnx.ml", **attributes), inputs, version)
        outputs = judged(case, judge)
        if not any(map(is_map, [*inputs, *outputs])) and not declared(case, outputs, schema):
            sys.exit(f"{op} {name}: the results have other types than the schema says: {[y.dtype for y in outputs]}")
        write_case(folder, f"form_ml_{op}_{name}_{version}", case, outputs)


def write_forms_conv(folder):
    for name, model, sets in forms_conv.cases():
        path = os.path.join(folder, f"form_{name}")
        for i, (inputs, outputs) in enumerate(sets):
            write_data(path, i, zip([v.name for v in model.graph.input], inputs), zip([v.name for v in model.graph.output], outputs))
        onnx.save(model, os.path.join(path, "model.onnx"))


def save(folder, name, model, inputs, outputs):
    path = os.path.join(folder, name)
    constants = {c.name for c in model.graph.initializer}
    names = [v.name for v in model.graph.input if v.name not in constants]
    write_data(path, 0, zip(names, inputs), zip([v.name for v in model.graph.output], outputs))
    onnx.save(model, os.path.join(path, "model.onnx"))


def write_specials(folder, cases, table):
    def judge(case):
        return answer(case, table[case.node.op_type][in_force(table[case.node.op_type], case.opset)])

    for name, model, inputs, output in specials.specials(cases, judge):
        save(folder, name, model, inputs, [output])


def write_geometry(folder):
    for name, model, inputs in geometry.cases():
        feeds = dict(zip([v.name for v in model.graph.input], inputs))
        reference, runtime = run_reference(model, feeds), run_runtime(model, feeds)
        if reference is not None and runtime is not None and not same(reference, runtime):
            continue
        results = runtime if reference is None else reference
        if results is not None and all(y.size for y in results):
            save(folder, f"geometry_{name}", model, inputs, results)


def write_quantised(folder):
    for name, model, inputs, outputs in quantised.cases():
        save(folder, f"quantised_{name}", model, inputs, outputs)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: make_history.py SUITE DIR")
    suite, folder = sys.argv[1:]
    np.seterr(all="ignore")
    table = schemas()
    cases = read_suite(suite)
    write_forms(os.path.join(folder, "forms"))
    write_forms_ml(os.path.join(folder, "forms"))
    write_forms_conv(os.path.join(folder, "forms"))
    versions(os.path.join(folder, "versions"), cases, table)
    types(os.path.join(folder, "types"), cases, table)
    write_geometry(os.path.join(folder, "geometry"))
    write_quantised(os.path.join(folder, "quantised"))
    write_specials(os.path.join(folder, "specials"), cases, table)


if __name__ == "__main__":
    main()
