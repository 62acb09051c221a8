"""Hostile files: small ones that want much memory or time by what containers and text are passed through: every operator
on them, in a loop, in a chain and in branches. What they ask for is little; what was copied, or kept, was not."""

from corpus import *

S, B = T.STRING, T.BOOL
SEQUENCE = H.make_tensor_sequence_value_info
TURNS, LENGTH, CHAIN = 40000, 20000, 3000
X = [vi('x', F, [1])]
FEED = {'x': np.ones(1, np.float32)}


def body(nodes, carried, types, scans=(), inits=()):
    """Of a Loop: carried k comes in as its name with _in, and leaves as the name."""
    ins = [vi('i', I, []), vi('c_in', B, [])] + [t(n + '_in') for n, t in zip(carried, types)]
    outs = [vi('c', B, [])] + [t(n) for n, t in zip(carried, types)] + [H.make_empty_tensor_value_info(n) for n in scans]
    return H.make_graph([N('Identity', ['c_in'], ['c'])] + nodes, 'body', ins, outs, list(inits))


def sequence_of(kind):
    return lambda name: SEQUENCE(name, kind, None)


floats, numbers = sequence_of(F), lambda name: vi(name, I, [])


def loop(nodes, turns, first, kind=floats):
    """`first` makes s0; the loop carries it; the result is its length. A value n of the body is collected."""
    scans = ['n'] if any('n' in node.output for node in nodes) else []
    nodes = first + [N('Loop', ['turns', '', 's0'], ['s'] + scans, body=body(nodes, ['s'], [kind], scans))]
    nodes += [N('SequenceLength', ['s'], ['y'])] + [N('Identity', [n], ['all']) for n in scans]
    return model(nodes, X, [vi('y', I)] + [H.make_empty_tensor_value_info('all') for n in scans], [init('turns', np.array(turns)), init('zero', np.array(0)), init('no', np.array(False)), init('yes', np.array(True))], opset=18), FEED


EMPTY = [N('SequenceEmpty', [], ['s0'])]
FULL = [
    N('ConstantOfShape', ['shape'], ['many'], value=init('v', np.ones(1, np.float32))),
    N('SplitToSequence', ['many'], ['s0'], axis=0, keepdims=0),
]
FULL[0].input[0] = 'length'


def with_length(made):
    made[0].graph.initializer.append(ints('length', LENGTH))
    return made


def branch(nodes, result='b', kind=floats):
    return H.make_graph(nodes, 'branch', [], [kind(result)])


INSERT = {
    'end': [N('SequenceInsert', ['s_in', 'x'], ['s'])],
    'front': [N('SequenceInsert', ['s_in', 'x', 'zero'], ['s'])],
    'identity': [N('Identity', ['s_in'], ['a']), N('SequenceInsert', ['a', 'x'], ['b']), N('Identity', ['b'], ['s'])],
    'length': [N('SequenceInsert', ['s_in', 'x'], ['s']), N('SequenceLength', ['s'], ['n'])],
    'at': [N('SequenceInsert', ['s_in', 'x'], ['s']), N('SequenceAt', ['s', 'i'], ['n'])],
    'optional': [N('SequenceInsert', ['s_in', 'x'], ['a']), N('Optional', ['a'], ['o']), N('OptionalGetElement', ['o'], ['s'])],
    'nested': [N('SequenceInsert', ['s_in', 'x'], ['s']), N('SequenceConstruct', ['s', 's_in'], ['t']), N('SequenceLength', ['t'], ['n'])],
    'if': [N('If', ['yes'], ['s'], then_branch=branch([N('SequenceInsert', ['s_in', 'x'], ['b'])]), else_branch=branch([N('Identity', ['s_in'], ['b'])]))],
    'if_less': [
        N('Less', ['i', 'turns'], ['l']),
        N('If', ['l'], ['s'], then_branch=branch([N('SequenceInsert', ['s_in', 'x'], ['b'])]), else_branch=branch([N('Identity', ['s_in'], ['b'])])),
    ],
    'inner': [
        N('Loop', ['one', '', 's_in'], ['s'], body=H.make_graph(
            [N('Identity', ['e_in'], ['e']), N('SequenceInsert', ['q_in', 'x'], ['q'])], 'inner',
            [vi('j', I, []), vi('e_in', B, []), floats('q_in')], [vi('e', B, []), floats('q')]))
    ],
}  # fmt: skip
for name, nodes in INSERT.items():

    @case('R01_loop_insert_%s' % name, 'any', 'OK', 'a loop of %d turns that inserts into what it carries (%s)' % (TURNS, name))
    def _(d, nodes=nodes):
        made = loop(nodes, TURNS, EMPTY)
        made[0].graph.initializer.append(init('one', np.array(1)))
        return made


