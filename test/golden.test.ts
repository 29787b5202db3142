/**
 * Values and gradients by PyTorch in float64: single operations, a training step of SRResNet, five steps of Adam, and a
 * trained network. `npm run test:golden`; another folder of the same format by DAYBREAK_GOLDEN.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compile } from '../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../engine/tensor.ts';
import { type Variable, variable } from '../engine/variable.ts';
import { grad, mseLoss } from '../kernels/index.ts';
import { decodeModel } from '../models/model-file.ts';
import type { StoredTensor } from '../models/safetensors.ts';
import { srresnet } from '../models/srresnet.ts';
import { BatchNorm2d } from '../nn/index.ts';
import { Adam, type AdamOptions } from '../nn/optim/adam.ts';
import { sharedDevice, take, takeOne } from './device.ts';
import { checkCase } from './golden-case.ts';
import {
  expectClose,
  GOLDEN,
  GOLDEN_FILES,
  MODEL,
  openGolden,
  tensorNamed,
  tensorsUnder,
  toTensor,
  withGolden,
  withWeights,
} from './golden-files.ts';
import { callGolden, checkAllRead, GoldenAttributes, type GoldenCase } from './golden-operations.ts';

sharedDevice();

/** ‖a − b‖ / ‖b‖ for single operations. */
const OPERATION = 1e-5;

test('there are golden values', () => {
  const found = GOLDEN_FILES.filter(name => typeof openGolden(name) !== 'string');
  expect(found, `None of ${GOLDEN_FILES.join(', ')} is in ${GOLDEN} (DAYBREAK_GOLDEN).`).not.toEqual([]);
});

withGolden('ops.safetensors', file => {
  const cases = JSON.parse(file.metadata.cases ?? '[]') as readonly GoldenCase[];
  const inputOf = (one: GoldenCase, name: string) => tensorNamed(file, `${one.name}.in.${name}`);
  const out = (one: GoldenCase) => tensorNamed(file, `${one.name}.out`);

  test('the file names its cases', () => {
    expect(cases.length).toBeGreaterThan(0);
  });

  async function checkBatchNorm(one: GoldenCase) {
    const attributes = new GoldenAttributes(one.attrs);
    const inputs = new Map(one.inputs.map(name => [name, inputOf(one, name)]));
    const x = inputs.get('x');
    if (!x) throw new Error(`${one.name} has no input x.`);
    inputs.delete('x');
    using layer = new BatchNorm2d(x.shape[1], { eps: attributes.get('eps'), momentum: attributes.get('momentum') });
    layer.loadStateDict(inputs).train(attributes.get('training'));
    checkAllRead(one.op, attributes);
    using image = toTensor(x, true);
    const given = one.inputs.map((name): Tensor => (name === 'x' ? image : named(layer.namedVariables(), name)));
    await checkCase(file, one, OPERATION, () => layer.forward(image), given);
    const state = await layer.stateDict();
    for (const [name, golden] of tensorsUnder(file, `${one.name}.extra.`))
      expectClose(state.get(name)?.data ?? new Float32Array(), golden, OPERATION, name);
  }

  async function checkAdam(one: GoldenCase) {
    const attributes = new GoldenAttributes(one.attrs);
    const options: AdamOptions = {
      lr: attributes.get('lr'),
      beta1: attributes.get('beta1'),
      beta2: attributes.get('beta2'),
      eps: attributes.get('eps'),
    };
    checkAllRead(one.op, attributes);
    const [first, gradients, golden] = [inputOf(one, 'param'), inputOf(one, 'grads'), out(one)];
    using parameter = variable(first.data, first.shape, { name: 'param' });
    using adam = new Adam([parameter], options);
    const { size } = parameter;
    for (let step = 0; step < gradients.shape[0]; step++) {
      const part = (all: StoredTensor) => all.data.slice(step * size, (step + 1) * size);
      tidy(() => adam.update([tensor(part(gradients), first.shape)]));
      const expected = { ...golden, shape: first.shape, data: part(golden) };
      expectClose(await parameter.data(), expected, OPERATION, `parameter after step ${step + 1}`);
    }
  }

  test.each(cases.map(one => [one.name, one] as const))('%s', async (_, one) => {
    if (one.op === 'batchNorm') return checkBatchNorm(one);
    if (one.op === 'adam') return checkAdam(one);
    return checkCase(file, one, OPERATION, inputs =>
      callGolden(one, Object.fromEntries(one.inputs.map((name, i) => [name, inputs[i]]))),
    );
  });
});

