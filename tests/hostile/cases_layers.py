"""Hostile files: layers: attributes, shapes, indices, arithmetic, and what a caller may give."""

from corpus import *


def conv(id, exp, why, w=(4, 4, 3, 3), op='Conv', bias=None, phase='load', **a):
    ins = [X4, W(*w)] + ([init('b', np.zeros(bias, np.float32))] if bias else [])
    case(id, phase, exp, why)(lambda d: op1(op, ins, feeds=x4, **a))


conv('F01_stride0', 'ATTRIBUTE', 'Conv strides [0,0]', strides=[0, 0])
conv('F02_stride_neg', 'ATTRIBUTE', 'Conv strides [-1,1]', strides=[-1, 1])
conv('F03_dil0', 'ATTRIBUTE', 'Conv dilations [0,0]', dilations=[0, 0])
conv('F04_kshape', 'SHAPE', 'kernel_shape [5,5], W is 3x3', kernel_shape=[5, 5])
conv('F05_krank', 'SHAPE', 'kernel_shape has 3 entries for 2-D', kernel_shape=[3, 3, 3])
conv('F06_group0', 'ATTRIBUTE', 'group 0', group=0)
conv('F07_group3', 'SHAPE', 'group 3 with 4 channels', group=3)
conv('F08_wchan', 'SHAPE', 'W has 7 input channels, x has 4', w=(4, 7, 3, 3))
conv('F09_pad_neg', 'ATTRIBUTE', 'pads -5', pads=[-5, -5, -5, -5])
conv('F10_pad_huge', 'LIMIT', 'pads 2^31', pads=[1 << 31] * 4)
conv('F11_kernel_big', 'SHAPE', '9x9 kernel on 8x8 input, no pads (XNNPACK phantom output)', w=(4, 4, 9, 9))
conv('F12_bias', 'SHAPE', 'bias of 1 for 4 output channels', bias=1)
conv('F13_autopad', 'ATTRIBUTE', 'auto_pad "SIDEWAYS"', auto_pad='SIDEWAYS')
conv('F14_wrank', 'SHAPE', 'W rank 5, x rank 4 (onnx#6180, ort#28731)', w=(4, 4, 3, 2, 1))
conv('F15_dil_wrap', 'LIMIT', 'dilations 2^62: effective kernel wraps', dilations=[1 << 62, 1])
conv('F16_group_wrap', 'ATTRIBUTE', 'group -4', group=-4)
conv('F17_w_zero', 'SHAPE', 'W with a zero spatial size', w=(4, 4, 0, 3))
conv('F18_ct_outpad', 'ATTRIBUTE', 'ConvTranspose output_padding 99', op='ConvTranspose', output_padding=[99, 99])
conv('F19_ct_outshape', 'ATTRIBUTE', 'ConvTranspose output_shape [-1,-1]', op='ConvTranspose', output_shape=[-1, -1])
conv('F20_ct_stride_huge', 'LIMIT', 'ConvTranspose strides 2^40', op='ConvTranspose', strides=[BIG, BIG])
for _op in 'Conv', 'ConvTranspose':  # nothing is known of x when the weights are packed
    case('F50_unknown_x_%s_rank8' % _op, 'run', 'SHAPE', _op + ' with weights of rank 8, x of unknown rank')(
        lambda d, op=_op: op1(op, [('x', F, None), W(2, 3, 1, 1, 1, 1, 1, 1)], feeds=x4)
    )
    case('F51_unknown_x_%s_int64' % _op, 'run', 'TYPE', _op + ' with int64 weights, x of unknown rank')(
        lambda d, op=_op: op1(op, [('x', F, None), init('w', np.zeros((4, 4, 3, 3), np.int64))], feeds=x4)
    )
    case('F52_unknown_x_%s_bias' % _op, 'run', 'SHAPE', _op + ' with a bias of 1 for 4 channels, x of unknown rank')(
        lambda d, op=_op: op1(op, [('x', F, None), W(4, 4, 3, 3), init('b', np.zeros(1, np.float32))], feeds=x4)
    )


