// The hostile corpus (tests/hostile) by the package in ONNXRUN_PACKAGE: each case ends with the status that it is made for.

import assert from 'node:assert/strict';
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';

import { requireFolder } from './cache.mjs';
import { readInputs } from './cases.mjs';

const corpus = requireFolder('hostile');
const { load } = await import(pathToFileURL(join(process.env.ONNXRUN_PACKAGE, 'onnxrun.js')));
const MIB = 1 << 20;
const [BUDGET_MIB, MOST_SECONDS, LARGEST] = [64, 60, 64 * MIB]; // as tests/hostile/run_cases.c

const lines = (url) => readFileSync(url, 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
const differences = new Map(lines(new URL('../hostile/differences.txt', import.meta.url)).map((line) => [line.split(' ')[0], line.split(' ').slice(1)]));
const here = lines(new URL('hostile_differences.txt', import.meta.url)).map((line) => line.split(' '));

/** How the case may end. */
function endsOf(name, listed) {
  const exact = here.find(([key]) => key === name);
  if (exact) return [exact[1]];
  const alike = here.filter(([key]) => key.endsWith('*') && name.startsWith(key.slice(0, -1))).map(([, status]) => status);
  return [differences.get(name)?.[0] ?? listed, ...alike];
}

/** Files beside the model; links and devices are none that a page could hand over. */
function externalData(folder) {
  const names = readdirSync(folder).filter((name) => !/^(model\.onnx|input_\d+\.pb)$/.test(name));
  const files = names.filter((name) => lstatSync(join(folder, name)).isFile() && lstatSync(join(folder, name)).size < LARGEST);
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name))]));
}

async function endOf(folder, mebibytes) {
  let model;
  try {
    const file = readFileSync(join(folder, 'model.onnx'));
    const limits = { total_bytes: mebibytes * MIB + 2 * file.length, tensor_bytes: BUDGET_MIB * MIB, loop_iterations: 1000000 };
    model = await load(file, { threads: 1, limits, externalData: externalData(folder) });
    await model.run(readInputs(folder, model));
    return 'OK';
  } catch (error) {
    return error.name === 'OnnxrunError' ? error.status : String(error.stack);
  } finally {
    model?.free();
  }
}

test('each hostile file ends with its status', async (context) => {
  const wrong = [];
  const cases = lines(join(corpus, 'cases.tsv')).map((line) => line.split('\t'));
  for (const [name, , listed] of cases) {
    const ends = endsOf(name, listed);
    const begin = performance.now();
    const end = await endOf(join(corpus, name), differences.get(name)?.[1] ?? BUDGET_MIB);
    if (!ends.includes(end)) wrong.push(`${name}: ${end} instead of ${ends.join(' or ')}`);
    if (performance.now() - begin > 1000 * MOST_SECONDS) wrong.push(`${name}: ${performance.now() - begin} ms`);
  }
  context.diagnostic(`${cases.length} cases`);
  assert.deepEqual(wrong, []);
  assert.ok(cases.length > 1000);
});
