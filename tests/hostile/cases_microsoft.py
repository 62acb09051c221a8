"""Hostile files: quantised operators, and those of com.microsoft."""

from corpus import *


def ms(id, exp, why, op, ins, phase='run', feeds=None, domain='com.microsoft', n_out=1, **attrs):
    """One node. ins: (name, array) a constant, (name, type, shape) an input, '' omitted; feeds are zeros where not given."""

    def build(d):
        names = [i if isinstance(i, str) else i[0] for i in ins]
        graph_inputs = [i for i in ins if isinstance(i, tuple) and len(i) == 3]
        inits = [init(*i) for i in ins if isinstance(i, tuple) and len(i) == 2]
        given = {i[0]: np.zeros((1, 4, 8, 8) if i[2] is None else i[2], H.tensor_dtype_to_np_dtype(i[1])) for i in graph_inputs if phase == 'run'}
        outs = ['y'] + ['y%d' % k for k in range(1, n_out)]
        node = H.make_node(op, names, outs, domain=domain, **attrs)
        imports = [H.make_opsetid('', 17), H.make_opsetid('com.microsoft', 1)]
        m = model([node], [vi(*i) for i in graph_inputs], [onnx.ValueInfoProto(name=o) for o in outs], inits, imports=imports)
        return m, {**given, **(feeds or {})}

    case(id, phase, exp, why)(build)


f32, u8, i8, i32, i64 = np.float32, np.uint8, np.int8, np.int32, np.int64
Z = lambda t, *s: np.zeros(s, t)
U8, I8, I32 = T.UINT8, T.INT8, T.INT32
one = lambda name, t=f32, v=1: (name, np.array(v, t))

# --- convolutions of 8-bit images: x, scale, zero, weights, scales, zeros, y_scale, y_zero, bias ---


def qconv(id, exp, why, phase='load', change=(), domain='', **a):
    ins = [('x', U8, [1, 4, 8, 8]), one('xs'), one('xz', u8), ('w', Z(i8, 6, 4, 3, 3)), ('ws', np.ones(6, f32)),
           ('wz', Z(i8, 6)), one('ys'), one('yz', u8), ('b', Z(i32, 6))]
    for i, value in dict(change).items():
        ins[i] = value
    ms(id, exp, why, 'QLinearConv', ins, phase, domain=domain, **a)


qconv('Q01_good', 'OK', 'a sound QLinearConv', 'run')
qconv('Q02_stride0', 'ATTRIBUTE', 'QLinearConv strides 0', strides=[0, 0])
qconv('Q03_group_neg', 'ATTRIBUTE', 'QLinearConv group -4', group=-4)
qconv('Q04_group3', 'SHAPE', 'QLinearConv group 3 with 4 channels', group=3)
qconv('Q05_w_rank1', 'SHAPE', 'QLinearConv weights of rank 1', change={3: ('w', Z(i8, 4))})
qconv('Q06_w_rank8', 'SHAPE', 'QLinearConv weights of rank 8, x of unknown rank', 'run',
      {0: ('x', U8, None), 3: ('w', Z(i8, 6, 4, 1, 1, 1, 1, 1, 1))})
qconv('Q07_w_float', 'TYPE', 'QLinearConv float weights', change={3: ('w', Z(f32, 6, 4, 3, 3)), 5: ('wz', Z(f32, 6))})
qconv('Q08_w_int64', 'TYPE', 'QLinearConv int64 weights, x of unknown rank', 'run',
      {0: ('x', U8, None), 3: ('w', Z(i64, 6, 4, 3, 3)), 5: ('wz', Z(i64, 6))})
