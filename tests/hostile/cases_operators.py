"""Hostile files: losses, training steps, signals, random numbers, generators, indices, windows that overflow, depth."""

from cases_families import fl, z
from cases_layers import X4, XV, one, x4, xv
from corpus import *

f32 = lambda n, v: init(n, np.float32(v))
TRAIN = [H.make_opsetid('', 17), H.make_opsetid('ai.onnx.preview.training', 1)]

# --- losses
nll = lambda id, exp, why, t, w=None, op='NegativeLogLikelihoodLoss', **a: one(id, exp, why, op, [fl('x', 3, 5), init('t', t)] + ([init('w', w)] if w is not None else []), 'any', feeds={'x': z(3, 5)}, **a)
nll('K01_nll_index', 'INDEX', 'NegativeLogLikelihoodLoss: class 5 of 5', np.array([0, 5, 1]))
nll('K02_nll_min', 'INDEX', 'NegativeLogLikelihoodLoss: class INT64_MIN', np.array([0, I64MIN, 1]))
nll('K03_nll_ignored', 'OK', 'NegativeLogLikelihoodLoss: every target is ignored, the mean is of nothing', np.array([-1, -1, -1]), ignore_index=-1)
nll('K04_nll_weight', 'SHAPE', 'NegativeLogLikelihoodLoss: 4 weights for 5 classes', np.array([0, 1, 2]), z(4))
nll('K05_nll_targets', 'SHAPE', 'NegativeLogLikelihoodLoss: 2 targets for 3 rows', np.array([0, 1]))
nll('K06_nll_reduction', 'ATTRIBUTE', 'NegativeLogLikelihoodLoss reduction "median"', np.array([0, 1, 2]), reduction='median')
nll('K07_nll_type', 'TYPE', 'NegativeLogLikelihoodLoss: targets are floats', z(3))
nll('K08_sce_index', 'INDEX', 'SoftmaxCrossEntropyLoss: class -6', np.array([0, -6, 1]), op='SoftmaxCrossEntropyLoss')
one('K09_sce_rank', 'ATTRIBUTE', 'SoftmaxCrossEntropyLoss of a vector', 'SoftmaxCrossEntropyLoss', [XV, ints('t', 0)], 'any')
one('K10_sce_no_classes', 'INDEX', 'SoftmaxCrossEntropyLoss with no classes', 'SoftmaxCrossEntropyLoss', [fl('x', 2, 0), ints('t', 0, 0)], 'any', feeds={'x': z(2, 0)})


# --- training steps: rate, count, weights, gradients, states
def step(id, exp, why, op, tensors, outs, count=1, rate=0.1, **a):
    def build(d):
        ins = [f32('r', rate), ints('t', count)] + [init('a%d' % i, v) for i, v in enumerate(tensors)]
        ins[1] = init('t', np.int64(count))
        node = N(op, [i.name for i in ins], ['y%d' % i for i in range(outs)], domain='ai.onnx.preview.training', **a)
        return model([node], [], [vi('y0')], ins, imports=TRAIN), {}

    case(id, 'any', exp, why)(build)


step('K20_adam_count', 'ARITY', 'Adam: 5 tensors are no whole number of parameters', 'Adam', [z(2)] * 5, 3)
step('K21_adam_shape', 'SHAPE', 'Adam: gradient of another shape', 'Adam', [z(2), z(3), z(2), z(2)], 3)
step('K22_adam_zero', 'OK', 'Adam at step 0: a division by 1 - beta^0', 'Adam', [z(2)] * 4, 3, count=0)
step('K23_adam_min', 'OK', 'Adam at step INT64_MIN', 'Adam', [z(2)] * 4, 3, count=I64MIN)
step('K24_momentum_outputs', 'ARITY', 'Momentum: one output for two', 'Momentum', [z(2)] * 3, 1, alpha=0.9, beta=0.1, mode='standard', norm_coefficient=0.0)
step('K25_momentum_mode', 'ATTRIBUTE', 'Momentum mode "sideways"', 'Momentum', [z(2)] * 3, 2, alpha=0.9, beta=0.1, mode='sideways', norm_coefficient=0.0)
step('K26_adagrad_nan', 'OK', 'Adagrad: rate NaN, states negative', 'Adagrad', [z(2), z(2) + 1, z(2) - 9], 2, rate=np.nan)
step('K27_adagrad_type', 'TYPE', 'Adagrad: integer weights', 'Adagrad', [np.zeros(2, np.int64)] * 3, 2)

