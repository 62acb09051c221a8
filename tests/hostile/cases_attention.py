"""Hostile files: FlexAttention, linear attention, causal convolution, batched Scan, Gradient."""

from corpus import *

PREVIEW, TRAINING = 'ai.onnx.preview', 'ai.onnx.preview.training'
IMPORTS = [H.make_opsetid('', 27), H.make_opsetid(PREVIEW, 1), H.make_opsetid(TRAINING, 1)]
z = lambda *s: np.zeros(s, np.float32)


def net(nodes, feeds, outputs=('y',), imports=IMPORTS, kind=F):
    """Inputs are the feeds, with their shapes."""
    types = {n: H.np_dtype_to_tensor_dtype(a.dtype) for n, a in feeds.items()}
    ins = [vi(n, types[n], list(a.shape)) for n, a in feeds.items()]
    return model(nodes, ins, [vi(o, kind) for o in outputs], imports=imports), feeds


def single(id, phase, exp, why, op, feeds, ins=None, outs=('y',), domain='', imports=IMPORTS, **a):
    node = lambda: H.make_node(op, list(feeds) if ins is None else ins, list(outs), domain=domain, **a)
    case(id, phase, exp, why)(lambda d: net([node()], feeds, [o for o in outs if o], imports))


# --- Attention: types, and outputs that nobody wants ---
qkv = {'q': z(1, 2, 3, 4), 'k': z(1, 2, 5, 4), 'v': z(1, 2, 5, 4)}
single('N01_att_only_cache', 'run', 'OK', 'Attention: present key and value are read, the result is not', 'Attention', qkv, outs=('', 'pk', 'pv'))
single('N02_att_only_scores', 'run', 'OK', 'Attention: the scores are read, the result is not', 'Attention', {n: a.astype(np.float16) for n, a in qkv.items()}, outs=('', '', '', 's'))
single('N03_att_int_v', 'load', 'TYPE', 'Attention: values of int32', 'Attention', {**qkv, 'v': np.zeros((1, 2, 5, 4), np.int32)})
single('N04_att_past_type', 'load', 'TYPE', 'Attention: past value of another type than V', 'Attention', {**qkv, 'pk': z(1, 2, 1, 4), 'pv': np.zeros((1, 2, 1, 4))}, ins=['q', 'k', 'v', '', 'pk', 'pv'])
single('N05_att_mask_text', 'load', 'TYPE', 'Attention: a mask of complex numbers', 'Attention', {**qkv, 'm': np.zeros((3, 5), np.complex64)})


# --- FlexAttention ---
def body(n_in=1, n_out=1, nodes=None, outputs=None):
    ins, outs = ['s%d' % i for i in range(n_in)], outputs or ['o%d' % i for i in range(n_out)]
    nodes = [H.make_node('Identity', [ins[0] if ins else 'q'], [o]) for o in outs] if nodes is None else nodes
    return H.make_graph(nodes, 'mod', [vi(i) for i in ins], [vi(o) for o in outs])


def flex(id, phase, exp, why, feeds=qkv, **a):
    single(id, phase, exp, why, 'FlexAttention', feeds, domain=PREVIEW, **a)