# A kernel as large as its output: the work is that of the taps that lie in the image, and no table has an entry for each of the others.
def long_kernel(id, op, x, w, t=np.float32, more=(), **a):
    ins = [('x', H.np_dtype_to_tensor_dtype(np.dtype(t)), x), *more, init('w', np.ones(w, t))]
    case(id, 'run', 'OK', '%s with a kernel of %d taps' % (op, np.prod(w[2:])))(
        lambda d: op1(op, ins, out_t=T.INT32 if op == 'ConvInteger' else F, feeds={'x': np.ones(x, t)}, opset=22, **a))


long_kernel('F54_long_kernel', 'Conv', (1, 1, 1), (1, 1, 60000), pads=[59999, 59999])
long_kernel('F55_long_kernel_depthwise', 'Conv', (1, 2, 1), (2, 1, 60000), pads=[59999, 59999], group=2)
long_kernel('F56_long_kernel_transposed', 'ConvTranspose', (1, 1, 3, 3), (1, 1, 2048, 5), dilations=[1, 2])
long_kernel('F57_long_kernel_strided', 'ConvTranspose', (1, 1, 3, 3), (1, 1, 4096, 5), strides=[2, 2])
long_kernel('F58_long_kernel_stepped', 'ConvTranspose', (1, 2, 30), (2, 1, 3000), strides=[1000], dilations=[999], group=2)
long_kernel('F59_long_kernel_integer', 'ConvInteger', (1, 1, 1), (1, 1, 60000), np.uint8, pads=[59999, 59999])
case('F60_many_groups', 'run', 'OK', 'Conv with 20,000 groups of 2 channels: tiles would be filled with zeros')(
    lambda d: op1('Conv', [('x', F, [1, 40000, 1, 1]), W(20000, 2, 1, 1)], feeds={'x': np.zeros((1, 40000, 1, 1), np.float32)}, group=20000))



# Rules of layouts multiply what nobody counted: three strides of 2^31 - 1 are more than 64 bits hold.
def far_apart(id, op, w, spatial=3, **a):
    case(id, 'run', 'OK', '%s with strides of 2^31 - 1 in three dimensions' % op)(
        lambda d: op1(op, [('x', F, [1, 16] + [spatial] * 3), W(*w)], feeds={'x': np.ones([1, 16] + [spatial] * 3, np.float32)}, strides=[2**31 - 1] * 3, **a))


far_apart('F61_strides_apart', 'Conv', (16, 16, 2, 2, 2))
far_apart('F62_strides_apart_dilated', 'Conv', (16, 16, 2, 2, 2), dilations=[1, 1, 2])
far_apart('F63_strides_apart_depthwise', 'Conv', (16, 1, 2, 2, 2), group=16)
far_apart('F64_strides_apart_transposed', 'ConvTranspose', (16, 1, 1, 1, 1), spatial=1)


def pool(id, exp, why, op='MaxPool', **a):
    case(id, 'load', exp, why)(lambda d: op1(op, [X4], feeds=x4, **a))