# --- signals
dft = lambda id, exp, why, x, n=None, ax=None, **a: one(id, exp, why, 'DFT', [fl('x', *x), '' if n is None else init('n', np.int64(n)), '' if ax is None else init('ax', np.int64(ax))], 'any', feeds={'x': z(*x)}, opset=20, **a)
dft('K30_dft_length0', 'ATTRIBUTE', 'DFT of length 0', (1, 4, 1), 0)
dft('K31_dft_negative', 'ATTRIBUTE', 'DFT of length -4', (1, 4, 1), -4)
dft('K32_dft_bomb', 'ATTRIBUTE', 'DFT padded to 2^40', (1, 4, 1), BIG)
dft('K33_dft_max', 'ATTRIBUTE', 'DFT padded to INT64_MAX', (1, 4, 1), I64MAX)
dft('K34_dft_axis', 'ATTRIBUTE', 'DFT along axis 9', (1, 4, 1), 4, 9)
dft('K35_dft_last', 'ATTRIBUTE', 'DFT along the real and imaginary parts', (1, 4, 2), 4, -1)
dft('K36_dft_parts', 'SHAPE', 'DFT: three parts of a number', (1, 4, 3))
dft('K37_dft_prime', 'OK', 'DFT of a prime length', (1, 4099, 1))
dft('K38_dft_empty', 'ATTRIBUTE', 'DFT of no samples', (1, 0, 1))
dft('K39_dft_scalar', 'SHAPE', 'DFT of a scalar', ())
dft('K40_dft_onesided', 'ATTRIBUTE', 'DFT onesided 7', (1, 4, 1), onesided=7)

stft = lambda id, exp, why, x, step, w=None, n=None: one(id, exp, why, 'STFT', [fl('x', *x), init('st', np.int64(step)), '' if w is None else init('w', z(w)), '' if n is None else init('n', np.int64(n))], 'any', feeds={'x': z(*x)})
stft('K41_stft_step0', 'ATTRIBUTE', 'STFT: step 0', (1, 16, 1), 0, 4)
stft('K42_stft_step_neg', 'ATTRIBUTE', 'STFT: step INT64_MIN', (1, 16, 1), I64MIN, 4)
stft('K43_stft_long', 'OK', 'STFT: frames longer than the signal: none', (1, 16, 1), 2, None, 32)
stft('K44_stft_frame_max', 'ATTRIBUTE', 'STFT: frame length INT64_MAX', (1, 16, 1), 2, None, I64MAX)
stft('K45_stft_window', 'SHAPE', 'STFT: window of 3, frames of 4', (1, 16, 1), 2, 3, 4)
stft('K46_stft_neither', 'ATTRIBUTE', 'STFT without window and frame length', (1, 16, 1), 2)
stft('K47_stft_frame0', 'ATTRIBUTE', 'STFT: frames of 0', (1, 16, 1), 2, None, 0)
stft('K48_stft_parts', 'SHAPE', 'STFT: three parts of a number', (1, 16, 3), 2, 4)
win = lambda id, exp, why, n, op='HannWindow', **a: one(id, exp, why, op, [init('n', np.int64(n))], 'any', feeds={}, **a)
win('K50_window_neg', 'ATTRIBUTE', 'HannWindow of -1', -1)
win('K51_window_bomb', 'ATTRIBUTE', 'HammingWindow of 2^40', BIG, 'HammingWindow')
win('K52_window_max', 'ATTRIBUTE', 'BlackmanWindow of INT64_MAX', I64MAX, 'BlackmanWindow')
win('K53_window_one', 'OK', 'BlackmanWindow of 1, symmetric: a division by 0', 1, 'BlackmanWindow', periodic=0)
win('K54_window_type', 'TYPE', 'HannWindow of strings', 4, output_datatype=T.STRING)
win('K55_window_type99', 'ATTRIBUTE', 'HannWindow of type 99', 4, output_datatype=99)
mel = lambda id, exp, why, bins, n, rate, low, high: one(id, exp, why, 'MelWeightMatrix', [init('b', np.int64(bins)), init('n', np.int64(n)), init('r', np.int64(rate)), f32('lo', low), f32('hi', high)], 'any', feeds={})
mel('K56_mel_bomb', 'LIMIT', 'MelWeightMatrix: 2^30 bins', 1 << 30, 16, 8000, 0, 4000)
mel('K57_mel_neg', 'ATTRIBUTE', 'MelWeightMatrix: -1 bins', -1, 16, 8000, 0, 4000)
mel('K58_mel_rate0', 'ATTRIBUTE', 'MelWeightMatrix: sample rate 0', 4, 16, 0, 0, 4000)
mel('K59_mel_nan', 'ATTRIBUTE', 'MelWeightMatrix: edge NaN', 4, 16, 8000, np.nan, 4000)
mel('K60_mel_inverted', 'ATTRIBUTE', 'MelWeightMatrix: upper edge below the lower', 4, 16, 8000, 4000, 0)
mel('K61_mel_huge', 'ATTRIBUTE', 'MelWeightMatrix: edges of 1e30', 4, 16, 8000, -1e30, 1e30)
mel('K62_mel_length', 'ATTRIBUTE', 'MelWeightMatrix: transform length INT64_MIN', 4, I64MIN, 8000, 0, 4000)

