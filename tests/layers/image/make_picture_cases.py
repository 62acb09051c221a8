#!/usr/bin/env python3
"""Writes picture_cases.inc: make_picture_cases.py >picture_cases.inc

Small pictures of every format as Pillow writes them, and what Pillow reads from them. Needs numpy and Pillow.
"""

import io

import numpy as np
from PIL import Image

Y, X = np.mgrid[0:7, 0:9]
RGB = np.stack([X * 28, Y * 36, (X * Y * 4)], -1).astype(np.uint8)
COLOURS = Image.fromarray(RGB)
GREY = COLOURS.convert('L')
ALPHA = COLOURS.copy()
ALPHA.putalpha(GREY)
PICTURES = [  # name, picture, arguments of save
    ('bmp_24', COLOURS, dict(format='bmp')),
    ('bmp_8', COLOURS.quantize(20), dict(format='bmp')),
    ('bmp_1', GREY.convert('1'), dict(format='bmp')),
    ('pgm', GREY, dict(format='ppm')),
    ('pbm', GREY.convert('1'), dict(format='ppm')),
    ('jpeg', COLOURS, dict(format='jpeg', quality=60)),
    ('jpeg_grey_progressive', GREY, dict(format='jpeg', progressive=True)),
    ('png', COLOURS, dict(format='png')),
    ('png_palette', COLOURS.quantize(10), dict(format='png', bits=4)),
    ('png_alpha', ALPHA, dict(format='png')),
    ('tiff_lzw', COLOURS, dict(format='tiff', compression='tiff_lzw')),
    ('tiff_g4', GREY.convert('1'), dict(format='tiff', compression='group4')),
    ('webp', COLOURS, dict(format='webp', quality=50)),
    ('webp_lossless', ALPHA, dict(format='webp', lossless=True, exact=True)),
    ('jp2', COLOURS, dict(format='jpeg2000')),
    ('j2k_tiles', GREY, dict(format='jpeg2000', no_jp2=True, tile_size=(4, 4))),
]


def array(data):
    lines = [', '.join(map(str, data[i : i + 32])) for i in range(0, len(data), 32)]
    return '{' + ',\n    '.join(lines) + '}'


def main():
    print('/* Made by make_picture_cases.py. */\n#include <stddef.h>\n#include <stdint.h>\n')
    print('struct picture_case {\n  const char *name;\n  const uint8_t *file;\n  size_t size;\n  const uint8_t *rgb; /* [7, 9, 3] */\n};\n')
    for name, picture, arguments in PICTURES:
        file = io.BytesIO()
        picture.save(file, **arguments)
        rgb = np.array(Image.open(io.BytesIO(file.getvalue())).convert('RGB')).tobytes()
        print('static const uint8_t file_%s[] = %s;' % (name, array(file.getvalue())))
        print('static const uint8_t rgb_%s[] = %s;' % (name, array(rgb)))
    print('\nstatic const struct picture_case picture_cases[] = {')
    for name, _, _ in PICTURES:
        print('    {"%s", file_%s, sizeof(file_%s), rgb_%s},' % (name, name, name, name))
    print('};')


if __name__ == '__main__':
    main()
