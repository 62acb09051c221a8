// Cases in the layout of ONNX's backend tests: TensorProto files for inputs and expected outputs.

import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';

const STRINGS = 8;
const ARRAYS = {
  1: Float32Array, 2: Uint8Array, 3: Int8Array, 4: Uint16Array, 5: Int16Array, 6: Int32Array, 7: BigInt64Array,
  9: Uint8Array, 10: Uint16Array, 11: Float64Array, 12: Uint32Array, 13: BigUint64Array, 16: Uint16Array,
};

function* fields(bytes) {
  let at = 0;
  const varint = () => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const wire = key & 7;
    if (wire === 0) yield [key >> 3, varint()];
    else {
      const length = wire === 2 ? Number(varint()) : wire === 5 ? 4 : 8;
      yield [key >> 3, bytes.subarray(at, at + length)];
      at += length;
    }
  }
}

function packed(bytes) {
  const values = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte >= 128) continue;
    values.push(value);
    [value, shift] = [0n, 0n];
  }
  return values;
}

/** {name, shape, data}; null: of a kind that is not read here. */
export function readTensor(path) {
  const tensor = { name: '', shape: [], data: null };
  const strings = [];
  let type = 0;
  let raw = new Uint8Array(0);
  for (const [field, value] of fields(readFileSync(path))) {
    if (field === 1) tensor.shape.push(...(typeof value === 'bigint' ? [value] : packed(value)).map(Number));
    else if (field === 2 && typeof value === 'bigint') type = Number(value);
    else if (field === 6) strings.push(value.toString());
    else if (field === 8) tensor.name = value.toString();
    else if (field === 9) raw = value;
  }
  if (type === STRINGS) return { ...tensor, data: strings };
  const ArrayType = ARRAYS[type];
  if (!ArrayType) return null;
  const data = new ArrayType(Uint8Array.from(raw).buffer);
  return data.length === tensor.shape.reduce((a, b) => a * b, 1) ? { ...tensor, data } : null;
}

function readAll(folder, kind) {
  const names = readdirSync(folder).filter((name) => name.startsWith(`${kind}_`) && name.endsWith('.pb'));
  return names.map((_, i) => readTensor(join(folder, `${kind}_${i}.pb`)));
}

/** Each set of inputs and expected outputs of a case. */
export function readSets(folder) {
  const sets = readdirSync(folder).filter((name) => name.startsWith('test_data_set_'));
  return sets.map((name) => ({ inputs: readAll(join(folder, name), 'input'), outputs: readAll(join(folder, name), 'output') }));
}

export function listCases(folder) {
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'model.onnx')) && existsSync(join(folder, name, 'test_data_set_0')));
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

const NUMBER = { float16: half, bfloat16: (bits) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0] };

/** What differs, in words; "" when nothing does. */
export function difference(found, wanted, rtol, atol) {
  if (String(found.shape) !== String(wanted.shape)) return `shape [${found.shape}] instead of [${wanted.shape}]`;
  const number = NUMBER[found.dtype] ?? Number;
  for (let i = 0; i < wanted.data.length; i++) {
    const [a, b] = found.dtype === 'string' ? [found.data[i], wanted.data[i]] : [number(found.data[i]), number(wanted.data[i])];
    if (Object.is(a, b) || a === b) continue;
    if (!(Math.abs(a - b) <= atol + rtol * Math.abs(b))) return `element ${i}: ${a} instead of ${b}`;
  }
  return '';
}
