/**
 * Random programs: whatever operations follow each other, with views, variables, parts of variables, optimizers, first and
 * second gradients in between, compiled they give what they give uncompiled, and both what float64 gives. This is the
 * test of all passes together: assignment, fusion, lowering, updates in place, memory plan, replay.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noGrad } from '../../engine/apply.ts';
import { type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import { packLayout } from '../../engine/graph/memory-operations.ts';
import { type Elements, type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { type Variable, variable } from '../../engine/variable.ts';
import * as ops from '../../kernels/index.ts';
import { pack, part } from '../../kernels/movement/pack.ts';
import { batchStatistics } from '../../kernels/networks/batch-statistics.ts';
import { Adam } from '../../nn/optim/adam.ts';
import { sharedDevice, takeElements } from '../device.ts';
import { LONG, noise, SEED } from '../kernels/problems.ts';
import { relativeError } from '../relative-error.ts';
import * as f64 from './float64.ts';
import { INPUTS, type Machine, type Plan, plans, run, VARIABLES, WORDS } from './random-program.ts';

const device = sharedDevice();

/** Large `eps`: the direction of a step shall not hang on the sign of a gradient near 0. */
const ADAM = { lr: 0.1, beta1: 0.9, beta2: 0.999, eps: 0.1 };
const EPS = 0.5;
const MOMENTUM = 0.25;

/** A matrix as an image, and back. */
const asImage = (x: Tensor) => ops.reshape(x, [1, 1, ...x.shape]);
const asMatrix = (x: Tensor) => ops.reshape(x, x.shape.slice(2));

/** Variables and optimizer of one way of computing a program. */
class Engine implements Machine<Tensor, Tensor>, Disposable {
  readonly variables: readonly Variable[] = VARIABLES.map((shape, i) => variable(noise(sizeOf(shape), i + 1), shape));
  readonly words = variable(Uint32Array.of(1, 2, 3, 4, 5, 4_000_000_000), WORDS, { trainable: false });
  readonly adam = new Adam([this.variables[2], this.variables[3]], ADAM);

  readonly shapeOf = (x: Tensor) => x.shape;
  readonly neg = ops.neg;
  readonly tanh = ops.tanh;
  readonly relu = ops.relu;
  readonly square = ops.square;
  readonly scale = (x: Tensor, by: number) => ops.mul(x, by);
  readonly shift = (x: Tensor, by: number) => ops.add(x, by);
  readonly add = (a: Tensor, b: Tensor) => ops.add(a, b);
  readonly sub = (a: Tensor, b: Tensor) => ops.sub(a, b);
  readonly mul = (a: Tensor, b: Tensor) => ops.mul(a, b);
  readonly maximum = (a: Tensor, b: Tensor) => ops.maximum(a, b);
  readonly less = (a: Tensor, b: Tensor) => ops.less(a, b);
  readonly softmax = (x: Tensor) => ops.softmax(x);
  readonly where = (c: Tensor, a: Tensor, b: Tensor) => ops.where(c, a, b);
  readonly pairMeans = (x: Tensor) => asMatrix(ops.avgPool2d(asImage(x), [1, 2], { stride: 1, padding: [0, 1] }));
  readonly stretchColumns = (x: Tensor) =>
    asMatrix(ops.interpolate(asImage(x), { scaleFactor: [1, 2], mode: 'bilinear' }));
  // A transposed convolution with dilation: the kernel is reversed.
  readonly dilatedDifferences = (x: Tensor) =>
    asMatrix(
      ops.convTranspose2d(asImage(x), tensor([1, -1], [1, 1, 1, 2]), undefined, { dilation: [1, 2], padding: [0, 1] }),
    );
  readonly reshape = ops.reshape;
  readonly transpose = (x: Tensor) => ops.transpose(x);
  readonly concat = (a: Tensor, b: Tensor) => ops.concat([a, b]);
  readonly slice = (x: Tensor, from: number, to: number) => ops.slice(x, [from], [to]);
  readonly everyOther = (x: Tensor) => ops.slice(x, [0], x.shape, [2]);
  readonly flip = (x: Tensor) => ops.flip(x, [0]);
  readonly cumsum = (x: Tensor) => ops.cumsum(x, 0);
  readonly select = (x: Tensor, indices: readonly number[]) => ops.indexSelect(x, 0, tensor(indices));
  readonly stack = (a: Tensor, b: Tensor) => ops.stack([a, b]);
  readonly rowProducts = (x: Tensor) => ops.reshape(ops.matmul(ops.unsqueeze(x, 1), ops.unsqueeze(x, 2)), [x.shape[0]]);
  readonly pad = (x: Tensor, before: number, after: number) => ops.pad(x, [[before, after]]);
  readonly broadcastTo = (x: Tensor, shape: Shape) => ops.broadcastTo(x, shape);
  readonly matmul = ops.matmul;
  readonly sum = (x: Tensor) => ops.sum(x);
  readonly mean = (x: Tensor) => ops.mean(x);
  readonly meanOver = (x: Tensor, axis: 0 | 1, keepDims: boolean) => ops.mean(x, { axes: [axis], keepDims });
  readonly grad = (loss: Tensor, wrt: readonly Tensor[]) => ops.grad(loss, wrt);
  secondOfPack(a: Tensor, b: Tensor): Tensor {
    // What packs carries no gradient: it is for optimizers.
    return noGrad(() => part(pack([a, b]), packLayout([a.shape, b.shape]).offsets[1], b.shape));
  }
  statistics(mean: Tensor, variance: Tensor): [Tensor, Tensor, Tensor] {
    const attributes = { eps: EPS, momentum: MOMENTUM, correction: 1 };
    const found = batchStatistics([mean, variance, ops.neg(mean), ops.square(variance)], attributes);
    return [found.inverse, found.runningMean, found.runningVariance];
  }
  secondGrad(loss: Tensor, wrt: Tensor): Tensor {
    const [first] = ops.grad(loss, [wrt], { createGraph: true });
    return ops.grad(ops.sum(ops.square(first)), [wrt])[0];
  }
  read(i: number): Tensor {
    return this.variables[i].alias();
  }
  held(i: number): Tensor {
    return this.variables[i];
  }
  assign(i: number, x: Tensor): void {
    this.variables[i].assign(x);
  }
  update(gradients: readonly [Tensor, Tensor]): void {
    this.adam.update(gradients);
  }
  halveWhole(): void {
    const { whole } = this.adam.gathered;
    whole.assign(ops.mul(whole, 0.5));
  }
  readWords(): Tensor {
    return this.words.alias();
  }
  assignWords(w: Tensor): void {
    this.words.assign(w);
  }
  turnWords(w: Tensor): Tensor {
    return ops.reshape(ops.reshape(w, [3, 2]), WORDS);
  }
  [Symbol.dispose](): void {
    this.adam.dispose();
    for (const one of [...this.variables, this.words]) one.dispose();
  }
}

