"""Hostile files: attention, recurrent, sampling, sequences, scan, quantisation, text."""

from corpus import *
from cases_layers import IDX, X4, XV, one, rnn, rs, xv

z = lambda *s: np.zeros(s, np.float32)
fl = lambda n, *s: (n, F, list(s))


def att(id, exp, why, q=(1, 2, 3, 4), k=(1, 2, 5, 4), v=(1, 2, 5, 4), mask=None, phase='load', **a):
    ins = [fl('q', *q), fl('k', *k), fl('v', *v)] + ([init('m', mask)] if mask is not None else [])
    one(id, exp, why, 'Attention', ins, phase, feeds={'q': z(*q), 'k': z(*k), 'v': z(*v)}, opset=23, **a)


att('J01_att_heads', 'ATTRIBUTE', 'Attention rank 3 without head counts', (1, 3, 8), (1, 5, 8), (1, 5, 8))
att('J02_att_divide', 'SHAPE', 'Attention: 8 features, 3 heads', (1, 3, 8), (1, 5, 8), (1, 5, 8), q_num_heads=3, kv_num_heads=3)
att('J03_att_heads0', 'ATTRIBUTE', 'Attention: heads -1', (1, 3, 8), (1, 5, 8), (1, 5, 8), q_num_heads=-1, kv_num_heads=-1)
att('J04_att_kv', 'SHAPE', 'Attention: key and value lengths differ', v=(1, 2, 6, 4))
att('J05_att_group', 'SHAPE', 'Attention: 3 query heads, 2 key heads', q=(1, 3, 3, 4))
att('J06_att_mask', 'SHAPE', 'Attention: mask [3,9] for 5 keys', mask=z(3, 9))
att('J07_att_nan_mask', 'OK', 'Attention: every key masked with -inf', mask=np.full((3, 5), -np.inf, np.float32), phase='run')
att('J08_att_no_keys', 'OK', 'Attention over no keys', k=(1, 2, 0, 4), v=(1, 2, 0, 4), phase='run')

rnn('J10_gru_hidden0', 'ATTRIBUTE', 'GRU hidden_size 0', op='GRU', g=3, hid=0)
rnn('J11_lstm_empty', 'OK', 'LSTM over no steps', T_=0, phase='run')
one('J12_lstm_direction', 'ATTRIBUTE', 'LSTM direction "sideways"', 'LSTM', [fl('x', 2, 1, 2), W(1, 12, 2), init('r', z(1, 12, 3))], 'load', feeds={'x': z(2, 1, 2)}, hidden_size=3, direction='sideways')
one('J13_lstm_h0', 'SHAPE', 'LSTM initial_h of another batch', 'LSTM', [fl('x', 2, 1, 2), W(1, 12, 2), init('r', z(1, 12, 3)), '', '', init('h', z(1, 9, 3))], 'load', feeds={'x': z(2, 1, 2)}, hidden_size=3)

ein = lambda id, exp, why, eq, *shapes: one(id, exp, why, 'Einsum', [fl('x%d' % i, *s) for i, s in enumerate(shapes)], 'any', feeds={'x%d' % i: z(*s) for i, s in enumerate(shapes)}, equation=eq)
ein('J15_einsum_sizes', 'SHAPE', 'Einsum: j is 3 and 4', 'ij,jk->ik', (2, 3), (4, 5))
ein('J16_einsum_rank', 'ATTRIBUTE', 'Einsum: 3 letters for rank 2', 'ijk->i', (2, 3))
ein('J17_einsum_bomb', 'LIMIT', 'Einsum: outer product of 2^40 elements', 'i,j->ij', (1 << 20,), (1 << 20,))
ein('J18_einsum_digit', 'ATTRIBUTE', 'Einsum: a digit', 'i1->1i', (2, 3))

grid = lambda id, exp, why, x, g, phase='load', **a: one(id, exp, why, 'GridSample', [fl('x', *x), fl('g', *g)], phase, feeds={'x': z(*x), 'g': z(*g)}, opset=20, **a)
grid('J20_grid_last', 'SHAPE', 'GridSample: grid of triples for two axes', (1, 1, 2, 2), (1, 2, 2, 3))
grid('J21_grid_batch', 'SHAPE', 'GridSample: batch 1 and 2', (1, 1, 2, 2), (2, 2, 2, 2))
grid('J22_grid_empty', 'SHAPE', 'GridSample reflects in an image of no pixels', (1, 1, 0, 0), (1, 2, 2, 2), 'run', padding_mode='reflection')
grid('J23_grid_mode', 'ATTRIBUTE', 'GridSample mode "cubist"', (1, 1, 2, 2), (1, 2, 2, 2), mode='cubist')