PASS = {
    'identity': [N('Identity', ['s_in'], ['s'])],
    'erase': [N('SequenceErase', ['s_in', 'zero'], ['t']), N('SequenceInsert', ['t', 'x'], ['s'])],
    'erase_last': [N('SequenceErase', ['s_in'], ['t']), N('SequenceInsert', ['t', 'x', 'zero'], ['s'])],
    'captured': [N('SequenceInsert', ['s0', 'x'], ['s'])],
    'if': [N('Less', ['i', 'turns'], ['l']), N('If', ['l'], ['s'], then_branch=branch([N('Identity', ['s_in'], ['b'])]), else_branch=branch([N('Identity', ['s0'], ['b'])]))],
    'optional': [N('Optional', ['s_in'], ['o']), N('OptionalGetElement', ['o'], ['s'])],
}  # fmt: skip
for name, nodes in PASS.items():
    case('R02_loop_long_%s' % name, 'any', 'OK', 'a loop that carries a sequence of %d (%s)' % (LENGTH, name))(
        lambda d, nodes=nodes: with_length(loop(nodes, TURNS, FULL))
    )


def chain(step, ending, inits=(), kind=F, count=CHAIN, start=FULL, last='s0'):
    """step(k, before, after) makes the nodes of one link."""
    nodes, before = list(start), last
    for k in range(count):
        nodes += step(k, before, 't%d' % k)
        before = 't%d' % k
    beside = [n for node in nodes for n in node.output if n[0] == 'n']
    nodes += ending(before, beside) if beside else ending(before)
    return model(nodes, X, [vi('y', I)], [ints('length', LENGTH), init('zero', np.array(0)), init('yes', np.array(True))] + list(inits), opset=18), FEED


def length_of(before, beside=()):
    return [N('SequenceLength', [before], ['y' if not beside else 'last'])] + ([N('Sum', ['last', *beside], ['y'])] if beside else [])


LINKS = {
    'insert': lambda k, a, b: [N('SequenceInsert', [a, 'x'], [b])],
    'insert_front': lambda k, a, b: [N('SequenceInsert', [a, 'x', 'zero'], [b])],
    'erase': lambda k, a, b: [N('SequenceErase', [a, 'zero'], [b])],
    'identity': lambda k, a, b: [N('Identity', [a], [b])],
    'optional': lambda k, a, b: [N('Optional', [a], ['o%d' % k]), N('OptionalGetElement', ['o%d' % k], [b])],
    'optional_of_one': lambda k, a, b: [N('Optional', ['s0'], ['o%d' % k]), N('OptionalGetElement', ['o%d' % k], [b])],
    'construct': lambda k, a, b: [N('SequenceConstruct', [a], ['o%d' % k]), N('SequenceAt', ['o%d' % k, 'zero'], [b])],
    'split': lambda k, a, b: [N('SplitToSequence', ['many'], [b], axis=0, keepdims=0), N('SequenceLength', [b], ['n%d' % k])],
    'same_input': lambda k, a, b: [N('SequenceInsert', ['s0', 'x'], [b]), N('SequenceLength', [b], ['n%d' % k])],
    'if': lambda k, a, b: [
        N('If', ['cond'], [b], then_branch=branch([N('SequenceInsert', [a, 'x'], ['b%d' % k])], 'b%d' % k), else_branch=branch([N('Identity', [a], ['e%d' % k])], 'e%d' % k))
    ],
    'map': lambda k, a, b: [
        N('SequenceMap', [a], [b], body=H.make_graph([N('Identity', ['e_in'], ['e'])], 'each', [vi('e_in')], [vi('e')]))
    ],
}  # fmt: skip
for name, step in LINKS.items():
    count = {'map': 10, 'split': 100}.get(name, CHAIN)
    start = FULL + [N('Cast', ['x'], ['cond1'], to=B), N('Squeeze', ['cond1'], ['cond'])]
    case('R03_chain_%s' % name, 'any', 'OK', '%d nodes in a chain on a sequence of %d (%s)' % (count, LENGTH, name))(
        lambda d, step=step, count=count, start=start: chain(step, length_of, count=count, start=start)
    )