flex('N10_flex_rank', 'load', 'ATTRIBUTE', 'FlexAttention: rank 3', {'q': z(1, 3, 4), 'k': z(1, 5, 4), 'v': z(1, 5, 4)})
flex('N11_flex_rank_mod', 'load', 'SHAPE', 'FlexAttention with score_mod: rank 3', {'q': z(1, 3, 4), 'k': z(1, 5, 4), 'v': z(1, 5, 4)}, score_mod=body())
flex('N12_flex_heads', 'load', 'SHAPE', 'FlexAttention: 3 heads for 2', {**qkv, 'q': z(1, 3, 3, 4)}, score_mod=body())
flex('N13_flex_no_heads', 'load', 'SHAPE', 'FlexAttention: no key heads', {'q': z(1, 2, 3, 4), 'k': z(1, 0, 5, 4), 'v': z(1, 0, 5, 4)}, score_mod=body())
flex('N14_flex_batch', 'load', 'SHAPE', 'FlexAttention: batch 2 and 1', {**qkv, 'q': z(2, 2, 3, 4)}, prob_mod=body())
flex('N15_flex_v_rows', 'load', 'SHAPE', 'FlexAttention: 5 keys, 6 values', {**qkv, 'v': z(1, 2, 6, 4)}, score_mod=body())
flex('N16_flex_v_heads', 'load', 'SHAPE', 'FlexAttention: values of 3 heads', {**qkv, 'v': z(1, 3, 5, 4)}, score_mod=body())
flex('N17_flex_inputs', 'load', 'GRAPH', 'FlexAttention: score_mod of two inputs', score_mod=body(2))
flex('N18_flex_no_input', 'load', 'GRAPH', 'FlexAttention: prob_mod of no input', prob_mod=body(0))
flex('N19_flex_outputs', 'load', 'GRAPH', 'FlexAttention: score_mod of two outputs', score_mod=body(1, 2))
flex('N20_flex_no_output', 'load', 'GRAPH', 'FlexAttention: score_mod of no output', score_mod=body(1, 0))
flex('N21_flex_unknown', 'load', 'GRAPH', 'FlexAttention: score_mod returns what nobody makes', score_mod=body(nodes=[]))
flex('N22_flex_cycle', 'load', 'GRAPH', 'FlexAttention: score_mod reads its own result', score_mod=body(nodes=[H.make_node('Add', ['s0', 'o0'], ['o0'])]))
flex('N23_flex_int', 'load', 'ATTRIBUTE', 'FlexAttention: score_mod is an integer', score_mod=3)
flex('N24_flex_shape', 'load', 'SHAPE', 'FlexAttention: score_mod drops queries', score_mod=body(nodes=[H.make_node('Constant', [], ['two'], value_ints=[2]), H.make_node('ReduceSum', ['s0', 'two'], ['o0'])]))
flex('N25_flex_type', 'load', 'TYPE', 'FlexAttention: prob_mod makes integers', prob_mod=body(nodes=[H.make_node('Cast', ['s0'], ['o0'], to=I)]))
flex('N26_flex_precision', 'load', 'ATTRIBUTE', 'FlexAttention: softmax in int64', softmax_precision=I)
flex('N27_flex_precision_far', 'load', 'ATTRIBUTE', 'FlexAttention: softmax_precision 2^40', softmax_precision=BIG)
flex('N28_flex_scale', 'load', 'ATTRIBUTE', 'FlexAttention: scale -1', score_mod=body(), scale=-1.0)
flex('N29_flex_scale_nan', 'load', 'ATTRIBUTE', 'FlexAttention: scale NaN', scale=float('nan'))
flex('N30_flex_input_out', 'run', 'OK', 'FlexAttention: score_mod returns its input', score_mod=body(nodes=[], outputs=['s0']))
flex('N31_flex_no_keys', 'run', 'OK', 'FlexAttention over no keys', {'q': z(1, 2, 3, 4), 'k': z(1, 2, 0, 4), 'v': z(1, 2, 0, 4)}, score_mod=body())
flex('N32_flex_captured', 'load', 'SHAPE', 'FlexAttention: score_mod returns Q', score_mod=body(nodes=[H.make_node('Identity', ['q'], ['o0'])]))

# --- LinearAttention ---
linear = {'q': z(2, 3, 8), 'k': z(2, 3, 4), 'v': z(2, 3, 6), 'p': z(2, 1, 4, 6), 'g': z(2, 3, 1), 'b': z(2, 3, 1)}


def lin(id, exp, why, phase='load', heads=(2, 1), ins=None, rule='gated_delta', outs=('y', 's'), **changed):
    feeds = {**linear, **changed.pop('feeds', {})}
    single(id, phase, exp, why, 'LinearAttention', feeds, ins=ins, outs=outs, q_num_heads=heads[0], kv_num_heads=heads[1], update_rule=rule, **changed)


