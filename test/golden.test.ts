/**
 * Values and gradients that PyTorch computed in float64. `DAYBREAK_GOLDEN` names the folder (default: test/golden);
 * shapes, attributes and sizes come from the files, so that others of the same format pass as well.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../engine/compile.ts';
import { type Tensor, tensor, tidy, variable } from '../engine/tensor.ts';
import { grad, mseLoss, mul, sum } from '../kernels/index.ts';
import { decodeModel } from '../models/model-file.ts';
import type { SafetensorsFile, StoredTensor } from '../models/safetensors.ts';
import { type SRResNet, srresnet } from '../models/srresnet.ts';
import { SRResNetUpscaler } from '../models/upscaler.ts';
import { Adam } from '../train/adam.ts';
import { sharedDevice, take, takeOne } from './device.ts';
import { GOLDEN_EXTRAS, GOLDEN_OPERATIONS } from './golden-operations.ts';
import { goldenFile, tensorsUnder } from './models/golden-models.ts';
import { relativeError } from './relative-error.ts';

interface Case {
  readonly name: string;
  readonly op: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly inputs: readonly string[];
  readonly grads: readonly string[];
}

/** ‖a − b‖ / ‖b‖ for single operations, and for whole models. */
const OPERATION = 1e-5;
const MODEL = 1e-4;

/** The files that this folder must have. */
function required(name: string) {
  const file = goldenFile(name);
  if (typeof file === 'string') throw new Error(file);
  return file;
}

describe('operations', () => {
  sharedDevice();
  const { tensors, metadata } = required('ops.safetensors');
  const cases = JSON.parse(metadata.cases) as Case[];
  const stored = (name: string): StoredTensor => {
    const found = tensors.get(name);
    if (!found) throw new Error(`ops.safetensors lacks ${name}`);
    return found;
  };
  const inputsOf = ({ name, inputs, grads }: Case) =>
    Object.fromEntries(
      inputs.map(input => {
        const { data, shape } = stored(`${name}.in.${input}`);
        return [input, tensor(data, shape, { requiresGrad: grads.includes(input) })];
      }),
    );

  test('there are cases', () => {
    expect(cases.length).toBeGreaterThan(0);
  });

  test.each(cases.filter(({ op }) => op !== 'adam').map(one => [one.name, one] as const))('%s', async (name, one) => {
    const operation = GOLDEN_OPERATIONS[one.op];
    if (!operation) throw new Error(`ops.safetensors has the operation ${one.op}, which this test does not know`);
    const results = tidy(() => {
      const inputs = inputsOf(one);
      const out = operation(inputs, one.attrs);
      const wrt = one.grads.map(input => inputs[input]);
      const { data } = stored(`${name}.gy`);
      const grads = wrt.length > 0 ? grad(sum(mul(out, tensor(data, out.shape))), wrt) : [];
      return [out, ...grads];
    });
    const [out, ...grads] = await take(results);
    expect(relativeError(out, stored(`${name}.out`).data)).toBeLessThanOrEqual(OPERATION);
    for (const [i, input] of one.grads.entries())
      expect([input, relativeError(grads[i], stored(`${name}.grad.${input}`).data)]).toEqual([
        input,
        expect.toSatisfy((error: number) => error <= OPERATION),
      ]);
    const extras = [...tensors.keys()].filter(key => key.startsWith(`${name}.extra.`));
    if (extras.length === 0) return;
    const made = tidy(() => GOLDEN_EXTRAS[one.op](inputsOf(one), one.attrs));
    for (const key of extras) {
      const got = await takeOne(made[key.slice(`${name}.extra.`.length)]);
      expect(relativeError(got, stored(key).data)).toBeLessThanOrEqual(OPERATION);
    }
  });

  test.each(cases.filter(({ op }) => op === 'adam').map(one => [one.name, one] as const))('%s', async (name, one) => {
    const { data, shape } = stored(`${name}.in.param`);
    using parameter = variable(data, shape);
    using adam = new Adam([parameter], one.attrs);
    const grads = stored(`${name}.in.grads`);
    const out = stored(`${name}.out`).data;
    for (let step = 0; step < grads.shape[0]; step++) {
      const range = [step * data.length, (step + 1) * data.length] as const;
      using gradient = tensor(grads.data.slice(...range), shape);
      adam.update([gradient]);
      expect(relativeError(await parameter.data(), out.subarray(...range))).toBeLessThanOrEqual(OPERATION);
    }
  });
});