case('R04_deep_optional', 'any', 'LIMIT', 'optionals inside one another, 3,000 deep')(
    lambda d: chain(lambda k, a, b: [N('Optional', [a], [b])], lambda b: [N('OptionalHasElement', [b], ['h']), N('Cast', ['h'], ['y'], to=I)])
)


@case('R05_shared_nesting', 'any', 'LIMIT', 'a sequence that holds ten times one that holds ten times one ... becomes an output')
def _(d):
    nodes = [N('SequenceConstruct', ['x'] * 10, ['s0'])]
    nodes += [N('SequenceConstruct', ['s%d' % k] * 10, ['s%d' % (k + 1)]) for k in range(12)]
    return model(nodes, X, [SEQUENCE('s12', F, None)], [], opset=18), FEED


# --- lengths that are known are refused before memory is filled ---


@case('R10_split_long', 'any', 'LIMIT', 'a tensor of ten million bytes becomes as many entries')
def _(d):
    nodes = [N('ConstantOfShape', ['shape'], ['e'], value=init('v', np.ones(1, np.uint8))), N('SplitToSequence', ['e'], ['s'], axis=0), N('SequenceLength', ['s'], ['y'])]
    return model(nodes, X, [vi('y', I)], [ints('shape', 10000000)], opset=18), FEED


for name, turns in (('collected', 900000), ('for_ever', 1 << 40)):

    @case('R11_loop_%s' % name, 'any', 'LIMIT', 'a loop of %d turns that collects 4 KiB in each' % turns)
    def _(d, turns=turns):
        nodes = [N('Identity', ['v_in'], ['v']), N('Expand', ['v_in', 'wide'], ['e'])]
        g = [N('Loop', ['turns', '', 'x'], ['z', 'y'], body=body(nodes, ['v'], [lambda n: vi(n, F, [1])], ['e']))]
        return model(g, X, [vi('y', F)], [init('turns', np.array(turns)), ints('wide', 1024)], opset=18), FEED


# --- what is computed of constants waits for its first reader ---


@case('R20_wide_constants', 'run', 'OK', '300 products of a constant tensor of 4 MiB come before their readers')
def _(d):
    nodes = [N('Expand', ['c', 'wide'], ['C'])] + [N('Mul', ['C', 'C'], ['m%d' % k]) for k in range(300)]
    nodes += [N('ReduceSum', ['m%d' % k], ['r%d' % k]) for k in range(300)] + [N('Sum', ['x'] + ['r%d' % k for k in range(300)], ['y'])]
    return model(nodes, X, [vi('y')], [init('c', np.ones(1, np.float32)), ints('wide', 1 << 20)]), FEED


@case('R21_shared_weight', 'run', 'OK', 'one quantised weight, which 400 nodes dequantise before any of them is read')
def _(d):
    nodes = [N('DequantizeLinear', ['w', 'scale'], ['w%d' % k]) for k in range(400)]
    nodes += [N('MatMul', ['row', 'w%d' % k], ['m%d' % k]) for k in range(400)]
    nodes += [N('Sum', ['m%d' % k for k in range(400)], ['y'])]
    nodes = [N('Expand', ['x', 'shape'], ['row'])] + nodes
    return model(nodes, X, [vi('y')], [init('w', np.ones((512, 512), np.int8)), init('scale', np.float32(0.1)), ints('shape', 1, 512)]), FEED


# --- text ---


def word(name, *values, dims=None):
    data = [v.encode() for v in values]
    return onnx.TensorProto(name=name, data_type=S, dims=dims if dims is not None else [len(data)], string_data=data)


