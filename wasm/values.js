// Tensors between JavaScript and the memory of an instance: layouts of binding.h.

import { OnnxrunError } from './error.js';

const MOST_RANK = 8;
const TENSOR = { bytes: 80, dtype: 0, rank: 4, dims: 8, data: 72 };
const STRING = { bytes: 8, text: 0, length: 4 };
export const VALUE = { name: 0, type: 4, dtype: 8, rank: 12, dims: 16, dimNames: 80 };

const NONE = 0;
const STRINGS = 8;
const [MAP, SEQUENCE, OPTIONAL] = [29, 30, 31];

// The array that holds each element type, by its number in ONNX; of how many places in it an element has.
const F16 = globalThis.Float16Array; // engines of 2025
const ARRAYS = {
  1: [Float32Array],
  2: [Uint8Array, 1, Uint8ClampedArray],
  3: [Int8Array],
  4: [Uint16Array],
  5: [Int16Array],
  6: [Int32Array],
  7: [BigInt64Array],
  9: [Uint8Array], // bool
  10: [Uint16Array, 1, F16], // float16
  11: [Float64Array],
  12: [Uint32Array],
  13: [BigUint64Array],
  14: [Float32Array, 2], // complex64
  15: [Float64Array, 2], // complex128
  16: [Uint16Array], // bfloat16
  22: [Int8Array], // int4
  26: [Int8Array], // int2
};
const arrayOf = (dtype) => ARRAYS[dtype] ?? [Uint8Array]; // types of 8 bits and fewer

function fail(message) {
  throw new OnnxrunError('ARGUMENT', message);
}

/** The shape that `length` elements have in an input of these declared dimensions, of which one at most is open. */
function inferShape(name, length, dims) {
  const open = dims?.flatMap((dim, i) => (typeof dim === 'number' ? [] : [i]));
  if (!dims || open.length > 1) fail(`input '${name}': its shape is not given, and the model leaves more than one dimension open`);
  const known = dims.reduce((product, dim) => (typeof dim === 'number' ? product * dim : product), 1);
  const shape = [...dims];
  if (open.length) shape[open[0]] = known ? length / known : 0;
  return shape;
}

function checkShape(name, shape, elements) {
  if (!Array.isArray(shape) || shape.length > MOST_RANK || !shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0))
    fail(`input '${name}': expected a shape of at most ${MOST_RANK} whole numbers, found ${JSON.stringify(shape)}`);
  const product = shape.reduce((a, b) => a * b, 1);
  if (product !== elements) fail(`input '${name}': shape [${shape}] has ${product} elements, its data has ${elements}`);
}

/** Reads and writes the memory of one instance. Memory that it takes is given back by release. */
export class Values {
  /** @param {WebAssembly.Exports} calls */
  constructor(calls, memory) {
    this.calls = calls;
    this.memory = memory;
  }

  view() {
    return new DataView(this.memory.buffer);
  }

  /** Text that ends in 0; null for NULL. */
  text(address) {
    if (!address) return null;
    const bytes = new Uint8Array(this.memory.buffer);
    const begin = address >>> 0;
    return new TextDecoder().decode(bytes.slice(begin, bytes.indexOf(0, begin)));
  }

  /** @param {number[]} taken what is to be released */
  allocate(bytes, taken) {
    const address = this.calls.malloc(Math.max(bytes, 1)) >>> 0;
    if (!address) throw new OnnxrunError('NO_MEMORY', `no memory for ${bytes} bytes of a tensor`);
    taken.push(address);
    return address;
  }

  release(taken) {
    for (const address of taken) this.calls.free(address);
    taken.length = 0;
  }

  copyIn(bytes, taken) {
    const address = this.allocate(bytes.byteLength, taken);
    new Uint8Array(this.memory.buffer).set(bytes, address);
    return address;
  }

  copyText(text, taken) {
    return this.copyIn(new TextEncoder().encode(`${text}\0`), taken);
  }

  dtypeName(dtype) {
    return this.text(this.calls.onrw_dtype_name(dtype));
  }

  /** The number of a name, as "float32". */
  dtypeNumber(name) {
    this.numbers ??= new Map(Array.from({ length: OPTIONAL }, (_, i) => [this.dtypeName(i + 1), i + 1]));
    return this.numbers.get(name) ?? fail(`expected the name of an element type, found ${JSON.stringify(name)}`);
  }

  /** A struct onr_tensor. */
  header(address, dtype, shape, data) {
    const view = this.view();
    view.setInt32(address + TENSOR.dtype, dtype, true);
    view.setInt32(address + TENSOR.rank, shape.length, true);
    for (let d = 0; d < MOST_RANK; d++) view.setBigInt64(address + TENSOR.dims + 8 * d, BigInt(shape[d] ?? 0), true);
    view.setUint32(address + TENSOR.data, data, true);
  }