/** The same in float64. */
class Float64 implements Machine<f64.Numbers64, readonly number[]> {
  readonly contents = VARIABLES.map((shape, i) => f64.leaf(noise(sizeOf(shape), i + 1), shape));
  readonly moments = [2, 3].map(i => ({
    first: this.contents[i].data.map(() => 0),
    second: this.contents[i].data.map(() => 0),
  }));
  heldWords: readonly number[] = [1, 2, 3, 4, 5, 4_000_000_000];
  #steps = 0;

  readonly shapeOf = (x: f64.Numbers64) => x.shape;
  readonly neg = f64.neg;
  readonly tanh = f64.tanh;
  readonly relu = f64.relu;
  readonly square = f64.square;
  readonly scale = f64.scale;
  readonly shift = f64.shift;
  readonly add = f64.add;
  readonly sub = f64.sub;
  readonly mul = f64.mul;
  readonly maximum = f64.maximum;
  readonly less = f64.less;
  readonly softmax = f64.softmax;
  readonly where = f64.where;
  readonly pairMeans = f64.pairMeans;
  readonly stretchColumns = f64.stretchColumns;
  readonly dilatedDifferences = f64.dilatedDifferences;
  readonly reshape = f64.reshape;
  readonly transpose = f64.transpose;
  readonly concat = f64.concat;
  readonly slice = f64.slice;
  readonly everyOther = f64.everyOther;
  readonly flip = f64.flip;
  readonly cumsum = f64.cumsum;
  readonly select = f64.select;
  readonly stack = f64.stack;
  readonly rowProducts = f64.rowProducts;
  readonly pad = f64.pad;
  readonly broadcastTo = f64.broadcastTo;
  readonly matmul = f64.matmul;
  readonly sum = f64.sum;
  readonly mean = f64.mean;
  readonly meanOver = f64.meanOver;
  /** Gradients are constants to what is computed from them. */
  readonly grad = (loss: f64.Numbers64, wrt: readonly f64.Numbers64[]) =>
    f64.grad(loss, wrt).map(({ data, shape }) => f64.leaf(data, shape));
  readonly secondOfPack = (_: f64.Numbers64, b: f64.Numbers64) => f64.leaf(b.data, b.shape);
  statistics(mean: f64.Numbers64, variance: f64.Numbers64): [f64.Numbers64, f64.Numbers64, f64.Numbers64] {
    const running = (old: f64.Numbers64, now: f64.Numbers64) =>
      f64.add(f64.scale(old, 1 - MOMENTUM), f64.scale(now, MOMENTUM));
    return [
      f64.inverseRoot(f64.shift(variance, EPS)),
      running(f64.neg(mean), mean),
      running(f64.square(variance), variance),
    ];
  }
  secondGrad(loss: f64.Numbers64, wrt: f64.Numbers64): f64.Numbers64 {
    const [first] = f64.grad(loss, [wrt]);
    return this.grad(f64.sum(f64.square(first)), [wrt])[0];
  }
  read(i: number): f64.Numbers64 {
    return this.contents[i];
  }
  held(i: number): f64.Numbers64 {
    return this.contents[i];
  }
  assign(i: number, { data, shape }: f64.Numbers64): void {
    this.contents[i] = f64.leaf(data, shape);
  }
  update(gradients: readonly [f64.Numbers64, f64.Numbers64]): void {
    const { lr, beta1, beta2, eps } = ADAM;
    this.#steps++;
    const [c1, c2] = [1 - beta1 ** this.#steps, 1 - beta2 ** this.#steps];
    gradients.forEach(({ data }, k) => {
      const { first, second } = this.moments[k];
      const moved = this.contents[2 + k].data.map((p, i) => {
        first[i] = beta1 * first[i] + (1 - beta1) * data[i];
        second[i] = beta2 * second[i] + (1 - beta2) * data[i] ** 2;
        return p - ((lr / c1) * first[i]) / (Math.sqrt(second[i] / c2) + eps);
      });
      this.contents[2 + k] = f64.leaf(moved, this.contents[2 + k].shape);
    });
  }
  halveWhole(): void {
    for (const i of [2, 3]) this.assign(i, f64.scale(this.contents[i], 0.5));
  }
  readWords(): readonly number[] {
    return this.heldWords;
  }
  assignWords(w: readonly number[]): void {
    this.heldWords = w;
  }
  turnWords(w: readonly number[]): readonly number[] {
    return w;
  }
}

/** Rounding of a dozen steps. */
function expectNear(got: Elements, right: Float64Array, what: string): void {
  expect(got.length, what).toBe(right.length);
  const size = right.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const worst = right.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i])), 0);
  expect(worst / size, what).toBeLessThan(2e-4);
}

