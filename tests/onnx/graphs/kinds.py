"""Graphs by hand, one a kind of fault: readers of values that a pass has moved away, sizes that samples miss, shapes that bodies
declare and do not keep, inputs with defaults."""

import numpy as np
import onnx.parser


def model(text, opset=17, ir=8):
    return onnx.parser.parse_model(f'<ir_version: {ir}, opset_import: ["" : {opset}]>\n{text}')


def numbers(*shape):
    return (np.arange(np.prod(shape)) * 7 % 23 - 11).reshape(shape).astype(np.float32) / 4


# --- readers of a view: a convolution is stored channels last, so this transpose is one of nothing ---
READERS = {
    "unsqueeze_front": "y = Unsqueeze (a, one)",
    "unsqueeze_two": "y = Unsqueeze (a, ends)",
    "squeeze_back": "b = Unsqueeze (a, one)  c = Squeeze (b, one)  y = Unsqueeze (c, ends)",
    "stack": "b = Unsqueeze (a, one)  y = Concat <axis = 1> (b, b)",
    "expand": "y = Expand (a, five)",
    "tile": "y = Tile (a, twice)",
    "reshape": "y = Reshape (a, rows)",
    "flatten": "y = Flatten <axis = 2> (a)",
    "split": "y, z = Split <axis = 3> (a)  w = Unsqueeze (z, one)",
    "slice": "y = Slice (a, one, three, one)",
    "gather": "y = Gather <axis = 2> (a, one)",
    "gather_elements": "i = Cast <to = 7> (a)  k = Sub (i, i)  y = GatherElements <axis = 1> (a, k)",
    "reduce": "y = ReduceSum <keepdims = 0> (a, one)",
    "arg_max": "y = ArgMax <axis = 2> (a)",
    "softmax": "y = Softmax <axis = 1> (a)",
    "cum_sum": "y = CumSum (a, axis)",
    "matmul": "t = Transpose <perm = [0, 1, 3, 2]> (a)  y = MatMul (a, t)",
    "pad": "y = Pad (a, pads)",
    "where": "c = Greater (a, zero)  b = Unsqueeze (c, one)  d = Unsqueeze (a, one)  y = Where (b, d, zero)",
    "shape": "s = Shape (a)  y = ConstantOfShape (s)  z = Unsqueeze (a, one)",
    "output_twice": "y = Identity (a)  z = Unsqueeze (a, one)",
    "if": "y = If (true) <then_branch = g () => (float t) { t = Unsqueeze (a, one) }, else_branch = h () => (float t) { t = Identity (a) }>",
}
CONSTANTS = """int64[1] one = {1}, int64[2] ends = {0, 5}, int64[1] three = {3}, int64[5] five = {2, 1, 1, 1, 1}, int64[4] twice = {1, 2, 1, 2},
  int64[2] rows = {-1, 4}, int64[8] pads = {0, 1, 0, 0, 0, 0, 1, 1}, int64 axis = {1}, float zero = {0}, bool true = {1}"""
PERMS = {"last": "[0, 2, 3, 1]", "turned": "[0, 3, 1, 2]", "wide": "[2, 0, 3, 1]"}


def outputs(body):
    names = [left.strip() for line in body.split("  ") for left in line.split(" = ")[0].split(",")]
    return [n for n in names if n in ("y", "z", "w")]


def readers():
    weights = ", ".join(f"{v:.2f}" for v in numbers(12).ravel())
    for open_dims in (False, True):
        shape = "N, 3, H, 5" if open_dims else "2, 3, 4, 5"
        for perm_name, perm in PERMS.items():
            for name, body in READERS.items():
                results = ", ".join(f"{'int64' if name == 'arg_max' else 'float'} {n}" for n in outputs(body))
                text = f"""g (float[{shape}] x) => ({results})
                  <float[4,3,1,1] w0 = {{{weights}}}, {CONSTANTS}> {{ h = Conv (x, w0)  a = Transpose <perm = {perm}> (h)  {body} }}"""
                feeds = [{"x": numbers(2, 3, 4, 5)}]
                if open_dims:
                    feeds.append({"x": numbers(4, 3, 6, 5)})
                yield f"reader_{name}_{perm_name}_{'open' if open_dims else 'fixed'}", model(text), feeds


