"""Hostile files: strings, and pictures in every format that ImageDecoder reads."""

import os
import re
import struct
import zlib

from corpus import *
from cases_layers import one

S, U = T.STRING, T.UINT8
PICTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../layers/image/picture_cases.inc')


def words(*values):
    """Strings, or bytes that need not be UTF-8, as a constant."""
    data = [v if isinstance(v, bytes) else v.encode() for v in values]
    return onnx.TensorProto(name='w', data_type=S, dims=[len(data)], string_data=data)


# --- strings to numbers and back ---

cast = lambda id, exp, why, *values, to=F: one(id, exp, why, 'Cast', [words(*values)], 'any', out_t=to, opset=19, to=to)
cast('T01_cast_word', 'DATA', 'Cast "abc" to float', '1', 'abc')
cast('T02_cast_empty', 'DATA', 'Cast "" to int64', '', to=I)
cast('T03_cast_range', 'DATA', 'Cast "300" to uint8', '300', to=U)
cast('T04_cast_binary', 'DATA', 'Cast bytes that are no UTF-8 to float', b'\xff\xfe\x00')
cast('T05_cast_exponent', 'OK', 'Cast "1e999999999999999999999" to float: infinite', '1e' + '9' * 300)
cast('T06_cast_digits', 'OK', 'Cast a number of a million digits', '1.' + '3' * 1000000)
cast('T07_cast_nan_int', 'DATA', 'Cast "nan" to int64', 'nan', to=I)
one('T08_cast_to_text', 'OK', 'Cast NaN and the smallest float to text', 'Cast', [init('w', np.array([np.nan, 1e-45, -np.inf], np.float32))], 'any', out_t=S, opset=19, to=S)
one('T09_cast_like', 'DATA', 'CastLike "x" to int64', 'CastLike', [words('x'), ints('l', 1)], 'any', out_t=I, opset=19)

# --- text of constants is made at run time ---

case('T10_concat_constants', 'any', 'OK', 'StringConcat of constants')(
    lambda d: (model([N('StringConcat', ['w', 'w'], ['c']), N('StringConcat', ['c', 'w'], ['y'])], [], [vi('y', S)], [words('a', 'b')], opset=20), {})
)
case('T11_concat_bomb', 'any', 'LIMIT', 'StringConcat doubles a string forty times')(
    lambda d: (model([N('StringConcat', ['w' if i == 0 else 'v%d' % i] * 2, ['v%d' % (i + 1)]) for i in range(40)], [], [vi('v40', S)], [words('ab')], opset=20), {})
)
one('T12_concat_broadcast', 'SHAPE', 'StringConcat of 2 and 3 strings', 'StringConcat', [words('a', 'b'), H.make_tensor('v', S, [3], [b'', b'', b''])], 'any', out_t=S, opset=20)
split = lambda id, exp, why, *values, **a: one(id, exp, why, 'StringSplit', [words(*values)], 'any', out_t=S, opset=20, n_out=2, **a)
split('T13_split_bomb', 'LIMIT', 'StringSplit: one string of a million parts among 10,000', ',' * 1000000, *[''] * 10000, delimiter=',')
split('T14_split_search', 'OK', 'StringSplit: a delimiter that nearly matches everywhere', 'a' * 1000000, delimiter='a' * 300000 + 'b')
split('T15_split_binary', 'OK', 'StringSplit of bytes that are no UTF-8', b'\xff \x80\xc2', b'\xe3\x80')
split('T16_split_max', 'OK', 'StringSplit: maxsplit INT64_MIN', 'a b', maxsplit=I64MIN)

norm = lambda id, exp, why, *values, **a: one(id, exp, why, 'StringNormalizer', [words(*values)], 'any', out_t=S, **a)
norm('T20_norm_binary', 'DATA', 'StringNormalizer: a surrogate in UTF-8', 'a', b'\xed\xa0\x80', case_change_action='UPPER')
norm('T21_norm_cut', 'DATA', 'StringNormalizer: UTF-8 that ends early', b'\xf0\x9f\x98', case_change_action='LOWER')
norm('T22_norm_stop_binary', 'DATA', 'StringNormalizer: a stop word that is no UTF-8', 'a', stopwords=[b'\xff'])
norm('T23_norm_many', 'OK', 'StringNormalizer: 20,000 strings, 20,000 stop words', *['a%d' % i for i in range(20000)], stopwords=['a%dx' % i for i in range(20000)])
norm('T24_norm_longer', 'OK', 'StringNormalizer: small letters that take more bytes', '\u023a' * 100000, case_change_action='LOWER')
norm('T25_norm_action', 'ATTRIBUTE', 'StringNormalizer: case_change_action "TITLE"', 'a', case_change_action='TITLE')

# --- RegexFullMatch ---