async function check(plan: Plan): Promise<void> {
  const start = device().memory.figures().live;
  {
    using eager = new Engine();
    using baked = new Engine();
    using general = new Engine();
    const right = new Float64();
    const bodyOf =
      (engine: Engine) =>
      (...inputs: Tensor[]) => {
        const { results, words } = run(plan, engine, inputs);
        return [...results, ...words].map(result => result.alias());
      };
    using compiledBaked = compile(bodyOf(baked), { baked: true });
    using compiledGeneral = compile(bodyOf(general), { baked: false });
    // Twice, with other numbers: the second is a replay.
    for (const round of [0, 1]) {
      const contents = INPUTS.map((shape, i) => noise(sizeOf(shape), 10 * round + i + 20));
      const inputs = contents.map((content, i) => tensor(content, INPUTS[i], { requiresGrad: true }));
      const expected = await takeElements(tidy(() => bodyOf(eager)(...inputs)));
      for (const [way, compiled] of [
        ['baked', compiledBaked],
        ['sizes as arguments', compiledGeneral],
      ] as const) {
        const got = await takeElements(compiled(...inputs));
        got.forEach((values, i) => {
          expect(relativeError(values, expected[i]), `result ${i}, round ${round}, ${way}`).toBeLessThan(1e-5);
        });
      }
      const exact = run(
        plan,
        right,
        contents.map((content, i) => f64.leaf(content, INPUTS[i])),
      );
      exact.results.forEach(({ data }, i) => {
        expectNear(expected[i], data, `result ${i}, round ${round}, float64`);
      });
      exact.words.forEach((words, i) => {
        expect([...expected[exact.results.length + i]], `words ${i}, round ${round}`).toEqual(words);
      });
      for (const input of inputs) input.dispose();
    }
    for (const engine of [eager, baked, general]) {
      const held = await takeElements(tidy(() => engine.variables.map(one => one.alias())));
      held.forEach((values, i) => {
        expectNear(values, right.contents[i].data, `variable ${i}`);
      });
      expect([...(await engine.words.words())], 'words').toEqual(right.heldWords);
    }
  }
  expect(device().memory.figures().live, 'memory left').toBe(start);
}

const COUNT = LONG ? 2000 : 40;

test(`${COUNT} random programs`, { timeout: LONG ? 5_400_000 : 240_000 }, () =>
  fc.assert(fc.asyncProperty(plans, check), { seed: SEED, numRuns: COUNT, endOnFailure: !LONG }),
);
