// A worker that is one thread of an instance: the module once more, on the same memory.

import { Files, completeImports } from './files.js';
import { parentPort } from './platform.js';

const port = parentPort();
port.onMessage(async ({ module, memory, index, stack, local }) => {
  const given = new Files(new Map()).imports(() => memory);
  given.env.memory = memory;
  const { exports } = await WebAssembly.instantiate(module, completeImports(module, given));
  exports.stackRestore(stack);
  exports.__wasm_init_tls?.(local);
  port.post('ready');
  exports.onrw_thread(index); // for ever
});