rx = lambda id, exp, why, pattern, *values: one(id, exp, why, 'RegexFullMatch', [words(*values)], 'any', out_t=T.BOOL, opset=20, pattern=pattern)
rx('T30_regex_wrong', 'ATTRIBUTE', 'RegexFullMatch: a bracket that is not closed', '[a', 'a')
rx('T31_regex_exponential', 'OK', 'RegexFullMatch: (a+)+[bd] on many a, which takes no long search', '(a+)+[bd]', 'a' * 60 + 'c')
rx('T32_regex_stars', 'OK', 'RegexFullMatch: three stars over 100,000 letters', '(?:.*)(?:.*)(?:.*)[xy]', 'a' * 100000)
rx('T33_regex_deep', 'ATTRIBUTE', 'RegexFullMatch: 20,000 brackets', '(' * 20000 + ')' * 20000, 'a')
rx('T34_regex_repeat', 'ATTRIBUTE', 'RegexFullMatch: ((a{9999}){9999}){9999}', '((a{9999}){9999}){9999}', 'a')
rx('T35_regex_binary', 'DATA', 'RegexFullMatch: a text that is no UTF-8', '.*', b'\xff')
rx('T36_regex_pattern_binary', 'ATTRIBUTE', 'RegexFullMatch: a pattern that is no UTF-8', b'\xff', 'a')
rx('T37_regex_recursion', 'ATTRIBUTE', 'RegexFullMatch: a pattern that calls itself', '(?R)?a(?R)', 'a' * 50)
rx('T38_regex_long', 'ATTRIBUTE', 'RegexFullMatch: a pattern of a million letters', 'a' * 1000000, 'a')
rx('T39_regex_states', 'LIMIT', 'RegexFullMatch: thousands of states for each letter', '(?:a?){300}(?:b?a){300}[xy]', 'a' * 200000)
rx('T3A_regex_nested', 'ATTRIBUTE', 'RegexFullMatch: 200 brackets, each repeated', '(' * 200 + 'a' + '){9}' * 200, 'a')
rx('T3B_regex_classes', 'OK', 'RegexFullMatch: 500 classes of white space', r'[\s]*' * 500, 'a')
rx('T3C_regex_active', 'LIMIT', 'RegexFullMatch: 130 stars, all of them active, over 25 texts of 5,000 letters', '.*' * 130, *['a' * 5000 + str(k) for k in range(25)])

# --- TfIdfVectorizer ---


def tfidf(id, exp, why, tokens=(1, 2, 3), **changes):
    a = dict(mode='TF', min_gram_length=1, max_gram_length=2, max_skip_count=0, ngram_counts=[0, 2], ngram_indexes=[0, 1, 2], pool_int64s=[1, 2, 1, 2])
    a.update(changes)
    one(id, exp, why, 'TfIdfVectorizer', [init('x', np.array(tokens))], 'any', **a)


tfidf('T40_tfidf_descending', 'ATTRIBUTE', 'TfIdfVectorizer: ngram_counts [2, 0]', ngram_counts=[2, 0])
tfidf('T41_tfidf_outside', 'ATTRIBUTE', 'TfIdfVectorizer: ngram_counts [0, 2^40]', ngram_counts=[0, BIG])
tfidf('T42_tfidf_negative', 'ATTRIBUTE', 'TfIdfVectorizer: ngram_counts [INT64_MIN, 2]', ngram_counts=[I64MIN, 2])
tfidf('T43_tfidf_index', 'ATTRIBUTE', 'TfIdfVectorizer: ngram_indexes -1', ngram_indexes=[0, -1, 2])
tfidf('T44_tfidf_index_max', 'ATTRIBUTE', 'TfIdfVectorizer: ngram_indexes INT64_MAX', ngram_indexes=[0, I64MAX, 2])
tfidf('T45_tfidf_width', 'LIMIT', 'TfIdfVectorizer: ngram_indexes 2^40', ngram_indexes=[0, BIG, 2])
tfidf('T46_tfidf_length', 'ATTRIBUTE', 'TfIdfVectorizer: max_gram_length INT64_MAX', max_gram_length=I64MAX)
tfidf('T47_tfidf_min', 'ATTRIBUTE', 'TfIdfVectorizer: min_gram_length 0', min_gram_length=0)
tfidf('T48_tfidf_skips', 'OK', 'TfIdfVectorizer: max_skip_count INT64_MAX', max_skip_count=I64MAX)
tfidf('T49_tfidf_work', 'LIMIT', 'TfIdfVectorizer: a million tokens, any number of skips', tokens=(1,) * 1000000, max_skip_count=I64MAX)
tfidf('T50_tfidf_weights', 'ATTRIBUTE', 'TfIdfVectorizer: one weight', weights=[1.0])
tfidf('T51_tfidf_twice', 'ATTRIBUTE', 'TfIdfVectorizer: an n-gram twice', pool_int64s=[1, 1, 1, 2])
tfidf('T52_tfidf_both', 'ATTRIBUTE', 'TfIdfVectorizer: pools of integers and strings', pool_strings=['a'])
tfidf('T53_tfidf_rank', 'SHAPE', 'TfIdfVectorizer: rank 3', tokens=[[[1]]])
tfidf('T54_tfidf_part', 'ATTRIBUTE', 'TfIdfVectorizer: half a 2-gram', pool_int64s=[1, 2, 1])

