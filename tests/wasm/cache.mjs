// Where tools/test writes what many tests share: folders whose names say what they were made from.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { ONNXRUN_CACHE, XDG_CACHE_HOME, HOME } = process.env;
const cache = ONNXRUN_CACHE || join(XDG_CACHE_HOME || join(HOME ?? '.', '.cache'), 'onnxrun');
const tests = fileURLToPath(new URL('..', import.meta.url));
const run = (script) => execFileSync('sh', ['-c', script], { cwd: tests, encoding: 'utf8' }).trim();

const FOLDERS = {
  suite: () => join(cache, `onnx-suite-${/^onnx==(.*)$/m.exec(readFileSync(join(tests, 'onnx/suite/requirements.txt'), 'utf8'))[1]}`),
  history: () => join(cache, `onnx-history-${run('cat onnx/history/*.py onnx/history/requirements.txt | cksum').split(' ')[0]}`),
  hostile: () => run('hostile/corpus_folder'),
};

/** The folder of a kind of cases; ends the program with 77, "skipped", where it is not complete. */
export function requireFolder(kind) {
  const folder = FOLDERS[kind]();
  if (existsSync(join(folder, 'complete'))) return folder;
  console.log(`nothing in ${folder}; tools/test writes it`);
  process.exit(77);
}