# --- sizes: text, the shape of x for each data set ---
SIZES = {
    "pairs": ("float[N,4] x", "y", "int64[3] s = {2,-1,4}, int64[2] t = {-1,4}", "a = Reshape (x, s)  b = Transpose <perm = [1, 0, 2]> (a)  y = Reshape (b, t)", [(4, 4), (2, 4), (10, 4)]),
    "fives": ("float[N,4] x", "y", "int64[3] s = {5,-1,4}", "a = Reshape (x, s)  b = Relu (a)  y = Transpose <perm = [2, 0, 1]> (b)", [(5, 4), (15, 4)]),
    "rows_of_256": ("float[A,B,C] x", "y", "int64[2] s = {-1,256}", "a = Reshape (x, s)  b = Squeeze (a)  y = Relu (b)", [(1, 4, 64), (2, 8, 32), (1, 1, 256)]),
    "squeezed_batch": ("float[N,3,8,8] x", "y", "float[4,3,3,3] w = W108", "a = Conv (x, w)  b = GlobalAveragePool (a)  c = Squeeze (b)  y = Relu (c)", [(1, 3, 8, 8), (2, 3, 8, 8)]),
    "squeezed_all": ("float[N,C,H,W] x", "y", "float z = {2}", "a = Squeeze (x)  y = Mul (a, z)", [(1, 3, 1, 5), (2, 1, 4, 1), (1, 1, 1, 1), (2, 3, 4, 5)]),
    "squeezed_reduced": ("float[N,M] x", "y", "int64[1] s = {1}", "a = ReduceMax <axes = [1]> (x)  y = Squeeze (a)", [(1, 4), (3, 4)]),
    "against_six": ("float[A,B] x", "y, z", "int64[1] two = {2}, int64[4] s = {2,6,1,6}", "a = Unsqueeze (x, two)  y = Expand (a, s)  z = Squeeze (a, two)", [(6, 6), (1, 6), (6, 1), (1, 1)]),
    "against_seven": ("float[A,B] x", "y", "float[7,1] c = W7", "y = Add (x, c)", [(7, 3), (1, 3), (7, 1)]),
    "best": ("float[1,N] x", "y", "int64[1] most = {20}", "s = Shape <start = 1> (x)  k = Min (s, most)  y, i = TopK (x, k)", [(1, 30), (1, 7), (1, 2000)]),
    "best_rows": ("float[N,4] x", "y", "int64[1] most = {20}, int64[1] first = {0}", "s = Shape <end = 1> (x)  k = Min (s, most)  y, i = TopK <axis = 0> (x, k)", [(30, 4), (7, 4), (21, 4)]),
    "first_hundred": ("float[N,L] x", "y", "int64[1] o = {0}, int64[1] most = {100}, int64[1] one = {1}", "a = Slice (x, o, most, one)  y = Relu (a)", [(1, 30), (2, 101), (3, 400)]),
    "halves": ("float[N,L] x", "y, z", "", "y, a = Split <axis = 1> (x)  z = Relu (a)", [(2, 8), (3, 2)]),
    "odd_halves": ("float[N,L] x", "y, z", "", "y, a = Split <axis = 1, num_outputs = 2> (x)  z = Relu (a)", [(2, 7), (3, 1 + 8)]),
    "flat": ("float[A,B,C] x", "y", "", "a = Flatten <axis = 2> (x)  b = Flatten <axis = 0> (a)  y = Relu (b)", [(1, 2, 3), (2, 1, 4)]),
    "kept": ("float[A,B,C] x", "y", "int64[3] s = {0,0,-1}, int64[3] t = {0,-1,2}", "a = Reshape (x, s)  b = Relu (a)  y = Reshape (b, t)", [(1, 2, 4), (2, 3, 6)]),
    "sum_of_sizes": ("float[A,4] x, float[B,4] u", "y", "int64[2] s = {-1,8}", "a = Concat <axis = 0> (x, u)  y = Reshape (a, s)", [((1, 4), (1, 4)), ((3, 4), (5, 4))]),
    "same_or_one": ("float[A,4] x, float[B,4] u", "y", "float z = {2}", "a = Mul (x, z)  b = Add (a, u)  y = Relu (b)", [((3, 4), (3, 4)), ((1, 4), (5, 4)), ((5, 4), (1, 4))]),
    "difference": ("float[1,A] x, float[1,B] u", "y", "int64[1] o = {0}, int64[1] one = {1}", "s = Shape <start = 1> (x)  t = Shape <start = 1> (u)  d = Sub (t, s)  a = Slice (u, o, d, one)  y = Relu (a)", [((1, 3), (1, 35)), ((1, 3), (1, 4)), ((1, 9), (1, 16))]),
    "mask_of_one": ("float[N,2,L,4] x, float[A,B,C,D] u", "y", "float c = {0.5}", "k = Transpose <perm = [0, 1, 3, 2]> (x)  m = MatMul (x, k)  n = Mul (m, c)  o = Add (n, u)  p = Softmax <axis = -1> (o)  y = MatMul (p, x)",
                    [((1, 2, 3, 4), (1, 1, 3, 3)), ((2, 2, 3, 4), (1, 1, 1, 3)), ((2, 2, 5, 4), (2, 1, 5, 1))]),
    "groups_across": ("float[N,8,4,4] x", "y", "int64[3] s = {-1,4,16}, float[4] o = {1,1,1,1}, float[4] z = {0,0,0,0}", "t = Shape (x)  a = Reshape (x, s)  b = InstanceNormalization <epsilon = 0.1> (a, o, z)  y = Reshape (b, t)", [(1, 8, 4, 4), (3, 8, 4, 4)]),
    "by_condition": ("float[N,4] x", "y", "int64 five = {5}", "n = Size (x)  c = Greater (n, five)  y = If (c) <then_branch = g () => (float t) { t = Relu (x) }, else_branch = h () => (float t) { t = Neg (x) }>", [(1, 4), (3, 4)]),
}
OPSETS = {"odd_halves": 18}


