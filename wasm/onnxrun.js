// Neural networks from ONNX files. See README.md; types are in onnxrun.d.ts.

import { OnnxrunError } from './error.js';
import { Instance } from './instance.js';
import { canShare, coreCount, readBytes, resolveUrl } from './platform.js';
import { RemoteModel } from './remote.js';
import { VALUE } from './values.js';

export { OnnxrunError };

const [INPUT, OUTPUT] = [0, 1];
const MOST_THREADS = 4; // unless more are asked for

/** Workers of models that nobody holds any more, and nobody has freed. */
const forgotten = new FinalizationRegistry((instance) => instance.end());

const isUrl = (source) => typeof source === 'string' || source instanceof URL;

async function toBytes(source) {
  if (source instanceof Uint8Array) return source;
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof SharedArrayBuffer === 'function' && source instanceof SharedArrayBuffer) return new Uint8Array(source);
  if (isUrl(source)) return readUrl(resolveUrl(source));
  if (typeof source?.arrayBuffer === 'function') return new Uint8Array(await source.arrayBuffer()); // Response, Blob, File
  throw new OnnxrunError('ARGUMENT', 'expected bytes, a URL, a Response or a Blob');
}

async function readUrl(url) {
  try {
    return await readBytes(url);
  } catch (error) {
    throw new OnnxrunError('IO', `${url}: ${error.message}`);
  }
}

function countThreads(wanted = Math.min(coreCount(), MOST_THREADS)) {
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > 1024)
    throw new OnnxrunError('ARGUMENT', `threads: expected a whole number from 1 to 1024, found ${wanted}`);
  return canShare ? wanted : 1;
}

/** What a worker is sent for a source. */
const toMessage = (source) => (isUrl(source) ? resolveUrl(source).href : toBytes(source));

async function loadRemote(source, { worker, externalData = {}, ...options }) {
  const files = Object.entries(externalData).map(async ([name, file]) => [name, await toMessage(file)]);
  options.externalData = Object.fromEntries(await Promise.all(files));
  return RemoteModel.load(await toMessage(source), options);
}

async function readFiles(externalData = {}) {
  const files = new Map();
  for (const [name, source] of Object.entries(externalData)) files.set(name.replace(/^(\.?\/)+/, ''), await toBytes(source));
  return files;
}

function setLimits(instance, limits = {}) {
  instance.guard((calls, values) => {
    const taken = [];
    try {
      for (const [name, value] of Object.entries(limits))
        instance.check(calls.onrw_set_limit(values.copyText(name, taken), values.copyText(value, taken)));
    } finally {
      values.release(taken);
    }
  });
}

/** What the model declares of an input or output. */
function describe({ calls, values }, kind, index) {
  const address = calls.onrw_value(kind, index) >>> 0;
  const view = values.view();
  const number = (at) => view.getInt32(address + at, true);
  const text = (at) => values.text(view.getUint32(address + at, true));
  const rank = number(VALUE.rank);
  const dtype = number(VALUE.dtype);
  const type = text(VALUE.type); // of what holds tensors, and has no shape
  const shape = type || rank < 0 ? null : Array.from({ length: rank }, (_, d) => {
    const dim = view.getFloat64(address + VALUE.dims + 8 * d, true);
    return dim >= 0 ? dim : text(VALUE.dimNames + 4 * d);
  });
  const value = { name: text(VALUE.name), dtype: values.dtypeName(dtype), shape };
  if (type) value.type = type;
  if (kind === INPUT) value.optional = index >= calls.onrw_count_required();
  return { value: Object.freeze(value), dtype };
}

function describeAll(instance, kind) {
  return instance.guard((calls) => Array.from({ length: calls.onrw_count(kind) }, (_, i) => describe(instance, kind, i)));
}

class Model {
  #instance;
  #wanted; // of inputs, what Values.write has to know
  #taken = []; // memory of the inputs of the last run

  constructor(instance, threads) {
    const inputs = describeAll(instance, INPUT);
    this.#instance = instance;
    this.#wanted = inputs.map(({ value, dtype }) => ({ name: value.name, dtype, dims: value.shape }));
    this.inputs = Object.freeze(inputs.map(({ value }) => value));
    this.outputs = Object.freeze(describeAll(instance, OUTPUT).map(({ value }) => value));
    this.threads = threads;
    forgotten.register(this, instance, this);
  }

  async run(inputs) {
    const instance = this.#instance;
    return instance.guard((calls, values) => {
      values.release(this.#taken);
      this.#setInputs(inputs ?? {}, calls, values);
      instance.check(calls.onrw_run());
      return this.#readOutputs(calls, values);
    });
  }

  #setInputs(inputs, calls, values) {
    const unknown = Object.keys(inputs).find((name) => !this.#wanted.some((input) => input.name === name));
    if (unknown !== undefined)
      throw new OnnxrunError('ARGUMENT', `there is no input '${unknown}'; there are ${this.#wanted.map((input) => `'${input.name}'`).join(', ')}`);
    this.#wanted.forEach((wanted, index) => {
      const value = inputs[wanted.name];
      let address = 0;
      if (value !== undefined) {
        address = values.newTensor(this.#taken);
        values.write(address, value, wanted, this.#taken);
      }
      this.#instance.check(calls.onrw_set_input(index, address));
    });
  }

  #readOutputs(calls, values) {
    const taken = [];
    const tensor = values.newTensor(taken);
    try {
      const results = {};
      this.outputs.forEach(({ name }, index) => {
        this.#instance.check(calls.onrw_output(index, tensor));
        results[name] = values.read(tensor);
      });
      return results;
    } finally {
      values.release(taken);
    }
  }

  get memoryBytes() {
    return this.#instance.memory?.buffer.byteLength ?? 0;
  }

  free() {
    forgotten.unregister(this);
    this.#instance.end();
  }
}

export async function load(source, options = {}) {
  if (options.worker) return loadRemote(source, options);
  const threads = countThreads(options.threads);
  const [bytes, files] = await Promise.all([toBytes(source), readFiles(options.externalData)]);
  const instance = await Instance.create(threads, files);
  try {
    setLimits(instance, options.limits);
    instance.guard((calls, values) => {
      const address = values.copyIn(bytes, []); // for as long as the instance
      instance.check(calls.onrw_load(address, bytes.byteLength, files.size > 0));
    });
    return new Model(instance, threads);
  } catch (error) {
    instance.end();
    throw error;
  }
}

/** "onnxrun 0.1.0 (kernels: none)" */
export async function version() {
  const instance = await Instance.create(1, new Map());
  try {
    return instance.values.text(instance.calls.onrw_version());
  } finally {
    instance.end();
  }
}
