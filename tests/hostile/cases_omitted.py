"""Hostile files: what is left out (names of outputs, inputs at the end, shapes, pixels), and sequences where tensors are expected."""

from corpus import *

ML, MS = 'ai.onnx.ml', 'com.microsoft'
XS = ('x', F, [2, 3])
xs = {'x': np.arange(6, dtype=np.float32).reshape(2, 3)}
IMPORTS = [H.make_opsetid('', 17), H.make_opsetid(ML, 3), H.make_opsetid(MS, 1)]
body = lambda nodes, ins, outs, inits=(): H.make_graph(nodes, 'body', ins, outs, list(inits))


def graph(id, phase, exp, why, nodes, ins=(XS,), inits=(), out=('y', F), feeds=xs, imports=IMPORTS):
    case(id, phase, exp, why)(lambda d: (model(nodes, [vi(*i) for i in ins], [vi(*out)], inits, imports=imports), feeds))


# --- sequences, optionals and maps are no lists of elements ---
two = N('SequenceConstruct', ['x', 'x'], ['s'])
U8 = T.UINT8
copy = body([N('Identity', ['e'], ['f'])], [vi('e')], [vi('f')])
outer = body([N('Identity', ['s'], ['f'])], [vi('e')], [vi('f')])
graph('V01_scan_sequence', 'any', 'TYPE', 'Scan over the bytes of a sequence', [two, N('Scan', ['s'], ['y'], body=copy, num_scan_inputs=1)], out=('y', U8))
graph('V02_scan_makes_sequence', 'any', 'TYPE', 'Scan stacks sequences', [two, N('Scan', ['x'], ['y'], body=outer, num_scan_inputs=1)], out=('y', U8))
stack = body([N('Identity', ['c'], ['d']), N('Identity', ['s'], ['v'])], [vi('i', I, []), vi('c', T.BOOL, [])], [vi('d', T.BOOL, []), vi('v')])
graph('V03_loop_stacks_sequence', 'any', 'TYPE', 'Loop stacks sequences', [two, N('Loop', ['n', ''], ['q'], body=stack), N('SequenceAt', ['q', 'n'], ['y'])], inits=[init('n', np.int64(3))])
kept = body([N('Identity', ['c'], ['d']), N('SequenceInsert', ['t', 'x'], ['u'])], [vi('i', I, []), vi('c', T.BOOL, []), vi('t')], [vi('d', T.BOOL, []), vi('u')])
graph('V04_loop_carries_sequence', 'run', 'OK', 'Loop carries a sequence', [two, N('Loop', ['n', '', 's'], ['q'], body=kept), N('SequenceAt', ['q', 'n'], ['y'])], inits=[init('n', np.int64(3))])
graph('V05_optional_scan', 'any', 'TYPE', 'Scan over an optional', [N('Optional', ['x'], ['s']), N('Scan', ['s'], ['y'], body=copy, num_scan_inputs=1)], out=('y', U8))
maps = N('ZipMap', ['x'], ['s'], domain=ML, classlabels_int64s=[1, 2, 3])
graph('V06_concat_maps', 'any', 'TYPE', 'ConcatFromSequence of maps', [maps, N('ConcatFromSequence', ['s'], ['y'], axis=0)], out=('y', U8))
graph('V07_stack_maps', 'any', 'TYPE', 'ConcatFromSequence stacks maps', [maps, N('ConcatFromSequence', ['s'], ['y'], axis=0, new_axis=1)], out=('y', U8))
takes = {'Split': {}, 'SplitToSequence': {}, 'Gather': {'more': ['g']}, 'Concat': {'ins': ['s', 's'], 'axis': 0}, 'Reshape': {'more': ['g']}, 'Slice': {'more': ['g', 'h']},
         'Transpose': {}, 'Flatten': {'axis': 0}, 'Cast': {'to': F}, 'Unsqueeze': {'more': ['k']}, 'Squeeze': {}, 'Expand': {'more': ['g']}, 'Tile': {'more': ['g']},
         'Where': {'ins': ['b', 's', 's']}, 'Equal': {'more': ['s']}, 'Compress': {'more': ['b']}, 'ScatterElements': {'more': ['g', 's']},
         'GatherND': {'more': ['g']}, 'ReverseSequence': {'more': ['g']}, 'NonZero': {}, 'Unique': {}, 'Shape': {}, 'Relu': {}}