# --- random numbers
rnd = lambda id, exp, why, op='RandomUniform', ins=(), **a: one(id, exp, why, op, list(ins), 'any', feeds={n[0]: z(*n[2]) for n in ins if isinstance(n, tuple)}, **a)
rnd('K65_random_bomb', 'LIMIT', 'RandomUniform [2^20,2^20]', shape=[1 << 20, 1 << 20])
rnd('K66_random_neg', 'SHAPE', 'RandomUniform [-1,-1]', shape=[-1, -1])
rnd('K67_random_rank', 'LIMIT', 'RandomNormal of rank 99', 'RandomNormal', shape=[1] * 99)
rnd('K68_random_type', 'TYPE', 'RandomNormal of strings', 'RandomNormal', shape=[2], dtype=T.STRING)
rnd('K69_random_inf', 'OK', 'RandomUniform from -inf to NaN', shape=[2], low=-np.inf, high=np.nan)
rnd('K70_multinomial_neg', 'ATTRIBUTE', 'Multinomial: -1 samples', 'Multinomial', [fl('x', 1, 3)], sample_size=-1)
rnd('K71_multinomial_bomb', 'LIMIT', 'Multinomial: 2^31-1 samples of 2^10 rows', 'Multinomial', [fl('x', 1024, 1)], sample_size=(1 << 31) - 1)
rnd('K72_multinomial_none', 'SHAPE', 'Multinomial of no classes', 'Multinomial', [fl('x', 1, 0)], sample_size=2)
one('K73_multinomial_nan', 'OK', 'Multinomial: log-probabilities NaN and infinite', 'Multinomial', [init('x', np.array([[np.nan, np.inf, -np.inf]], np.float32))], 'any', feeds={}, out_t=T.INT32, sample_size=4)
one('K74_bernoulli_nan', 'OK', 'Bernoulli: probability NaN, 1e30, -1', 'Bernoulli', [init('x', np.array([np.nan, 1e30, -1], np.float32))], 'any', feeds={})