qconv('Q09_xz_type', 'TYPE', 'QLinearConv zero point int8 of a uint8 image', change={2: one('xz', i8)})
qconv('Q10_wz_type', 'TYPE', 'QLinearConv zero points uint8 of int8 weights', change={5: ('wz', Z(u8, 6))})
qconv('Q11_wz_count', 'SHAPE', 'QLinearConv 5 zero points for 6 channels', change={5: ('wz', Z(i8, 5))})
qconv('Q12_ws_count', 'SHAPE', 'QLinearConv 7 scales for 6 channels', change={4: ('ws', np.ones(7, f32))})
qconv('Q13_ws_empty', 'SHAPE', 'QLinearConv no scales at all', change={4: ('ws', Z(f32, 0))})
qconv('Q14_xs_count', 'SHAPE', 'QLinearConv 4 scales of x', change={1: ('xs', np.ones(4, f32))})
qconv('Q15_ys_zero', 'OK', 'QLinearConv y_scale 0: the sums saturate', 'run', {6: one('ys', f32, 0)})
qconv('Q16_ys_nan', 'OK', 'QLinearConv y_scale NaN: the lowest value', 'run', {6: one('ys', f32, np.nan)})
qconv('Q17_scale_huge', 'OK', 'QLinearConv scale 1e38: the sums saturate', 'run', {4: ('ws', np.full(6, 1e38, f32))})
qconv('Q18_scale_neg', 'OK', 'QLinearConv scales -1', 'run', {4: ('ws', np.full(6, -1, f32))})
qconv('Q19_yz_type', 'TYPE', 'QLinearConv y_zero int32', change={7: one('yz', i32)})
qconv('Q20_bias_type', 'TYPE', 'QLinearConv float bias', change={8: ('b', Z(f32, 6))})
qconv('Q21_bias_count', 'SHAPE', 'QLinearConv bias of 1', change={8: ('b', Z(i32, 1))})
qconv('Q22_bias_unknown_x', 'SHAPE', 'QLinearConv bias of 1, x of unknown rank', 'run', {0: ('x', U8, None), 8: ('b', Z(i32, 1))})
qconv('Q23_pad_huge', 'LIMIT', 'QLinearConv pads 2^31', pads=[1 << 31] * 4)
qconv('Q24_dilation_wrap', 'LIMIT', 'QLinearConv dilation 2^62', dilations=[1 << 62, 1])
qconv('Q25_kernel_big', 'SHAPE', 'QLinearConv 9x9 kernel on 8x8', change={3: ('w', Z(i8, 6, 4, 9, 9))})
qconv('Q26_no_channels', 'SHAPE', 'QLinearConv weights without channels', change={3: ('w', Z(i8, 6, 0, 3, 3))})
qconv('Q27_no_kernel', 'SHAPE', 'QLinearConv weights with a kernel of 0', change={3: ('w', Z(i8, 6, 4, 0, 3))})
qconv('Q28_no_outputs', 'SHAPE', 'QLinearConv weights for 0 channels, 6 scales', change={3: ('w', Z(i8, 0, 4, 3, 3))})
qconv('Q29_last_flag', 'ATTRIBUTE', 'QLinearConv channels_last 7', domain='com.microsoft', channels_last=7)
qconv('Q30_last_channels', 'SHAPE', 'QLinearConv channels_last with 8 channels for 4', domain='com.microsoft', channels_last=1)
qconv('Q31_omitted_scale', 'ARITY', 'QLinearConv without the scale of x', change={1: ''})


def iconv(id, exp, why, ins, phase='load', **a):
    ms(id, exp, why, 'ConvInteger', ins, phase, domain='', **a)


X8 = ('x', U8, [1, 4, 8, 8])
iconv('Q40_good', 'OK', 'a sound ConvInteger', [X8, ('w', Z(i8, 6, 4, 3, 3))], 'run')
iconv('Q41_float', 'TYPE', 'ConvInteger with a float image', [X4, ('w', Z(i8, 6, 4, 3, 3))])
iconv('Q42_zero_type', 'TYPE', 'ConvInteger zero point int32', [X8, ('w', Z(i8, 6, 4, 3, 3)), one('z', i32)])
iconv('Q43_zero_count', 'SHAPE', 'ConvInteger 4 zero points of x', [X8, ('w', Z(i8, 6, 4, 3, 3)), ('z', Z(u8, 4))])
iconv('Q44_wzero_count', 'SHAPE', 'ConvInteger 2 zero points for 6 channels', [X8, ('w', Z(i8, 6, 4, 3, 3)), '', ('z', Z(i8, 2))])
iconv('Q45_taps', 'LIMIT', 'ConvInteger without channels and a kernel of 2^93 taps',
      [('x', U8, [1, 0, (1 << 31) - 1, (1 << 31) - 1, (1 << 31) - 1]), ('w', U8, [1, 0, (1 << 31) - 1, (1 << 31) - 1, (1 << 31) - 1])])
iconv('Q46_rank2', 'SHAPE', 'ConvInteger of a matrix', [('x', U8, [4, 4]), ('w', Z(u8, 4, 4))])