for k, (op, a) in enumerate(sorted(takes.items())):
    a = dict(a)
    ins = a.pop('ins', ['s'] + a.pop('more', []))
    graph(f'V{10 + k}_{op.lower()}_sequence', 'any', 'TYPE', f'{op} of a sequence', [two, N(op, ins, ['y'], **a)],
          inits=[ints('g', 0), ints('h', 1), ints('k', 0), init('b', np.array([True]))], out=('y', U8))

# --- required outputs without names: the others are right, and nothing is written where nobody has memory ---
relu = N('Relu', ['x'], ['y'])
v3 = init('v', np.ones(3, np.float32))
quiet = {
    'constant': N('Constant', [], [''], value=NH.from_array(np.ones(3, np.float32))), 'sum': N('Sum', ['x', 'x'], ['']), 'mean': N('Mean', ['x', 'x', 'x'], ['']),
    'split': N('Split', ['x'], ['', '', ''], axis=1, num_outputs=3), 'lstm': N('LSTM', ['t', 'w', 'r'], ['', '', ''], hidden_size=3), 'unique': N('Unique', ['x'], ['', '', '', '']),
    'topk': N('TopK', ['x', 'g'], ['', '']), 'maxpool': N('MaxPool', ['t'], ['', ''], kernel_shape=[1]), 'dropout': N('Dropout', ['x'], ['', '']),
    'batchnorm': N('BatchNormalization', ['x', 'v', 'v', 'v', 'v'], ['', '', ''], training_mode=1), 'sequence': N('SequenceConstruct', ['x'], ['']),
    'layernorm': N('LayerNormalization', ['x', 'v'], ['', '', '']), 'loss': N('SoftmaxCrossEntropyLoss', ['x', 'h'], ['', '']),
    'clip': N('Clip', ['x'], ['']), 'variadic_max': N('Max', ['x', 'x', 'x'], ['']), 'if': N('If', ['c'], [''], then_branch=body([relu], [], [vi('y')]), else_branch=body([relu], [], [vi('y')])),
    'gelu': N('BiasGelu', ['x', 'v'], [''], domain=MS), 'tree': N('Normalizer', ['x'], [''], domain=ML), 'skip': N('SkipLayerNormalization', ['x', 'x', 'v'], ['', '', '', ''], domain=MS)}
QUIET = [v3, init('t', np.ones((1, 2, 3), np.float32)), init('w', np.ones((1, 12, 3), np.float32)), init('r', np.ones((1, 12, 3), np.float32)), ints('g', 1), ints('h', 0, 1), init('c', np.array(True))]
V18 = [H.make_opsetid('', 18), H.make_opsetid(ML, 3), H.make_opsetid(MS, 1)]
for name, node in quiet.items():
    graph(f'V40_quiet_{name}', 'run', 'OK', f'{name}: no output has a name', [node, relu], inits=QUIET, imports=V18)
only = {'batchnorm': ('BatchNormalization', ['x', 'v', 'v', 'v', 'v'], 3, {'training_mode': 1}), 'topk': ('TopK', ['x', 'g'], 2, {}), 'unique': ('Unique', ['x'], 4, {}),
        'split': ('Split', ['x'], 3, {'axis': 1, 'num_outputs': 3}), 'dropout': ('Dropout', ['x'], 2, {}), 'lstm': ('LSTM', ['t', 'w', 'r'], 3, {'hidden_size': 3}),
        'layernorm': ('LayerNormalization', ['x', 'v'], 3, {}), 'loss': ('SoftmaxCrossEntropyLoss', ['x', 'h'], 2, {}), 'maxpool': ('MaxPool', ['t'], 2, {'kernel_shape': [1]})}
