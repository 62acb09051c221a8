// A model in a worker of its own: the same calls, sent there as messages.

import { OnnxrunError } from './error.js';
import { startWorker } from './platform.js';

/** A view is sent with all of the buffer behind it, so it is made one of its own. */
function own(value) {
  if (Array.isArray(value)) return value.map(own);
  if (ArrayBuffer.isView(value)) return value.byteLength === value.buffer.byteLength ? value : value.slice();
  return value?.data ? { ...value, data: own(value.data) } : value;
}

export class RemoteModel {
  #worker;
  #calls = new Map(); // those that have no answer yet
  #count = 0;

  /** @param {string|Uint8Array} source bytes, or a whole URL */
  static async load(source, options) {
    const model = new RemoteModel();
    try {
      Object.assign(model, await model.#call('load', { source, options }));
    } catch (error) {
      model.free();
      throw error;
    }
    return model;
  }

  constructor() {
    this.memoryBytes = 0;
    this.#worker = startWorker(new URL('worker.js', import.meta.url));
    this.#worker.onMessage((answer) => this.#take(answer));
    this.#worker.onError((error) => this.#end(new OnnxrunError('INTERNAL', error.message)));
  }

  async run(inputs = {}) {
    return this.#call('run', Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, own(value)])));
  }

  free() {
    this.#end(new OnnxrunError('STATE', 'the model was freed'));
  }

  #call(name, argument) {
    if (!this.#worker) throw new OnnxrunError('STATE', 'the model was freed');
    const id = this.#count++;
    this.#worker.keepAlive(true);
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#worker.post({ id, name, argument });
    });
  }

  #take({ id, result, memoryBytes, error }) {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (!this.#calls.size) this.#worker?.keepAlive(false);
    if (memoryBytes !== undefined) this.memoryBytes = memoryBytes;
    if (error) call.reject(Object.assign(new OnnxrunError(error.status, error.message), { where: error.where }));
    else call.resolve(result);
  }

  #end(error) {
    this.#worker?.terminate();
    this.#worker = null;
    this.memoryBytes = 0;
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }
}
