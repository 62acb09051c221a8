// Cases in the layout of ONNX's backend tests: TensorProto files for inputs and expected outputs.

import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';

// Number in ONNX: name, array, bits of an element in raw_data, field that has elements otherwise.
const TYPES = {
  1: ['float32', Float32Array, 32, 4], 2: ['uint8', Uint8Array, 8, 5], 3: ['int8', Int8Array, 8, 5], 4: ['uint16', Uint16Array, 16, 5],
  5: ['int16', Int16Array, 16, 5], 6: ['int32', Int32Array, 32, 5], 7: ['int64', BigInt64Array, 64, 7], 8: ['string', Array, 0, 6],
  9: ['bool', Uint8Array, 8, 5], 10: ['float16', Uint16Array, 16, 5], 11: ['float64', Float64Array, 64, 10], 12: ['uint32', Uint32Array, 32, 11],
  13: ['uint64', BigUint64Array, 64, 11], 14: ['complex64', Float32Array, 32, 4], 15: ['complex128', Float64Array, 64, 10],
  16: ['bfloat16', Uint16Array, 16, 5], 17: ['float8e4m3fn', Uint8Array, 8, 5], 18: ['float8e4m3fnuz', Uint8Array, 8, 5],
  19: ['float8e5m2', Uint8Array, 8, 5], 20: ['float8e5m2fnuz', Uint8Array, 8, 5], 21: ['uint4', Uint8Array, 4, 5], 22: ['int4', Int8Array, 4, 5],
  23: ['float4e2m1', Uint8Array, 4, 5], 24: ['float8e8m0', Uint8Array, 8, 5], 25: ['uint2', Uint8Array, 2, 5], 26: ['int2', Int8Array, 2, 5],
  27: ['float6e2m3', Uint8Array, 6, 5], 28: ['float6e3m2', Uint8Array, 6, 5],
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

/** Elements of fewer than 8 bits, one behind the other, the lowest bits first. */
function unpack(raw, bits, count, isSigned) {
  return Array.from({ length: count }, (_, i) => {
    const at = (i * bits) >> 3;
    const value = ((raw[at] | (raw[at + 1] << 8)) >> ((i * bits) & 7)) & ((1 << bits) - 1);
    return isSigned && value >> (bits - 1) ? value - (1 << bits) : value;
  });
}

/** What packed fields hold, as numbers or BigInts of the array. */
function elements(bytes, field, ArrayType) {
  if (field === 4) return new Float32Array(Uint8Array.from(bytes).buffer);
  if (field === 10) return new Float64Array(Uint8Array.from(bytes).buffer);
  const values = packed(bytes).map((value) => BigInt.asIntN(64, value));
  return ArrayType === BigInt64Array || ArrayType === BigUint64Array ? values : values.map(Number);
}

/** {name, dtype, shape, data} of a TensorProto. */
function parseTensor(bytes) {
  const tensor = { name: '', shape: [] };
  const strings = [];
  const stored = [];
  let type = 0;
  let raw = new Uint8Array(0);
  for (const [field, value] of fields(bytes)) {
    const whole = typeof value === 'bigint';
    if (field === 1) tensor.shape.push(...(whole ? [value] : packed(value)).map(Number));
    else if (field === 2) type = Number(value);
    else if (field === 6) strings.push(value.toString());
    else if (field === 8) tensor.name = value.toString();
    else if (field === 9) raw = value;
    else if ([4, 5, 7, 10, 11].includes(field)) stored.push([field, value]);
  }
  const [dtype, ArrayType, bits] = TYPES[type];
  const count = tensor.shape.reduce((a, b) => a * b, 1);
  if (dtype === 'string') return { ...tensor, dtype, data: strings };
  const values = stored.flatMap(([field, value]) => [...elements(value, field, ArrayType)]);
  if (bits < 8 && stored.length) raw = Uint8Array.from(values);
  else if (stored.length) return { ...tensor, dtype, data: ArrayType.from(values) };
  if (bits < 8) return { ...tensor, dtype, data: ArrayType.from(unpack(raw, bits, count, ArrayType === Int8Array)) };
  return { ...tensor, dtype, data: new ArrayType(Uint8Array.from(raw).buffer) };
}

/** A MapProto, which has a tensor of one value for each key: its keys and its values as two tensors. */
function parseMap(bytes) {
  const [numbers, words, values] = [[], [], []];
  let name = '';
  for (const [field, content] of fields(bytes)) {
    if (field === 1) name = content.toString();
    else if (field === 3) numbers.push(...(typeof content === 'bigint' ? [content] : packed(content)).map((key) => BigInt.asIntN(64, key)));
    else if (field === 4) words.push(content.toString());
    else if (field === 5) values.push(...parseContainer(content, 'sequence').entries);
  }
  const shape = [values.length];
  const keys = words.length ? { dtype: 'string', shape, data: words } : { dtype: 'int64', shape, data: BigInt64Array.from(numbers) };
  const all = values.flatMap((value) => [...value.data]);
  const dtype = values[0]?.dtype ?? 'float32';
  const ArrayType = Object.values(TYPES).find(([known]) => known === dtype)[1];
  return { name, dtype: 'map', entries: [keys, { dtype, shape, data: ArrayType.from(all) }] };
}

/** {name, dtype, entries} of a SequenceProto or OptionalProto: their fields have the same numbers. */
function parseContainer(bytes, dtype) {
  const value = { name: '', dtype, entries: [] };
  for (const [field, content] of fields(bytes)) {
    if (field === 1) value.name = content.toString();
    else if (field === 3) value.entries.push(parseTensor(content));
    else if (field === 5) value.entries.push(parseContainer(content, 'sequence'));
    else if (field === 6) value.entries.push(parseMap(content));
    else if (field === 7) value.entries.push(parseContainer(content, 'optional'));
  }
  return value;
}

function readAll(folder, kind, infos, keepsNames = false) {
  const names = readdirSync(folder).filter((name) => name.startsWith(`${kind}_`) && name.endsWith('.pb'));
  return names.map((_, i) => {
    const bytes = readFileSync(join(folder, `${kind}_${i}.pb`));
    const { dtype } = infos[i];
    const isHolder = ['sequence', 'optional'].includes(dtype);
    const value = isHolder ? parseContainer(bytes, dtype) : dtype === 'map' ? parseMap(bytes) : parseTensor(bytes);
    return { ...value, name: keepsNames || infos.some((info) => info.name === value.name) ? value.name : infos[i].name };
  });
}

/** The values of input_*.pb by their own names. */
export function readInputs(folder, model) {
  const others = Array(8).fill({ name: '' });
  const given = readAll(folder, 'input', model.inputs.concat(others), true);
  return Object.fromEntries(given.map((value) => [value.name, value.entries ? value.entries : value]));
}

/** Each set of inputs and expected outputs of a case, named as the model names them. */
export function readSets(folder, model) {
  const sets = readdirSync(folder).filter((name) => name.startsWith('test_data_set_'));
  return sets.map((name) => ({ inputs: readAll(join(folder, name), 'input', model.inputs), outputs: readAll(join(folder, name), 'output', model.outputs) }));
}

export function inputsOf(set) {
  return Object.fromEntries(set.inputs.map((value) => [value.name, value.entries ? value.entries : value]));
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

function differenceOfTensors(found, wanted, rtol, atol) {
  if (wanted.dtype === 'bfloat16') rtol = Math.max(rtol, 1 / 64); // as tools/onnxrun/compare.c
  if (found.dtype !== wanted.dtype) return `${found.dtype} instead of ${wanted.dtype}`;
  if (String(found.shape) !== String(wanted.shape)) return `shape [${found.shape}] instead of [${wanted.shape}]`;
  if (found.data.length !== wanted.data.length) return `${found.data.length} elements instead of ${wanted.data.length}`;
  const number = NUMBER[found.dtype] ?? Number;
  for (let i = 0; i < wanted.data.length; i++) {
    const [a, b] = found.dtype === 'string' ? [found.data[i], wanted.data[i]] : [number(found.data[i]), number(wanted.data[i])];
    if (Object.is(a, b) || a === b) continue;
    if (!(Math.abs(a - b) <= atol + rtol * Math.abs(b))) return `element ${i}: ${a} instead of ${b}`;
  }
  return '';
}

/** What differs, in words; "" when nothing does. */
export function difference(found, wanted, rtol, atol) {
  if (!wanted.entries) return found.entries ? `a ${found.dtype}` : differenceOfTensors(found, wanted, rtol, atol);
  if (found.entries?.length !== wanted.entries.length) return `${found.entries?.length} entries instead of ${wanted.entries.length}`;
  return found.entries.map((entry, i) => difference(entry, wanted.entries[i], rtol, atol)).find(Boolean) ?? '';
}