pool('F21_pool_k0', 'ATTRIBUTE', 'MaxPool kernel [0,0]', kernel_shape=[0, 0])
pool('F22_pool_s0', 'ATTRIBUTE', 'AveragePool strides 0', op='AveragePool', kernel_shape=[2, 2], strides=[0, 0])
pool('F23_pool_khuge', 'SHAPE', 'AveragePool kernel 2^40', op='AveragePool', kernel_shape=[BIG, BIG])
pool('F24_pool_pad', 'ATTRIBUTE', 'MaxPool pads >= kernel', kernel_shape=[2, 2], pads=[9, 9, 9, 9])
pool('F25_pool_nokernel', 'ATTRIBUTE', 'MaxPool with no kernel_shape')
pool('F26_lppool_p0', 'ATTRIBUTE', 'LpPool p=0', op='LpPool', kernel_shape=[2, 2], p=0)
pool('F27_lrn0', 'ATTRIBUTE', 'LRN size 0', op='LRN', size=0)
pool('F28_lrn_huge', 'ATTRIBUTE', 'LRN size 2^31-1 (ort#27886 class)', op='LRN', size=(1 << 31) - 1)
pool('F29_d2s0', 'ATTRIBUTE', 'DepthToSpace blocksize 0', op='DepthToSpace', blocksize=0)
pool('F30_s2d0', 'ATTRIBUTE', 'SpaceToDepth blocksize 0 (TFLite CVE class)', op='SpaceToDepth', blocksize=0)
case('F31_unpool_oob', 'run', 'INDEX', 'MaxUnpool index 10^9')(
    lambda d: op1(
        'MaxUnpool',
        [('x', F, [1, 1, 2, 2]), init('i', np.full((1, 1, 2, 2), 10**9, np.int64))],
        feeds={'x': np.zeros((1, 1, 2, 2), np.float32)},
        kernel_shape=[2, 2],
        strides=[2, 2],
    )
)
case('F32_bn_len', 'load', 'SHAPE', 'BatchNorm scale of 1 for 4 channels')(
    lambda d: op1(
        'BatchNormalization', [X4] + [init(n, np.ones(1 if n == 's' else 4, np.float32)) for n in 'sbmv'], feeds=x4
    )
)
case('F33_gn_groups', 'load', 'ATTRIBUTE', 'GroupNormalization num_groups 0')(
    lambda d: op1(
        'GroupNormalization',
        [X4, init('s', np.ones(4, np.float32)), init('b', np.ones(4, np.float32))],
        feeds=x4,
        opset=21,
        num_groups=0,
    )
)
XV = ('x', F, [4])
xv = {'x': np.arange(4, dtype=np.float32)}


def one(id, exp, why, op, ins, phase='run', feeds=None, out_t=F, opset=17, n_out=1, **a):
    case(id, phase, exp, why)(
        lambda d: op1(
            op,
            ins,
            out_t,
            (),
            feeds if feeds is not None else (x4 if X4 in ins else xv if XV in ins else {}),
            opset,
            n_out,
            **a
        )
    )


