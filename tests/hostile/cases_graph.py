"""Hostile files: graphs that contradict themselves, and control flow."""

from corpus import *

case('C01_cycle', 'load', 'GRAPH', 'a=Add(x,b); b=Relu(a)')(
    lambda d: model([N('Add', ['x', 'b'], ['a']), N('Relu', ['a'], ['b']), N('Relu', ['b'], ['y'])], G4, O4)
)
case('C02_self_loop', 'load', 'GRAPH', 'y=Add(x,y)')(lambda d: model([N('Add', ['x', 'y'], ['y'])], G4, O4))
case('C03_dup_output', 'load', 'GRAPH', 'two nodes write y')(
    lambda d: model([N('Relu', ['x'], ['y']), N('Neg', ['x'], ['y'])], G4, O4)
)
case('C04_undefined', 'load', 'GRAPH', 'node reads a name nobody makes')(
    lambda d: model([N('Add', ['x', 'ghost'], ['y'])], G4, O4)
)
case('C05_no_producer', 'load', 'GRAPH', 'graph output nobody makes')(
    lambda d: model([N('Relu', ['x'], ['z'])], G4, O4)
)
case('C06_dup_init', 'load', 'GRAPH', 'two initializers named w, different sizes')(
    lambda d: model([N('Add', ['x', 'w'], ['y'])], G4, O4, [W(4), W(1)])
)
case('C07_dup_input', 'load', 'GRAPH', 'two graph inputs named x')(
    lambda d: model([N('Relu', ['x'], ['y'])], G4 + [vi('x', I, [2])], O4)
)
case('C08_unsorted', 'load', 'GRAPH', 'consumer listed before producer')(
    lambda d: model([N('Relu', ['a'], ['y']), N('Neg', ['x'], ['a'])], G4, O4)
)
case('C09_init_is_output_of_node', 'load', 'GRAPH', 'node output has an initializer name')(
    lambda d: model([N('Relu', ['x'], ['w']), N('Neg', ['w'], ['y'])], G4, O4, [W(4)])
)
case('C10_few_inputs', 'load', 'ARITY', 'Conv with 1 input')(lambda d: op1('Conv', [X4], feeds=x4))
case('C11_many_outputs', 'load', 'ARITY', 'Relu with 3 outputs')(lambda d: op1('Relu', [X4], feeds=x4, n_out=3))
case('C12_empty_required', 'load', 'ARITY', 'Add(x,"")')(lambda d: model([N('Add', ['x', ''], ['y'])], G4, O4))
case('C13_no_inputs', 'load', 'ARITY', 'Concat of nothing')(lambda d: model([N('Concat', [], ['y'], axis=0)], G4, O4))
case('C14_noname_init', 'load', 'GRAPH', 'initializer with empty name')(
    lambda d: model([N('Relu', ['x'], ['y'])], G4, O4, [init('', np.zeros(3, np.float32))])
)
case('C15_deep_chain', 'load', 'OK', '100000 Relu in a chain: linear time, no recursion')(
    lambda d: (
        model(
            [
                N('Relu', ['x' if k == 0 else 't%d' % k], ['y' if k == 99999 else 't%d' % (k + 1)])
                for k in range(100000)
            ],
            G4,
            O4,
        ),
        x1,
    )
)


def sub(nodes, ins, outs):
    return H.make_graph(nodes, 'sub', ins, outs)


