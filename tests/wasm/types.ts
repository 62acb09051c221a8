// What a program in TypeScript says: compiled, not run (types.sh). Lines below "@ts-expect-error" must not compile.

import { load, version, OnnxrunError, type Model, type Output, type Tensor } from '../../wasm/onnxrun.js';

async function classify(model: Model, pixels: Float32Array): Promise<number> {
  const results = await model.run({ picture: { data: pixels, shape: [1, 1, 8, 8] } });
  const output: Output = results['probabilities']!;
  if (!('data' in output)) return -1;
  const { data } = output as Tensor<Float32Array>;
  return data.indexOf(Math.max(...data));
}

export async function main(file: Blob): Promise<string> {
  const options = { threads: 2, worker: true, limits: { total_bytes: '64MiB', nodes: 1000 }, externalData: { 'model.onnx.data': file } };
  const model = await load(file, options);
  try {
    const names: string[] = model.inputs.map((input) => `${input.name} ${input.dtype} ${input.shape?.join('x')}`);
    await model.run({ ids: BigInt64Array.of(1n, 2n), words: ['a', 'b'], sequence: [{ dtype: 'float32', data: new Float32Array(1), shape: [1] }] });
    return `${await version()} ${names} ${await classify(model, new Float32Array(64))}`;
  } catch (error) {
    return error instanceof OnnxrunError && error.status === 'SHAPE' ? error.where : '';
  } finally {
    model.free();
  }
}

// @ts-expect-error a model is not loaded from a number
load(17);
// @ts-expect-error there is no such limit
load('model.onnx', { limits: { everything: 1 } });
// @ts-expect-error inputs are not changed
(model: Model) => { model.inputs = []; };
// @ts-expect-error no status is called so
(error: OnnxrunError) => error.status === 'SHAPES';