strings = lambda name: vi(name, S, None)
TEXT = {
    'grow': [N('StringConcat', ['w_in', 'letter'], ['w'])],
    'numbers': [N('Cast', ['many'], ['t'], to=S), N('Gather', ['t', 'first'], ['w'])],
    'carried_numbers': [N('Cast', ['i'], ['t'], to=S), N('StringConcat', ['k', 't'], ['w'])],
    'normalizer': [N('StringNormalizer', ['k'], ['w'], case_change_action='UPPER')],
    'split': [N('StringConcat', ['k', 'letter'], ['t']), N('StringSplit', ['t'], ['p', 'n'], delimiter=' '), N('Gather', ['p', 'zero'], ['q'], axis=1), N('Identity', ['q'], ['w'])],
    'sequence': [N('StringConcat', ['k', 'letter'], ['t']), N('SequenceConstruct', ['t'], ['q']), N('SequenceAt', ['q', 'zero'], ['w'])],
    'if': [N('Less', ['i', 'turns'], ['l']), N('If', ['l'], ['w'], then_branch=branch([N('StringConcat', ['k', 'letter'], ['b'])], kind=strings), else_branch=branch([N('Identity', ['w_in'], ['b'])], kind=strings))],
}  # fmt: skip
for name, nodes in TEXT.items():

    @case('R30_loop_text_%s' % name, 'any', 'OK', 'a loop that makes kilobytes of text in each turn and keeps the last (%s)' % name)
    def _(d, name=name, nodes=nodes):
        turns = 12000 if name == 'grow' else 100 if name == 'numbers' else 2000 if name == 'normalizer' else 10000
        inits = [init('turns', np.array(turns)), init('zero', np.array(0)), ints('first', 0), word('k', 'some words ' * 1000), word('letter', 'a'), init('many', np.arange(2000, dtype=np.float32))]
        g = [N('Loop', ['turns', '', 'letter'], ['y'], body=body(nodes, ['w'], [strings]))]
        return model(g, X, [vi('y', S)], inits, opset=20), FEED


@case('R31_text_chain', 'any', 'OK', '2,000 nodes that append a letter to a string of 100 KB')
def _(d):
    nodes = [N('StringConcat', ['k' if k == 0 else 't%d' % k, 'letter'], ['t%d' % (k + 1)]) for k in range(2000)]
    return model(nodes, X, [vi('t2000', S)], [word('k', 'b' * 100000), word('letter', 'a')], opset=20), FEED


@case('R32_text_is_shared', 'any', 'OK', 'a loop that carries 50,000 times one string of 1 MB, and makes text beside it')
def _(d):
    nodes = [N('StringConcat', ['letter', 'k'], ['t']), N('Identity', ['w_in'], ['w'])]
    inits = [init('turns', np.array(300)), word('k', 'b' * 500000), word('letter', 'a'), ints('wide', 50000)]
    g = [N('StringConcat', ['k', 'k'], ['kk']), N('Expand', ['kk', 'wide'], ['w0']), N('Loop', ['turns', '', 'w0'], ['s'], body=body(nodes, ['w'], [strings])), N('Shape', ['s'], ['y'])]
    return model(g, X, [vi('y', I)], inits, opset=20), FEED


@case('R33_text_in_sequences', 'any', 'OK', 'a loop whose sequence of strings keeps one text in a hundred')
def _(d):
    nodes = [N('StringConcat', ['k', 'letter'], ['t']), N('SequenceConstruct', ['t'], ['s'])]
    made = loop(nodes, 5000, [N('SequenceConstruct', ['letter'], ['s0'])], kind=sequence_of(S))
    made[0].graph.initializer.extend([word('k', 'some words ' * 1000), word('letter', 'a')])
    made[0].opset_import[0].version = 20
    return made


# --- dynamic values die after their last reader, too ---


@case('R40_dynamic_chain', 'any', 'OK', '300 nodes whose results of 1 MB have sizes that only running tells')
def _(d):
    nodes = [N('ConstantOfShape', ['shape'], ['e'], value=init('v', np.ones(1, np.float32))), N('Cast', ['e'], ['keep'], to=B), N('Mul', ['e', 'x'], ['t0'])]
    nodes += [N('Compress', ['t%d' % k, 'keep'], ['t%d' % (k + 1)], axis=0) for k in range(300)]
    nodes += [N('Shape', ['t300'], ['y'])]
    return model(nodes, X, [vi('y', I)], [ints('shape', 1 << 18)]), FEED


@case('R41_if_chain', 'any', 'OK', '300 If nodes, each of which makes 1 MB that the next one reads')
def _(d):
    nodes = [N('ConstantOfShape', ['shape'], ['e'], value=init('v', np.ones(1, np.float32))), N('Mul', ['e', 'x'], ['t0']), N('Cast', ['x'], ['c1'], to=B), N('Squeeze', ['c1'], ['c'])]
    for k in range(300):
        then = H.make_graph([N('Add', ['t%d' % k, 'x'], ['a%d' % k])], 'then', [], [vi('a%d' % k)])
        other = H.make_graph([N('Neg', ['t%d' % k], ['b%d' % k])], 'else', [], [vi('b%d' % k)])
        nodes.append(N('If', ['c'], ['t%d' % (k + 1)], then_branch=then, else_branch=other))
    nodes += [N('Shape', ['t300'], ['y'])]
    return model(nodes, X, [vi('y', I)], [ints('shape', 1 << 18)]), FEED