IDX = ('i', I, ['n'])
one(
    'G01_gather_run',
    'INDEX',
    'Gather: run-time indices [0, 4, -5, 2^40] on 4 rows',
    'Gather',
    [XV, IDX],
    feeds={**xv, 'i': np.array([0, 4, -5, BIG])},
)
one('G02_gather_init', 'INDEX', 'Gather: constant index 10^12', 'Gather', [XV, ints('i', 10**12)])
one('G03_gather_axis', 'ATTRIBUTE', 'Gather axis 7', 'Gather', [XV, ints('i', 0)], 'load', axis=7)
one('G04_gatherel', 'INDEX', 'GatherElements index -5 on 4', 'GatherElements', [XV, ints('i', -5)])
one(
    'G05_gathernd_batch',
    'SHAPE',
    'GatherND batch_dims mismatch 3 vs 2 (ort#23828 SIGFPE)',
    'GatherND',
    [('x', F, [3, 3]), init('i', np.array([[1], [2]], np.int64))],
    feeds={'x': np.zeros((3, 3), np.float32)},
    batch_dims=1,
)
one(
    'G06_scatternd',
    'INDEX',
    'ScatterND index 10^9',
    'ScatterND',
    [XV, init('i', np.array([[10**9]], np.int64)), init('u', np.ones(1, np.float32))],
)
one(
    'G07_scatterel',
    'INDEX',
    'ScatterElements index -9 (out-of-bounds write if unchecked)',
    'ScatterElements',
    [XV, ints('i', -9), init('u', np.ones(1, np.float32))],
)
one(
    'G08_slice_step0',
    'ATTRIBUTE',
    'Slice step 0',
    'Slice',
    [XV, ints('s', 0), ints('e', 4), ints('a', 0), ints('st', 0)],
)
one(
    'G09_slice_stepmin',
    'OK',
    'Slice step INT64_MIN, start INT64_MAX (negation overflow)',
    'Slice',
    [XV, ints('s', I64MAX), ints('e', I64MIN), ints('a', 0), ints('st', I64MIN)],
)
one('G10_slice_len', 'SHAPE', 'Slice: 2 starts, 1 end', 'Slice', [XV, ints('s', 0, 0), ints('e', 4)])
one(
    'G11_slice_axisdup',
    'ATTRIBUTE',
    'Slice axes [0,0]',
    'Slice',
    [XV, ints('s', 0, 1), ints('e', 4, 3), ints('a', 0, 0)],
)
one('G12_reshape_2neg', 'SHAPE', 'Reshape [-1,-1]', 'Reshape', [XV, ints('s', -1, -1)])
one('G13_reshape_total', 'SHAPE', 'Reshape 4 -> [3]', 'Reshape', [XV, ints('s', 3)])
one(
    'G14_reshape_wrap',
    'SHAPE',
    'Reshape 4 -> [2^62+1, 4] (product wraps to 4)',
    'Reshape',
    [XV, ints('s', (1 << 62) + 1, 4)],
)
one('G15_reshape_m2', 'SHAPE', 'Reshape [-2]', 'Reshape', [XV, ints('s', -2)])
one(
    'G16_reshape_zero',
    'SHAPE',
    'Reshape of 0 elements to [0,-1] with allowzero',
    'Reshape',
    [('x', F, [0]), ints('s', 0, -1)],
    feeds={'x': np.zeros(0, np.float32)},
    allowzero=1,
)
one('G17_expand_bomb', 'LIMIT', 'Expand to [2^40,4]', 'Expand', [XV, ints('s', BIG, 4)])
one('G18_tile_bomb', 'LIMIT', 'Tile x 2^40', 'Tile', [XV, ints('r', BIG)])
one('G19_tile_wrap', 'LIMIT', 'Tile x 2^62 (bytes wrap to 0)', 'Tile', [XV, ints('r', 1 << 62)])
one('G20_tile_neg', 'ATTRIBUTE', 'Tile x -1', 'Tile', [XV, ints('r', -1)])
one(
    'G21_cos_bomb',
    'LIMIT',
    'ConstantOfShape [2^20,2^20]: 4 TiB from a 150-byte file (ort#28730)',
    'ConstantOfShape',
    [ints('s', 1 << 20, 1 << 20)],
)
one('G22_cos_neg', 'SHAPE', 'ConstantOfShape [-1]', 'ConstantOfShape', [ints('s', -1)])
one(
    'G23_range0',
    'ATTRIBUTE',
    'Range delta 0',
    'Range',
    [init(n, np.array(v, np.float32)) for n, v in (('s', 0), ('l', 5), ('dl', 0))],
)
one(
    'G24_range_bomb',
    'LIMIT',
    'Range 0..2^40',
    'Range',
    [init(n, np.array(v, np.int64)) for n, v in (('s', 0), ('l', BIG), ('dl', 1))],
    out_t=I,
)
one(
    'G25_range_nan',
    'ATTRIBUTE',
    'Range limit NaN',
    'Range',
    [init(n, np.array(v, np.float32)) for n, v in (('s', 0), ('l', np.nan), ('dl', 1))],
)
one('G26_pad_bomb', 'LIMIT', 'Pad by 2^40', 'Pad', [XV, ints('p', BIG, BIG)])
one('G27_pad_neg', 'SHAPE', 'Pad by -9 on 4', 'Pad', [XV, ints('p', -9, 0)])
one('G28_pad_reflect', 'SHAPE', 'Pad reflect by 9 on 4', 'Pad', [XV, ints('p', 9, 9)], mode='reflect')
one('G29_pad_len', 'SHAPE', 'Pad: 3 pads for rank 1', 'Pad', [XV, ints('p', 1, 1, 1)])
one('G30_concat_axis', 'ATTRIBUTE', 'Concat axis 5', 'Concat', [XV, W(4)], 'load', axis=5)
one('G31_concat_rank', 'SHAPE', 'Concat rank 1 with rank 2', 'Concat', [XV, W(4, 1)], 'load', axis=0)
one('G32_split_sum', 'SHAPE', 'Split [1,9] of 4', 'Split', [XV, ints('s', 1, 9)], n_out=2)
one('G33_split_neg', 'SHAPE', 'Split [-1,5] of 4 (sums to 4)', 'Split', [XV, ints('s', -1, 5)], n_out=2)
one('G34_perm_dup', 'ATTRIBUTE', 'Transpose perm [0,0,0,0]', 'Transpose', [X4], 'load', perm=[0, 0, 0, 0])
one('G35_perm_oob', 'ATTRIBUTE', 'Transpose perm [0,1,2,99]', 'Transpose', [X4], 'load', perm=[0, 1, 2, 99])
one('G36_perm_short', 'ATTRIBUTE', 'Transpose perm [1,0] for rank 4', 'Transpose', [X4], 'load', perm=[1, 0])
one('G37_squeeze', 'SHAPE', 'Squeeze axis of size 4', 'Squeeze', [X4, ints('a', 1)])
one('G38_unsq_dup', 'ATTRIBUTE', 'Unsqueeze axes [0,0]', 'Unsqueeze', [XV, ints('a', 0, 0)])
one('G39_unsq_many', 'LIMIT', 'Unsqueeze with 1000 axes (rank 1001)', 'Unsqueeze', [XV, ints('a', *range(1000))])