cond = init('c', np.array(True))
case('C16_if_outputs', 'load', 'GRAPH', 'If: then gives 1 output, else gives 2')(
    lambda d: model(
        [
            N(
                'If',
                ['c'],
                ['y'],
                then_branch=sub([N('Relu', ['x'], ['p'])], [], [vi('p')]),
                else_branch=sub([N('Relu', ['x'], ['q']), N('Neg', ['x'], ['r'])], [], [vi('q'), vi('r')]),
            )
        ],
        G4,
        O4,
        [cond],
    )
)
case('C17_if_nobranch', 'load', 'ATTRIBUTE', 'If without branches')(
    lambda d: model([N('If', ['c'], ['y'])], G4, O4, [cond])
)
case('C18_loop_arity', 'load', 'GRAPH', 'Loop body with too few inputs')(
    lambda d: model(
        [N('Loop', ['m', 'c', 'x'], ['y'], body=sub([N('Relu', ['i'], ['o'])], [vi('i', I, [])], [vi('o')]))],
        G4,
        O4,
        [cond, init('m', np.array(3, np.int64))],
    )
)
loopbody = lambda: sub(
    [N('Identity', ['ci'], ['co']), N('Relu', ['xi'], ['xo'])],
    [vi('i', I, []), vi('ci', T.BOOL, []), vi('xi', F, [1, 4])],
    [vi('co', T.BOOL, []), vi('xo', F, [1, 4])],
)
case('C19_loop_forever', 'run', 'LIMIT', 'Loop trip count 2^63-1, cond true')(
    lambda d: (
        model(
            [N('Loop', ['m', 'c', 'x'], ['y'], body=loopbody())], G4, O4, [cond, init('m', np.array(I64MAX, np.int64))]
        ),
        x1,
    )
)
case('C20_loop_no_bound', 'run', 'LIMIT', 'Loop with empty trip count and cond always true')(
    lambda d: (model([N('Loop', ['', 'c', 'x'], ['y'], body=loopbody())], G4, O4, [cond]), x1)
)
scanbody = lambda: sub(
    [N('Identity', ['ci'], ['co']), N('Identity', ['xi'], ['s'])],
    [vi('i', I, []), vi('ci', T.BOOL, []), vi('xi', F, [1, 4])],
    [vi('co', T.BOOL, []), vi('xi', F, [1, 4]), vi('s', F, [1, 4])],
)
case('C21_loop_scan_bomb', 'run', 'LIMIT', 'Loop 2^31 times stacking a scan output')(
    lambda d: (
        model(
            [N('Loop', ['m', 'c', 'x'], ['z', 'y'], body=scanbody())],
            G4,
            [vi('y')],
            [cond, init('m', np.array(1 << 31, np.int64))],
        ),
        x1,
    )
)
case('C22_output_twice', 'load', 'GRAPH', 'two graph outputs named y')(
    lambda d: model([N('Relu', ['x'], ['y'])], G4, O4 + O4)
)
case('C23_if_branch_inputs', 'load', 'GRAPH', 'If: a branch that declares an input')(
    lambda d: model(
        [
            N(
                'If',
                ['c'],
                ['y'],
                then_branch=sub([N('Relu', ['i'], ['p'])], [vi('i')], [vi('p')]),
                else_branch=sub([N('Relu', ['x'], ['q'])], [], [vi('q')]),
            )
        ],
        G4,
        O4,
        [cond],
    )
)
def own_output(op, *ins, **a):
    """A node whose body reads what the node itself makes."""
    return lambda d: (model([N(op, list(ins), ['z', 'y'][-a.pop('n', 1) :], **a)], G4, [vi('y')], [cond, ints('m', 3)]), x1)


