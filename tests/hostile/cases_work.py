"""Hostile files: tiny ones of which one node would take minutes or hours, and such as only seem to."""

from corpus import *

FEED = {'x': np.ones(1, np.float32)}


def grown(id, expect, why, op, inputs, inits=(), types={}, opset=20, outputs=1, **attributes):
    """One node. Its inputs are names among inits, or shapes: x blown up to them, cast to types[input]."""
    nodes, names, values = [], [], list(inits)
    for k, shape in enumerate(inputs):
        names.append(shape if isinstance(shape, str) else 'a%d' % k)
        if isinstance(shape, str):
            continue
        values.append(ints('s%d' % k, *shape))
        nodes.append(N('Expand', ['x', 's%d' % k], ['e%d' % k]))
        nodes.append(N('Cast', ['e%d' % k], ['a%d' % k], to=types.get(k, F)))
    outs = ['z%d' % k for k in range(outputs)]
    nodes.append(N(op, names, outs, **attributes))
    outs = [H.make_empty_tensor_value_info(o) for o in outs]
    case(id, 'any', expect, why)(lambda d: (model(nodes, [vi('x', F, [1])], outs, values, opset), FEED))


BYTES = {0: T.UINT8, 1: T.UINT8}
big = (1, 1, 500, 500)
for name, op, more in (('conv', 'Conv', {'pads': [400] * 4}), ('conv_transpose', 'ConvTranspose', {})):
    grown('Z01_%s_1d' % name, 'LIMIT', '%s: a kernel of 50,000' % op, op, [(1, 1, 50000)] * 2, pads=[25000] * 2)
    grown('Z02_%s_2d' % name, 'LIMIT', '%s: a kernel of 500 x 500' % op, op, [big] * 2, **more)
grown('Z03_depthwise', 'LIMIT', 'Conv: 100 channels of 100 x 100, a kernel each', 'Conv', [(1, 100, 100, 100), (100, 1, 100, 100)], group=100, pads=[50] * 4)
grown('Z04_conv_integer', 'LIMIT', 'ConvInteger: a kernel of 500 x 500', 'ConvInteger', [big] * 2, types=BYTES, pads=[400] * 4)
grown('Z05_stride', 'OK', 'ConvTranspose: a stride of 2,500', 'ConvTranspose', [(1, 1, 2, 2), (1, 1, 3, 3)], strides=[2500] * 2)
grown('Z10_matmul', 'LIMIT', 'MatMul: 27 * 10^9 products', 'MatMul', [(3000, 3000), (3000, 3000)], types={0: T.FLOAT16, 1: T.FLOAT16})
grown('Z12_det', 'OK', 'Det of 800 x 800', 'Det', [(800, 800)])
grown('Z20_rnn', 'OK', 'RNN: a million steps of one unit', 'RNN', [(1000000, 1, 1), (1, 1, 1), (1, 1, 1)], hidden_size=1)
grown('Z30_lrn', 'OK', 'LRN: 100,000 channels, nearly all of them beside each', 'LRN', [(1, 100000, 1, 1)], size=99999)
grown('Z31_lrn_pixels', 'OK', 'LRN: 10,000 channels of 100 pixels, 5,000 of them beside each', 'LRN', [(1, 10000, 100)], size=5000)
for name, ratio in (('given', 1000), ('adaptive', 0)):
    grown(
        'Z40_roi_align_%s' % name,
        'LIMIT',
        'RoiAlign: thousands of millions of samples',
        'RoiAlign',
        [(1, 1, 1000, 1000), 'r', 'b'],
        [init('r', np.tile(np.float32([0, 0, 1000, 1000]), (2000, 1))), init('b', np.zeros(2000, np.int64))],
        output_height=7,
        output_width=7,
        sampling_ratio=ratio,
    )
grown(
    'Z41_max_roi',
    'LIMIT',
    'MaxRoiPool: 10,000 regions of a million pixels',
    'MaxRoiPool',
    [(1, 1, 1000, 1000), 'r'],
    [init('r', np.tile(np.float32([0, 0, 0, 1000, 1000]), (10000, 1)))],
    pooled_shape=[1, 1],
)
grown('Z42_boxes', 'LIMIT', 'NonMaxSuppression: all of 300,000 boxes', 'NonMaxSuppression', [(1, 300000, 4), (1, 1, 300000), 'm'], [ints('m', I64MAX)])
grown('Z50_attention', 'LIMIT', 'Attention: 100,000 queries and keys', 'Attention', [(1, 1, 100000, 1)] * 3, opset=23)


@case('Z60_loop', 'any', 'LIMIT', 'a Loop of 100,000 products of 100 x 100 matrices')
def _(d):
    body = H.make_graph(
        [N('Identity', ['go'], ['on']), N('MatMul', ['m', 'm'], ['n'])],
        'b',
        [vi('i', I, []), vi('go', T.BOOL, []), vi('m', F, [100, 100])],
        [vi('on', T.BOOL, []), vi('n', F, [100, 100])],
    )
    nodes = [N('Expand', ['x', 's'], ['m0']), N('Loop', ['t', '', 'm0'], ['y'], body=body)]
    return model(nodes, [vi('x', F, [1])], [vi('y')], [ints('s', 100, 100), init('t', np.array(100000))]), FEED


@case('Z61_loop_carries', 'any', 'LIMIT', 'a Loop of 900,000 iterations that only carries 4 MB')
def _(d):
    body = H.make_graph(
        [N('Identity', ['go'], ['on']), N('Identity', ['m'], ['n'])],
        'b',
        [vi('i', I, []), vi('go', T.BOOL, []), vi('m', F, [1000, 1000])],
        [vi('on', T.BOOL, []), vi('n', F, [1000, 1000])],
    )
    nodes = [N('Expand', ['x', 's'], ['m0']), N('Loop', ['t', '', 'm0'], ['y'], body=body)]
    return model(nodes, [vi('x', F, [1])], [vi('y')], [ints('s', 1000, 1000), init('t', np.array(900000))]), FEED


@case('Z62_random', 'any', 'LIMIT', '200 times ten million random numbers')
def random_numbers(d):
    nodes, last = [], 'x'
    for k in range(200):
        nodes += [N('RandomNormal', [], ['r%d' % k], shape=[10000000]), N('ReduceMax', ['r%d' % k], ['m%d' % k], keepdims=0), N('Add', [last, 'm%d' % k], ['y%d' % k])]
        last = 'y%d' % k
    return model(nodes, [vi('x', F, [1])], [vi(last, F, [1])], [], 17), FEED
