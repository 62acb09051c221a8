"""Seeds of the fuzz targets: seeds.py TARGET OUTDIR FOLDER...

Every folder below FOLDER that has a model.onnx makes a seed: for `load` the model, for `run` the model with its inputs (input_<i>.pb of
it or of its first data set) and with ways to run it, as wire.h has them. Files over 16 KiB are left out, and what is in OUTDIR stays.
"""

import glob
import hashlib
import os
import sys

MOST_BYTES = 16 << 10
WAYS = [0, 16, 1 | 16, 2, 8 | 16, 64, 256, 4 | 32, 128]


def varint(n):
    out = b''
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def read(path):
    with open(path, 'rb') as file:
        return file.read(MOST_BYTES + 1)


def case(folder, model, way):
    inputs = sorted(glob.glob(os.path.join(folder, 'input_*.pb'))) or sorted(glob.glob(os.path.join(folder, 'test_data_set_0', 'input_*.pb')))
    return field(1, model) + b''.join(field(2, read(path)) for path in inputs) + varint(3 << 3) + varint(way)


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in ('load', 'run'):
        sys.exit('usage: seeds.py load|run OUTDIR FOLDER...')
    target, out, folders = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(out, exist_ok=True)
    paths = sorted(path for folder in folders for path in glob.glob(os.path.join(folder, '**', 'model.onnx'), recursive=True))
    count = 0
    for i, path in enumerate(paths):
        model = read(path)
        data = model if target == 'load' else case(os.path.dirname(path), model, WAYS[i % len(WAYS)])
        if len(data) > MOST_BYTES:
            continue
        with open(os.path.join(out, hashlib.sha1(data).hexdigest()), 'wb') as file:
            file.write(data)
        count += 1
    print(count, 'seeds in', out)


if __name__ == '__main__':
    main()
