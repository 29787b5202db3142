/** Adam's updates, against PyTorch's formula. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import { reshape } from '../../kernels/index.ts';
import { Adam, type AdamOptions } from '../../nn/optim/adam.ts';
import { sharedDevice } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import {
  contentOf,
  disposing,
  first,
  gradientsAt,
  numbers,
  parametersOf,
  SHAPES,
  sizeOf,
  update,
} from './adam-parameters.ts';

sharedDevice();

/** torch.optim.Adam's single-tensor step, in float64. */
class Reference {
  readonly p: Float64Array[];
  readonly m: Float64Array[];
  readonly v: Float64Array[];
  #t = 0;
  constructor(content: readonly Float32Array[]) {
    this.p = content.map(data => Float64Array.from(data));
    this.m = content.map(data => new Float64Array(data.length));
    this.v = content.map(data => new Float64Array(data.length));
  }

  step(gradients: readonly Float32Array[], { lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8 }: AdamOptions): void {
    this.#t++;
    const size = lr / (1 - beta1 ** this.#t);
    const root = Math.sqrt(1 - beta2 ** this.#t);
    gradients.forEach((g, i) => {
      const [p, m, v] = [this.p[i], this.m[i], this.v[i]];
      g.forEach((x, j) => {
        m[j] += (x - m[j]) * (1 - beta1);
        v[j] = v[j] * beta2 + x * x * (1 - beta2);
        p[j] -= (size * m[j]) / (Math.sqrt(v[j]) / root + eps);
      });
    });
  }
}

describe('100 steps', () => {
  const options: AdamOptions[] = [
    {},
    { lr: 0.01, beta1: 0.5, beta2: 0.9, eps: 1e-3 },
    { lr: 1e-3, beta1: 0 },
    { lr: 1e-3, beta1: 0.99, beta2: 0 },
  ];
  test.each(options)('with %o match PyTorch’s formula in float64', async given => {
    // From zero, so that what is compared is the movement alone.
    const zeros = SHAPES.map(shape => new Float32Array(sizeOf(shape)));
    const parameters = parametersOf(zeros);
    const adam = new Adam(parameters, given);
    const reference = new Reference(zeros);
    await disposing(parameters, adam, async () => {
      for (let t = 0; t < 100; t++) {
        update(adam, gradientsAt(t));
        reference.step(gradientsAt(t), given);
        if (t > 3 && t % 12 !== 0 && t < 99) continue;
        for (const [i, data] of (await contentOf(parameters)).entries())
          expect(relativeError(data, reference.p[i]), `step ${t + 1}, parameter ${i}`).toBeLessThan(1e-5);
      }
      const { steps, moments } = await adam.state();
      expect(steps).toBe(100);
      for (const [i, moment] of moments.entries()) {
        expect(relativeError(moment.first, reference.m[i])).toBeLessThan(1e-5);
        expect(relativeError(moment.second, reference.v[i])).toBeLessThan(1e-5);
      }
    });
  });

  test('bias correction stays accurate over a long training', async () => {
    const parameters = parametersOf();
    const adam = new Adam(parameters, { lr: 1 });
    await disposing(parameters, adam, async () => {
      const moments = SHAPES.map((shape, i) => ({
        first: numbers(sizeOf(shape), i + 5, 1e-3),
        second: numbers(sizeOf(shape), i + 9, 1e-3).map(Math.abs),
      }));
      for (const steps of [0, 1, 10, 300, 500, 700, 3000, 1e5, 1e6, 2 ** 24 - 2]) {
        parameters.forEach((parameter, i) => {
          parameter.write(new Float32Array(sizeOf(SHAPES[i])));
        });
        adam.load({ steps, moments });
        const zero = SHAPES.map(shape => new Float32Array(sizeOf(shape)));
        update(adam, zero);
        const size = 1 / (1 - 0.9 ** (steps + 1));
        const root = Math.sqrt(1 - 0.999 ** (steps + 1));
        const expected = moments.map(({ first: m, second: v }) =>
          Float64Array.from(m, (x, j) => (-size * 0.9 * x) / (Math.sqrt(0.999 * v[j]) / root + 1e-8)),
        );
        for (const [i, data] of (await contentOf(parameters)).entries())
          expect(relativeError(data, expected[i]), `after ${steps} steps`).toBeLessThan(1e-6);
        expect((await adam.state()).steps).toBe(steps + 1);
      }
    });
  });
});

test('the first step has the size of the learning rate, whatever the gradient', async () => {
  const parameters = parametersOf(SHAPES.map(shape => new Float32Array(sizeOf(shape))));
  const adam = new Adam(parameters, { lr: 0.25 });
  await disposing(parameters, adam, async () => {
    update(adam, [numbers(15, 1, 1e4), numbers(70, 2, 100), numbers(64, 3), Float32Array.of(-3)]);
    for (const data of await contentOf(parameters))
      for (const x of data) expect(Math.abs(Math.abs(x) - 0.25)).toBeLessThan(2e-5);
    expect((await contentOf(parameters))[3][0]).toBeGreaterThan(0);
  });
});

describe('compiled', () => {
  type Four = [Tensor, Tensor, Tensor, Tensor];

  test('an update has the same bits as an eager one', async () => {
    const [eager, compiled] = [parametersOf(), parametersOf()];
    const [one, two] = [new Adam(eager, { lr: 1e-2 }), new Adam(compiled, { lr: 1e-2 })];
    await disposing(eager, one, () =>
      disposing(compiled, two, async () => {
        using step = compile<Four, undefined>((...gradients) => {
          two.update(gradients);
          return undefined;
        });
        for (let t = 0; t < 5; t++) {
          update(one, gradientsAt(t));
          const tensors = gradientsAt(t).map((data, i) => tensor(data, SHAPES[i])) as Four;
          step(...tensors);
          for (const gradient of tensors) gradient.dispose();
        }
        expect(await contentOf(compiled)).toEqual(await contentOf(eager));
        expect(await two.state()).toEqual(await one.state());
      }),
    );
  });

  test('takes a learning rate for each step, and a flag that suppresses the update', async () => {
    const parameters = parametersOf();
    const adam = new Adam(parameters);
    const reference = new Reference(first());
    await disposing(parameters, adam, async () => {
      using step = compile<[...Four, number, number], undefined>((a, b, c, d, lr, skip) => {
        adam.update([a, b, c, d], { lr: reshape(lr, [1]), skip: reshape(skip, [1]) });
        return undefined;
      });
      const make = async (gradients: readonly Float32Array[], lr: number, skip: number) => {
        const tensors = gradients.map((data, i) => tensor(data, SHAPES[i])) as Four;
        step(...tensors, lr, skip);
        for (const gradient of tensors) gradient.dispose();
      };
      for (const [t, lr] of [0.01, 0.5, 1e-4].entries()) {
        await make(gradientsAt(t), lr, 0);
        reference.step(gradientsAt(t), { lr });
        const before = { content: await contentOf(parameters), state: await adam.state() };
        const broken = gradientsAt(t).map(data => data.fill(t === 0 ? Number.NaN : Number.POSITIVE_INFINITY, 0, 1));
        await make(broken, 0.1, t === 2 ? 0.5 : 1);
        expect(await contentOf(parameters)).toEqual(before.content);
        expect(await adam.state()).toEqual(before.state);
      }
      for (const [i, data] of (await contentOf(parameters)).entries())
        expect(relativeError(data, reference.p[i])).toBeLessThan(1e-6);
      expect((await adam.state()).steps).toBe(3);
    });
  });
});