lin('N40_linear', 'OK', 'LinearAttention that is sound', 'run')
lin('N41_linear_no_heads', 'ATTRIBUTE', 'LinearAttention: no heads', heads=(0, 0))
lin('N42_linear_negative', 'ATTRIBUTE', 'LinearAttention: INT64_MIN heads', heads=(I64MIN, -1))
lin('N43_linear_group', 'ATTRIBUTE', 'LinearAttention: 2 heads for 4', heads=(2, 4))
lin('N44_linear_divide', 'SHAPE', 'LinearAttention: 8 features in 3 heads', heads=(3, 1))
lin('N45_linear_many', 'SHAPE', 'LinearAttention: 2^40 heads of 8 features', heads=(BIG, 1))
lin('N46_linear_rule', 'ATTRIBUTE', 'LinearAttention: rule "gamma"', rule='gamma')
lin('N47_linear_rank', 'SHAPE', 'LinearAttention: Q of rank 4', feeds={'q': z(2, 3, 2, 4)})
lin('N48_linear_state', 'SHAPE', 'LinearAttention: state of another width', feeds={'p': z(2, 1, 5, 6)})
lin('N49_linear_state_rank', 'SHAPE', 'LinearAttention: state of rank 3', feeds={'p': z(2, 4, 6)})
lin('N50_linear_state_batch', 'SHAPE', 'LinearAttention: state of one sequence of two', feeds={'p': z(1, 1, 4, 6)})
lin('N51_linear_decay', 'SHAPE', 'LinearAttention: decay of 3 for keys of 4', feeds={'g': z(2, 3, 3)})
lin('N52_linear_decay_steps', 'SHAPE', 'LinearAttention: decay of fewer steps', feeds={'g': z(2, 2, 1)})
lin('N53_linear_beta', 'SHAPE', 'LinearAttention: two betas for one head', feeds={'b': z(2, 3, 2)})
lin('N54_linear_no_decay', 'ARITY', 'LinearAttention: gated without decay', ins=['q', 'k', 'v', 'p', '', 'b'])
lin('N55_linear_extra', 'ARITY', 'LinearAttention: a decay that the rule does not use', rule='delta')
lin('N56_linear_types', 'TYPE', 'LinearAttention: keys of float64', feeds={'k': np.zeros((2, 3, 4))})
lin('N57_linear_int', 'TYPE', 'LinearAttention: state of int64', feeds={'p': np.zeros((2, 1, 4, 6), np.int64)})
lin('N58_linear_no_steps', 'OK', 'LinearAttention over no steps', 'run', feeds={n: a[:, :0] if n != 'p' else a for n, a in linear.items()})
lin('N59_linear_state_only', 'OK', 'LinearAttention: the state alone is read', 'run', outs=('', 's'))
lin('N60_linear_wide', 'LIMIT', 'LinearAttention: a state of 2^40 elements', rule='linear', ins=['q', 'k', 'v'], heads=(1, 1), feeds={'q': z(1, 1, 1 << 20), 'k': z(1, 1, 1 << 20), 'v': z(1, 1, 1 << 20)})

# --- CausalConvWithState ---
causal = {'x': z(2, 3, 5), 'w': z(3, 1, 4), 'b': z(3), 'p': z(2, 3, 3)}


def conv(id, exp, why, phase='load', outs=('y', 's'), activation='silu', **changed):
    single(id, phase, exp, why, 'CausalConvWithState', {**causal, **changed}, outs=outs, activation=activation)


conv('N70_causal', 'OK', 'CausalConvWithState that is sound', 'run')
conv('N71_causal_act', 'ATTRIBUTE', 'CausalConvWithState: activation "gelu"', activation='gelu')
conv('N72_causal_taps', 'SHAPE', 'CausalConvWithState: a kernel of no taps', w=z(3, 1, 0))
conv('N73_causal_channels', 'SHAPE', 'CausalConvWithState: kernels for 4 channels', w=z(4, 1, 4))
conv('N74_causal_dense', 'SHAPE', 'CausalConvWithState: a dense kernel', w=z(3, 3, 4))
conv('N75_causal_bias', 'SHAPE', 'CausalConvWithState: bias of 1', b=z(1))
conv('N76_causal_past', 'SHAPE', 'CausalConvWithState: state of 4 for 4 taps', p=z(2, 3, 4))
conv('N77_causal_rank', 'SHAPE', 'CausalConvWithState: x of rank 4', x=z(2, 3, 5, 1))
conv('N78_causal_type', 'TYPE', 'CausalConvWithState: kernel of float64', w=np.zeros((3, 1, 4)))
conv('N79_causal_double', 'TYPE', 'CausalConvWithState: all float64', **{n: a.astype(np.float64) for n, a in causal.items()})
conv('N80_causal_empty', 'OK', 'CausalConvWithState: no positions', 'run', x=z(2, 3, 0))
conv('N81_causal_state_only', 'OK', 'CausalConvWithState: the state alone is read', 'run', outs=('', 's'))

# --- Scan before opset 9 ---
add = lambda n_in=2, outs=('t', 'o'): H.make_graph([H.make_node('Add', ['s', 'e'], ['t']), H.make_node('Neg', ['t'], ['o'])], 'body', [vi(n) for n in 'sef'[:n_in]], [vi(o) for o in outs])
batch = {'l': np.array([1, 2]), 'i': z(2, 3), 'x': z(2, 4, 3)}


