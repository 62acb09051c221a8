// One instance of the WebAssembly module and its threads. Its memory holds one model, and is gone with it.

import { OnnxrunError } from './error.js';
import { Files, completeImports } from './files.js';
import { compile, mayWait, startWorker } from './platform.js';
import { Values } from './values.js';

const STACK = 1 << 20; // of a thread
const FIRST_PAGES = 256; // what cmake/wasm.cmake says
const MOST_PAGES = [65536, 32768, 16384, 8192]; // a shared memory's end is reserved; not every device has 4 GiB of addresses

const modules = new Map();

/** Compiled once for all instances; a file that did not come is asked for again. */
function compiled(name) {
  if (!modules.has(name)) {
    const promise = compile(new URL(name, import.meta.url));
    promise.catch(() => modules.delete(name));
    modules.set(name, promise);
  }
  return modules.get(name);
}

function sharedMemory() {
  for (const maximum of MOST_PAGES) {
    try {
      return new WebAssembly.Memory({ initial: FIRST_PAGES, maximum, shared: true });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new OnnxrunError('NO_MEMORY', 'the system has no addresses for a shared memory');
}

export class Instance {
  /**
   * @param {number} threads more than 1 only where memory can be shared
   * @param {Map<string, Uint8Array>} files for external data
   */
  static async create(threads, files) {
    const instance = new Instance();
    const isShared = threads > 1;
    const module = await compiled(isShared ? 'onnxrun-threads.wasm' : 'onnxrun.wasm');
    if (isShared) instance.memory = sharedMemory();
    const given = new Files(files).imports(() => instance.memory);
    given.env.memory = instance.memory;
    const { exports } = await WebAssembly.instantiate(module, completeImports(module, given));
    instance.calls = exports;
    instance.memory ??= exports.memory;
    exports._initialize?.();
    instance.values = new Values(exports, instance.memory);
    if (isShared) await instance.startThreads(module, threads);
    return instance;
  }

  constructor() {
    this.workers = [];
    this.memory = undefined;
  }

  async startThreads(module, threads) {
    const started = Array.from({ length: threads - 1 }, (_, i) => this.startThread(module, i + 1));
    try {
      await Promise.all(started);
      this.check(this.calls.onrw_set_threads(threads, mayWait));
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Resolved when the thread is about to wait for work. */
  startThread(module, index) {
    const worker = startWorker(new URL('thread.js', import.meta.url));
    this.workers.push(worker);
    worker.keepAlive(true); // until it is there
    return new Promise((resolve, reject) => {
      worker.onError(reject);
      worker.onMessage(() => {
        worker.keepAlive(false);
        resolve();
      });
      const kept = []; // as long as the instance
      const stack = this.values.allocate(STACK, kept) + STACK;
      const local = this.values.allocate(this.calls.__tls_size?.value ?? 0, kept);
      worker.post({ module, memory: this.memory, index, stack, local });
    });
  }

  /** Throws what went wrong unless `status` is 0. */
  check(status) {
    if (status === 0) return;
    const { calls, values } = this;
    const [name, message, where] = [calls.onrw_error_status(), calls.onrw_error_message(), calls.onrw_error_where()];
    throw new OnnxrunError(values.text(name), values.text(message), values.text(where));
  }

  /** Calls `work`; a trap, which leaves the instance in no known state, is the end of it. */
  guard(work) {
    if (!this.calls) throw new OnnxrunError('STATE', 'the model was freed');
    try {
      return work(this.calls, this.values);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.end();
      throw new OnnxrunError('INTERNAL', `WebAssembly stopped: ${error.message}`);
    }
  }

  end() {
    for (const worker of this.workers) worker.terminate();
    this.workers = [];
    this.calls = this.values = this.memory = null;
  }
}