# --- generators
rng = lambda id, exp, why, a, b, c, t=np.int64: one(id, exp, why, 'Range', [init(n, t(v)) for n, v in (('a', a), ('b', b), ('c', c))], 'any', feeds={}, out_t=H.np_dtype_to_tensor_dtype(np.dtype(t)))
rng('K80_range_delta0', 'ATTRIBUTE', 'Range by 0', 0, 5, 0)
rng('K81_range_wide', 'LIMIT', 'Range from INT64_MIN to INT64_MAX', I64MIN, I64MAX, 1)
rng('K82_range_wrap', 'OK', 'Range from INT64_MIN to INT64_MAX by INT64_MAX: the next step would wrap', I64MIN, I64MAX, I64MAX)
rng('K83_range_down', 'OK', 'Range by INT64_MIN', I64MAX, I64MIN, I64MIN)
rng('K84_range_nan', 'ATTRIBUTE', 'Range to NaN', 0, np.nan, 1, np.float32)
rng('K85_range_inf', 'LIMIT', 'Range to infinity', 0, np.inf, 1, np.float32)
rng('K86_range_tiny', 'LIMIT', 'Range 0 to 1 by 1e-30', 0, 1, 1e-30, np.float64)
one('K87_expand_bomb', 'LIMIT', 'Expand to [2^31,2^31]', 'Expand', [fl('x', 1), ints('s', 1 << 31, 1 << 31)], 'any', feeds={'x': z(1)})
one('K88_expand_neg', 'SHAPE', 'Expand to [-4]', 'Expand', [fl('x', 1), ints('s', -4)], 'any', feeds={'x': z(1)})
one('K89_expand_rank', 'LIMIT', 'Expand to rank 99', 'Expand', [fl('x', 1), ints('s', *([1] * 99))], 'any', feeds={'x': z(1)})
one('K90_tile_bomb', 'LIMIT', 'Tile 2^62 times', 'Tile', [XV, ints('r', 1 << 62)], 'any')
one('K91_tile_wrap', 'LIMIT', 'Tile [2^32,2^32]: the product of 16 elements wraps to 0', 'Tile', [fl('x', 4, 4), ints('r', 1 << 32, 1 << 32)], 'any', feeds={'x': z(4, 4)})
one('K92_tile_neg', 'ATTRIBUTE', 'Tile -1 times', 'Tile', [XV, ints('r', -1)], 'any')
one('K93_tile_count', 'SHAPE', 'Tile: two counts for rank 1', 'Tile', [XV, ints('r', 1, 1)], 'any')
one('K94_pad_negative', 'SHAPE', 'Pad takes 2^62 away from 4', 'Pad', [XV, ints('p', -(1 << 62), 0)], 'any')
one('K95_pad_min', 'SHAPE', 'Pad INT64_MIN on both sides: the sum wraps to 4', 'Pad', [XV, ints('p', I64MIN, I64MIN)], 'any')
one('K96_pad_reflect', 'SHAPE', 'Pad reflects in no pixels', 'Pad', [fl('x', 0), ints('p', 2, 2)], 'any', feeds={'x': z(0)}, mode='reflect')
one('K97_pad_count', 'SHAPE', 'Pad: three pads for rank 1', 'Pad', [XV, ints('p', 1, 1, 1)], 'any')
one('K98_eye_huge', 'OK', 'EyeLike k INT64_MIN', 'EyeLike', [fl('x', 2, 2)], 'any', feeds={'x': z(2, 2)}, k=I64MIN)
one('K99_eye_rank', 'SHAPE', 'EyeLike of a vector', 'EyeLike', [XV], 'any')

