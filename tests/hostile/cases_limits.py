"""Hostile files: small ones that want much memory or work while they are loaded, or in one node."""

from corpus import *

ONE = [vi('x', F, [1])]
Y = [vi('y')]
FEED = {'x': np.ones(1, np.float32)}


def function(name, inputs, outputs, nodes, attributes=()):
    return H.make_function('f', name, inputs, outputs, nodes, [H.make_opsetid('', 17), H.make_opsetid('f', 1)], list(attributes))


def with_functions(nodes, functions, inits=()):
    m = model(nodes, ONE, Y, inits, imports=[H.make_opsetid('', 17), H.make_opsetid('f', 1)])
    m.functions.extend(functions)
    return m, FEED


def calls(name, count, **attributes):
    """A chain of calls from x to y."""
    return [
        N(name, ['x' if k == 0 else 't%d' % k], ['y' if k == count - 1 else 't%d' % (k + 1)], domain='f', **attributes)
        for k in range(count)
    ]


def sparse(name, elements):
    return H.make_sparse_tensor(init(name, np.ones(1, np.float32)), ints('', 0), [elements])


def sparse_initializers(count, elements, used):
    m = model([N('Relu', ['x'], ['y'])], ONE, Y)
    m.graph.sparse_initializer.extend(sparse('s%d' % k, elements) for k in range(count))
    if used:
        m.graph.node[0].output[0] = 't0'
        for k in range(count):
            m.graph.node.append(N('ReduceMax', ['s%d' % k], ['m%d' % k], keepdims=0))
            m.graph.node.append(N('Add', ['t%d' % k, 'm%d' % k], ['y' if k == count - 1 else 't%d' % (k + 1)]))
    return m, FEED


case('Y01_sparse_unused', 'load', 'LIMIT', '30 sparse initializers of one element each, 16 MB when dense')(
    lambda d: sparse_initializers(30, 4000000, False)
)
case('Y02_sparse_used', 'load', 'LIMIT', 'the same, each read by a node')(lambda d: sparse_initializers(30, 4000000, True))
case('Y03_sparse_in_function', 'load', 'LIMIT', 'a sparse constant in a function that is called 50 times')(
    lambda d: with_functions(
        calls('F', 50),
        [
            function(
                'F',
                ['a'],
                ['b'],
                [
                    N('Constant', [], ['c'], sparse_value=sparse('v', 4000000)),
                    N('ReduceMax', ['c'], ['m'], keepdims=0),
                    N('Add', ['a', 'm'], ['b']),
                ],
            )
        ],
    )
)


@case('Y04_list_in_function', 'load', 'LIMIT', 'an attribute of 20,000 integers in a function that is called 2,000 times')
def _(d):
    body = [N('Constant', [], ['c'], value_ints=list(range(20000))), N('Size', ['c'], ['n']), N('Add', ['a', 'a'], ['b'])]
    return with_functions(calls('F', 2000), [function('F', ['a'], ['b'], body)])


@case('Y05_strings_in_function', 'load', 'LIMIT', 'an attribute of 5,000 strings in a function that is called 2,000 times')
def _(d):
    body = [N('Constant', [], ['c'], value_strings=['abc'] * 5000), N('Size', ['c'], ['n']), N('Add', ['a', 'a'], ['b'])]
    return with_functions(calls('F', 2000), [function('F', ['a'], ['b'], body)])


@case('Y06_tensor_in_function', 'load', 'OK', 'a tensor of 512 KiB in a function that is called 1,000 times')
def _(d):
    body = [
        N('Constant', [], ['c'], value=init('c', np.ones((1 << 17,), np.float32))),
        N('ReduceMax', ['c'], ['m'], keepdims=0),
        N('Add', ['a', 'm'], ['b']),
    ]
    return with_functions(calls('F', 1000), [function('F', ['a'], ['b'], body)])


@case('Y07_body_in_function', 'load', 'LIMIT', 'a body with 2,000 initializers in a function that is called 2,000 times')
def _(d):
    def branch(result):
        values = [init('%s%d' % (result, k), np.zeros(8, np.float32)) for k in range(1000)]
        return H.make_graph([N('Identity', ['a'], [result])], 'b', [], [vi(result)], values)

    body = [
        N('ReduceSum', ['a'], ['s'], keepdims=0),
        N('Cast', ['s'], ['k'], to=T.BOOL),
        N('If', ['k'], ['b'], then_branch=branch('p'), else_branch=branch('q')),
    ]
    return with_functions(calls('F', 2000), [function('F', ['a'], ['b'], body)])


