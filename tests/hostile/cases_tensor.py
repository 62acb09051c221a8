"""Hostile files: stored tensors, in the file and beside it."""

from corpus import *


def addw(t):  # w alone reaches the output, so no broadcast rule can hide the data check
    return lambda d: (
        model([N('Identity', ['w'], ['y'])], G4, [vi('y', t.data_type if t.data_type in range(1, 17) else F)], [t]),
        x1,
    )


def tp(dims, dt=F, raw=None, **k):
    t = onnx.TensorProto()
    t.name = 'w'
    t.dims.extend(dims)
    t.data_type = dt
    if raw is not None:
        t.raw_data = raw
    for a, v in k.items():
        getattr(t, a).extend(v)
    return t


case('D01_raw_short', 'load', 'DATA', 'dims [4] float, raw_data 15 bytes')(addw(tp([4], raw=b'\0' * 15)))
case('D02_raw_long', 'load', 'DATA', 'dims [4] float, raw_data 4096 bytes')(addw(tp([4], raw=b'\0' * 4096)))
case('D03_float_count', 'load', 'DATA', 'dims [4], float_data has 3')(addw(tp([4], float_data=[1, 2, 3])))
case('D04_both', 'load', 'DATA', 'raw_data and float_data both set')(
    addw(tp([4], raw=b'\0' * 16, float_data=[1, 2, 3, 4]))
)
case('D05_neg_dim', 'load', 'SHAPE', 'dims [-4]')(addw(tp([-4], raw=b'\0' * 16)))
case('D06_prod_overflow', 'load', 'SHAPE', 'dims [2^32, 2^32]')(addw(tp([1 << 32, 1 << 32], raw=b'\0' * 16)))
case('D07_wrap_to_fit', 'load', 'SHAPE', 'dims [2^62+1] float: bytes wrap to 4; raw_data is 4 bytes')(
    addw(tp([(1 << 62) + 1], raw=b'\0' * 4))
)
case('D08_two_neg', 'load', 'SHAPE', 'dims [-2,-2]: product is +4; raw 16 bytes')(addw(tp([-2, -2], raw=b'\0' * 16)))
case('D09_zero_and_huge', 'load', 'SHAPE', 'dims [2^40, 2^40, 0]')(addw(tp([BIG, BIG, 0], raw=b'')))
case('D10_dtype0', 'load', 'TYPE', 'data_type UNDEFINED')(addw(tp([4], 0, raw=b'\0' * 16)))
case('D11_dtype9999', 'load', 'TYPE', 'data_type 9999')(addw(tp([4], 9999, raw=b'\0' * 16)))
case('D12_dtype_neg', 'load', 'TYPE', 'data_type -7')(addw(tp([4], -7, raw=b'\0' * 16)))
case('D13_string_add', 'load', 'TYPE', 'string initializer added to float')(
    lambda d: (model([N('Add', ['x', 'w'], ['y'])], G4, [vi('y')], [H.make_tensor('w', T.STRING, [4], [b'a'] * 4)]), x1)
)
case('D14_big_nodata', 'load', 'DATA', 'dims [2^30] float, no data at all')(addw(tp([1 << 30])))
case('D15_fp16_range', 'load', 'DATA', 'FLOAT16 in int32_data with 70000 and -1')(
    lambda d: (model([N('Cast', ['w'], ['y'], to=F)], G4, [vi('y')], [tp([2], T.FLOAT16, int32_data=[70000, -1])]), x1)
)
case('D16_bool_raw', 'load', 'DATA', 'BOOL raw bytes 02 ff (UBSan: invalid bool load)')(
    lambda d: (model([N('Not', ['w'], ['y'])], G4, [vi('y', T.BOOL)], [tp([2], T.BOOL, raw=b'\x02\xff')]), x1)
)
case('D17_const_none', 'load', 'ATTRIBUTE', 'Constant with no value')(
    lambda d: model([N('Constant', [], ['y'])], G4, [vi('y')])
)
case('D18_cos_two', 'load', 'ATTRIBUTE', 'ConstantOfShape.value with 2 elements')(
    lambda d: model(
        [N('ConstantOfShape', ['s'], ['y'], value=H.make_tensor('v', F, [2], [1.0, 2.0]))],
        G4,
        [vi('y')],
        [ints('s', 2)],
    )
)
case('D19_attr_type', 'load', 'ATTRIBUTE', 'Concat axis given as a float')(
    lambda d: model([N('Concat', ['x', 'x'], ['y'], axis=1.5)], G4, [vi('y')])
)
case('D20_attr_dup', 'load', 'ATTRIBUTE', 'attribute axis twice (0 and 1)')(
    lambda d: (lambda m: (m.graph.node[0].attribute.append(H.make_attribute('axis', 1)), m)[1])(
        model([N('Concat', ['x', 'x'], ['y'], axis=0)], G4, [vi('y')])
    )
)


@case('D21_segment', 'load', 'UNSUPPORTED', 'TensorProto.segment set')
def _(d):
    t = tp([4], raw=b'\0' * 16)
    t.segment.begin = -1
    t.segment.end = 1 << 40
    return addw(t)(d)


@case('D22_sparse_oob', 'load', 'DATA', 'sparse initializer with index 10^9 in dims [4]')
def _(d):
    m = model([N('Add', ['x', 'w'], ['y'])], G4, [vi('y')])
    s = m.graph.sparse_initializer.add()
    s.values.CopyFrom(init('w', np.ones(1, np.float32)))
    s.indices.CopyFrom(ints('wi', 10**9))
    s.dims.extend([4])
    return m, x1