def rs(*v):
    return init('sc', np.array(v, np.float32))


one('G40_resize0', 'ATTRIBUTE', 'Resize scales 0', 'Resize', [X4, '', rs(1, 1, 0, 0)])
one('G41_resize_inf', 'ATTRIBUTE', 'Resize scales inf', 'Resize', [X4, '', rs(1, 1, np.inf, 1)])
one('G42_resize_nan', 'ATTRIBUTE', 'Resize scales NaN', 'Resize', [X4, '', rs(1, 1, np.nan, 1)])
one('G43_resize_neg', 'ATTRIBUTE', 'Resize scales -1', 'Resize', [X4, '', rs(1, 1, -1, 1)])
one('G44_resize_bomb', 'LIMIT', 'Resize scales 1e9', 'Resize', [X4, '', rs(1, 1, 1e9, 1e9)])
one('G45_resize_size', 'LIMIT', 'Resize sizes 2^40', 'Resize', [X4, '', '', ints('sz', 1, 4, BIG, BIG)])
one(
    'G46_onehot_bomb',
    'LIMIT',
    'OneHot depth 2^40',
    'OneHot',
    [init('i', np.array([1])), ints('dp', BIG), init('v', np.array([0, 1], np.float32))],
)
one(
    'G47_onehot_neg',
    'ATTRIBUTE',
    'OneHot depth -3',
    'OneHot',
    [init('i', np.array([1])), ints('dp', -3), init('v', np.array([0, 1], np.float32))],
)
one('G48_topk', 'ATTRIBUTE', 'TopK k=9 of 4', 'TopK', [XV, ints('k', 9)], n_out=2)
one('G49_topk_neg', 'ATTRIBUTE', 'TopK k=-1', 'TopK', [XV, ints('k', -1)], n_out=2)
one(
    'G50_argmax_empty',
    'SHAPE',
    'ArgMax over a zero-size axis',
    'ArgMax',
    [('x', F, ['n'])],
    out_t=I,
    feeds={'x': np.zeros(0, np.float32)},
)
one(
    'G51_idiv0',
    'ARITHMETIC',
    'int64 Div by 0',
    'Div',
    [('x', I, [1]), ints('z', 0)],
    out_t=I,
    feeds={'x': np.array([5])},
)
one(
    'G52_imin',
    'OK',
    'INT64_MIN / -1 (SIGFPE on x86; define as wrap)',
    'Div',
    [('x', I, [1]), ints('z', -1)],
    out_t=I,
    feeds={'x': np.array([I64MIN])},
)
one(
    'G53_mod0',
    'ARITHMETIC',
    'int64 Mod by 0',
    'Mod',
    [('x', I, [1]), ints('z', 0)],
    out_t=I,
    feeds={'x': np.array([5])},
)
one(
    'G54_mod_min',
    'OK',
    'INT64_MIN mod -1 = 0',
    'Mod',
    [('x', I, [1]), ints('z', -1)],
    out_t=I,
    feeds={'x': np.array([I64MIN])},
)
one(
    'G55_cast_nan',
    'OK',
    'Cast NaN, inf, 1e30 to int8/int64 must not be UB',
    'Cast',
    [XV],
    feeds={'x': np.array([np.nan, np.inf, -np.inf, 1e30], np.float32)},
    out_t=I,
    to=I,
)
one(
    'G56_shift',
    'OK',
    'BitShift by 200 (UB in C)',
    'BitShift',
    [('x', T.UINT64, [1]), init('s', np.array([200], np.uint64))],
    out_t=T.UINT64,
    feeds={'x': np.array([1], np.uint64)},
    direction='LEFT',
)
for k, eq in enumerate(['', 'ij,jk->', '->', 'ii...ii,..->', 'i' * 5000 + '->i', 'ab,bc->zz']):
    one('G57_einsum%d' % k, 'ATTRIBUTE', 'Einsum equation %r' % eq[:20], 'Einsum', [XV], 'any', equation=eq)