/** What `models.safetensors` says of its SRResNet. */
interface SRResNetInfo {
  readonly channels: number;
  readonly blocks: number;
  readonly adam: { readonly lr: number; readonly steps: number };
}

withGolden('models.safetensors', file => {
  const info = (JSON.parse(file.metadata.info ?? '{}') as { srresnet?: SRResNetInfo }).srresnet;
  if (!info) {
    test.skip('skipped: the metadata describe no srresnet', () => {});
    return;
  }
  const { channels, blocks, adam: training } = info;
  const network = () => srresnet({ channels, blocks }).loadStateDict(tensorsUnder(file, 'srresnet.weights.'));
  const image = (name: string) => toTensor(tensorNamed(file, `srresnet.in.${name}`));

  test(`SRResNet of ${channels} channels and ${blocks} blocks: ${training.steps} steps of training`, async () => {
    using net = network();
    using adam = new Adam(net.parameters(), { lr: training.lr });
    using lr = image('lr');
    using hr = image('hr');
    using step = compile((lr: Tensor, hr: Tensor) => {
      const sr = net.forward(lr);
      const loss = mseLoss(sr, hr);
      const gradients = grad(loss, net.parameters());
      adam.update(gradients);
      return { sr, loss, gradients };
    });

    const losses: number[] = [];
    for (let i = 0; i < training.steps; i++) {
      const { sr, loss, gradients } = step(lr, hr);
      const [first, value, ...rest] = await take([sr, loss, ...gradients]);
      losses.push(value[0]);
      if (i > 0) continue;
      expectClose(first, tensorNamed(file, 'srresnet.train.out'), MODEL, 'output');
      expectClose(value, tensorNamed(file, 'srresnet.train.loss'), MODEL, 'loss');
      const golden = tensorsUnder(file, 'srresnet.train.grad.');
      const names = net.namedParameters().map(([name]) => name);
      expect(new Set(names)).toEqual(new Set(golden.keys()));
      names.forEach((name, j) => {
        expectClose(rest[j], tensorNamed(file, `srresnet.train.grad.${name}`), MODEL, `gradient of ${name}`);
      });
      await expectState(net.namedVariables(), tensorsUnder(file, 'srresnet.train.buffers.'), 'after one step');
    }
    expectClose(Float32Array.from(losses), tensorNamed(file, 'srresnet.adam.losses'), MODEL, 'losses');
    const weights = tensorsUnder(file, 'srresnet.adam.weights.');
    expect(new Set(weights.keys())).toEqual(new Set(net.namedVariables().map(([name]) => name)));
    await expectState(net.namedVariables(), weights, `after ${training.steps} steps`);
  });

  test('SRResNet in evaluation, compiled and not', async () => {
    using net = network().eval();
    using lr = image('lr');
    using forward = compile((lr: Tensor) => net.forward(lr));
    const golden = tensorNamed(file, 'srresnet.eval.out');
    expectClose(await takeOne(forward(lr)), golden, MODEL, 'output, compiled');
    expectClose(await takeOne(tidy(() => net.forward(lr))), golden, MODEL, 'output');
  });
});

withGolden('real.safetensors', file => {
  withWeights('srresnet8_x4.safetensors', path => {
    test('srresnet8_x4, a trained network, on a crop of a photograph', async () => {
      using net = decodeModel(readFileSync(path), path).eval();
      using lr = toTensor(tensorNamed(file, 'srresnet8.in.lr'));
      using forward = compile((lr: Tensor) => net.forward(lr), { baked: false });
      expectClose(await takeOne(forward(lr)), tensorNamed(file, 'srresnet8.out'), MODEL, 'output');
    });
  });
});

function named(variables: readonly (readonly [string, Variable])[], name: string): Variable {
  const found = variables.find(([own]) => own === name);
  if (!found) throw new Error(`There is no variable ${name}.`);
  return found[1];
}

async function expectState(
  variables: readonly (readonly [string, Variable])[],
  golden: ReadonlyMap<string, StoredTensor>,
  when: string,
): Promise<void> {
  for (const [name, expected] of golden)
    expectClose(await named(variables, name).data(), expected, MODEL, `${name} ${when}`);
}