for name, (op, ins, count, a) in only.items():
    for k in range(count):
        graph(f'V50_only_{name}_{k}', 'run', 'OK', f'{op}: output {k} alone has a name', [N(op, ins, ['y' if i == k else '' for i in range(count)], **a)], inits=QUIET, imports=V18)
graph('V60_none_batchnorm', 'load', 'ARITY', 'a node without outputs', [N('Relu', ['x'], []), relu])

# --- inputs at the end that are not there ---
for op, x in (('QuantizeLinear', 'x'), ('DequantizeLinear', 'q')):
    graph(f'V70_{op.lower()}', 'run', 'OK', f'{op} without a zero point', [N(op, [x, 'one'], ['y'])], inits=[init('one', np.float32(1)), init('q', np.ones((2, 3), np.int8))], out=('y', U8 if x == 'x' else F))
    graph(f'V71_{op.lower()}_axis', 'run', 'OK', f'{op} without a zero point, a scale each column', [N(op, [x, 'v'], ['y'])], inits=[v3, init('q', np.ones((2, 3), np.int8))], out=('y', U8 if x == 'x' else F))

# --- parameters that are wrong, while no shape is known ---
grams = dict(max_gram_length=2, max_skip_count=0, min_gram_length=1, mode='TF', ngram_counts=[0, 4], ngram_indexes=list(range(7)), pool_int64s=list(range(10)))


def unknown(id, exp, why, node, t=I):
    case(id, 'load', exp, why)(lambda d: (model([node], [vi('x', t)], [vi('y')], imports=IMPORTS), {}))


grams_of = lambda **a: N('TfIdfVectorizer', ['x'], ['y'], **{**grams, **a})
unknown('V80_tfidf_start', 'ATTRIBUTE', 'TfIdfVectorizer: n-grams start at -50', grams_of(ngram_counts=[-50, 4]))
unknown('V81_tfidf_end', 'ATTRIBUTE', 'TfIdfVectorizer: n-grams start behind the pool', grams_of(ngram_counts=[0, BIG]))
unknown('V82_tfidf_columns', 'ATTRIBUTE', 'TfIdfVectorizer: fewer columns than n-grams', grams_of(ngram_indexes=[0]))
unknown('V83_tfidf_more_columns', 'ATTRIBUTE', 'TfIdfVectorizer: more columns than n-grams', grams_of(ngram_indexes=list(range(4096))))
unknown('V84_tfidf_column', 'ATTRIBUTE', 'TfIdfVectorizer: column INT64_MAX', grams_of(ngram_indexes=[0, 1, 2, 3, 4, 5, I64MAX]))
unknown('V85_tfidf_length', 'ATTRIBUTE', 'TfIdfVectorizer: n-grams of length INT64_MAX', grams_of(max_gram_length=I64MAX))
unknown('V86_tree_targets', 'ATTRIBUTE', 'TreeEnsembleRegressor: base values for other targets', N(
    'TreeEnsembleRegressor', ['x'], ['y'], domain=ML, n_targets=3, base_values=[1.0, 2.0], nodes_treeids=[0], nodes_nodeids=[0], nodes_featureids=[0], nodes_values=[0.0],
    nodes_modes=['LEAF'], nodes_truenodeids=[0], nodes_falsenodeids=[0], target_treeids=[0], target_nodeids=[0], target_ids=[0], target_weights=[1.0]), F)