one('G58_softmax_axis', 'ATTRIBUTE', 'Softmax axis 9', 'Softmax', [X4], 'load', axis=9)
one('G59_axis_min', 'ATTRIBUTE', 'Softmax axis INT64_MIN', 'Softmax', [X4], 'load', axis=I64MIN)
one(
    'G60_matmul',
    'SHAPE',
    'MatMul [2,3]x[4,5]',
    'MatMul',
    [('x', F, [2, 3]), W(4, 5)],
    'load',
    feeds={'x': np.zeros((2, 3), np.float32)},
)
one(
    'G61_gemm_c',
    'SHAPE',
    'Gemm C not broadcastable',
    'Gemm',
    [('x', F, [2, 3]), W(3, 5), init('c', np.zeros((7, 7), np.float32))],
    'load',
    feeds={'x': np.zeros((2, 3), np.float32)},
)
one('G62_bcast', 'SHAPE', 'Add [4]+[3]', 'Add', [XV, W(3)], 'load')
one('G63_cumsum', 'ATTRIBUTE', 'CumSum axis 99 as data', 'CumSum', [XV, ints('a', 99)])
one('G64_reduce_axis', 'ATTRIBUTE', 'ReduceSum axis 99 as data', 'ReduceSum', [XV, ints('a', 99)])
one(
    'G65_grid_nan',
    'OK',
    'GridSample grid NaN/inf/1e30 (float->index UB)',
    'GridSample',
    [('x', F, [1, 1, 2, 2]), init('gr', np.array([np.nan, np.inf, 1e30, -1e30], np.float32).reshape(1, 1, 2, 2))],
    feeds={'x': np.ones((1, 1, 2, 2), np.float32)},
)
one(
    'G66_roialign',
    'INDEX',
    'RoiAlign batch_indices 10^9',
    'RoiAlign',
    [X4, init('r', np.array([[0, 0, 4, 4]], np.float32)), ints('bi', 10**9)],
    output_height=2,
    output_width=2,
)
one(
    'G67_nms',
    'OK',
    'NonMaxSuppression max_output 2^62',
    'NonMaxSuppression',
    [init('b', np.zeros((1, 2, 4), np.float32)), init('s', np.ones((1, 1, 2), np.float32)), ints('m', 1 << 62)],
    out_t=I,
    feeds={},
)
one(
    'G68_q_scale0',
    'OK',
    'QuantizeLinear scale 0 (inf/NaN -> int8)',
    'QuantizeLinear',
    [XV, init('s', np.float32(0)), init('zp', np.int8(0))],
    out_t=T.INT8,
)
one(
    'G69_dq_axis',
    'ATTRIBUTE',
    'DequantizeLinear axis 9 per-channel',
    'DequantizeLinear',
    [('x', T.INT8, [4, 2]), init('s', np.ones(4, np.float32))],
    feeds={'x': np.zeros((4, 2), np.int8)},
    axis=9,
)
one(
    'G70_col2im',
    'SHAPE',
    'Col2Im image 2^32 x 2^32 (ort#27625)',
    'Col2Im',
    [('x', F, [1, 4, 4]), ints('im', 1 << 32, 1 << 32), ints('bl', 2, 2)],
    opset=18,
    feeds={'x': np.zeros((1, 4, 4), np.float32)},
)