def scan8(id, phase, exp, why, ins=None, outs=('y', 'z'), body=None, feeds=None, **a):
    single(id, phase, exp, why, 'Scan', {**batch, **(feeds or {})}, ins=ins, outs=outs, imports=[H.make_opsetid('', 8)], body=body or add(), **{'num_scan_inputs': 1, **a})


scan8('P01_scan8', 'run', 'OK', 'Scan-8 that is sound')
scan8('P02_scan8_alone', 'load', 'ARITY', 'Scan-8 without inputs', ins=[])
scan8('P03_scan8_lengths', 'load', 'ARITY', 'Scan-8: lengths and nothing else', ins=['l'])
scan8('P04_scan8_body', 'load', 'GRAPH', 'Scan-8: a body of 3 inputs for 2', body=add(3))
scan8('P05_scan8_outputs', 'load', 'GRAPH', 'Scan-8: a body without its state', body=add(outs=()))
scan8('P06_scan8_extra', 'load', 'GRAPH', 'Scan-8: more outputs than the body makes', outs=('y', 'z', 'u'))
scan8('P07_scan8_count', 'load', 'ATTRIBUTE', 'Scan-8: 9 scan inputs of 2', num_scan_inputs=9)
scan8('P08_scan8_directions', 'load', 'ATTRIBUTE', 'Scan-8: direction 2', directions=[2])
scan8('P09_scan8_directions', 'load', 'ATTRIBUTE', 'Scan-8: two directions for one scan input', directions=[0, 1])
scan8('P10_scan8_long', 'run', 'LIMIT', 'Scan-8: a length of 2^40', feeds={'l': np.array([1, BIG])})
scan8('P11_scan8_longer', 'run', 'INDEX', 'Scan-8: a length of 5 for sequences of 4', feeds={'l': np.array([5, 1])})
scan8('P12_scan8_batch', 'run', 'SHAPE', 'Scan-8: states for 3 sequences of 2', feeds={'i': z(3, 3)})
scan8('P13_scan8_lengths', 'run', 'SHAPE', 'Scan-8: lengths for 1 sequence of 2', feeds={'l': np.array([1])})
scan8('P14_scan8_scalar', 'run', 'SHAPE', 'Scan-8: a sequence of rank 1', feeds={'x': z(2)})
scan8('P15_scan8_none', 'run', 'OK', 'Scan-8: no sequences', feeds={'l': np.zeros(0, np.int64), 'i': z(0, 3), 'x': z(0, 4, 3)})
scan8('P16_scan8_negative', 'run', 'OK', 'Scan-8: a length of INT64_MIN is an empty sequence', outs=('y',), feeds={'l': np.array([I64MIN, 1])})
scan8('P17_scan8_many', 'load', 'UNSUPPORTED', 'Scan-8: 20 states', ins=['l'] + ['i'] * 20 + ['x'], body=H.make_graph([], 'body', [vi('s%d' % k) for k in range(21)], [vi('s%d' % k) for k in range(21)]), outs=('y',))

# --- Gradient ---
xy = {'a': z(2, 3), 'b': z(2, 3)}
mul = H.make_node('Mul', ['a', 'b'], ['y'])


def gradient(id, phase, exp, why, nodes=(mul,), ins=('a', 'b'), outs=('da', 'db'), feeds=xy, domain=TRAINING, **a):
    attributes = {'xs': ['a', 'b'], 'y': 'y', **a}
    node = lambda: H.make_node('Gradient', list(ins), list(outs), domain=domain, **{k: v for k, v in attributes.items() if v is not None})
    case(id, phase, exp, why)(lambda d: net([*nodes, node()], feeds, [o for o in outs if o]))


def tower(depth):
    """The gradient of the gradient of ... a quotient."""
    nodes, y = [H.make_node('Div', ['a', 'b'], ['y0'])], 'y0'
    for i in range(1, depth + 1):
        nodes.append(H.make_node('Gradient', ['a', 'b'], ['', 'y%d' % i], domain=TRAINING, xs=['a', 'b'], y=y))
        y = 'y%d' % i
    return net(nodes, xy, [y])


