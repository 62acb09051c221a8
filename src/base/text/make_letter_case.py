#!/usr/bin/env python3
"""Writes letter_case.inc: make_letter_case.py >letter_case.inc

What Python's str.lower and str.upper make of one character, where that is one character, as ranges with one difference.
"""

import unicodedata


def mapping(change):
    pairs = {}
    for c in range(128, 0x110000):
        to = change(chr(c)) if not 0xD800 <= c < 0xE000 else chr(c)
        if len(to) == 1 and to != chr(c):
            pairs[c] = ord(to)
    return pairs


def run(codes, start, step, pairs):
    """Index of the last code of the run with this step from `start` on."""
    last = start
    while last + 1 < len(codes) and codes[last + 1] == codes[last] + step and pairs[codes[last + 1]] - codes[last + 1] == pairs[codes[start]] - codes[start]:
        last += 1
    return last


def ranges(pairs):
    codes, start = sorted(pairs), 0
    while start < len(codes):
        last, step = max((run(codes, start, step, pairs), -step) for step in (1, 2))
        yield codes[start], codes[last], -step, pairs[codes[start]] - codes[start]
        start = last + 1


def main():
    print('/* Made by make_letter_case.py: Unicode %s. */' % unicodedata.unidata_version)
    for name, change in (('lower', str.lower), ('upper', str.upper)):
        rows = ['{0x%X, 0x%X, %d, %d}' % row for row in ranges(mapping(change))]
        lines = [', '.join(rows[i : i + 5]) for i in range(0, len(rows), 5)]
        print('static const struct range %s[] = {\n    %s};' % (name, ',\n    '.join(lines)))


if __name__ == '__main__':
    main()
