// The package as it lies in the build folder, whose path is in ONNXRUN_PACKAGE. Expected values are PyTorch's, of tests/fixtures.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { difference, inputsOf, listCases, readSets } from './cases.mjs';

const folder = process.env.ONNXRUN_PACKAGE;
const { load, version, OnnxrunError } = await import(pathToFileURL(join(folder, 'onnxrun.js')));
const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));
const demo = join(fixtures, 'demo');
const externalData = { 'model.onnx.data': join(demo, 'model.onnx.data') };
const [RTOL, ATOL] = [1e-3, 1e-4];

const demoModel = { inputs: [{ name: 'picture' }], outputs: [{ name: 'probabilities' }] };

const loadDemo = (options = {}) => load(join(demo, 'model.onnx'), { externalData, ...options });

function compare(results, outputs, label) {
  for (const wanted of outputs) assert.equal(difference(results[wanted.name], wanted, RTOL, ATOL), '', `${label}: ${wanted.name}`);
}

// What this build has no code for, and why.
const UNSUPPORTED = { microsoft_text_vectorizer: /regular expressions/, microsoft_tokenizer: /regular expressions/ };

async function runFixture(name, threads) {
  const files = {};
  const path = join(fixtures, name, 'model.onnx');
  if (await readFile(`${path}.data`).catch(() => null)) files['model.onnx.data'] = `${path}.data`;
  const model = await load(path, { threads, externalData: files });
  try {
    const sets = readSets(join(fixtures, name), model);
    for (const set of sets) compare(await model.run(inputsOf(set)), set.outputs, name);
    return sets.length;
  } finally {
    model.free();
  }
}

for (const threads of [1, 2])
  test(`all fixtures, threads: ${threads}`, async () => {
    let ran = 0;
    const cases = listCases(fixtures);
    const failed = [];
    for (const name of cases)
      try {
        ran += (await runFixture(name, threads)) > 0;
      } catch (error) {
        if (error.status !== 'UNSUPPORTED' || !UNSUPPORTED[name]?.test(error.message)) failed.push(`${name}: ${error.message}`);
      }
    assert.deepEqual(failed, []);
    assert.equal(ran, cases.length - Object.keys(UNSUPPORTED).length);
    assert.ok(ran > 260);
  });

test('a model says what it wants and gives', async () => {
  const model = await loadDemo();
  assert.deepEqual(model.inputs, [{ name: 'picture', dtype: 'float32', shape: ['batch', 1, 8, 8], optional: false }]);
  assert.deepEqual(model.outputs, [{ name: 'probabilities', dtype: 'float32', shape: ['batch', 10] }]);
  assert.ok(model.threads >= 1 && model.memoryBytes > 0);
  model.free();
  assert.match(await version(), /^onnxrun \d+\.\d+\.\d+ /);
});

test('threads do not change a bit', async () => {
  const [set] = readSets(demo, demoModel);
  const bits = [];
  for (const threads of [1, 2, 3]) {
    const model = await loadDemo({ threads });
    assert.equal(model.threads, threads);
    const { probabilities } = await model.run({ picture: set.inputs[0] });
    bits.push(Buffer.from(probabilities.data.buffer).toString('hex'));
    model.free();
  }
  assert.equal(new Set(bits).size, 1);
});

test('bytes, URLs, responses and blobs are sources', async () => {
  const path = join(fixtures, 'conv2d_ts', 'model.onnx');
  const bytes = await readFile(path);
  for (const source of [path, pathToFileURL(path), pathToFileURL(path).href, bytes, Uint8Array.from(bytes).buffer, new DataView(Uint8Array.from(bytes).buffer),
    new Blob([bytes]), new Response(bytes)]) {
    const model = await load(source);
    assert.equal(model.outputs.length, 1);
    model.free();
  }
});

test('an open dimension follows from the data, outputs are copies, inputs may be views', async () => {
  const [set] = readSets(demo, demoModel);
  const { data } = set.inputs[0];
  const model = await loadDemo({ threads: 1 });
  const first = (await model.run({ picture: data })).probabilities;
  assert.deepEqual(first.shape, [data.length / 64, 10]);
  const kept = Float32Array.from(first.data);
  const one = (await model.run({ picture: data.subarray(64, 128) })).probabilities;
  assert.deepEqual(one.shape, [1, 10]);
  assert.deepEqual(first.data, kept);
  assert.equal(difference(one, { dtype: 'float32', shape: [1, 10], data: kept.subarray(10, 20) }, 1e-5, 1e-6), '');
  model.free();
});

