/** A trained network as an ONNX model, scored on a benchmark set through onnxruntime-web. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { evaluate } from '../../eval/evaluate.ts';
import { network as method } from '../../eval/methods.ts';
import { decodeModel } from '../../models/model-file.ts';
import { toOnnx } from '../../models/onnx.ts';
import { sharedDevice } from '../device.ts';
import { DATA } from '../image/fixtures.ts';
import { openOnnx } from './onnx-runtime.ts';

sharedDevice();

test('SRResNet of 8 blocks scores on Set5 in onnxruntime as in the engine', async context => {
  const path = join(process.env.DAYBREAK_WEIGHTS ?? '', 'srresnet8_x4.safetensors');
  if (process.env.DAYBREAK_WEIGHTS === undefined) return context.skip('DAYBREAK_WEIGHTS is not set: no network');
  if (!existsSync(path)) return context.skip(`no ${path}`);
  if (DATA === undefined) return context.skip('DAYBREAK_DATA is not set: no pictures');
  using net = decodeModel(readFileSync(path), path);
  const { network, config } = net;
  if (network.role !== 'upscaler') throw new Error('not an upscaler');
  const model = await openOnnx(await toOnnx(net));
  const upscaler = {
    name: 'onnxruntime',
    scale: network.scale,
    halo: network.halo(config),
    images: network.images(config),
    bytes: () => 1,
    run: async (data: Float32Array, height: number, width: number) =>
      (await model.run({ shape: [1, 3, height, width], data })).data,
  };
  const { mean } = await evaluate(method(upscaler), readPairs(await openDataSet(join(DATA, 'Set5'))));
  expect(mean!.psnr).toBeCloseTo(31.86, 2);
  await model.release();
});