# --- images without pixels ---
roi = [init('r', np.array([[0, 0, 1, .5]], np.float32)), ints('b', 0)]
for k, shape in enumerate(([1, 1, 0, 1 << 27], [1, 1, 1 << 27, 0], [1, 1, 0, 0])):
    graph(f'V90_roi_empty{k}', 'any', 'SHAPE', f'RoiAlign of an image {shape}', [N('RoiAlign', ['x', 'r', 'b'], ['y'], output_height=1, output_width=1, sampling_ratio=1)],
          ins=(('x', F, shape),), inits=roi, feeds={'x': np.zeros(shape, np.float32)})
    graph(f'V91_roi_empty_average{k}', 'any', 'SHAPE', f'RoiAlign of an image {shape}, adaptive samples', [N('RoiAlign', ['x', 'r', 'b'], ['y'], output_height=2, output_width=3)],
          ins=(('x', F, shape),), inits=roi, feeds={'x': np.zeros(shape, np.float32)})
graph('V92_roi_none', 'run', 'OK', 'RoiAlign of no regions of an image without pixels', [N('RoiAlign', ['x', 'r', 'b'], ['y'], output_height=1, output_width=1)],
      ins=(('x', F, [1, 1, 0, 0]),), inits=[init('r', np.zeros((0, 4), np.float32)), ints('b')], feeds={'x': np.zeros((1, 1, 0, 0), np.float32)})
graph('V93_pool_empty', 'run', 'OK', 'MaxRoiPool of an image without pixels', [N('MaxRoiPool', ['x', 'r'], ['y'], pooled_shape=[2, 2])],
      ins=(('x', F, [1, 1, 0, 4]),), inits=[init('r', np.array([[0, 0, 0, 1, 1]], np.float32))], feeds={'x': np.zeros((1, 1, 0, 4), np.float32)})

# --- no element, but a dimension that nobody can count to ---
MANY = 1 << 60
for name, node in {'split': N('SplitToSequence', ['e', 'k'], ['y'], axis=0), 'unique': N('Unique', ['e'], ['y'], axis=0), 'reduce': N('ReduceMax', ['e'], ['y'], axes=[0]),
                   'nonzero': N('NonZero', ['e'], ['y']), 'shape': N('Shape', ['e'], ['y'])}.items():
    graph(f'V96_many_{name}', 'any', 'LIMIT', f'{name} of [0, 2^60] and no elements', [N('ConstantOfShape', ['m'], ['e'], value=init('v', np.zeros(1, np.uint8))), node],
          inits=[ints('m', MANY, 0), ints('k', 1)], out=('y', U8))
graph('V97_many_expand', 'any', 'LIMIT', 'Expand to [2^60, 0]', [N('Expand', ['o', 'm'], ['y'])], inits=[init('o', np.zeros((1, 0), np.uint8)), ints('m', MANY, 0)], out=('y', U8))
graph('V98_many_initializer', 'load', 'LIMIT', 'an initializer [2^40, 0]', [N('Identity', ['o'], ['y'])], inits=[init('o', np.zeros((BIG, 0), np.uint8))], out=('y', U8))

# --- ranks that do not fit: a shape that nothing else has refused is not read where it does not reach ---
graph('V99_split_scalar', 'any', 'SHAPE', 'SplitToSequence of a scalar', [N('SplitToSequence', ['c'], ['s'], keepdims=0), N('SequenceAt', ['s', 'g'], ['y'])],
      inits=[init('c', np.float32(1)), ints('g', 0)])
for rank in range(3, 7):
    for kernel in range(3, 7):
        if rank != kernel:
            graph(f'VA_conv_{rank}_{kernel}', 'any', 'SHAPE', f'Conv of an image of rank {rank} by a kernel of rank {kernel}', [N('Conv', ['x', 'w'], ['y'])],
                  [('x', F, [1, 4] + ['n'] * (rank - 2))], [init('w', np.zeros([32, 4] + [3] * (kernel - 2), np.float32))], feeds={'x': np.zeros([1, 4] + [9] * (rank - 2), np.float32)})
