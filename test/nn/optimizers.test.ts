/** Optimizers and schedules against PyTorch: six steps with gradients of different magnitudes. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../engine/compile.ts';
import { tensor, tidy } from '../../engine/tensor.ts';
import { type Variable, variable } from '../../engine/variable.ts';
import { mul, square, sum } from '../../kernels/index.ts';
import {
  Adam,
  AdamW,
  cosine,
  exponential,
  multiStep,
  type Optimizer,
  polynomial,
  ReduceOnPlateau,
  RMSprop,
  SGD,
  stepDecay,
  warmup,
} from '../../nn/index.ts';
import { sharedDevice } from '../device.ts';
import { GOLDEN, numbers } from './golden.ts';

sharedDevice();

const SIZES = [15, 7];
const parametersOf = () => SIZES.map((size, i) => variable(numbers(size, i)));
const gradientsAt = (step: number) =>
  SIZES.map((size, i) => tensor(numbers(size, 10 * step + i + 5, 10 ** ((step % 3) - 1))));
const contentOf = async (parameters: readonly Variable[]) =>
  (await Promise.all(parameters.map(parameter => parameter.data()))).flatMap(data => [...data]);

const OPTIMIZERS: Readonly<Record<string, (parameters: readonly Variable[]) => Optimizer>> = {
  sgd: p => new SGD(p, { lr: 0.1 }),
  sgdNesterov: p => new SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
  sgdClipped: p => new SGD(p, { lr: 0.1, momentum: 0.5, clipValue: 0.3 }),
  sgdClippedTwice: p => new SGD(p, { lr: 0.1, clipNorm: 2, clipValue: 0.5 }),
  adam: p => new Adam(p),
  adamDecay: p => new Adam(p, { lr: 0.01, weightDecay: 0.1 }),
  adamw: p => new AdamW(p, { lr: 0.01 }),
  adamwDecay: p => new AdamW(p, { lr: 0.01, weightDecay: 0.3, beta1: 0.8, beta2: 0.9, eps: 1e-3 }),
  rmsprop: p => new RMSprop(p),
  rmspropMomentum: p => new RMSprop(p, { lr: 0.02, momentum: 0.9, weightDecay: 0.1, alpha: 0.9 }),
  rmspropCentered: p => new RMSprop(p, { lr: 0.01, centered: true, momentum: 0.5, eps: 1e-3 }),
};

describe.each(Object.entries(OPTIMIZERS))('%s', (name, make) => {
  test('makes PyTorch’s steps', async () => {
    const parameters = parametersOf();
    const optimizer = make(parameters);
    for (let step = 0; step < 6; step++)
      tidy(() => {
        optimizer.update(gradientsAt(step));
      });
    const found = await contentOf(parameters);
    found.forEach((value, i) => {
      expect(Math.abs(value - GOLDEN.optimizers[name][i]), `element ${i}`).toBeLessThan(2e-6);
    });
    optimizer.dispose();
    for (const parameter of parameters) parameter.dispose();
  });

  test('resumes from a saved state with the same bits', async () => {
    const run = async (saveAt: number | undefined) => {
      let parameters = parametersOf();
      let optimizer = make(parameters);
      for (let step = 0; step < 6; step++) {
        if (step === saveAt) {
          const [state, content] = [await optimizer.state(), await Promise.all(parameters.map(p => p.data()))];
          optimizer.dispose();
          for (const parameter of parameters) parameter.dispose();
          parameters = content.map(data => variable(data));
          optimizer = make(parameters);
          optimizer.load(state);
        }
        tidy(() => {
          optimizer.update(gradientsAt(step));
        });
      }
      const found = await contentOf(parameters);
      optimizer.dispose();
      for (const parameter of parameters) parameter.dispose();
      return found;
    };
    expect(await run(3)).toEqual(await run(undefined));
  });
});

test('every optimizer is tested', async () => {
  const nn = await import('../../nn/index.ts');
  const made = Object.values(OPTIMIZERS).map(make => {
    const parameters = parametersOf();
    const optimizer = make(parameters);
    optimizer.dispose();
    for (const parameter of parameters) parameter.dispose();
    return optimizer.constructor;
  });
  const classes = Object.entries(nn).filter(
    ([, value]) => typeof value === 'function' && value.prototype instanceof nn.Optimizer,
  );
  expect(classes.filter(([, one]) => !made.some(known => known === one))).toEqual([]);
});

test('a learning rate that is set counts from the next step on, in a compiled function too', async () => {
  using weight = variable([1, 2]);
  using optimizer = new SGD([weight], { lr: 0 });
  using step = compile(() => {
    optimizer.minimize(sum(square(weight)));
    return undefined;
  });
  step();
  expect([...(await weight.data())]).toEqual([1, 2]);
  optimizer.lr = 0.25;
  step();
  expect([...(await weight.data())]).toEqual([0.5, 1]);
  optimizer.lr = 0.5;
  tidy(() => {
    optimizer.minimize(sum(mul(weight, tensor([1, 1]))));
  });
  expect([...(await weight.data())]).toEqual([0, 0.5]);
  expect(optimizer.lr).toBe(0.5);
});

test('nesterov without momentum is refused', () => {
  using weight = variable([1]);
  expect(() => new SGD([weight], { nesterov: true })).toThrow('SGD: nesterov needs a momentum above 0.');
});

describe('schedules', () => {
  const lr = 0.5;
  test.each(
    Object.entries({
      stepDecay: stepDecay({ lr, every: 5 }),
      multiStep: multiStep({ lr, milestones: [3, 4, 20], factor: 0.5 }),
      exponential: exponential({ lr, factor: 0.8 }),
      cosine: cosine({ lr, steps: 23, floor: 0.1 }),
      polynomial: polynomial({ lr, steps: 10, power: 2 }),
    }),
  )('%s gives PyTorch’s rates', (name, rateAt) => {
    GOLDEN.schedules[name].forEach((rate, step) => {
      expect(rateAt(step)).toBeCloseTo(rate, 12);
    });
  });

  test('warm-up rises to the schedule’s own rate and stays there', () => {
    const rateAt = warmup(() => 2, 4);
    expect([0, 1, 2, 3, 4, 5].map(rateAt)).toEqual([0.5, 1, 1.5, 2, 2, 2]);
    expect([0, 1].map(warmup(() => 2, 0))).toEqual([2, 2]);
  });

  test('a plateau reduces the rate when PyTorch does, and NaN is no improvement', () => {
    const measured = [5, 4, 3, 3, NaN, 3, 3.5, 3, 2.9999, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1];
    const plain = new ReduceOnPlateau({ lr: 1, factor: 0.5, patience: 2 });
    expect(measured.map(value => plain.step(value))).toEqual(GOLDEN.schedules.plateau);
    const cooled = new ReduceOnPlateau({ lr: 1, factor: 0.5, patience: 1, cooldown: 3, mode: 'max', floor: 0.1 });
    expect(measured.map(value => cooled.step(10 - value))).toEqual(GOLDEN.schedules.plateauCooled);
    expect(() => new ReduceOnPlateau({ lr: 1, factor: 1 })).toThrow('expected a factor between 0 and 1, got 1');
  });
});