def fill(text):
    """W108: that many numbers."""
    words = text.split("W")
    parts = [words[0]]
    for word in words[1:]:
        digits = "".join(c for c in word[:4] if c.isdigit())
        if digits and parts[-1].endswith("= "):
            parts.append("{" + ", ".join(f"{v:.2f}" for v in numbers(int(digits)).ravel()) + "}" + word[len(digits):])
        else:
            parts.append("W" + word)
    return "".join(parts)


def sizes():
    for name, (inputs, results, constants, body, shapes) in SIZES.items():
        opset = OPSETS.get(name, 17)
        results = ", ".join(f"float {r.strip()}" for r in results.split(","))
        constants = f"<{fill(constants)}>" if constants else ""
        feeds = [dict(zip("xu", [numbers(*s) for s in (shape if isinstance(shape[0], tuple) else [shape])])) for shape in shapes]
        yield f"size_{name}", model(f"g ({inputs}) => ({results}) {constants} {{ {body} }}", opset), feeds


# --- bodies ---
def bodies():
    grown = """g (float[1,2] x, int64 n) => (float y, float z) <bool true = {1}> {
      y, z = Loop (n, true, x) <body = b (int64 i, bool c, float[1,2] s) => (bool d, float[1,2] t, float r)
        <int64[1] all = {-1}> { d = Identity (c)  t = Concat <axis = 0> (s, s)  r = Reshape (x, all) }> }"""
    yield "body_grows_beyond_its_declaration", model(grown), [{"x": numbers(1, 2), "n": np.array(n, np.int64)} for n in (1, 3)]
    turned = """g (float[N,3] x, int64 n) => (float y) <bool true = {1}> {
      y = Loop (n, true, x) <body = b (int64 i, bool c, float[2,3] s) => (bool d, float[2,3] t)
        { d = Identity (c)  u = Transpose <perm = [1, 0]> (s)  t = Relu (u) }> }"""
    yield "body_turns", model(turned), [{"x": numbers(2, 3), "n": np.array(n, np.int64)} for n in (1, 2)]
    squeezed = """g (float[N,2] x) => (float y, float z) <float[2] o = {0, 0}> {
      y, z = Scan <num_scan_inputs = 1, body = b (float[2] s, float[2] e) => (float[2] t, float[2] r)
        { t = Add (s, e)  r = Mul (t, s) }> (o, x) }"""
    yield "body_scans", model(squeezed), [{"x": numbers(3, 2)}, {"x": numbers(1, 2)}]


# --- inputs with defaults ---
def defaults():
    plain = "g (float[2,3] x, float[2,3] w) => (float y) <float[2,3] w = {1, 2, 3, 4, 5, 6}> { y = Add (x, w) }"
    weights = fill("""g (float[N,3,4,4] x, float[2,3,3,3] w, float[2] b) => (float y) <float[2,3,3,3] w = W54, float[2] b = {1, 2}> {
      a = Conv (x, w, b)  y = Relu (a) }""")
    shape = "g (float[2,6] x, int64[2] s) => (float y) <int64[2] s = {3, 4}> { y = Reshape (x, s) }"
    inside = """g (float[2] x, float[2] w, bool c) => (float y) <float[2] w = {1, 2}> {
      y = If (c) <then_branch = t () => (float r) { r = Add (x, w) }, else_branch = e () => (float r) { r = Mul (x, w) }> }"""
    x, w = numbers(2, 3), numbers(2, 3) + 1
    for ir in (4, 8):
        yield f"default_ir{ir}", model(plain, ir=ir), [{"x": x, "w": w}, {"x": x}]
        yield f"default_kept_ir{ir}", model(plain, ir=ir), [{"x": x}, {"x": x, "w": w}]
        image = numbers(2, 3, 4, 4)
        yield (f"default_weights_ir{ir}", model(weights, ir=ir),
               [{"x": image}, {"x": image, "w": numbers(2, 3, 3, 3) + 1}, {"x": image, "b": numbers(2)}, {"x": image}])
        yield f"default_shape_ir{ir}", model(shape, ir=ir), [{"x": numbers(2, 6)}, {"x": numbers(2, 6), "s": np.array([6, 2])}]
        yield (f"default_captured_ir{ir}", model(inside, ir=ir),
               [{"x": numbers(2), "c": np.array(c), **({"w": numbers(2)} if o else {})} for c in (True, False) for o in (True, False)])
    yield "default_ir3", model(plain, ir=3, opset=9), [{"x": x}]


def cases():
    for part in (readers, sizes, bodies, defaults):
        yield from part()