describe('SRResNet', () => {
  sharedDevice();
  const file = required('models.safetensors');
  const { tensors } = file;
  const info = JSON.parse(file.metadata.info).srresnet as {
    channels: number;
    blocks: number;
    adam: { lr: number; steps: number };
  };
  const input = (name: string): Tensor => {
    const { data, shape } = tensors.get(`srresnet.in.${name}`)!;
    return tensor(data, shape);
  };
  const network = (): SRResNet => srresnet(info).loadStateDict(tensorsUnder(file, 'srresnet.weights.'));
  const expected = (name: string) => tensors.get(`srresnet.${name}`)!.data;

  test.each([true, false])('evaluation, sizes in the text: %s', async baked => {
    using net = network().eval();
    using forward = compile((lr: Tensor) => net.forward(lr), { baked });
    using lr = input('lr');
    expect(relativeError(await takeOne(forward(lr)), expected('eval.out'))).toBeLessThanOrEqual(MODEL);
  });

  test('a training step: output, loss, all gradients, running statistics', async () => {
    using net = network();
    const named = net.namedParameters();
    using step = compile((lr: Tensor, hr: Tensor) => {
      const out = net.forward(lr);
      const loss = mseLoss(out, hr);
      return [out, loss, ...grad(loss, net.parameters())];
    });
    using lr = input('lr');
    using hr = input('hr');
    const [out, loss, ...grads] = await take(step(lr, hr));
    expect(relativeError(out, expected('train.out'))).toBeLessThanOrEqual(MODEL);
    expect(relativeError(loss, expected('train.loss'))).toBeLessThanOrEqual(MODEL);
    expect(grads.length).toBeGreaterThan(0);
    for (const [i, [name]] of named.entries())
      expect([name, relativeError(grads[i], expected(`train.grad.${name}`)) <= MODEL]).toEqual([name, true]);
    const state = await net.stateDict();
    for (const [name, { data }] of tensorsUnder(file, 'srresnet.train.buffers.'))
      expect([name, relativeError(state.get(name)!.data, data) <= MODEL]).toEqual([name, true]);
  });

  test('losses and weights of some steps of Adam', async () => {
    using net = network();
    using adam = new Adam(net.parameters(), { lr: info.adam.lr });
    using step = compile((lr: Tensor, hr: Tensor) => {
      const loss = mseLoss(net.forward(lr), hr);
      adam.update(grad(loss, net.parameters()));
      return loss;
    });
    using lr = input('lr');
    using hr = input('hr');
    const losses: number[] = [];
    for (let i = 0; i < info.adam.steps; i++) losses.push((await takeOne(step(lr, hr)))[0]);
    expect(relativeError(losses, expected('adam.losses'))).toBeLessThanOrEqual(MODEL);
    const state = await net.stateDict();
    for (const [name, { data }] of tensorsUnder(file, 'srresnet.adam.weights.'))
      expect([name, relativeError(state.get(name)!.data, data) <= MODEL]).toEqual([name, true]);
  });
});

describe('trained networks', () => {
  sharedDevice();
  const real = goldenFile('real.safetensors');
  const weights = process.env.DAYBREAK_WEIGHTS;
  const missing =
    typeof real === 'string' ? real : weights ? '' : 'DAYBREAK_WEIGHTS does not say where trained weights lie';

  test.skipIf(missing)(`SRResNet of 8 blocks${missing && `: skipped, ${missing}`}`, async () => {
    const path = join(weights!, 'srresnet8_x4.safetensors');
    const { tensors } = real as SafetensorsFile;
    const lr = tensors.get('srresnet8.in.lr')!;
    using net = decodeModel(readFileSync(path), path);
    using upscaler = new SRResNetUpscaler(net, 'srresnet8');
    const [, , height, width] = lr.shape;
    const out = await upscaler.run(lr.data, height, width);
    expect(relativeError(out, tensors.get('srresnet8.out')!.data)).toBeLessThanOrEqual(MODEL);
  });
});
