#!/usr/bin/env node
// Times of models in WebAssembly: wasm.mjs PACKAGE MODEL.onnx...      PACKAGE: build-wasm32/wasm; --threads N, --seconds S
// Prints "NAME load_ms min_ms median_ms" for each. Inputs are random numbers, 0 where they are integers; open dimensions are 1.

import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options, positionals } = parseArgs({
  options: { threads: { type: 'string', default: '1' }, seconds: { type: 'string', default: '3' } },
  allowPositionals: true,
});
const [folder, ...paths] = positionals;
const { load } = await import(pathToFileURL(join(folder, 'onnxrun.js')));

const ARRAYS = { float32: Float32Array, float64: Float64Array, int64: BigInt64Array, int32: Int32Array, uint8: Uint8Array, int8: Int8Array, bool: Uint8Array };

function makeInput({ dtype, shape }) {
  const dims = shape.map((dim) => (typeof dim === 'number' ? dim : 1));
  const data = new ARRAYS[dtype](dims.reduce((a, b) => a * b, 1));
  if (dtype.startsWith('float')) data.forEach((_, i) => (data[i] = Math.random() * 2 - 1));
  return { data, shape: dims };
}

async function measure(path) {
  const begin = performance.now();
  const name = `${basename(path)}.data`;
  const beside = join(dirname(path), name);
  const model = await load(path, { threads: Number(options.threads), externalData: existsSync(beside) ? { [name]: beside } : {} });
  const loaded = performance.now() - begin;
  const inputs = Object.fromEntries(model.inputs.filter((input) => !input.optional).map((input) => [input.name, makeInput(input)]));
  const times = [];
  for (const end = performance.now() + 1000 * Number(options.seconds); performance.now() < end || times.length < 5; ) {
    const before = performance.now();
    await model.run(inputs);
    times.push(performance.now() - before);
  }
  const sorted = times.slice(1).sort((a, b) => a - b);
  console.log(basename(path) === 'model.onnx' ? basename(dirname(path)) : basename(path, '.onnx'), loaded.toFixed(1), sorted[0].toFixed(3), sorted[sorted.length >> 1].toFixed(3), `${(model.memoryBytes / 1048576).toFixed(0)} MiB`);
  model.free();
}

for (const path of paths) await measure(path);