# --- pictures ---


def whole_pictures():
    """Name and bytes of the pictures that the test of the layer reads."""
    with open(PICTURES) as file:
        found = re.findall(r'file_(\w+)\[\] = \{([0-9,\s]*)\}', file.read())
    return {name: bytes(map(int, numbers.split(','))) for name, numbers in found}


def picture(id, exp, why, data, pixel_format='RGB'):
    one(id, exp, why, 'ImageDecoder', [('x', U, [len(data)])], 'any', {'x': np.frombuffer(data, np.uint8)}, U, 20, pixel_format=pixel_format)


def patched(data, at, *parts):
    new = b''.join(parts)
    return data[:at] + new + data[at + len(new) :]


def png_with(ihdr, *chunks):
    chunk = lambda kind, body: struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))
    return b'\x89PNG\r\n\x1a\n' + b''.join(chunk(*c) for c in ((b'IHDR', ihdr),) + chunks + ((b'IEND', b''),))


def all_pictures():
    whole = whole_pictures()
    for i, (name, data) in enumerate(sorted(whole.items())):
        picture('V%02d_whole_%s' % (i, name), 'OK', 'a sound picture', data)
        picture('V%02d_half_%s' % (i + 20, name), 'DATA', 'half of the file', data[: len(data) // 2])
        picture('V%02d_magic_%s' % (i + 40, name), 'DATA', 'the first 12 bytes of the file', data[:12])
    jpeg, webp, jp2, tiff = whole['jpeg'], whole['webp_lossless'], whole['jp2'], whole['tiff_lzw']
    frame = jpeg.index(b'\xff\xc0')
    picture('W01_jpeg_bomb', 'LIMIT', 'JPEG of 65500x65500', patched(jpeg, frame + 5, struct.pack('>HH', 65500, 65500)))
    picture('W02_jpeg_lines', 'DATA', 'JPEG of 65500 lines', patched(jpeg, frame + 5, struct.pack('>HH', 6550, 9)))
    picture('W03_jpeg_empty', 'DATA', 'JPEG of no width', patched(jpeg, frame + 5, struct.pack('>HH', 7, 0)))
    scan = jpeg.index(b'\xff\xda')
    picture('W04_jpeg_no_scan', 'DATA', 'JPEG without a scan', jpeg[:scan] + b'\xff\xd9')
    progressive = whole['jpeg_grey_progressive']
    last = progressive.rindex(b'\xff\xda')
    picture('W05_jpeg_scans', 'DATA', 'JPEG of 10,000 times the same scan', progressive[:last] + progressive[last:-2] * 10000 + b'\xff\xd9')
    picture('W10_png_bomb', 'LIMIT', 'PNG of 65535x65535', png_with(struct.pack('>IIBBBBB', 65535, 65535, 8, 2, 0, 0, 0), (b'IDAT', zlib.compress(bytes(1000)))))
    picture('W11_png_max', 'LIMIT', 'PNG of 2^31-1 squared', png_with(struct.pack('>IIBBBBB', 0x7FFFFFFF, 0x7FFFFFFF, 16, 6, 0, 0, 1), (b'IDAT', b'')))
    picture('W12_png_text_bomb', 'OK', 'PNG with 80 MB of compressed text', png_with(struct.pack('>IIBBBBB', 1, 1, 8, 0, 0, 0, 0), (b'zTXt', b'a\0\0' + zlib.compress(bytes(80000000), 9)), (b'IDAT', zlib.compress(b'\0\7'))))
    picture('W13_png_data_bomb', 'OK', 'PNG of one pixel with 80 MB of compressed data behind it', png_with(struct.pack('>IIBBBBB', 1, 1, 8, 0, 0, 0, 0), (b'IDAT', zlib.compress(bytes(80000000), 9))))
    picture('W14_png_palette', 'DATA', 'PNG with a palette type and no palette', png_with(struct.pack('>IIBBBBB', 1, 1, 8, 3, 0, 0, 0), (b'IDAT', zlib.compress(b'\0\7'))))
    picture('W15_png_crc', 'DATA', 'PNG with a wrong checksum', patched(whole['png'], 29, b'\0\0\0\0'))
    picture('W20_webp_bomb', 'LIMIT', 'WebP of 16384x16384', patched(webp, webp.index(b'VP8L') + 9, struct.pack('<I', 0x0FFFFFFF)))
    siz = jp2.index(b'\xff\x4f\xff\x51')
    picture('W30_jp2_bomb', 'LIMIT', 'JPEG 2000 of 65535x65535', patched(jp2, siz + 8, struct.pack('>IIIIII', 65535, 65535, 0, 0, 65535, 65535)))
    picture('W31_jp2_tiles', 'DATA', 'JPEG 2000 of 65,025 tiles', patched(jp2, siz + 8, struct.pack('>IIIIII', 255, 255, 0, 0, 1, 1)))
    picture('W32_jp2_no_tile', 'DATA', 'JPEG 2000 with tiles of no size', patched(jp2, siz + 24, struct.pack('>II', 0, 0)))
    picture('W33_jp2_components', 'UNSUPPORTED', 'JPEG 2000 of 16,384 components', patched(jp2, siz + 40, struct.pack('>H', 16384)))
    picture('W34_jp2_boxes', 'DATA', 'JPEG 2000: a box of 2^63 bytes', jp2[:12] + struct.pack('>I4sQ', 1, b'free', 1 << 63) + jp2[12:])
    picture('W40_tiff_bomb', 'LIMIT', 'TIFF of 65535x65535', tiff_with({256: 65535, 257: 65535}))
    picture('W41_tiff_offset', 'DATA', 'TIFF: the strip lies behind the end', tiff_with({273: 0x7FFFFFFF}))
    picture('W42_tiff_directory', 'DATA', 'TIFF: the directory lies behind the end', b'II*\0\xff\xff\xff\x7f')
    picture('W43_tiff_kind', 'UNSUPPORTED', 'TIFF of 64 bits a sample', tiff_with({258: 64}))
    picture('W44_tiff_empty', 'DATA', 'TIFF of no width', tiff_with({256: 0}))
    bmp = whole['bmp_24']
    picture('W50_bmp_bomb', 'DATA', 'BMP of 65535x65535', patched(bmp, 18, struct.pack('<ii', 65535, 65535)))
    picture('W51_bmp_negative', 'DATA', 'BMP of width -9', patched(bmp, 18, struct.pack('<i', -9)))
    picture('W52_bmp_min', 'DATA', 'BMP of height INT32_MIN', patched(bmp, 22, struct.pack('<i', -(1 << 31))))
    picture('W53_bmp_offset', 'DATA', 'BMP: pixels behind the end', patched(bmp, 10, struct.pack('<I', 0xFFFFFFFF)))
    picture('W54_bmp_header', 'DATA', 'BMP: a header of 2^32-1 bytes', patched(bmp, 14, struct.pack('<I', 0xFFFFFFFF)))
    picture('W55_bmp_palette', 'DATA', 'BMP: pixels beyond the palette', patched(whole['bmp_8'], 46, struct.pack('<I', 1)))
    picture('W56_bmp_rle', 'UNSUPPORTED', 'BMP with run lengths', patched(whole['bmp_8'], 30, struct.pack('<I', 1)))
    picture('W60_pnm_bomb', 'LIMIT', 'PNM of 65535x65535', b'P6 65535 65535 255\n***')
    picture('W61_pnm_number', 'DATA', 'PNM: a width of 40 digits', b'P6 ' + b'9' * 40 + b' 1 255\n***')
    picture('W62_pnm_most', 'DATA', 'PNM: the largest sample is 0', b'P5 1 1 0\n*')
    picture('W63_pnm_sample', 'DATA', 'PNM: a sample above the largest', b'P2 1 1 9\n10')
    picture('W64_pnm_comment', 'DATA', 'PNM: a comment that does not end', b'P5 #' + b'x' * 1000)
    picture('W70_unknown', 'UNSUPPORTED', 'a text file', b'hello, world, this is no picture')
    picture('W71_empty', 'UNSUPPORTED', 'an empty file', b'')
    picture('W72_format', 'ATTRIBUTE', 'pixel_format "CMYK"', bmp, 'CMYK')


def tiff_with(changes):
    """A grey TIFF of one pixel, with other values of some tags."""
    tags = {256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 1}
    tags.update(changes)
    entries = b''.join(struct.pack('<HHII', tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b'II*\0' + struct.pack('<I', 10) + b'\7\0' + struct.pack('<H', len(tags)) + entries + bytes(4)


all_pictures()
one('W73_rank', 'SHAPE', 'ImageDecoder: a matrix of bytes', 'ImageDecoder', [('x', U, [2, 2])], 'any', {'x': np.zeros((2, 2), np.uint8)}, U, 20)
one('W74_type', 'TYPE', 'ImageDecoder: float bytes', 'ImageDecoder', [('x', F, [4])], 'any', {'x': np.zeros(4, np.float32)}, U, 20)
