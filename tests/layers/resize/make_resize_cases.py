#!/usr/bin/env python3
"""Writes resize_cases.inc and sample_cases.inc beside it, or with --check compares what they hold with what they should.

What onnx.reference computes for Resize, GridSample, RoiAlign, Col2Im and AffineGrid. Needs numpy and onnx.
"""

import re
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

HERE = Path(__file__).parent
COORDINATES = ['half_pixel', 'half_pixel_symmetric', 'pytorch_half_pixel', 'align_corners', 'asymmetric',
               'tf_half_pixel_for_nn', 'tf_crop_and_resize']  # as enum onr_resize_coordinates, and so on
NEAREST = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']
MODES = ['nearest', 'linear', 'cubic']
ASPECT = ['stretch', 'not_larger', 'not_smaller']
PADDING = ['zeros', 'border', 'reflection']


def run(op, inputs, version=20, **attributes):
    """Output 0 of one node; inputs that are None are left out."""
    names = ['' if x is None else 'x%d' % i for i, x in enumerate(inputs)]
    feed = {name: x for name, x in zip(names, inputs) if name}
    values = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), None) for n, x in feed.items()]
    graph = helper.make_graph([helper.make_node(op, names, ['y'], **attributes)], 'g', values,
                              [helper.make_tensor_value_info('y', onnx.TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', version)])
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return ReferenceEvaluator(model).run(None, feed)[0].astype(np.float32)


def number(v):
    text = '%.9g' % np.float32(v)
    return text + ('f' if re.search('[.e]', text) else '.0f')


def floats(values):
    lines, line = [], ''
    for text in map(number, np.asarray(values).flatten()):
        if len(line) + len(text) > 110:
            lines.append(line.rstrip())
            line = ''
        line += text + ', '
    return '{' + '\n  '.join(lines + [line])[:-2] + '}'


def ints(values):
    return '{' + ', '.join(map(str, values)) + '}'


# --- resize ---

def resize_case(mode, coordinates=0, sizes=None, scales=None, nearest=0, aspect=0, antialias=0, exclude=0, a=-0.75,
                extrapolation=0, axes=(), roi=None):
    x = np.array([i * i % 17 - 3 for i in range(1, 31)], np.float32).reshape(1, 2, 3, 5)
    attributes = dict(mode=MODES[mode], coordinate_transformation_mode=COORDINATES[coordinates],
                      nearest_mode=NEAREST[nearest], keep_aspect_ratio_policy=ASPECT[aspect], antialias=antialias,
                      exclude_outside=exclude, cubic_coeff_a=a, extrapolation_value=float(extrapolation))
    if axes:
        attributes['axes'] = list(axes)
    y = run('Resize', [x, None if roi is None else np.array(roi, np.float32),
                       None if scales is None else np.array(scales, np.float32),
                       None if sizes is None else np.array(sizes, np.int64)], **attributes)
    return ('{{.mode = %d, .coordinates = %d, .nearest = %d, .aspect = %d, .antialias = %d, .exclude_outside = %d, '
            '.cubic_a = %s, .extrapolation_value = %s, .num_axes = %d, .axes = %s},\n %d, %d, %s, %s, %d, %s, %s,\n %s},\n'
            % (mode, coordinates, nearest, aspect, antialias, exclude, number(a), number(extrapolation), len(axes),
               ints(axes or [0]), len(sizes or scales), scales is not None, floats(scales or [0]), ints(sizes or [0]),
               roi is not None, floats(roi or [0]), ints(y.shape), floats(y)))


def resize_cases():
    roi = [0, 0, 0.4, 0.6, 1, 1, 1.2, 1.7]
    larger, smaller, both = [1, 2, 4, 8], [1, 2, 2, 3], [1, 2, 6, 2]
    for mode in (1, 2):
        for coordinates in (0, 1, 3, 4):
            yield resize_case(mode, coordinates, larger)
        yield resize_case(mode, 2, [1, 2, 2, 7])
        for coordinates, scales in ((0, (0.6, 1.7)), (1, (0.6, 1.7)), (3, (0.7, 1.7)), (4, (2, 0.8))):
            yield resize_case(mode, coordinates, scales=[1, 1, *scales])
        for coordinates, sizes in ((0, smaller), (0, both), (3, smaller)):
            yield resize_case(mode, coordinates, sizes, antialias=1)
        yield resize_case(mode, 0, smaller, antialias=1, exclude=1)
        yield resize_case(mode, 0, [1, 2, 5, 9], exclude=1)
        yield resize_case(mode, 0, [4, 7], aspect=1, axes=(2, 3))
        yield resize_case(mode, 0, [4, 7], aspect=2, axes=(3, 2))
        yield resize_case(mode, 6, [1, 2, 3, 3], extrapolation=10, roi=roi)
        yield resize_case(mode, 0, [2, 3, 4, 6])
    yield resize_case(2, 0, larger, a=-0.5)
    for nearest in range(4):
        for coordinates in (0, 3, 4):
            for sizes in (larger, smaller):
                yield resize_case(0, coordinates, sizes, nearest=nearest)
    yield resize_case(0, 1, scales=[1, 1, 1.5, 0.7])
    yield resize_case(0, 0, scales=[1, 1, 0.6, 1.7])
    yield resize_case(0, 6, [1, 2, 3, 3], extrapolation=10, roi=roi)
    yield resize_case(0, 4, [2, 3, 4, 6], nearest=2)
    yield resize_case(0, 0, [7, 8], aspect=1, axes=(2, 3))


# --- the others ---

def formula(shape, seed, scale, digits):
    values = np.random.RandomState(seed).uniform(-scale, scale, shape)
    return np.round(values, digits).astype(np.float32)


def grid_case(mode, padding, align, x_shape, grid_shape, seed):
    x, grid = formula(x_shape, 1, 3, 2), formula(grid_shape, seed, 1.9, 3)
    y = run('GridSample', [x, grid], mode=MODES[(1, 0, 2)[mode]], padding_mode=PADDING[padding], align_corners=align)
    return ('{{.mode = %d, .padding = %d, .align_corners = %d}, %d, %s, %s,\n %s,\n %s,\n %s},\n'
            % (mode, padding, align, len(x_shape) - 2, ints(x_shape), ints(grid_shape), floats(x), floats(grid), floats(y)))


def grid_cases():
    shapes = ((2, 2, 3, 4), (2, 2, 3, 2)), ((1, 2, 2, 3, 2), (1, 2, 1, 3, 3))
    for (x_shape, grid_shape), modes in zip(shapes, ((0, 1, 2), (0, 1))):
        for mode in modes:
            for padding in (0, 1, 2):
                for align in (0, 1):
                    if mode < 2 or padding != 1:
                        yield grid_case(mode, padding, align, x_shape, grid_shape, 10 * mode + 2 * padding + align)


BOXES = [[0, 0, 4, 5], [1.2, 0.3, 3.7, 4.9], [-3, -2, 9, 8], [4, 4, 4.2, 4.1], [30, 30, 40, 40]]


def roi_case(mode, half, height, width, ratio, scale):
    x = np.array([k * 7 % 23 - 5 for k in range(180)], np.float32).reshape(2, 3, 6, 5)
    y = run('RoiAlign', [x, np.array(BOXES, np.float32), np.array([0, 1, 1, 0, 1], np.int64)],
            coordinate_transformation_mode='half_pixel' if half else 'output_half_pixel', mode=('avg', 'max')[mode],
            output_height=height, output_width=width, sampling_ratio=ratio, spatial_scale=scale)
    return ('{{.mode = %d, .half_pixel = %d, .output_height = %d, .output_width = %d, .sampling_ratio = %d, '
            '.spatial_scale = %s},\n %s},\n' % (mode, half, height, width, ratio, number(scale), floats(y)))


def roi_cases():
    for mode in (0, 1):
        for half in (0, 1):
            for size in ((2, 3, 2, 1.0), (1, 2, 0, 0.5), (3, 2, 0, 1.0)):
                yield roi_case(mode, half, *size)


def col2im_case(x_shape, image, block, strides=None, dilations=None, pads=None):
    n = len(image)
    strides, dilations, pads = strides or [1] * n, dilations or [1] * n, pads or [0] * 2 * n
    x = np.array([k * 5 % 11 - 4 for k in range(int(np.prod(x_shape)))], np.float32).reshape(x_shape)
    y = run('Col2Im', [x, np.array(image, np.int64), np.array(block, np.int64)], strides=strides, dilations=dilations,
            pads=pads)
    return ('{{.rank = %d, .stride = %s, .dilation = %s, .pad_begin = %s, .pad_end = %s}, %d, %s, %s, %s,\n %s},\n'
            % (n, ints(strides), ints(dilations), ints(pads[:n]), ints(pads[n:]), n, ints(x_shape), ints(image),
               ints(block), floats(y)))


def col2im_cases():
    yield col2im_case([1, 8, 9], [4, 4], [2, 2])
    yield col2im_case([2, 4, 4], [3, 5], [2, 2], strides=[2, 2], pads=[0, 0, 1, 0])
    yield col2im_case([1, 6, 4], [6, 6], [2, 3], strides=[2, 2], dilations=[2, 1])
    yield col2im_case([1, 6, 8], [9], [3], pads=[1, 0])
    yield col2im_case([1, 16, 2], [2, 2, 3], [2, 2, 2])


def affine_cases():
    for size in ((2, 1, 3, 4), (1, 1, 2, 3, 2)):
        n = len(size) - 2
        theta = formula((size[0], n, n + 1), 40 + n, 1, 2)
        for align in (0, 1):
            y = run('AffineGrid', [theta, np.array(size, np.int64)], align_corners=align)
            yield '{%d, %d, %s,\n %s,\n %s},\n' % (align, n, ints(size), floats(theta), floats(y))


def made_with(name):
    return '/* %s: made by make_resize_cases.py with onnx.reference (onnx %s).' % (name, onnx.__version__)


def resize_file():
    return ('%s\n * x[i] = i * i %% 17 - 3, i = 1 .. 30, of shape [1, 2, 3, 5]. Parameters, number of scales or sizes, '
            'scales, sizes,\n * roi; shape and elements of y. */\n%s' % (made_with('resize_cases.inc'), ''.join(resize_cases())))


def sample_file():
    parts = (('GRID', 'parameters, spatial, x shape, grid shape, x, grid, y', grid_cases()),
             ('ROI', "parameters, y; x[i] = i * 7 % 23 - 5 of [2, 3, 6, 5] and the boxes of the test", roi_cases()),
             ('COL2IM', 'window, spatial, x shape, image, block, y; x[i] = i * 5 % 11 - 4', col2im_cases()),
             ('AFFINE', 'align_corners, spatial, size, theta, grid', affine_cases()))
    text = made_with('sample_cases.inc') + ' */\n'
    for name, what, cases in parts:
        text += '#ifdef %s_CASES\n/* %s */\n%s#endif\n' % (name, what, ''.join(cases))
    return text


def numbers(text):
    return np.array([float(v) for v in re.findall(r'(?<![\w.])-?\d[\d.]*(?:e[-+]?\d+)?', text.split('*/', 1)[1])])


def main():
    different = 0
    for name, text in (('resize_cases.inc', resize_file()), ('sample_cases.inc', sample_file())):
        if '--check' not in sys.argv:
            (HERE / name).write_text(text)
            continue
        old, new = numbers((HERE / name).read_text()), numbers(text)
        same = old.shape == new.shape and np.allclose(old, new, rtol=1e-6, atol=1e-6)
        print(name, 'agrees' if same else 'differs')
        different |= not same
    return different


if __name__ == '__main__':
    sys.exit(main())