one('J25_resize_count', 'SHAPE', 'Resize: two sizes for rank 4', 'Resize', [X4, '', '', ints('sz', 2, 2)])
one('J26_resize_neg', 'ATTRIBUTE', 'Resize sizes -8', 'Resize', [X4, '', '', ints('sz', 1, 4, -8, 8)])
one('J27_resize_neither', 'ATTRIBUTE', 'Resize without scales and sizes', 'Resize', [X4], 'any')
one('J28_resize_empty', 'SHAPE', 'Resize an image of no pixels to 4x4', 'Resize', [fl('x', 1, 1, 0, 0), '', '', ints('sz', 1, 1, 4, 4)], feeds={'x': z(1, 1, 0, 0)})
one('J29_resize_axis', 'ATTRIBUTE', 'Resize axes [7]', 'Resize', [X4, '', rs(2)], opset=18, axes=[7])

one('J30_col2im_count', 'SHAPE', 'Col2Im: columns that the image has not', 'Col2Im', [fl('x', 1, 4, 9), ints('im', 3, 3), ints('bl', 2, 2)], opset=18, feeds={'x': z(1, 4, 9)})
one('J31_col2im_block0', 'SHAPE', 'Col2Im: block of 0', 'Col2Im', [fl('x', 1, 4, 4), ints('im', 3, 3), ints('bl', 0, 2)], opset=18, feeds={'x': z(1, 4, 4)})
one('J32_col2im_stride0', 'ATTRIBUTE', 'Col2Im: stride 0', 'Col2Im', [fl('x', 1, 4, 4), ints('im', 3, 3), ints('bl', 2, 2)], opset=18, feeds={'x': z(1, 4, 4)}, strides=[0, 0])
dc = lambda id, exp, why, off, nan=False, **a: one(id, exp, why, 'DeformConv', [X4, W(4, 4, 3, 3), init('o', np.full(off, np.nan if nan else 0, np.float32))], 'any', opset=19, **a)
dc('J33_deform_offset', 'SHAPE', 'DeformConv: offsets for another kernel', (1, 8, 6, 6))
dc('J34_deform_nan', 'OK', 'DeformConv: offsets NaN', (1, 18, 6, 6), True)
dc('J35_deform_group', 'ATTRIBUTE', 'DeformConv: offset_group 0', (1, 18, 6, 6), offset_group=0)

nms = lambda id, exp, why, b, s, *more: one(id, exp, why, 'NonMaxSuppression', [init('b', b), init('s', s), *more], 'any', out_t=I, feeds={})
nms('J36_nms_boxes', 'SHAPE', 'NonMaxSuppression: 2 boxes, 3 scores', z(1, 2, 4), z(1, 1, 3), ints('m', 1))
nms('J37_nms_nan', 'OK', 'NonMaxSuppression: NaN boxes and scores', z(1, 2, 4) * np.nan, z(1, 1, 2) * np.nan, ints('m', 2))
nms('J38_nms_neg', 'OK', 'NonMaxSuppression: max_output INT64_MIN', z(1, 2, 4), z(1, 1, 2), ints('m', I64MIN))

one('J40_topk_axis', 'ATTRIBUTE', 'TopK axis INT64_MIN', 'TopK', [XV, ints('k', 1)], 'any', n_out=2, axis=I64MIN)
one('J41_topk_ks', 'SHAPE', 'TopK: two k', 'TopK', [XV, ints('k', 1, 2)], n_out=2)
hot = lambda id, exp, why, i, v, **a: one(id, exp, why, 'OneHot', [init('i', i), ints('dp', 3), init('v', np.array(v, np.float32))], 'any', feeds={}, **a)
hot('J42_onehot_values', 'SHAPE', 'OneHot: one value', np.array([1]), [1])
hot('J43_onehot_index', 'OK', 'OneHot: indices out of range make no one', np.array([BIG, I64MIN, -3]), [0, 1])
hot('J44_onehot_nan', 'OK', 'OneHot: index NaN', np.array([np.nan, np.inf], np.float32), [0, 1])
hot('J45_onehot_axis', 'ATTRIBUTE', 'OneHot axis 9', np.array([1]), [0, 1], axis=9)

