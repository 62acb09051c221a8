// ONNX's backend test suite, or the cases of old versions and rare types (tests/onnx), by the package in ONNXRUN_PACKAGE, against the list of what each
// case must do.      suite.test.mjs suite|history
// unsupported.txt: what this build has no code for.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';

import { requireFolder } from './cache.mjs';
import { difference, inputsOf, listCases, readSets } from './cases.mjs';

// Folders with rtol and atol, as tests/onnx/test_suite.sh and test_history.sh; how many cases there are at least.
const KINDS = {
  suite: { least: 2000, folders: { node: [1e-3, 1e-5], simple: [1e-3, 1e-5], 'pytorch-converted': [1e-3, 1e-5], 'pytorch-operator': [1e-3, 1e-5], light: [1e-3, 1e-5] } },
  history: {
    least: 2900,
    folders: { types: [1e-2, 1e-3], quantised: [1e-3, 2e-4], forms: [1e-3, 1e-5], versions: [1e-3, 1e-5], geometry: [1e-3, 1e-5], specials: [1e-3, 1e-5] },
  },
};
const kind = process.argv[2];
const cases = requireFolder(kind);
const { load } = await import(pathToFileURL(join(process.env.ONNXRUN_PACKAGE, 'onnxrun.js')));

function readList(url) {
  const lines = readFileSync(url, 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.split(' ')[0], line.split(' ').slice(1).join(' ')]));
}

const expected = readList(new URL(`../onnx/${kind}/expected.txt`, import.meta.url));
const unsupported = readList(new URL('unsupported.txt', import.meta.url));

function beside(folder) {
  const path = join(folder, 'model.onnx.data');
  return existsSync(path) ? { 'model.onnx.data': path } : {};
}

/** "ok", or what is wrong. */
async function runCase(folder, rtol, atol) {
  const model = await load(join(folder, 'model.onnx'), { threads: 1, externalData: beside(folder) });
  try {
    for (const set of readSets(folder, model)) {
      const results = await model.run(inputsOf(set));
      for (const wanted of set.outputs) {
        const text = difference(results[wanted.name], wanted, rtol, atol);
        if (text) return `${wanted.name}: ${text}`;
      }
    }
    return 'ok';
  } finally {
    model.free();
  }
}

function isAsExpected(name, result, error) {
  if (unsupported.has(name)) return error?.status === 'UNSUPPORTED';
  if (expected.get(name) === 'random') return !error;
  return (expected.get(name) === 'ok') === (result === 'ok') && expected.has(name);
}

test('every case does what is expected of it', async (context) => {
  const wrong = [];
  const seen = new Set();
  for (const [folder, tolerances] of Object.entries(KINDS[kind].folders))
    for (const name of listCases(join(cases, folder))) {
      let result = '';
      let problem;
      try {
        result = await runCase(join(cases, folder, name), ...tolerances);
      } catch (error) {
        problem = error;
        result = `${error.status ?? ''} ${error.message}`;
      }
      seen.add(name);
      if (!isAsExpected(name, result, problem)) wrong.push(`${name}: ${result}`);
    }
  const missing = [...expected.keys()].filter((name) => !seen.has(name)); // a few may be, see test_history.sh
  if (kind === 'suite' || missing.length * 50 > expected.size) wrong.push(...missing.map((name) => `${name} did not run`));
  context.diagnostic(`${seen.size} cases`);
  assert.deepEqual(wrong, []);
  assert.ok(seen.size >= KINDS[kind].least);
});