# --- indices
one('L01_unique_axis', 'ATTRIBUTE', 'Unique along axis -9', 'Unique', [XV], 'any', axis=-9)
one('L02_unique_empty', 'OK', 'Unique of nothing', 'Unique', [fl('x', 0)], 'any', feeds={'x': z(0)}, n_out=4)
one('L03_unique_nan', 'OK', 'Unique of NaN: they have no order', 'Unique', [XV], 'any', feeds={'x': z(4) * np.nan}, n_out=4)
one('L04_compress_long', 'SHAPE', 'Compress: the condition has 9 entries, the tensor 4', 'Compress', [XV, init('c', np.ones(9, bool))], 'any')
one('L05_compress_axis', 'ATTRIBUTE', 'Compress along axis 5', 'Compress', [XV, init('c', np.ones(2, bool))], 'any', axis=5)
one('L06_topk_nan', 'OK', 'TopK of NaN, all of them', 'TopK', [XV, ints('k', 4)], 'any', feeds={'x': z(4) * np.nan}, n_out=2)
one('L07_topk_max', 'ATTRIBUTE', 'TopK k INT64_MAX', 'TopK', [XV, ints('k', I64MAX)], 'any', n_out=2)
one('L08_topk_scalar', 'SHAPE', 'TopK of a scalar', 'TopK', [fl('x'), ints('k', 1)], 'any', feeds={'x': z()}, n_out=2)
one('L09_gather_empty', 'INDEX', 'Gather from no rows', 'Gather', [fl('x', 0, 3), ints('i', 0)], 'any', feeds={'x': z(0, 3)})
one('L10_gathernd_rank', 'SHAPE', 'GatherND: index of 3 axes for rank 1', 'GatherND', [XV, init('i', np.zeros((1, 3), np.int64))], 'any')
one('L11_gathernd_batch', 'ATTRIBUTE', 'GatherND batch_dims -1', 'GatherND', [XV, init('i', np.zeros((1, 1), np.int64))], 'any', batch_dims=-1)
one('L12_gathernd_scalar', 'SHAPE', 'GatherND: scalar index', 'GatherND', [XV, init('i', np.int64(0))], 'any')
one('L13_gatherel_shape', 'SHAPE', 'GatherElements: indices longer on another axis', 'GatherElements', [fl('x', 2, 2), init('i', np.zeros((2, 9), np.int64))], 'any', feeds={'x': z(2, 2)}, axis=0)
one('L14_scatternd_shape', 'SHAPE', 'ScatterND: updates of another shape', 'ScatterND', [XV, init('i', np.zeros((1, 1), np.int64)), init('u', z(2))], 'any')
one('L15_scatternd_min', 'INDEX', 'ScatterND index INT64_MIN', 'ScatterND', [XV, init('i', np.array([[I64MIN]])), init('u', z(1))], 'any')
one('L16_scatterel_shape', 'SHAPE', 'ScatterElements: 3 indices, 1 update', 'ScatterElements', [XV, ints('i', 0, 1, 2), init('u', z(1))], 'any')
one('L17_scatterel_wide', 'SHAPE', 'ScatterElements: indices wider than the data on another axis', 'ScatterElements', [fl('x', 2, 2), init('i', np.zeros((2, 9), np.int64)), init('u', z(2, 9))], 'any', feeds={'x': z(2, 2)}, axis=0)
one('L18_scatterel_reduction', 'ATTRIBUTE', 'ScatterElements reduction "xor"', 'ScatterElements', [XV, ints('i', 0), init('u', z(1))], 'any', opset=18, reduction='xor')
tsc = lambda id, exp, why, at, upd=(1, 1, 2), **a: one(id, exp, why, 'TensorScatter', [fl('x', 1, 4, 2), init('u', z(*upd)), init('at', np.array(at))], 'any', feeds={'x': z(1, 4, 2)}, opset=24, **a)
tsc('L19_tensor_scatter', 'INDEX', 'TensorScatter: write at 9 of 4', [9])
tsc('L20_tensor_scatter_neg', 'INDEX', 'TensorScatter: write at -1', [-1])
tsc('L21_tensor_scatter_axis', 'ATTRIBUTE', 'TensorScatter along axis 7', [0], axis=7)
tsc('L22_tensor_scatter_count', 'SHAPE', 'TensorScatter: three positions for a batch of 1', [0, 0, 0])
tsc('L23_tensor_scatter_min', 'INDEX', 'TensorScatter: circular write at INT64_MIN', [I64MIN], mode='circular')
one('L24_revseq', 'INDEX', 'ReverseSequence: length 9 of 4', 'ReverseSequence', [fl('x', 4, 1), ints('l', 9)], 'any', feeds={'x': z(4, 1)})
one('L25_revseq_neg', 'INDEX', 'ReverseSequence: length -1', 'ReverseSequence', [fl('x', 4, 1), ints('l', -1)], 'any', feeds={'x': z(4, 1)})
one('L26_trilu', 'OK', 'Trilu k INT64_MIN', 'Trilu', [fl('x', 2, 2), init('k', np.int64(I64MIN))], 'any', feeds={'x': z(2, 2)})
one('L27_trilu_max', 'OK', 'Trilu k INT64_MAX, lower', 'Trilu', [fl('x', 2, 2), init('k', np.int64(I64MAX))], 'any', feeds={'x': z(2, 2)}, upper=0)
one('L28_onehot_scalar', 'SHAPE', 'OneHot depth of two numbers', 'OneHot', [ints('i', 0), ints('d', 3, 3), init('v', z(2))], 'any', feeds={})
one('L29_onehot_depth_nan', 'ATTRIBUTE', 'OneHot depth NaN', 'OneHot', [ints('i', 0), f32('d', np.nan), init('v', z(2))], 'any', feeds={})
one('L30_center_axes', 'ATTRIBUTE', 'CenterCropPad axes [9]', 'CenterCropPad', [XV, ints('s', 2)], 'any', opset=18, axes=[9])
one('L31_center_neg', 'SHAPE', 'CenterCropPad to -2', 'CenterCropPad', [XV, ints('s', -2)], 'any', opset=18)
one('L32_center_bomb', 'LIMIT', 'CenterCropPad to 2^60', 'CenterCropPad', [XV, ints('s', 1 << 60)], 'any', opset=18)