test('a worker gives the same, and leaves the caller free', async () => {
  const [set] = readSets(demo, demoModel);
  const here = await loadDemo({ threads: 1 });
  const there = await loadDemo({ threads: 2, worker: true });
  assert.deepEqual(there.inputs, here.inputs);
  assert.equal(there.threads, 2);
  const runs = await Promise.all([here.run({ picture: set.inputs[0] }), there.run({ picture: set.inputs[0].data.subarray() }), there.run({ picture: set.inputs[0] })]);
  assert.deepEqual(runs[1].probabilities, runs[0].probabilities);
  assert.deepEqual(runs[2].probabilities, runs[0].probabilities);
  assert.ok(there.memoryBytes > 0);
  await assert.rejects(there.run({ picture: new Float64Array(64) }), { name: 'OnnxrunError', status: 'ARGUMENT' });
  there.free();
  here.free();
  await assert.rejects(there.run({}), { status: 'STATE' });
  await assert.rejects(load(Uint8Array.of(1, 2, 3), { worker: true }), { status: 'PARSE' });
});

async function refuses(promise, status, message) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof OnnxrunError, String(error.stack));
    assert.equal(error.status, status);
    assert.match(error.message, message);
    return true;
  });
}

test('errors have a status and say what was expected', async () => {
  await refuses(load(Uint8Array.of(255, 255, 255, 255)), 'PARSE', /./);
  await refuses(load(new Uint8Array(0)), 'PARSE', /./);
  await refuses(load(join(fixtures, 'nowhere.onnx')), 'IO', /nowhere/);
  await refuses(load(17), 'ARGUMENT', /expected bytes/);
  await refuses(load(join(demo, 'model.onnx')), 'EXTERNAL', /model\.onnx\.data/);
  await refuses(loadDemo({ externalData: { 'other.data': Uint8Array.of(1) } }), 'EXTERNAL', /no such file/);
  await refuses(loadDemo({ externalData: { 'model.onnx.data': Uint8Array.of(1) } }), 'EXTERNAL', /leaves/);
  await refuses(loadDemo({ limits: { total_bytes: '1KiB' } }), 'LIMIT', /total_bytes/);
  await refuses(loadDemo({ limits: { nodes: 1 } }), 'LIMIT', /nodes/);
  await refuses(loadDemo({ limits: { nothing: 1 } }), 'ARGUMENT', /nothing/);
  await refuses(loadDemo({ threads: 0 }), 'ARGUMENT', /threads/);
  const model = await loadDemo();
  const picture = new Float32Array(64);
  await refuses(model.run({}), 'ARGUMENT', /'picture' has not been set/);
  await refuses(model.run({ picture, more: picture }), 'ARGUMENT', /'more'/);
  await refuses(model.run({ picture: new Float64Array(64) }), 'ARGUMENT', /Float32Array/);
  await refuses(model.run({ picture: { data: picture, shape: [1, 1, 8, 9] } }), 'ARGUMENT', /72 elements/);
  await refuses(model.run({ picture: { data: picture, shape: [1, 1, 4, 16] } }), 'ARGUMENT', /picture/);
  await refuses(model.run({ picture: { data: picture, shape: [1, 1, 8, -8] } }), 'ARGUMENT', /whole numbers/);
  await refuses(model.run({ picture: 5 }), 'ARGUMENT', /expected/);
  await refuses(model.run({ picture: new Float32Array(65) }), 'ARGUMENT', /whole numbers/);
  assert.equal((await model.run({ picture })).probabilities.data.length, 10); // it goes on
  model.free();
  model.free();
  await refuses(model.run({ picture }), 'STATE', /freed/);
});

test('damaged files end in errors, never in a trap', async () => {
  const bytes = await readFile(join(fixtures, 'transformer_encoder_layer_ts', 'model.onnx'));
  let seed = 2026;
  const random = (below) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % below;
  for (let i = 0; i < 150; i++) {
    const damaged = Uint8Array.from(i % 3 ? bytes : bytes.subarray(0, random(bytes.length)));
    for (let k = 0; k < 1 + (i % 5) && damaged.length; k++) damaged[random(Math.min(damaged.length, 4000))] = random(256);
    try {
      (await load(damaged, { threads: 1 })).free();
    } catch (error) {
      assert.ok(error instanceof OnnxrunError && error.status !== 'INTERNAL', error.stack);
    }
  }
});

test('a thousand runs take no more memory than ten', async () => {
  const [set] = readSets(demo, demoModel);
  const model = await loadDemo({ threads: 1 });
  const runs = async (count) => {
    for (let i = 0; i < count; i++) await model.run({ picture: set.inputs[0] });
    return model.memoryBytes;
  };
  const before = await runs(10);
  assert.equal(await runs(1000), before);
  model.free();
  assert.equal(model.memoryBytes, 0);
});