  /**
   * Writes `value` for an input as a struct onr_tensor at `address`.
   * @param {{name: string, dtype: number, dims: (number|string|null)[]|null}} wanted dims null: not declared
   */
  write(address, value, wanted, taken) {
    if ([MAP, SEQUENCE, OPTIONAL].includes(wanted.dtype)) return this.writeSequence(address, value, wanted, taken);
    const given = ArrayBuffer.isView(value) || Array.isArray(value) ? { data: value } : value;
    if (!given || typeof given !== 'object') fail(`input '${wanted.name}': expected an array, or {data, shape}`);
    const { data } = given;
    const elements = this.countElements(data, wanted);
    const shape = given.shape ?? inferShape(wanted.name, elements, wanted.dims);
    checkShape(wanted.name, shape, elements);
    const copy = wanted.dtype === STRINGS ? this.writeStrings(data, taken) : this.writeArray(data, taken);
    this.header(address, wanted.dtype, shape, copy);
  }

  countElements(data, { name, dtype }) {
    if (dtype === STRINGS) {
      if (!Array.isArray(data) || !data.every((text) => typeof text === 'string')) fail(`input '${name}': expected an array of strings`);
      return data.length;
    }
    const [Plain, places = 1, Other] = arrayOf(dtype);
    if (!(data instanceof Plain) && !(Other && data instanceof Other))
      fail(`input '${name}' is ${this.dtypeName(dtype)}: expected a ${Plain.name}, found ${data?.constructor?.name ?? typeof data}`);
    return data.length / places;
  }

  writeArray(data, taken) {
    return this.copyIn(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), taken);
  }

  writeStrings(strings, taken) {
    const table = this.allocate(STRING.bytes * strings.length, taken);
    strings.forEach((string, i) => {
      const bytes = new TextEncoder().encode(string);
      const address = this.copyIn(bytes, taken);
      this.view().setUint32(table + STRING.bytes * i + STRING.text, address, true);
      this.view().setUint32(table + STRING.bytes * i + STRING.length, bytes.length, true);
    });
    return table;
  }

  /** Sequences are arrays of {dtype, data, shape} or {dtype, entries}; of an optional, of none or one. */
  writeSequence(address, given, wanted, taken) {
    const value = Array.isArray(given) ? given : given?.entries;
    if (!Array.isArray(value)) fail(`input '${wanted.name}': expected an array of tensors`);
    const entries = this.allocate(TENSOR.bytes * value.length, taken);
    value.forEach((entry, i) => {
      if (typeof entry?.dtype !== 'string') fail(`input '${wanted.name}': entry ${i} has no dtype`);
      const inner = { name: `${wanted.name}[${i}]`, dtype: this.dtypeNumber(entry.dtype), dims: null };
      this.write(entries + TENSOR.bytes * i, entry, inner, taken);
    });
    this.calls.onrw_sequence_make(wanted.dtype, entries, value.length, address);
    const data = this.view().getUint32(address + TENSOR.data, true);
    if (!data) throw new OnnxrunError('NO_MEMORY', `no memory for input '${wanted.name}'`);
    taken.push(data);
  }

  /** A copy of the struct onr_tensor at `address`: {dtype, shape, data}, or of sequences {dtype, entries}. */
  read(address) {
    const view = this.view();
    const dtype = view.getInt32(address + TENSOR.dtype, true);
    if (dtype === NONE) return null;
    const name = this.dtypeName(dtype);
    if ([MAP, SEQUENCE, OPTIONAL].includes(dtype)) return { dtype: name, entries: this.readSequence(address) };
    const rank = view.getInt32(address + TENSOR.rank, true);
    const shape = Array.from({ length: rank }, (_, d) => Number(view.getBigInt64(address + TENSOR.dims + 8 * d, true)));
    const elements = shape.reduce((a, b) => a * b, 1);
    const data = view.getUint32(address + TENSOR.data, true);
    if (dtype === STRINGS) return { dtype: name, shape, data: this.readStrings(data, elements) };
    const [Plain, places = 1] = arrayOf(dtype);
    return { dtype: name, shape, data: elements ? new Plain(this.memory.buffer, data, elements * places).slice() : new Plain(0) };
  }

  readStrings(table, count) {
    const bytes = new Uint8Array(this.memory.buffer);
    const view = this.view();
    return Array.from({ length: count }, (_, i) => {
      const begin = view.getUint32(table + STRING.bytes * i + STRING.text, true);
      const length = view.getUint32(table + STRING.bytes * i + STRING.length, true);
      return new TextDecoder().decode(bytes.slice(begin, begin + length));
    });
  }

  readSequence(address) {
    const taken = [];
    const entry = this.allocate(TENSOR.bytes, taken);
    try {
      return Array.from({ length: this.calls.onrw_sequence_length(address) }, (_, i) => {
        this.calls.onrw_sequence_entry(address, i, entry);
        return this.read(entry);
      });
    } finally {
      this.release(taken);
    }
  }

  /** Room for a struct onr_tensor. */
  newTensor(taken) {
    return this.allocate(TENSOR.bytes, taken);
  }
}