# --- windows whose sizes overflow
pool = lambda id, exp, why, op, x=(1, 1, 4, 4), **a: one(id, exp, why, op, [fl('x', *x)], 'load', feeds={'x': z(*x)}, **a)
pool('L40_pool_dilation0', 'ATTRIBUTE', 'MaxPool dilations 0', 'MaxPool', kernel_shape=[2, 2], dilations=[0, 0])
pool('L41_pool_dilation_wrap', 'LIMIT', 'MaxPool dilations 2^62: (kernel - 1) * dilation wraps', 'MaxPool', kernel_shape=[3, 3], dilations=[1 << 62, 1])
pool('L42_pool_stride_max', 'LIMIT', 'AveragePool strides INT64_MAX', 'AveragePool', kernel_shape=[2, 2], strides=[I64MAX, I64MAX])
pool('L43_pool_lists', 'ATTRIBUTE', 'MaxPool: 3 strides for 2 axes', 'MaxPool', kernel_shape=[2, 2], strides=[1, 1, 1])
pool('L44_pool_pads_odd', 'ATTRIBUTE', 'MaxPool: 3 pads for 2 axes', 'MaxPool', kernel_shape=[2, 2], pads=[0, 0, 0])
pool('L45_pool_rank2', 'SHAPE', 'MaxPool of a matrix', 'MaxPool', (4, 4), kernel_shape=[2])
pool('L46_pool_lp_neg', 'ATTRIBUTE', 'LpPool p=-3', 'LpPool', kernel_shape=[2, 2], p=-3)
pool('L47_global_rank1', 'SHAPE', 'GlobalAveragePool of a vector', 'GlobalAveragePool', (4,))
pool('L48_global_empty', 'SHAPE', 'GlobalAveragePool of no pixels', 'GlobalAveragePool', (1, 2, 0, 0))
pool('L49_roi_shape', 'ATTRIBUTE', 'LRN size -1', 'LRN', size=-1)

