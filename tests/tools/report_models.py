"""Models that are hard to show: thousands of nodes with modules and without, and names that are markup.

    report_models.py FOLDER
"""
import random
import sys

from model_writer import FLOAT, floats, integers, node, write

folder = sys.argv[1]
draw = random.Random(5)


def weight(name, *shape):
    count = 1
    for size in shape:
        count *= size
    return floats(name, shape, [draw.gauss(0, 0.1) for _ in range(count)])


# A decoder of 120 blocks as the older exporter names it.
nodes, weights, x, width = [], [integers("heads", [1, -1, 2, 8]), integers("rows", [1, -1, 16]), floats("scale", [], [0.35])], "x", 16
for block in range(120):
    def add(op, inputs, output, module, **attributes):
        nodes.append(node(op, inputs, [f"{output}{block}"], attributes, name=f"/model/layers.{block}/{module}/{op}_{len(nodes)}"))
        return f"{output}{block}"

    def product(value, name, module, inner, outer):
        weights.append(weight(f"model.layers.{block}.{name}.weight", inner, outer))
        return add("MatMul", [value, f"model.layers.{block}.{name}.weight"], name, module)

    parts = {}
    for name in "qkv":
        rows = add("Reshape", [product(x, f"{name}_proj", f"self_attn/{name}_proj", width, width), "heads"], f"{name}_rows", "self_attn")
        parts[name] = add("Transpose", [rows], f"{name}_heads", "self_attn", perm=[0, 2, 3, 1] if name == "k" else [0, 2, 1, 3])
    scores = add("Mul", [add("MatMul", [parts["q"], parts["k"]], "scores", "self_attn"), "scale"], "scaled", "self_attn")
    values = add("MatMul", [add("Softmax", [scores], "shares", "self_attn"), parts["v"]], "values", "self_attn")
    joined = add("Reshape", [add("Transpose", [values], "turned", "self_attn", perm=[0, 2, 1, 3]), "rows"], "joined", "self_attn")
    x = add("Add", [x, product(joined, "o_proj", "self_attn/o_proj", width, width)], "first", ".")
    gate, up = (product(x, name, f"mlp/{name}", width, 2 * width) for name in ("gate", "up"))
    silu = add("Mul", [gate, add("Sigmoid", [gate], "sigmoid", "mlp/act_fn")], "silu", "mlp/act_fn")
    down = product(add("Mul", [silu, up], "both", "mlp"), "down", "mlp/down", 2 * width, width)
    x = add("Add", [x, down], "second", ".")
write(f"{folder}/deep.onnx", nodes, [("x", FLOAT, [1, 4, width])], [(x, FLOAT, [1, 4, width])], weights)

# 4,000 nodes one behind the other, without any names.
nodes, x = [], "x"
for i in range(1000):
    nodes += [node("MatMul", [x, "w"], [f"a{i}"]), node("Softmax", [f"a{i}"], [f"b{i}"]), node("Concat", [f"b{i}", x], [f"c{i}"], {"axis": 0}),
              node("Slice", [f"c{i}", "begin", "end"], [f"d{i}"])]
    x = f"d{i}"
write(f"{folder}/flat.onnx", nodes, [("x", FLOAT, [4, 8])], [(x, FLOAT, [4, 8])], [weight("w", 8, 8), integers("begin", [2]), integers("end", [6])])

# As many inputs as a decoder with a cache has.
many = [f"past{i}" for i in range(60)]
write(f"{folder}/many.onnx", [node("Sum", many, ["y"])], [(name, FLOAT, [2, 3]) for name in many], [("y", FLOAT, [2, 3])])

evil = "</script><script>window.evil=1</script><img src=x onerror=\"window.evil=2\">\u2028'\"`${window.evil=3}&amp;<!--"
scopes = {"pkg.torch.onnx.name_scopes": f"['', '{evil.replace(chr(39), '')}', 'n']", "pkg.torch.onnx.class_hierarchy": "['Net', 'Evil<b>', 'aten.mm.default']",
          "pkg.torch.onnx.stack_trace": f'File "{evil.replace(chr(34), "")}.py", line 7, in forward'}
write(f"{folder}/evil.onnx", [node("MatMul", ["x" + evil, "w" + evil], ["m" + evil], name=evil, metadata=scopes),
                              node("Softmax", ["m" + evil], ["y" + evil], name="@page.js@" + evil, metadata=scopes)],
      [("x" + evil, FLOAT, [2, 3])], [("y" + evil, FLOAT, [2, 3])], [weight("w" + evil, 3, 3)], producer=evil)