gradient('P30_gradient', 'run', 'OK', 'Gradient that is sound')
gradient('P31_gradient_no_xs', 'load', 'ATTRIBUTE', 'Gradient without xs', xs=None)
gradient('P32_gradient_no_y', 'load', 'ATTRIBUTE', 'Gradient without y', y=None)
gradient('P33_gradient_y_type', 'load', 'ATTRIBUTE', 'Gradient: y is a number', y=3)
gradient('P34_gradient_unknown', 'load', 'GRAPH', 'Gradient: y that nobody makes', y='nobody')
gradient('P35_gradient_nul', 'load', 'GRAPH', 'Gradient: a name with a NUL', y='y\0')
gradient('P36_gradient_self', 'load', 'GRAPH', 'Gradient of its own result', y='da')
gradient('P37_gradient_later', 'load', 'GRAPH', 'Gradient of what a later node makes', nodes=(), y='late')
gradient('P38_gradient_twice', 'load', 'GRAPH', 'Gradient: one name twice', xs=['a', 'a'])
gradient('P39_gradient_inputs', 'load', 'ARITY', 'Gradient: two names, one input', ins=('a',))
gradient('P40_gradient_outputs', 'load', 'ARITY', 'Gradient: one name, two outputs', xs=['a'], zs=['b'])
gradient('P41_gradient_empty', 'load', 'ARITY', 'Gradient: an omitted input', ins=('a', '', 'b'), zs=['b'], xs=['a', 'y'])
gradient('P42_gradient_op', 'load', 'UNSUPPORTED', 'Gradient of an operator without a rule', nodes=(H.make_node('Det', ['a'], ['y']),))
gradient('P43_gradient_outputs', 'load', 'UNSUPPORTED', 'Gradient of an operator with two outputs', nodes=(H.make_node('Split', ['a'], ['y', 'u'], num_outputs=2),))
gradient('P44_gradient_body', 'load', 'UNSUPPORTED', 'Gradient of an If', nodes=(H.make_node('If', ['c'], ['y'], then_branch=H.make_graph([H.make_node('Neg', ['a'], ['t'])], 't', [], [vi('t')]), else_branch=H.make_graph([H.make_node('Exp', ['b'], ['e'])], 'e', [], [vi('e')])),), feeds={**xy, 'c': np.array([True])})
gradient('P45_gradient_perm', 'load', 'ATTRIBUTE', 'Gradient of Transpose with perm [7,0]', nodes=(H.make_node('Transpose', ['a'], ['y'], perm=[7, 0]),), xs=['a', 'b'])
gradient('P46_gradient_shapes', 'load', 'SHAPE', 'Gradient at values of another shape', ins=('c', 'b'), feeds={**xy, 'c': z(5, 4)})
gradient('P47_gradient_int', 'load', 'TYPE', 'Gradient at values of another type', ins=('c', 'b'), feeds={**xy, 'c': np.zeros((2, 3), np.int64)})
gradient('P48_gradient_flat', 'run', 'OK', 'Gradient of what does not depend on xs', xs=['a'], zs=['b'], outs=('da',), nodes=(H.make_node('Neg', ['b'], ['y']),))
case('P49_gradient_tower', 'load', 'LIMIT', 'the 30th derivative of a quotient')(lambda d: tower(30))
case('P50_gradient_third', 'run', 'OK', 'the third derivative of a quotient')(lambda d: tower(3))
case('P51_gradient_many', 'load', 'LIMIT', '20,000 Gradients of a chain of 20,000 nodes')(
    lambda d: net([H.make_node('Neg', ['a' if i == 0 else 'n%d' % i], ['n%d' % (i + 1)]) for i in range(20000)]
                  + [H.make_node('Gradient', ['a'], ['d%d' % i], domain=TRAINING, xs=['a'], y='n1') for i in range(20000)], xy, ['d0']))
inside = lambda xs, y: H.make_graph([H.make_node('Mul', ['a', 'b'], ['t']), H.make_node('Gradient', xs, ['g'], domain=TRAINING, xs=xs, y=y)], 'b', [], [vi('g')])
for number, (xs, y) in enumerate(((['a'], 't'), (['b'], 'y'))):
    case('P5%d_gradient_outside' % (2 + number), 'load', 'UNSUPPORTED', 'Gradient in a body, of values outside of it')(
        lambda d, xs=xs, y=y: net([mul, H.make_node('If', ['c'], ['z'], then_branch=inside(xs, y), else_branch=inside(xs, y))], {**xy, 'c': np.array([True])}, ['z']))