# --- windows that are mostly padding: neither memory nor time may follow the kernel
wide = lambda id, why, op, x, **a: one(id, 'OK', why, op, [fl('x', *x)], 'run', feeds={'x': z(*x)}, **a)
wide('L90_pool_kernel_16M', 'AveragePool that counts 2^24 - 1 pixels of padding', 'AveragePool', (1, 1, 1), kernel_shape=[1 << 24], pads=[(1 << 24) - 1, 0], count_include_pad=1)
wide('L91_pool_kernel_2d', 'MaxPool of 4096 x 4096 over one pixel', 'MaxPool', (1, 1, 1, 1), kernel_shape=[4096, 4096], pads=[4095, 4095, 500, 500])
wide('L92_pool_image', 'AveragePool of 300 x 300 over 300 x 300 pixels, all of them padded', 'AveragePool', (1, 1, 300, 300), kernel_shape=[300, 300], pads=[299] * 4)
wide('L93_pool_image_lp', 'LpPool of 300 x 300 over 300 x 300 pixels, all of them padded', 'LpPool', (1, 1, 300, 300), kernel_shape=[300, 300], pads=[299] * 4)
wide('L94_pool_line', 'MaxPool of 30,000 over 30,000 pixels, all of them padded', 'MaxPool', (1, 1, 30000), kernel_shape=[30000], pads=[29999] * 2)
one('L95_pool_image_indices', 'OK', 'MaxPool with indices of 300 x 300 over 300 x 300 pixels', 'MaxPool', [fl('x', 1, 1, 300, 300)], 'run', feeds={'x': z(1, 1, 300, 300)}, n_out=2, kernel_shape=[300, 300], pads=[299] * 4)
one('L50_convt_group', 'ATTRIBUTE', 'ConvTranspose group 0', 'ConvTranspose', [X4, W(4, 4, 3, 3)], 'load', group=0)
one('L51_convt_pads', 'SHAPE', 'ConvTranspose: pads take more than there is', 'ConvTranspose', [X4, W(4, 4, 3, 3)], 'load', pads=[99, 99, 99, 99])
one('L52_convt_dilation', 'LIMIT', 'ConvTranspose dilations 2^62', 'ConvTranspose', [X4, W(4, 4, 3, 3)], 'load', dilations=[1 << 62, 1 << 62])
one('L53_convt_group_wrap', 'SHAPE', 'ConvTranspose group 2^62: groups * channels wraps', 'ConvTranspose', [X4, W(4, 4, 3, 3)], 'load', group=1 << 62)
unpool = lambda id, exp, why, i, s=None, **a: one(id, exp, why, 'MaxUnpool', [fl('x', 1, 1, 2, 2), init('i', i)] + ([ints('s', *s)] if s else []), 'any', feeds={'x': z(1, 1, 2, 2)}, **a)
unpool('L54_unpool_neg', 'INDEX', 'MaxUnpool index -1', np.full((1, 1, 2, 2), -1), kernel_shape=[2, 2], strides=[2, 2])
unpool('L55_unpool_shape', 'SHAPE', 'MaxUnpool: indices of another shape', np.zeros((1, 1, 2, 3), np.int64), kernel_shape=[2, 2])
unpool('L56_unpool_bomb', 'LIMIT', 'MaxUnpool to 2^40 x 2^40', np.zeros((1, 1, 2, 2), np.int64), (1, 1, BIG, BIG), kernel_shape=[2, 2])
unpool('L57_unpool_stride', 'ATTRIBUTE', 'MaxUnpool strides 0', np.zeros((1, 1, 2, 2), np.int64), kernel_shape=[2, 2], strides=[0, 0])
roi = lambda id, exp, why, r, b=(0,), **a: one(id, exp, why, 'RoiAlign', [X4, init('r', np.array(r, np.float32)), init('b', np.array(b, np.int64))], 'any', **a)
roi('L58_roi_neg_index', 'INDEX', 'RoiAlign: image -1', [[0, 0, 4, 4]], (-1,), output_height=2, output_width=2)
roi('L59_roi_nan', 'OK', 'RoiAlign: box NaN, infinite', [[np.nan, -np.inf, np.inf, 1e38]], output_height=2, output_width=2)
roi('L60_roi_size', 'ATTRIBUTE', 'RoiAlign: output of -1 rows', [[0, 0, 4, 4]], output_height=-1, output_width=2)
roi('L61_roi_bomb', 'LIMIT', 'RoiAlign: output of 2^31-1 squared', [[0, 0, 4, 4]], output_height=(1 << 31) - 1, output_width=(1 << 31) - 1)
roi('L62_roi_five', 'SHAPE', 'RoiAlign: boxes of five numbers', [[0, 0, 4, 4, 4]])
roi('L63_roi_sampling', 'ATTRIBUTE', 'RoiAlign: 10^6 x 10^6 samples a place', [[0, 0, 4, 4]], sampling_ratio=10**6)
roi('L64_roi_adaptive', 'OK', 'RoiAlign: a box of 1e9 pixels, samples as many', [[0, 0, 1e9, 1e9]])
mroi = lambda id, exp, why, r, **a: one(id, exp, why, 'MaxRoiPool', [X4, init('r', np.array(r, np.float32))], 'any', **a)
mroi('L65_maxroi_index', 'INDEX', 'MaxRoiPool: image 7', [[7, 0, 0, 4, 4]], pooled_shape=[2, 2])
mroi('L66_maxroi_nan', 'INDEX', 'MaxRoiPool: image NaN', [[np.nan, 0, 0, 4, 4]], pooled_shape=[2, 2])
mroi('L67_maxroi_box', 'OK', 'MaxRoiPool: box NaN, 1e30', [[0, np.nan, -1e30, 1e30, 1e30]], pooled_shape=[2, 2])
mroi('L68_maxroi_zero', 'ATTRIBUTE', 'MaxRoiPool to 0 x 2', [[0, 0, 0, 4, 4]], pooled_shape=[0, 2])
one('L69_affine_neg', 'ATTRIBUTE', 'AffineGrid of -2 rows', 'AffineGrid', [fl('x', 1, 2, 3), ints('s', 1, 1, -2, 2)], 'any', opset=20, feeds={'x': z(1, 2, 3)})
one('L70_affine_bomb', 'LIMIT', 'AffineGrid of 2^31 rows and columns', 'AffineGrid', [fl('x', 1, 2, 3), ints('s', 1, 1, 1 << 31, 1 << 31)], 'any', opset=20, feeds={'x': z(1, 2, 3)})
one('L71_affine_zero', 'OK', 'AffineGrid of one row, corners aligned: a division by 0', 'AffineGrid', [fl('x', 1, 2, 3), ints('s', 1, 1, 1, 1)], 'any', opset=20, feeds={'x': z(1, 2, 3)}, align_corners=1)
one('L72_s2d_divide', 'SHAPE', 'SpaceToDepth: 8 is no multiple of 3', 'SpaceToDepth', [X4], 'load', blocksize=3)
one('L73_d2s_huge', 'ATTRIBUTE', 'DepthToSpace: blocksize 2^32, its square wraps to 0', 'DepthToSpace', [X4], 'load', blocksize=1 << 32)
one('L74_det_shape', 'SHAPE', 'Det of [2,3]', 'Det', [fl('x', 2, 3)], 'any', feeds={'x': z(2, 3)})


# --- depth
def nested(depth, op='If'):
    """If in If in If ..."""
    body = H.make_graph([N('Identity', ['x'], ['o'])], 'g', [], [vi('o', F, None)])
    for _ in range(depth):
        body = H.make_graph([N('If', ['c'], ['o'], then_branch=body, else_branch=H.make_graph([N('Identity', ['x'], ['o'])], 'e', [], [vi('o', F, None)]))], 'g', [], [vi('o', F, None)])
    return model([*body.node, N('Identity', ['o'], ['y'])], [vi(*XV)], [vi('y')], [init('c', np.array(True))])