body = lambda: H.make_graph([N('Add', ['s', 'e'], ['t']), N('Identity', ['t'], ['o'])], 'b', [vi('s', F, [1]), vi('e', F, [1])], [vi('t', F, [1]), vi('o', F, [1])])
scan = lambda id, exp, why, x=(3, 1), **a: one(id, exp, why, 'Scan', [init('s0', z(1)), fl('x', *x)], 'any', feeds={'x': z(*x)}, n_out=2, body=body(), **a)
scan('J50_scan_axis', 'ATTRIBUTE', 'Scan: input axis 5', num_scan_inputs=1, scan_input_axes=[5])
scan('J51_scan_out_axis', 'ATTRIBUTE', 'Scan: output axis -9', num_scan_inputs=1, scan_output_axes=[-9])
scan('J52_scan_count', 'ATTRIBUTE', 'Scan: 9 scan inputs of 2', num_scan_inputs=9)
scan('J53_scan_neg', 'ATTRIBUTE', 'Scan: -1 scan inputs', num_scan_inputs=-1)
scan('J54_scan_dir', 'ATTRIBUTE', 'Scan: direction 7', num_scan_inputs=1, scan_input_directions=[7])
scan('J55_scan_empty', 'OK', 'Scan over no steps', (0, 1), num_scan_inputs=1)

dq = lambda id, exp, why, s, **a: one(id, exp, why, 'DequantizeLinear', [('x', T.INT8, [4, 2]), init('s', np.ones(s, np.float32))], 'any', feeds={'x': np.zeros((4, 2), np.int8)}, opset=21, **a)
dq('J60_dq_block', 'SHAPE', 'DequantizeLinear: scales for another block', (3, 2), axis=0, block_size=2)
dq('J61_dq_block_neg', 'ATTRIBUTE', 'DequantizeLinear: block -2', (2, 2), axis=0, block_size=-2)
dq('J62_dq_count', 'SHAPE', 'DequantizeLinear: 3 scales for 2 columns', (3,), axis=1)
dq('J63_dq_block_huge', 'SHAPE', 'DequantizeLinear: block 2^62', (2, 2), axis=0, block_size=1 << 62)


def seq(id, exp, why, nodes, inits=(), out=F):
    case(id, 'any', exp, why)(lambda d: (model(nodes, [vi(*XV)], [vi('y', out)], inits), xv))


pos = lambda v: [init('p', np.array(v, np.int64))]
of2 = N('SequenceConstruct', ['x', 'x'], ['q'])
seq('J70_seq_at', 'INDEX', 'SequenceAt 2 of 2', [of2, N('SequenceAt', ['q', 'p'], ['y'])], pos(2))
seq('J71_seq_at_neg', 'INDEX', 'SequenceAt -3 of 2', [of2, N('SequenceAt', ['q', 'p'], ['y'])], pos(-3))
seq('J72_seq_at_min', 'INDEX', 'SequenceAt INT64_MIN', [of2, N('SequenceAt', ['q', 'p'], ['y'])], pos(I64MIN))
seq('J73_seq_empty', 'INDEX', 'SequenceAt of the empty sequence', [N('SequenceEmpty', [], ['q']), N('SequenceAt', ['q', 'p'], ['y'])], pos(0))
seq('J74_seq_erase', 'INDEX', 'SequenceErase 9 of 2', [of2, N('SequenceErase', ['q', 'p'], ['r']), N('SequenceLength', ['r'], ['y'])], pos(9), I)
seq('J75_seq_insert', 'INDEX', 'SequenceInsert at 4 of 2', [of2, N('SequenceInsert', ['q', 'x', 'p'], ['r']), N('SequenceLength', ['r'], ['y'])], pos(4), I)
seq('J76_seq_concat_empty', 'SHAPE', 'ConcatFromSequence of nothing', [N('SequenceEmpty', [], ['q']), N('ConcatFromSequence', ['q'], ['y'], axis=0)])
seq('J77_seq_concat_axis', 'ATTRIBUTE', 'ConcatFromSequence axis 9', [of2, N('ConcatFromSequence', ['q'], ['y'], axis=9)])
seq('J78_seq_tensor', 'TYPE', 'SequenceLength of a tensor', [N('SequenceLength', ['x'], ['y'])], (), I)
seq('J79_relu_sequence', 'TYPE', 'Relu of a sequence', [of2, N('Relu', ['q'], ['y'])])
split = lambda *v: [N('SplitToSequence', ['x', 'p'], ['q']), N('SequenceLength', ['q'], ['y'])]
seq('J80_split_sum', 'SHAPE', 'SplitToSequence [3,9] of 4', split(), pos([3, 9]), I)
seq('J81_split_zero', 'ATTRIBUTE', 'SplitToSequence by 0', split(), pos(0), I)
seq('J82_split_neg', 'SHAPE', 'SplitToSequence [-1,5] of 4', split(), pos([-1, 5]), I)
seq('J83_split_min', 'ATTRIBUTE', 'SplitToSequence by INT64_MIN', split(), pos(I64MIN), I)
seq('J84_opt_empty', 'INDEX', 'OptionalGetElement of nothing', [N('Optional', [], ['o'], type=H.make_tensor_type_proto(F, [4])), N('OptionalGetElement', ['o'], ['y'])])