def ext(kv, dims=(4,), files=None, mk=None):
    def f(d):
        t = tp(dims)
        t.data_location = onnx.TensorProto.EXTERNAL
        for k, v in kv:
            e = t.external_data.add()
            e.key = k
            e.value = v
        for n, b in (files or {}).items():
            open(os.path.join(d, n), 'wb').write(b)
        if mk:
            mk(d)
        return addw(t)(d)

    return f


ok16 = {'w.bin': np.arange(4, dtype=np.float32).tobytes()}
case('E01_dotdot', 'load', 'EXTERNAL', 'location ../../../../etc/passwd')(
    ext([('location', '../../../../../../../../etc/passwd'), ('length', '16')])
)
case('E02_abs', 'load', 'EXTERNAL', 'location /etc/passwd')(ext([('location', '/etc/passwd'), ('length', '16')]))
case('E03_symlink', 'load', 'EXTERNAL', 'w.bin is a symlink to /etc/passwd')(
    ext(
        [('location', 'w.bin'), ('length', '16')],
        mk=lambda d: os.path.lexists(d + '/w.bin') or os.symlink('/etc/passwd', d + '/w.bin'),
    )
)
case('E04_fifo', 'load', 'EXTERNAL', 'w.bin is a FIFO: a blocking open hangs')(
    ext(
        [('location', 'w.bin'), ('length', '16')], mk=lambda d: os.path.lexists(d + '/w.bin') or os.mkfifo(d + '/w.bin')
    )
)
case('E05_dir', 'load', 'EXTERNAL', 'location is a directory')(
    ext([('location', 'sub'), ('length', '16')], mk=lambda d: os.makedirs(d + '/sub', exist_ok=True))
)
case('E06_off_neg', 'load', 'EXTERNAL', 'offset -16')(
    ext([('location', 'w.bin'), ('offset', '-16'), ('length', '16')], files=ok16)
)
case('E07_off_eof', 'load', 'EXTERNAL', 'offset past end of file')(
    ext([('location', 'w.bin'), ('offset', '4096'), ('length', '16')], files=ok16)
)
case('E08_len_eof', 'load', 'EXTERNAL', 'dims [1024], file of 16 bytes')(
    ext([('location', 'w.bin')], dims=(1024,), files=ok16)
)
case('E09_len_dims', 'load', 'EXTERNAL', 'length 8 for 16 bytes of dims')(
    ext([('location', 'w.bin'), ('length', '8')], files=ok16)
)
case('E10_off_wrap', 'load', 'EXTERNAL', 'offset 2^63-8, length 16: sum wraps')(
    ext([('location', 'w.bin'), ('offset', str(I64MAX - 7)), ('length', '16')], files=ok16)
)
case('E11_off_2p64', 'load', 'EXTERNAL', 'offset 18446744073709551616 (2^64)')(
    ext([('location', 'w.bin'), ('offset', str(1 << 64)), ('length', '16')], files=ok16)
)
case('E12_off_text', 'load', 'EXTERNAL', 'offset "12abc"')(
    ext([('location', 'w.bin'), ('offset', '12abc'), ('length', '16')], files=ok16)
)
case('E13_no_loc', 'load', 'EXTERNAL', 'no location key')(ext([('offset', '0')]))
case('E14_empty_loc', 'load', 'EXTERNAL', 'location ""')(ext([('location', '')]))
case('E15_nul_loc', 'load', 'EXTERNAL', 'location "w.bin\\0/../../x"')(
    ext([('location', 'w.bin\0/../../x'), ('length', '16')], files=ok16)
)
case('E16_missing', 'load', 'EXTERNAL', 'file does not exist')(ext([('location', 'nope.bin'), ('length', '16')]))
case('E17_sparse_64G', 'load', 'LIMIT', 'dims [2^34] over a 64 GiB sparse file')(
    ext([('location', 'w.bin')], dims=(1 << 34,), mk=lambda d: (open(d + '/w.bin', 'wb').truncate(1 << 36)))
)
case('E18_dev_zero', 'load', 'EXTERNAL', 'symlink to /dev/zero')(
    ext(
        [('location', 'w.bin'), ('length', '16')],
        mk=lambda d: os.path.lexists(d + '/w.bin') or os.symlink('/dev/zero', d + '/w.bin'),
    )
)
case('E19_string_ext', 'load', 'UNSUPPORTED', 'STRING tensor with external data')(
    lambda d: (lambda m: (setattr(m[0].graph.initializer[0], 'data_type', T.STRING), m)[1])(
        ext([('location', 'w.bin'), ('length', '16')], files=ok16)(d)
    )
)
case('D23_bool_large', 'run', 'DATA', 'BOOL of 2000 raw bytes, one of them 2: seen when it is loaded')(
    lambda d: (
        model([N('Not', ['w'], ['y'])], G4, [vi('y', T.BOOL)], [tp([2000], T.BOOL, raw=bytes(1999) + b'\x02')]),
        x1,
    )
)
case('D24_rank_9', 'load', 'LIMIT', 'dims of rank 9')(addw(tp([1] * 9, raw=bytes(4))))
case('E20_linked_folder', 'load', 'EXTERNAL', 'sub is a symlink to /etc, location sub/passwd')(
    ext(
        [('location', 'sub/passwd'), ('length', '16')],
        mk=lambda d: os.path.lexists(d + '/sub') or os.symlink('/etc', d + '/sub'),
    )
)
case('E21_offset_twice', 'load', 'EXTERNAL', 'the key offset twice')(
    ext([('location', 'w.bin'), ('offset', '0'), ('offset', '0'), ('length', '16')], files=ok16)
)