case('L80_if_30', 'any', 'OK', 'If nested 30 deep')(lambda d: (nested(30), xv))


def loops(depth, trips):
    """Loop in Loop ...: trips^depth iterations."""
    inner = [N('Add', ['v%d' % depth, 'x'], ['w%d' % depth])]
    for k in range(depth, 0, -1):
        body = H.make_graph(inner + [N('Identity', ['c%d' % k], ['d%d' % k])], 'b', [vi('i%d' % k, I, []), vi('c%d' % k, T.BOOL, []), vi('v%d' % k, F, None)], [vi('d%d' % k, T.BOOL, []), vi('w%d' % k, F, None)])
        inner = [N('Loop', ['n', '', 'v%d' % (k - 1) if k > 1 else 'x'], ['w%d' % (k - 1) if k > 1 else 'y'], body=body)]
    return model(inner, [vi(*XV)], [vi('y')], [init('n', np.int64(trips))])


case('L82_loops', 'run', 'LIMIT', 'ten loops in one another, 100 times each')(lambda d: (loops(10, 100), xv))
case('L83_loops_few', 'run', 'OK', 'ten loops in one another, twice each')(lambda d: (loops(10, 2), xv))


def recursive(d):
    """Functions that call one another."""
    f = lambda name, calls: H.make_function('own', name, ['x'], ['y'], [N(calls, ['x'], ['y'], domain='own')], [H.make_opsetid('own', 1)])
    return model([N('A', ['x'], ['y'], domain='own')], [vi(*XV)], [vi('y')], imports=[H.make_opsetid('', 17), H.make_opsetid('own', 1)], functions=[f('A', 'B'), f('B', 'A')]), xv


case('L84_functions_mutual', 'load', 'GRAPH', 'two functions that call each other')(recursive)

# --- weights that are packed before the shape of x is known: nothing else has looked at them
for op in ('Conv', 'ConvTranspose'):
    packed = lambda id, exp, why, w, x=(1, 4, 8, 8), op=op, **a: case('M%s_%s' % (id, op), 'any', exp, op + ': ' + why)(lambda d: op1(op, [('x', F, None), init('w', w)], feeds={'x': z(*x)}, **a))
    packed('01', 'TYPE', 'int32 weights, x of unknown shape', np.zeros((4, 4, 3, 3), np.int32))
    packed('02', 'SHAPE', 'weights of rank 8', z(4, 4, 1, 1, 1, 1, 1, 1))
    packed('03', 'SHAPE', 'weights of rank 2', z(4, 4))
    packed('04', 'SHAPE', 'scalar weights', z())
    packed('05', 'SHAPE', 'a kernel of 0', z(4, 4, 0, 3))
    packed('06', 'SHAPE', '2^40 groups', z(4, 4, 3, 3), group=BIG)
    packed('07', 'ATTRIBUTE', 'group INT64_MIN', z(4, 4, 3, 3), group=I64MIN)
one('M10_unique_axis_empty', 'OK', 'Unique along an axis of 0', 'Unique', [fl('x', 0, 3)], 'any', feeds={'x': z(0, 3)}, n_out=4, axis=0)
case('M11_shape_start', 'any', 'OK', 'Shape from INT64_MIN on, behind a layer that keeps images channels-last')(
    lambda d: (model([N('Conv', ['x', 'w'], ['c']), N('Shape', ['c'], ['y'], start=I64MIN)], [vi('x', F, None)], [vi('y', I)], [W(4, 4, 3, 3)], opset=19), x4)
)
case('M12_declared_wrap', 'load', 'LIMIT', 'a declared shape whose product wraps, flattened by name')(
    lambda d: (model([N('Flatten', ['x'], ['y'], axis=0)], [vi('x', F, [4, (1 << 62) + 1])], [vi('y')]), xv)
)
case('M13_declared_part', 'load', 'LIMIT', 'a declared shape of one unknown dimension, the product of the others wraps')(
    lambda d: (model([N('Flatten', ['x'], ['y'], axis=1)], [vi('x', F, ['n', 1 << 32, 1 << 32])], [vi('y')]), xv)
)
case('M14_declared_output', 'load', 'LIMIT', 'a declared output whose product wraps')(
    lambda d: (model([N('Relu', ['x'], ['y'])], [vi(*XV)], [vi('y', F, [1 << 32, 1 << 32])]), xv)
)