def rnn(id, exp, why, op='LSTM', g=4, hid=3, hs=3, seq=None, T_=2, phase='load', dirs=1, whid=None):
    w = whid or hs
    ins = [('x', F, [T_, 1, 2]), W(dirs, g * w, 2), init('r', np.zeros((dirs, g * w, w), np.float32))] + (
        ['', init('sl', np.array(seq, np.int32))] if seq else []
    )
    one(id, exp, why, op, ins, phase, feeds={'x': np.zeros((T_, 1, 2), np.float32)}, hidden_size=hid)


rnn('G71_lstm_hidden', 'SHAPE', 'LSTM hidden_size 7, W made for 3', hid=7)
rnn('G72_lstm_huge', 'SHAPE', 'LSTM hidden_size 2^61', hid=1 << 61)
rnn('G73_lstm_seq', 'INDEX', 'LSTM sequence_lens 99 for T=2', seq=[99], phase='run')
rnn('G74_lstm_seqneg', 'INDEX', 'LSTM sequence_lens -1', seq=[-1], phase='run')
rnn('G75_gru_gates', 'SHAPE', 'GRU given 4 gates of weights', op='GRU', g=4)
rnn('G76_lstm_dirs', 'SHAPE', 'LSTM forward with 2-direction weights', dirs=2)
one(
    'G77_topo_shape_nan',
    'OK',
    'NaN through MaxPool/Relu/Clip/TopK: defined result, no crash',
    'TopK',
    [XV, ints('k', 4)],
    feeds={'x': np.array([np.nan, 1, np.nan, -1], np.float32)},
    n_out=2,
)
one(
    'G78_nonzero_empty',
    'OK',
    'NonZero of an empty tensor',
    'NonZero',
    [('x', F, ['n'])],
    out_t=I,
    feeds={'x': np.zeros(0, np.float32)},
)
one(
    'G79_rank_0_conv',
    'SHAPE',
    'Conv of a scalar at run time (no static shape)',
    'Conv',
    [('x', F, None), W(4, 4, 3, 3)],
    feeds={'x': np.array(1, np.float32)},
)
one(
    'G80_arrayfeat',
    'UNSUPPORTED',
    'Bernoulli/Random ops: no hidden global seed',
    'RandomNormal',
    [],
    feeds={},
    shape=[2],
)
one(
    'G81_cos_1G',
    'LIMIT',
    'ConstantOfShape [2^28] = 1 GiB from 150 bytes, caller budget 64 MiB',
    'ConstantOfShape',
    [ints('s', 1 << 28)],
)
one(
    'G82_range_1G',
    'LIMIT',
    'Range 0..2^27 int64 = 1 GiB, caller budget 64 MiB',
    'Range',
    [init(n, np.array(v, np.int64)) for n, v in (('s', 0), ('l', 1 << 27), ('dl', 1))],
    out_t=I,
)
one(
    'G83_imin_run',
    'OK',
    'INT64_MIN / -1 with both operands from the caller',
    'Div',
    [('x', I, [1]), ('z', I, [1])],
    out_t=I,
    feeds={'x': np.array([I64MIN]), 'z': np.array([-1])},
)
one(
    'G84_idiv0_run',
    'ARITHMETIC',
    'int32 Div by 0 from the caller',
    'Div',
    [('x', T.INT32, [1]), ('z', T.INT32, [1])],
    out_t=T.INT32,
    feeds={'x': np.array([7], np.int32), 'z': np.array([0], np.int32)},
)
one('G85_mod_fmod', 'OK', 'Mod fmod=1 by 0.0 = NaN', 'Mod', [XV, W(4)], fmod=1)
one(
    'G86_clip_inv',
    'OK',
    'Clip min > max (spec: max wins)',
    'Clip',
    [XV, init('mn', np.float32(5)), init('mx', np.float32(1))],
)
one(
    'G87_clip_nan',
    'OK',
    'Clip min NaN (XNNPACK rejects NaN bounds)',
    'Clip',
    [XV, init('mn', np.float32(np.nan)), init('mx', np.float32(1))],
)