# --- element-wise and pools ---
qp = [('x', U8, [1, 2, 4, 4]), one('s'), one('z', u8), one('t'), one('u', u8)]
ms('Q60_pool_kernel', 'ATTRIBUTE', 'QLinearAveragePool without a kernel', 'QLinearAveragePool', qp, 'load')
ms('Q61_pool_k0', 'ATTRIBUTE', 'QLinearAveragePool kernel 0', 'QLinearAveragePool', qp, 'load', kernel_shape=[0, 0])
ms('Q62_pool_zero', 'TYPE', 'QLinearAveragePool zero point float', 'QLinearAveragePool', qp[:2] + [one('z')] + qp[3:], 'load', kernel_shape=[2, 2])
ms('Q63_pool_rank', 'SHAPE', 'QLinearGlobalAveragePool of a matrix', 'QLinearGlobalAveragePool', [('x', U8, [4, 4])] + qp[1:], 'load')
ms('Q64_add_shapes', 'SHAPE', 'QLinearAdd of 3 and 4', 'QLinearAdd',
   [('a', U8, [3]), one('s'), one('z', u8), ('b', U8, [4]), one('s2'), one('z2', u8), one('t'), one('u', u8)], 'load')
ms('Q65_add_zero', 'TYPE', 'QLinearAdd zero point int8 of uint8', 'QLinearAdd',
   [('a', U8, [3]), one('s'), one('z', i8), ('b', U8, [3]), one('s2'), one('z2', u8), one('t'), one('u', u8)], 'load')
ms('Q66_add_scales', 'SHAPE', 'QLinearAdd with 7 scales', 'QLinearAdd',
   [('a', U8, [3]), ('s', np.ones(7, f32)), ('z', Z(u8, 7)), ('b', U8, [3]), one('s2'), one('z2', u8), one('t'), one('u', u8)], 'load')
ms('Q67_mul_omitted', 'ARITY', 'QLinearMul with nothing but names left out', 'QLinearMul', [('a', U8, [3]), one('s'), '', '', '', '', '', ''], 'load')
ms('Q68_concat_count', 'ARITY', 'QLinearConcat with half a part', 'QLinearConcat', [one('t'), one('u', u8), ('a', U8, [3]), one('s')], 'load', axis=0)
ms('Q69_concat_axis', 'ATTRIBUTE', 'QLinearConcat axis 2^40', 'QLinearConcat', [one('t'), one('u', u8), ('a', U8, [3]), one('s'), one('z', u8)], 'load', axis=BIG)
ms('Q70_softmax_axis', 'ATTRIBUTE', 'QLinearSoftmax axis 9', 'QLinearSoftmax', qp, 'load', axis=9, opset=13)

# --- products ---
ms('Q80_gemm_k', 'SHAPE', 'QGemm of [3, 8] and [7, 5]', 'QGemm', [('a', U8, [3, 8]), one('s'), one('z', u8), ('b', Z(u8, 7, 5)), one('t'), one('u', u8)], 'load')
ms('Q81_gemm_bias', 'SHAPE', 'QGemm with a bias of 4 for 5 columns', 'QGemm',
   [('a', U8, [3, 8]), one('s'), one('z', u8), ('b', Z(u8, 8, 5)), one('t'), one('u', u8), ('c', Z(i32, 4))], 'load')
ms('Q82_gemm_zeros', 'SHAPE', 'QGemm with 3 zero points for 5 columns', 'QGemm',
   [('a', U8, [3, 8]), one('s'), one('z', u8), ('b', Z(u8, 8, 5)), one('t'), ('u', Z(u8, 3))], 'load')
ms('Q83_dynamic_type', 'TYPE', 'DynamicQuantizeMatMul of float64', 'DynamicQuantizeMatMul', [('a', T.DOUBLE, [3, 8]), ('b', Z(u8, 8, 5)), one('s')], 'load')
ms('Q84_to_float_k', 'SHAPE', 'MatMulIntegerToFloat of [3, 8] and [9, 5]', 'MatMulIntegerToFloat', [('a', U8, [3, 8]), ('b', Z(u8, 9, 5)), one('s'), one('t')], 'load')