for name, op in (('sum', 'Sum'), ('max', 'Max'), ('mean', 'Mean'), ('min', 'Min')):
    case('Y08_wide_%s' % name, 'load', 'LIMIT', 'a function of one %s with 10,000 inputs, called 200 times' % op)(
        lambda d, op=op: with_functions(calls('F', 200), [function('F', ['a'], ['b'], [N(op, ['a'] * 10000, ['b'])])])
    )
case('Y09_wide_concat', 'any', 'LIMIT', 'a Concat of 10,000 inputs, of which each doubles the result')(
    lambda d: with_functions(calls('F', 3), [function('F', ['a'], ['b'], [N('Concat', ['a'] * 10000, ['b'], axis=0)])])
)
case('Y10_long_sum', 'load', 'OK', 'one Sum of 20,000 inputs')(lambda d: (model([N('Sum', ['x'] * 20000, ['y'])], ONE, Y), FEED))

# --- folding ---


def folded(nodes, last, inits):
    """Nodes of constants alone, of which `last` is summed into y."""
    return (
        model(nodes + [N('ReduceSum', [last], ['sum'], keepdims=0), N('Cast', ['sum'], ['sum32'], to=F), N('Add', ['x', 'sum32'], ['y'])], ONE, Y, inits, opset=20),
        FEED,
    )


for length in (300007, 262144, 524287):
    case('Y20_fold_dft_%d' % length, 'any', 'OK', 'a DFT of constants, of length %d' % length)(
        lambda d, n=length: folded([N('DFT', ['w', 'l'], ['z'])], 'z', [init('w', np.ones((1, 4, 1), np.float32)), init('l', np.array(n))])
    )
case('Y21_fold_stft', 'any', 'OK', 'an STFT of constants with a prime frame length')(
    lambda d: folded(
        [N('ConstantOfShape', ['s'], ['w']), N('STFT', ['w', 'step', '', 'l'], ['z'])],
        'z',
        [ints('s', 1, 200000), init('step', np.array(50000)), init('l', np.array(100003))],
    )
)
for name, op in (('max', 'MaxPool'), ('lp', 'LpPool')):
    case('Y22_fold_%s_pool' % name, 'load', 'OK', '%s of constants: 18,000 windows of 18,000' % op)(
        lambda d, op=op: folded(
            [
                N('ConstantOfShape', ['s'], ['w']),
                N(op, ['w'], ['z'], kernel_shape=[18000], pads=[9000, 8999]),
                N('Slice', ['z', 'zero', 'zero', 'two'], ['e']),
            ],
            'e',
            [ints('s', 1, 1, 18000), ints('zero', 0), ints('two', 2)],
        )
    )
case('Y23_fold_products', 'any', 'OK', '40 products of constant matrices, 5e9 multiply-adds')(
    lambda d: folded(
        [N('ConstantOfShape', ['s'], ['m0'])] + [N('MatMul', ['m%d' % k, 'm0'], ['m%d' % (k + 1)]) for k in range(40)], 'm40', [ints('s', 500, 500)]
    )
)
case('Y24_fold_growth', 'any', 'OK', 'one weight of 4 MiB, of which 100 nodes make other constants')(
    lambda d: folded(
        [N('Mul', ['w', 'w'], ['a0'])]
        + [n for k in range(100) for n in (N('Neg', ['w'], ['n%d' % k]), N('Add', ['a%d' % k, 'n%d' % k], ['a%d' % (k + 1)]))],
        'a100',
        [init('w', np.ones(1 << 20, np.float32))],
    )
)
case('Y25_fold_lrn', 'any', 'OK', 'LRN over constants with 500 channels beside each, 20 times')(
    lambda d: folded(
        [N('ConstantOfShape', ['s'], ['m0'])] + [N('LRN', ['m%d' % k], ['m%d' % (k + 1)], size=999) for k in range(20)], 'm20', [ints('s', 1, 500, 16)]
    )
)
case('Y26_fold_det', 'any', 'OK', '30 determinants of constant matrices of 300 x 300')(
    lambda d: folded([N('EyeLike', ['w'], ['e']), N('Expand', ['e', 's'], ['z']), N('Det', ['z'], ['t'])], 't', [init('w', np.zeros((300, 300), np.float32)), ints('s', 30, 300, 300)])
)
