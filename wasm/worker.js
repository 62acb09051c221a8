// A worker that has a model for remote.js.

import { load } from './onnxrun.js';
import { parentPort } from './platform.js';

const port = parentPort();
let model;

const actions = {
  load: async ({ source, options }) => {
    model = await load(source, options);
    const { inputs, outputs, threads } = model;
    return { inputs, outputs, threads };
  },
  run: (inputs) => model.run(inputs),
};

/** Arrays of an answer go over without a copy. */
function buffers(value) {
  if (ArrayBuffer.isView(value)) return [value.buffer];
  return value && typeof value === 'object' ? Object.values(value).flatMap(buffers) : [];
}

port.onMessage(async ({ id, name, argument }) => {
  try {
    const result = await actions[name](argument);
    port.post({ id, result, memoryBytes: model.memoryBytes }, [...new Set(buffers(result))]);
  } catch (error) {
    port.post({ id, error: { status: error.status ?? 'INTERNAL', message: error.message, where: error.where ?? '' } });
  }
});