def hin(id, why, feeds, m=None, exp='ARGUMENT'):
    case(id, 'run', exp, why)(lambda d: (m() if m else good(), feeds))


hin('H01_dtype', 'int64 given for a float input', {'x': np.zeros((1, 4), np.int64)})
hin('H02_rank', 'rank 3 given for rank 2', {'x': np.zeros((1, 1, 4), np.float32)})
hin('H03_dim', '[1,5] given for [1,4]', {'x': np.zeros((1, 5), np.float32)})
hin('H04_missing', 'no input given', {})
hin('H05_unknown', 'unknown input name', {'zz': np.zeros((1, 4), np.float32)})
dyn = lambda: model([N('Relu', ['x'], ['y'])], [vi('x', F, ['b', 4])], [vi('y', F, ['b', 4])])
hin('H06_zero_batch', 'batch of 0 with a dynamic axis', {'x': np.zeros((0, 4), np.float32)}, dyn, 'OK')
convd = lambda: model([N('Conv', ['x', 'w'], ['y'])], [vi('x', F, ['b', 4, 'h', 'w_'])], [vi('y')], [W(4, 4, 3, 3)])
hin('H07_conv_small', 'run-time 2x2 image for a 3x3 kernel', {'x': np.zeros((1, 4, 2, 2), np.float32)}, convd, 'SHAPE')
hin('H08_conv_zero', 'run-time 0x0 image', {'x': np.zeros((1, 4, 0, 0), np.float32)}, convd, 'SHAPE')
hin(
    'H09_same_symbol',
    'one symbol "b", two inputs with b=1 and b=3',
    {'x': np.zeros((1, 4), np.float32), 'z': np.zeros((3, 4), np.float32)},
    lambda: model([N('Add', ['x', 'z'], ['y'])], [vi('x', F, ['b', 4]), vi('z', F, ['b', 4])], [vi('y', F, ['b', 4])]),
)
nothing = [init('w', np.zeros((4, 0, 3, 3), np.uint8)), init('zero', np.uint8(3)), init('scale', np.float32(1))]
for k, (op, ins, y) in enumerate([('ConvInteger', ['w'], T.INT32), ('QLinearConv', ['scale', 'zero', 'w', 'scale', 'zero', 'scale', 'zero'], T.UINT8)]):
    case(f'F7{k}_no_channels_{op}', 'run', 'OK', f'{op} of an image without channels: nine taps of nothing')(
        lambda d, op=op, ins=ins, y=y: op1(op, [('x', T.UINT8, [1, 0, 5, 5]), *ins], y, nothing if op == 'QLinearConv' else nothing[:1], {'x': np.zeros((1, 0, 5, 5), np.uint8)}, pads=[1, 1, 1, 1])
    )
