"""Seeds of the fuzz targets: seeds.py TARGET OUTDIR [FOLDER...]

What earlier fuzzing kept (corpus/TARGET.tar.xz, made by tools/fuzz --keep), and:

    load      every model.onnx below the folders
    run       the same with its inputs (input_<i>.pb beside it or in its first data set) and a way to run it, as wire.h has them
    values    every .pb below them behind the type that a model may declare, and small .npy and .npz that are made here
    packed, kernels    bytes that choose what is edited or computed, the same ones every time

Files over 16 KiB are left out, and what is in OUTDIR stays.
"""

import glob
import hashlib
import io
import os
import random
import struct
import sys
import tarfile
import zipfile

MOST_BYTES = 16 << 10
WAYS = [0, 16, 1 | 16, 2, 8 | 16, 64, 256, 4 | 32, 128]
CACHES = 16 | 64 | 512  # states, kept as int8 where they can be
FLOAT, SEQUENCE, OPTIONAL, MAP = 1, 30, 31, 29


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


def below(folders, pattern):
    return sorted(path for folder in folders for path in glob.glob(os.path.join(folder, '**', pattern), recursive=True))


def load(folders):
    return [read(path) for path in below(folders, 'model.onnx')]


def run(folders):
    models = [(os.path.dirname(path), read(path)) for path in below(folders, 'model.onnx')]
    return ([case(folder, model, WAYS[i % len(WAYS)]) for i, (folder, model) in enumerate(models)] +
            [case(folder, model, CACHES) for folder, model in models if b'Attention' in model])


def npy(descr, shape, data, fortran=False, version=1):
    header = repr({'descr': descr, 'fortran_order': fortran, 'shape': shape}).encode() + b'\n'
    return b'\x93NUMPY' + bytes([version, 0]) + struct.pack('<H' if version == 1 else '<I', len(header)) + header + data


def archive(members, compression):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', compression) as made:
        for name, data in members.items():
            made.writestr(zipfile.ZipInfo(name), data, compression)
    return file.getvalue()


def values(folders):
    arrays = [npy('<f4', (2, 3), bytes(24)), npy('>f8', (3,), bytes(24)), npy('|b1', (2, 2), b'\0\1\0\1', True), npy('<U3', (2,), 'abcdef'.encode('utf-32-le')),
              npy('|S2', (3,), b'abcdef'), npy('<c8', (), bytes(8)), npy('<f2', (0, 4), b''), npy('<i8', (1, 2), bytes(16), False, 2), npy('|u1', (5,), bytes(5), False, 3)]
    arrays += [archive({'a.npy': arrays[0], 'b.npy': arrays[3]}, how) for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
    protos = [read(path) for path in below(folders, '*put_*.pb')][:400]
    return [bytes([FLOAT]) + a for a in arrays + protos] + [bytes([kind]) + field(3, p) for kind in (SEQUENCE, OPTIONAL, MAP) for p in protos[:40]]


def chosen(seed, count, length):
    r = random.Random(seed)
    return [r.randbytes(length) for _ in range(count)]


TARGETS = {'load': load, 'run': run, 'values': values, 'packed': lambda folders: chosen(1, 100, 30), 'kernels': lambda folders: chosen(2, 300, 40)}


def kept(target):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'corpus', target + '.tar.xz')
    if not os.path.exists(path):
        return []
    with tarfile.open(path) as archive:
        return [archive.extractfile(member).read() for member in archive.getmembers() if member.isfile()]


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in TARGETS:
        sys.exit('usage: seeds.py %s OUTDIR [FOLDER...]' % '|'.join(TARGETS))
    out = sys.argv[2]
    os.makedirs(out, exist_ok=True)
    seeds = [seed for seed in kept(sys.argv[1]) + TARGETS[sys.argv[1]](sys.argv[3:]) if len(seed) <= MOST_BYTES]
    for seed in seeds:
        with open(os.path.join(out, hashlib.sha1(seed).hexdigest()), 'wb') as file:
            file.write(seed)
    print(len(seeds), 'seeds in', out)


if __name__ == '__main__':
    main()