case('C24_loop_own_output', 'load', 'GRAPH', 'Loop: the body gives out what the Loop makes')(
    own_output('Loop', 'm', 'c', 'x', body=sub([N('Identity', ['ci'], ['co'])], [vi('i', I, []), vi('ci', T.BOOL, []), vi('s')], [vi('co', T.BOOL, []), vi('y')]))
)
case('C25_if_own_output', 'load', 'GRAPH', 'If: a branch reads what the If makes')(
    own_output('If', 'c', then_branch=sub([N('Relu', ['y'], ['p'])], [], [vi('p')]), else_branch=sub([N('Relu', ['x'], ['q'])], [], [vi('q')]))
)
case('C26_scan_own_output', 'load', 'GRAPH', 'Scan: the body reads what the Scan makes')(
    own_output('Scan', 'x', num_scan_inputs=1, body=sub([N('Add', ['e', 'y'], ['f'])], [vi('e')], [vi('f')]))
)
case('C27_skip_of_another_size', 'any', 'SHAPE', 'SkipLayerNormalization of 8 and 2 rows, a bias besides')(
    lambda d: (model([N('SkipLayerNormalization', ['x', 's', 'g', 'b', 'c'], ['y'], domain='com.microsoft')], [vi('x', F, ['b', 8, 'h', 'w']), vi('s', F, [2, 3, 8])], [vi('y')],
                     [init(k, np.ones(8, np.float32)) for k in 'gbc'], imports=[H.make_opsetid('', 17), H.make_opsetid('com.microsoft', 1)]),
               {'x': np.zeros((1, 8, 3, 8), np.float32), 's': np.zeros((2, 3, 8), np.float32)})
)
case('C28_output_nobody_makes', 'load', 'UNSUPPORTED', 'GroupQueryAttention: the fourth output is given out')(
    lambda d: model([N('GroupQueryAttention', ['q', 'k', 'v', '', '', 'u', 't'], ['y', 'k1', 'v1', 'z'], num_heads=4, kv_num_heads=2, domain='com.microsoft')],
                    [vi('q', F, [2, 1, 64]), vi('k', F, [2, 1, 32]), vi('v', F, [2, 1, 32])], [vi('y'), vi('z')],
                    [init('u', np.array([4, 4], np.int32)), init('t', np.int32(5))], imports=[H.make_opsetid('', 17), H.make_opsetid('com.microsoft', 1)])
)
case('C29_sizes_that_contradict', 'any', 'SHAPE', 'rows of 3, as an image by itself makes, and rows of 0 are added, in a graph whose layout changes')(
    lambda d: (model([N('Conv', ['x', 'x'], ['z'], pads=[1, 1]), N('Add', ['z', 'w'], ['y'])], [vi('x', F, [None, None, None])], [vi('y')], [init('w', np.zeros((2, 0), np.float32))]),
               {'x': np.zeros((1, 1, 3), np.float32)})
)
case('C30_sizes_beyond_64_bits', 'any', 'LIMIT', 'Hardmax of 2^56 times as many elements as nobody knows')(
    lambda d: (model([N('Tile', ['x', 't'], ['z']), N('Hardmax', ['z'], ['y'])], [vi('x', F, ['a', 'b', 'c'])], [vi('y')], [init('t', np.array([1 << 56, 1 << 20, 1 << 20]))]),
               {'x': np.zeros((1, 1, 3), np.float32)})
)
for op, attributes in [('LpPool', dict(kernel_shape=[3], pads=[(1 << 63) - 1, 1])), ('MaxPool', dict(kernel_shape=[(1 << 63) - 1], strides=[(1 << 63) - 1], ceil_mode=1)),
                       ('ConvTranspose', dict(output_padding=[(1 << 63) - 1]))]:
    case(f'C31_window_{op}', 'any', 'ATTRIBUTE' if op == 'ConvTranspose' else 'LIMIT', f'{op} of 64 bits on an image that nobody knows')(
        lambda d, op=op, attributes=attributes: (model([N(op, ['x', 'w'][: 1 + (op == 'ConvTranspose')], ['y'], **attributes)], [vi('x', F, ['a', 'b', 'c'])], [vi('y')],
                                                       [init('w', np.zeros((1, 1, 2), np.float32))]), {'x': np.zeros((1, 1, 3), np.float32)})
    )
for op, attributes in [('Softmax', {}), ('LogSoftmax', dict(axis=0)), ('Flatten', {}), ('CumSum', {}), ('LpNormalization', {}), ('ReduceMax', {}), ('Transpose', {}), ('GlobalMaxPool', {})]:
    case(f'C32_expanded_{op}', 'any', 'LIMIT', f'{op} of 2^80 elements whose sizes are all known, of an image whose sizes are not')(
        lambda d, op=op, attributes=attributes: (model([N('Expand', ['x', 's'], ['z']), N(op, ['z', 'a'][: 1 + (op == 'CumSum')], ['y'], **attributes)], [vi('x', F, ['a', 'b', 'c'])], [vi('y')],
                                                       [init('s', np.array([2, 1 << 40, 1 << 40])), init('a', np.int64(0))]), {'x': np.zeros((1, 1, 1), np.float32)})
    )
case('C33_runs_of_nothing', 'run', 'OK', 'ReduceL1 over the outer and the inner one of three dimensions, of which the last is 0')(
    lambda d: (model([N('ReduceL1', ['x'], ['y'], axes=[0, 2])], [vi('x', F, ['a', 'b', 'c'])], [vi('y')]), {'x': np.zeros((2, 3, 0), np.float32)})
)