def nbits(id, exp, why, n=6, k=32, block=16, bits=4, b=None, scales=None, extra=(), a=('a', F, [2, 32]), **attrs):
    blocks = -(-k // block) if 0 < k < 1 << 20 and 0 < block < 1 << 20 else 2
    ins = [a, ('b', Z(u8, 6, blocks, max(block * bits // 8, 1) if block < 4096 else 8) if b is None else b),
           ('s', np.ones((6, blocks), f32) if scales is None else scales), *extra]
    ms(id, exp, why, 'MatMulNBits', ins, attrs.pop('phase', 'load'), N=n, K=k, block_size=block, bits=bits, **attrs)


nbits('Q90_good', 'OK', 'a sound MatMulNBits', phase='run')
nbits('Q91_block0', 'ATTRIBUTE', 'MatMulNBits block_size 0', block=0)
nbits('Q92_block24', 'ATTRIBUTE', 'MatMulNBits block_size 24', block=24)
nbits('Q93_block_huge', 'ATTRIBUTE', 'MatMulNBits block_size 2^40', block=BIG)
nbits('Q94_n_neg', 'ATTRIBUTE', 'MatMulNBits N -6', n=-6)
nbits('Q95_nk_huge', 'SHAPE', 'MatMulNBits N and K 2^31 - 1: products of sizes', n=(1 << 31) - 1, k=(1 << 31) - 1)
nbits('Q96_k', 'SHAPE', 'MatMulNBits K 64 where A has 32', k=64)
nbits('Q97_bits', 'UNSUPPORTED', 'MatMulNBits 5 bits', bits=5)
nbits('Q98_b_short', 'SHAPE', 'MatMulNBits weight too short', b=Z(u8, 6, 2, 7))
nbits('Q99_scales', 'SHAPE', 'MatMulNBits scales too short', scales=np.ones(11, f32))
nbits('QA0_scales_type', 'UNSUPPORTED', 'MatMulNBits scales int32', scales=np.ones((6, 2), i32))
nbits('QA1_zeros', 'SHAPE', 'MatMulNBits zero points too short', extra=[('z', Z(u8, 5))])
nbits('QA2_group_oob', 'INDEX', 'MatMulNBits g_idx 7 of 2 blocks', extra=['', ('g', np.full(32, 7, i32))])
nbits('QA3_group_neg', 'INDEX', 'MatMulNBits g_idx -1', extra=['', ('g', np.full(32, -1, i32))])
nbits('QA4_bias', 'SHAPE', 'MatMulNBits bias of 5', extra=['', '', ('c', Z(f32, 5))])
nbits('QA5_half_float', 'TYPE', 'MatMulNBits float16 scales, float32 A', scales=np.ones((6, 2), np.float16))
nbits('QA6_prepacked', 'UNSUPPORTED', 'MatMulNBits weight_prepacked', weight_prepacked=1)
nbits('QA7_b_input', 'UNSUPPORTED', 'MatMulNBits weight that is no constant', b=None, a=('a', F, [2, 32]),
      extra=[('z', U8, [6])])


# --- attention ---
def qatt(id, exp, why, phase='load', w=None, b=None, extra=(), num_heads=2, **a):
    ins = [('x', U8, [2, 5, 8]), ('w', Z(i8, 8, 24) if w is None else w), ('b', np.zeros(24, f32) if b is None else b), one('s'), one('t'), *extra]
    ms(id, exp, why, 'QAttention', ins, phase, num_heads=num_heads, **a)


qatt('QQ0_good', 'OK', 'a sound QAttention', 'run')
qatt('QQ1_depth', 'SHAPE', 'QAttention of 8 columns by 7 rows', w=Z(i8, 7, 24))
qatt('QQ2_thirds', 'SHAPE', 'QAttention of 25 columns: no three parts', w=Z(i8, 8, 25), b=np.zeros(25, f32))
qatt('QQ3_heads3', 'SHAPE', 'QAttention 3 heads of 8 columns', num_heads=3)
qatt('QQ4_zero_type', 'TYPE', 'QAttention int8 zero point of uint8 input', extra=['', one('z', i8)])
qatt('QQ5_past', 'SHAPE', 'QAttention a past of 3 parts', 'run', extra=['', '', '', ('p', np.zeros((3, 2, 2, 4, 4), f32))])

MHA, ATT, GQA = 'MultiHeadAttention', 'Attention', 'GroupQueryAttention'
q3 = [('q', F, [2, 5, 8]), ('k', F, [2, 6, 8]), ('v', F, [2, 6, 8])]


def mha(id, exp, why, ins=(), phase='load', qkv=q3, num_heads=2, **a):
    ms(id, exp, why, MHA, [*qkv, *ins], phase, num_heads=num_heads, **a)


mha('QB0_good', 'OK', 'a sound MultiHeadAttention', phase='run')
mha('QB1_heads0', 'ATTRIBUTE', 'MultiHeadAttention num_heads 0', num_heads=0)
mha('QB2_heads_neg', 'ATTRIBUTE', 'MultiHeadAttention num_heads -2', num_heads=-2)
mha('QB3_heads_huge', 'ATTRIBUTE', 'MultiHeadAttention num_heads 2^62', num_heads=1 << 62)
mha('QB4_heads3', 'SHAPE', 'MultiHeadAttention 3 heads of 8 columns', num_heads=3)
mha('QB5_batch', 'SHAPE', 'MultiHeadAttention keys of 3 sequences, queries of 2', qkv=[q3[0], ('k', F, [3, 6, 8]), ('v', F, [3, 6, 8])])
mha('QB6_values', 'SHAPE', 'MultiHeadAttention 6 keys, 7 values', qkv=q3[:2] + [('v', F, [2, 7, 8])])
mha('QB7_packed', 'UNSUPPORTED', 'MultiHeadAttention with query, key and value in one', qkv=[('q', F, [2, 5, 2, 3, 4])])
mha('QB8_bias', 'SHAPE', 'MultiHeadAttention bias of 25', [('b', Z(f32, 25))])
mha('QB9_mask_count', 'SHAPE', 'MultiHeadAttention list of 5 for 2 sequences', ['', ('m', I32, [5])])
mha('QBA_mask_rank', 'SHAPE', 'MultiHeadAttention mask of rank 5', ['', ('m', I32, [1, 1, 1, 5, 6])])
mha('QBB_mask_keys', 'SHAPE', 'MultiHeadAttention mask of 9 keys for 6', ['', ('m', I32, [2, 9])])
mha('QBC_list_wild', 'OK', 'MultiHeadAttention lengths -5 and 2^31 - 1', ['', ('m', np.array([-5, (1 << 31) - 1], i32))], 'run')
mha('QBD_past_heads', 'SHAPE', 'MultiHeadAttention past of 3 heads', ['', '', '', ('pk', F, [2, 3, 3, 4]), ('pv', F, [2, 3, 3, 4])])
mha('QBE_cache', 'UNSUPPORTED', 'MultiHeadAttention with a shared buffer', ['', '', '', ('pk', F, [2, 2, 3, 4]), ('pv', F, [2, 2, 3, 4]), ('n', I32, [1])])
mha('QBF_ranks', 'SHAPE', 'MultiHeadAttention query of rank 2', qkv=[('q', F, [5, 8])] + q3[1:])


def att(id, exp, why, ins=(), phase='load', w=(8, 24), **a):
    ms(id, exp, why, ATT, [('x', F, [2, 5, 8]), ('w', Z(f32, *w)), ('b', Z(f32, w[1])), *ins], phase, **{'num_heads': 2, **a})


att('QC0_good', 'OK', 'a sound Attention', phase='run')
att('QC1_w_rows', 'SHAPE', 'Attention weights of 9 rows for 8 columns', w=(9, 24))
att('QC2_w_columns', 'SHAPE', 'Attention weights of 25 columns', w=(8, 25))
att('QC3_sizes', 'ATTRIBUTE', 'Attention qkv_hidden_sizes of 2', qkv_hidden_sizes=[8, 8])
att('QC4_sizes_neg', 'SHAPE', 'Attention qkv_hidden_sizes with -8', qkv_hidden_sizes=[8, -8, 24])
att('QC5_sizes_sum', 'SHAPE', 'Attention qkv_hidden_sizes that do not add up', qkv_hidden_sizes=[8, 8, 9])
att('QC6_rotary', 'UNSUPPORTED', 'Attention do_rotary', do_rotary=1)
att('QC7_list', 'SHAPE', 'Attention list of 7 for 2 sequences', [('m', I32, [7])])
att('QC8_starts', 'OK', 'Attention ends and starts that cross', [('m', np.array([1, 2, 4, 5], i32))], 'run')
att('QC9_past', 'SHAPE', 'Attention past of 3 parts', ['', ('p', F, [3, 2, 2, 3, 4])])
att('QCA_past_rank', 'SHAPE', 'Attention past of rank 3', ['', ('p', F, [2, 2, 3])])

cache = [('pk', F, [2, 2, 4, 16]), ('pv', F, [2, 2, 4, 16])]


def gqa(id, exp, why, used=(4, 4), total=5, qkv=None, past=cache, rest=(), phase='run', **a):
    ins = qkv or [('q', F, [2, 1, 64]), ('k', F, [2, 1, 32]), ('v', F, [2, 1, 32])]
    ms(id, exp, why, GQA, [*ins, *past, ('u', np.array(used, i32)), ('t', np.array(total, i32)), *rest], phase, n_out=3,
       **{'num_heads': 4, 'kv_num_heads': 2, **a})


tables = [('cos', Z(f32, 8, 8)), ('sin', Z(f32, 8, 8))]
gqa('QD0_good', 'OK', 'a sound GroupQueryAttention')
gqa('QD1_heads0', 'ATTRIBUTE', 'GroupQueryAttention num_heads 0', phase='load', num_heads=0)
gqa('QD2_kv0', 'ATTRIBUTE', 'GroupQueryAttention kv_num_heads 0', phase='load', kv_num_heads=0)
gqa('QD3_kv3', 'SHAPE', 'GroupQueryAttention kv_num_heads 3', kv_num_heads=3)
gqa('QD4_used_huge', 'INDEX', 'GroupQueryAttention with 2^31 - 1 keys in use', used=((1 << 31) - 1, 0))
gqa('QD5_used_neg', 'OK', 'GroupQueryAttention with -7 keys in use counts as none', used=(-7, 0))
gqa('QD6_used_count', 'SHAPE', 'GroupQueryAttention lengths of 3 for 2 sequences', used=(1, 1, 1))
gqa('QD7_total_huge', 'LIMIT', 'GroupQueryAttention total length 2^31 - 1', total=(1 << 31) - 1)
gqa('QD8_total_neg', 'INDEX', 'GroupQueryAttention total length -5, keys in use beyond the cache', total=-5)
gqa('QD9_past_heads', 'SHAPE', 'GroupQueryAttention cache of 3 heads', past=[('pk', F, [2, 3, 4, 16]), ('pv', F, [2, 3, 4, 16])])
gqa('QDA_past_one', 'ARITY', 'GroupQueryAttention past key without past value', past=[cache[0], ''], phase='load')
gqa('QDB_rotary_none', 'ARITY', 'GroupQueryAttention do_rotary without tables', phase='load', do_rotary=1)
gqa('QDC_rotary_wide', 'ATTRIBUTE', 'GroupQueryAttention tables wider than a head', rest=[('cos', Z(f32, 8, 99)), ('sin', Z(f32, 8, 99))], do_rotary=1)
gqa('QDD_rotary_short', 'INDEX', 'GroupQueryAttention position beyond the tables', rest=[('cos', Z(f32, 2, 8)), ('sin', Z(f32, 2, 8))], do_rotary=1)
gqa('QDE_positions', 'INDEX', 'GroupQueryAttention position -9', rest=[*tables, ('p', np.full((2, 1), -9, i64))], do_rotary=1)
gqa('QDF_sink', 'SHAPE', 'GroupQueryAttention 3 sinks for 4 heads', rest=['', '', '', '', ('sink', Z(f32, 3))])
gqa('QDG_sink_nan', 'OK', 'GroupQueryAttention sinks that are NaN', rest=['', '', '', '', ('sink', np.full(4, np.nan, f32))])
gqa('QDH_smooth', 'ATTRIBUTE', 'GroupQueryAttention smooth_softmax 9', phase='load', smooth_softmax=9)
gqa('QDI_window_huge', 'OK', 'GroupQueryAttention local_window_size 2^62', local_window_size=1 << 62)
gqa('QDJ_packed', 'SHAPE', 'GroupQueryAttention 100 columns for 8 heads', qkv=[('q', F, [2, 1, 100]), '', ''])

# --- other fusions ---
fm = lambda id, exp, why, a, b, **k: ms(id, exp, why, 'FusedMatMul', [('a', F, a), ('b', F, b)], 'load', **k)
fm('QE0_k', 'SHAPE', 'FusedMatMul of [3, 4] and [5, 6]', [3, 4], [5, 6])
fm('QE1_batch', 'SHAPE', 'FusedMatMul transBatchA makes batches of 3 and 2', [4, 3, 5], [2, 5, 6], transBatchA=1)
fm('QE2_unknown', 'UNSUPPORTED', 'FusedMatMul transBatchA of unknown rank', None, [2, 5, 6], transBatchA=1)
nc = lambda id, exp, why, x, w, phase='load', **k: ms(id, exp, why, 'NhwcConv', [('x', F, x), ('w', Z(f32, *w))], phase, **k)
nc('QF0_good', 'OK', 'a sound NhwcConv', [1, 8, 8, 4], (6, 3, 3, 4), 'run')
nc('QF1_channels', 'SHAPE', 'NhwcConv weights in the order of Conv', [1, 8, 8, 4], (6, 4, 3, 3))
nc('QF2_rank', 'ATTRIBUTE', 'NhwcConv weights of rank 3', [1, 8, 8, 4], (6, 3, 4))
nc('QF3_group', 'ATTRIBUTE', 'NhwcConv group 0', [1, 8, 8, 4], (6, 3, 3, 4), group=0)
sk = lambda id, exp, why, shapes, op='SkipLayerNormalization': ms(
    id, exp, why, op, [('x', F, shapes[0]), ('s', F, shapes[1]), ('g', Z(f32, shapes[2]))], 'load')
sk('QG0_gamma', 'SHAPE', 'SkipLayerNormalization gamma of 7 for 8', ([2, 3, 8], [2, 3, 8], 7))
sk('QG1_skip', 'SHAPE', 'SkipLayerNormalization skip of another length', ([2, 3, 8], [2, 4, 8], 8))
sk('QG2_simple', 'SHAPE', 'SkipSimplifiedLayerNormalization gamma of 7 for 8', ([2, 3, 8], [2, 3, 8], 7), 'SkipSimplifiedLayerNormalization')
ids = ('ids', np.array([[0, 1, 99]], i32))
em = lambda id, exp, why, change=(), phase='run': ms(id, exp, why, 'EmbedLayerNormalization', [
    dict(change).get(i, v) for i, v in enumerate([('ids', T.INT32, [1, 3]), '', ('word', Z(f32, 11, 6)), ('pos', Z(f32, 9, 6)), '',
                                                  ('g', Z(f32, 6)), ('b', Z(f32, 6))])], phase, n_out=2)
em('QH0_good', 'OK', 'a sound EmbedLayerNormalization')
em('QH1_id', 'INDEX', 'EmbedLayerNormalization word 99 of 11', {0: ids})
em('QH2_long', 'INDEX', 'EmbedLayerNormalization 3 positions, 2 known', {3: ('pos', Z(f32, 2, 6))})
em('QH3_segments', 'ARITY', 'EmbedLayerNormalization segments without a table', {1: ('seg', Z(i32, 1, 3))}, 'load')
em('QH4_widths', 'SHAPE', 'EmbedLayerNormalization tables of 6 and 5 columns', {3: ('pos', Z(f32, 9, 5))}, 'load')

# --- Tokenizer ---


def tk(id, exp, why, texts=('a b',), phase='run', x=None, without=(), **attrs):
    given = {'mark': 0, 'mincharnum': 1, 'pad_value': '#', **attrs}
    data = np.array([t if isinstance(t, bytes) else t.encode() for t in texts], object)
    ms(id, exp, why, 'Tokenizer', [x or ('x', T.STRING, [len(data)])], phase, {'x': data} if x is None and phase == 'run' else None,
       **{k: v for k, v in given.items() if k not in without})


tk('QI0_good', 'OK', 'a sound Tokenizer', tokenexp='[a-z]+')
tk('QI1_neither', 'ATTRIBUTE', 'Tokenizer without patterns', phase='load')
tk('QI2_no_mark', 'ATTRIBUTE', 'Tokenizer without mark', phase='load', without=['mark'], tokenexp='a')
tk('QI3_no_pad', 'ATTRIBUTE', 'Tokenizer without pad_value', phase='load', without=['pad_value'], tokenexp='a')
tk('QI4_min_zero', 'ATTRIBUTE', 'Tokenizer mincharnum 0', phase='load', mincharnum=0, tokenexp='a')
tk('QI5_min_low', 'ATTRIBUTE', 'Tokenizer mincharnum -2^63', phase='load', mincharnum=-(1 << 63), tokenexp='a')
tk('QI6_min_huge', 'OK', 'Tokenizer mincharnum 2^63 - 1', mincharnum=(1 << 63) - 1, tokenexp='a')
tk('QI7_min_letters', 'ATTRIBUTE', 'Tokenizer of characters with mincharnum 2', phase='load', mincharnum=2, tokenexp='.')
tk('QI8_empty', 'ATTRIBUTE', 'Tokenizer with an empty tokenexp', phase='load', tokenexp='')
tk('QI9_type', 'ATTRIBUTE', 'Tokenizer with one string for separators', phase='load', separators='a')
tk('QIA_stopwords', 'UNSUPPORTED', 'Tokenizer with stopwords', phase='load', tokenexp='a', stopwords=['a'])
tk('QIB_pattern', 'ATTRIBUTE', 'Tokenizer with a bracket that is not closed', phase='load', separators=['a', '(b'])
tk('QIC_binary_pattern', 'ATTRIBUTE', 'Tokenizer with a pattern that is no UTF-8', phase='load', tokenexp=b'\xff')
tk('QID_binary', 'DATA', 'Tokenizer of a text that is no UTF-8', [b'a\xc3'], separators=[' '])
tk('QIE_binary_letters', 'DATA', 'Tokenizer of the characters of a surrogate', [b'\xed\xa0\x80'], separators=[''])
tk('QIF_number', 'TYPE', 'Tokenizer of floats', phase='load', x=X4, tokenexp='a')
tk('QIG_rank', 'SHAPE', 'Tokenizer of rank 3', phase='load', x=('x', T.STRING, [1, 1, 1]), tokenexp='a')
tk('QIH_quadratic', 'LIMIT', 'Tokenizer that looks at the rest of 100,000 letters for each', ['a' * 100000], tokenexp='a*b|a')
tk('QII_quadratic_between', 'LIMIT', 'Tokenizer that looks for a separator from each of 100,000 letters', ['a' * 100000], separators=['a+[bc]'])
tk('QIJ_separators', 'OK', 'Tokenizer with 20,000 separators', ['a b'], separators=['x'] * 20000)
tk('QIK_empty_matches', 'OK', 'Tokenizer with separators that match nothing, many times', ['a' * 1000], separators=['x*', '', '$', '^'])
tk('QIL_wide', 'LIMIT', 'Tokenizer: one long text among 100,000 empty ones', ['a' * 200000] + [''] * 100000, separators=[''])
tk('QIM_empty', 'OK', 'Tokenizer of no strings', [], tokenexp='a')
tk('QIN_nul', 'OK', 'Tokenizer of a text with a NUL', ['a\0b'], tokenexp='.+')

# --- Solve, Inverse ---
so = lambda id, exp, why, a, b, phase='run', **k: ms(id, exp, why, 'Solve', [('a', a) if isinstance(a, np.ndarray) else ('a', F, a), ('b', F, b)], phase, **k)
so('QJ0_good', 'OK', 'a sound Solve', np.eye(3, dtype=f32), [3, 2])
so('QJ1_singular', 'ARITHMETIC', 'Solve of zeros', [3, 3], [3, 2])
so('QJ2_singular_constant', 'ARITHMETIC', 'Solve of ones', np.ones((3, 3), f32), [3])
so('QJ3_nan', 'OK', 'Solve of NaN', np.full((3, 3), np.nan, f32), [3])
so('QJ4_inf', 'OK', 'Solve of infinities', np.full((3, 3), np.inf, f32), [3])
so('QJ5_tiny', 'OK', 'Solve of numbers that underflow', np.eye(3, dtype=f32) * 1e-44, [3])
so('QJ6_flat', 'SHAPE', 'Solve of a matrix that is not square', [3, 4], [3], 'load')
so('QJ7_rows', 'SHAPE', 'Solve for 4 rows with 3 columns', [3, 3], [4, 2], 'load')
so('QJ8_rank1', 'SHAPE', 'Solve of a vector', [3], [3], 'load')
so('QJ9_scalar', 'SHAPE', 'Solve for a scalar', [3, 3], [], 'load')
so('QJA_batches', 'SHAPE', 'Solve of 2 matrices for 3 right-hand sides', [2, 3, 3], [3, 3, 1], 'load')
so('QJB_empty', 'OK', 'Solve of nothing', [0, 0], [0, 5])
so('QJC_no_columns', 'OK', 'Solve for no columns', [3, 3], [3, 0])
so('QJD_no_matrices', 'OK', 'Solve of no matrices', [0, 3, 3], [3, 1])
so('QJE_huge', 'LIMIT', 'Solve of a matrix of 2^31 - 1 rows', [(1 << 31) - 1] * 2, [(1 << 31) - 1], 'load')
ms('QJF_type', 'TYPE', 'Solve of float32 for float64', 'Solve', [('a', F, [3, 3]), ('b', T.DOUBLE, [3])], 'load')
ms('QJG_integers', 'TYPE', 'Solve of integers', 'Solve', [('a', T.INT64, [3, 3]), ('b', T.INT64, [3])], 'load')
ms('QJH_omitted', 'ARITY', 'Solve without a right-hand side', 'Solve', [('a', F, [3, 3]), ''], 'load')
ms('QJI_inverse', 'ARITHMETIC', 'Inverse of zeros', 'Inverse', [('a', F, [2, 3, 3])])
ms('QJJ_inverse_flat', 'SHAPE', 'Inverse of a matrix that is not square', 'Inverse', [('a', F, [3, 4])], 'load')
ms('QJK_cdist', 'SHAPE', 'CDist of rows of 3 and 4', 'CDist', [('a', F, [2, 3]), ('b', F, [2, 4])], 'load')
ms('QJL_cdist_metric', 'ATTRIBUTE', 'CDist by an unknown metric', 'CDist', [('a', F, [2, 3]), ('b', F, [2, 3])], 'load', metric='taxi')
ms('QJM_cdist_rank', 'ATTRIBUTE', 'CDist of vectors', 'CDist', [('a', F, [3]), ('b', F, [3])], 'load')
ms('QJN_two_faults', 'ATTRIBUTE', 'attention with an attribute of the wrong kind, and half of the past', 'GroupQueryAttention',
   [('a', F, [2, 1, 64]), ('b', F, [2, 1, 32]), ('c', F, [2, 1, 32]), ('d', F, [2, 2, 4, 16]), '', ('u', T.INT32, [2]), ('t', T.INT32, [])], 'load', num_heads=4, kv_num_heads=2, smooth_softmax=1.5)
