/** Random programs, written once for whatever computes them: this engine, eager or compiled, and float64. */
import fc from 'fast-check';
import type { Shape } from '../../engine/basics/shape.ts';
import { sizeOf } from '../../engine/basics/shape.ts';

/** What programs are made of. `T` is a tensor of f32, `W` one of u32. */
export interface Machine<T, W> {
  shapeOf(x: T): Shape;
  neg(x: T): T;
  tanh(x: T): T;
  relu(x: T): T;
  square(x: T): T;
  scale(x: T, by: number): T;
  shift(x: T, by: number): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  /** Ties pass half of the gradient to each. */
  maximum(a: T, b: T): T;
  /** a < b as 1 or 0. */
  less(a: T, b: T): T;
  /** Along the last of two axes. */
  softmax(x: T): T;
  where(c: T, a: T, b: T): T;
  /** Of a matrix: means of neighbours in a row, with a zero before the first and after the last. */
  pairMeans(x: T): T;
  /** Of a matrix: twice as many columns by linear interpolation. */
  stretchColumns(x: T): T;
  /** Of a matrix: its right neighbour minus its left one in the row, with zeros around. */
  dilatedDifferences(x: T): T;
  reshape(x: T, shape: Shape): T;
  transpose(x: T): T;
  concat(a: T, b: T): T;
  slice(x: T, from: number, to: number): T;
  /** Every other element of a flat tensor. */
  everyOther(x: T): T;
  /** Of a flat tensor. */
  flip(x: T): T;
  cumsum(x: T): T;
  /** Its elements at indices, which may repeat. */
  select(x: T, indices: readonly number[]): T;
  stack(a: T, b: T): T;
  /** Each row of two axes times itself, as a batch of products: [rows]. */
  rowProducts(x: T): T;
  pad(x: T, before: number, after: number): T;
  broadcastTo(x: T, shape: Shape): T;
  matmul(a: T, b: T): T;
  sum(x: T): T;
  mean(x: T): T;
  meanOver(x: T, axis: 0 | 1, keep: boolean): T;
  /** Side by side with gaps, and the second one of them. */
  secondOfPack(a: T, b: T): T;
  /** 1 / √(v + 0.5), and two running averages, of flat tensors: one operation with three outputs. */
  statistics(mean: T, variance: T): readonly [T, T, T];
  grad(loss: T, wrt: readonly T[]): T[];
  /** The gradient of Σ (gradient of the loss)² with respect to the same. */
  secondGrad(loss: T, wrt: T): T;
  /** What variable `i` holds now: 0 and 1 stand alone, 2 and 3 lie in the buffer of an optimizer. */
  read(i: number): T;
  /** The variable itself, to be used at once. */
  held(i: number): T;
  assign(i: number, x: T): void;
  /** A step of the optimizer of variables 2 and 3. */
  update(gradients: readonly [T, T]): void;
  /** Halves all that lies in the optimizer's buffer. */
  halveWhole(): void;
  readWords(): W;
  assignWords(w: W): void;
  turnWords(w: W): W;
}

export const VARIABLES: readonly Shape[] = [[5], [2, 3], [4], [3, 2]];
export const WORDS: Shape = [2, 3];
export const INPUTS: readonly Shape[] = [[4, 6], [4, 6], [24], [1, 3, 2, 2]];

interface Scope<T, W> {
  readonly m: Machine<T, W>;
  readonly values: readonly T[];
  readonly words: W[];
  pick<P>(options: readonly P[]): P;
}

type Step = <T, W>(x: T, scope: Scope<T, W>) => T;

const same = (a: Shape, b: Shape) => a.join() === b.join();
/** Something already computed of the same shape as `x`, which is always there: x itself. */
const like = <T, W>({ m, values, pick }: Scope<T, W>, x: T): T =>
  pick(values.filter(y => same(m.shapeOf(y), m.shapeOf(x))));
const sizeIn = <T, W>({ m }: Scope<T, W>, x: T) => sizeOf(m.shapeOf(x));
const flat = <T, W>(scope: Scope<T, W>, x: T): T => scope.m.reshape(x, [sizeIn(scope, x)]);
/** The whole in two dimensions. */
const square = <T, W>(scope: Scope<T, W>, x: T): T => {
  const rows = scope.m.shapeOf(x)[0] ?? 1;
  return scope.m.reshape(x, [rows, sizeIn(scope, x) / rows]);
};
/** Something of the variable's shape that depends on all of x. */
const shaped = <T, W>({ m }: Scope<T, W>, x: T, variable: number): T =>
  m.add(m.scale(m.read(variable), 0.5), m.mean(m.tanh(x)));
const anyVariable = <T, W>({ pick }: Scope<T, W>): number => pick([0, 1, 2, 3]);

/** Steps whose results stay of moderate size. */
export const STEPS: Readonly<Record<string, Step>> = {
  neg: (x, { m }) => m.neg(x),
  tanh: (x, { m }) => m.tanh(x),
  relu: (x, { m }) => m.relu(x),
  half: (x, { m }) => m.scale(x, 0.5),
  shift: (x, { m }) => m.shift(x, 0.25),
  squareTanh: (x, { m }) => m.square(m.tanh(x)),
  add: (x, scope) => scope.m.scale(scope.m.add(x, like(scope, x)), 0.5),
  sub: (x, scope) => scope.m.sub(like(scope, x), scope.m.tanh(x)),
  mul: (x, scope) => scope.m.mul(scope.m.tanh(x), scope.m.tanh(like(scope, x))),
  where: (x, scope) => scope.m.where(scope.m.relu(x), like(scope, x), scope.m.neg(x)),
  maximum: (x, scope) => scope.m.maximum(x, like(scope, x)),
  less: (x, scope) => scope.m.add(x, scope.m.mul(scope.m.less(x, like(scope, x)), scope.m.tanh(x))),
  softmax: (x, scope) => scope.m.softmax(square(scope, scope.m.tanh(x))),
  pairMeans: (x, scope) => (sizeIn(scope, x) > 100 ? x : scope.m.pairMeans(square(scope, x))),
  stretchColumns: (x, scope) => (sizeIn(scope, x) > 60 ? x : scope.m.stretchColumns(square(scope, x))),
  dilatedDifferences: (x, scope) => scope.m.scale(scope.m.dilatedDifferences(square(scope, x)), 0.5),
  center: (x, { m }) => m.sub(x, m.mean(x)),
  rows: (x, scope) => scope.m.add(square(scope, x), scope.m.meanOver(square(scope, x), 1, true)),
  columns: (x, scope) => scope.m.meanOver(square(scope, x), 0, false),
  flat: (x, scope) => flat(scope, x),
  square: (x, scope) => square(scope, x),
  sameShape: (x, { m }) => m.reshape(x, m.shapeOf(x)),
  transpose: (x, scope) => scope.m.transpose(square(scope, x)),
  concat: (x, scope) => (sizeIn(scope, x) > 100 ? x : scope.m.concat(square(scope, x), square(scope, like(scope, x)))),
  slice: (x, scope) => scope.m.slice(flat(scope, x), Math.floor(sizeIn(scope, x) / 3), sizeIn(scope, x)),
  everyOther: (x, scope) => scope.m.everyOther(flat(scope, x)),
  flip: (x, scope) => scope.m.flip(flat(scope, x)),
  cumsum: (x, scope) => scope.m.scale(scope.m.cumsum(scope.m.tanh(flat(scope, x))), 1 / sizeIn(scope, x)),
  select: (x, scope) => {
    const size = sizeIn(scope, x);
    const step = scope.pick([1, 2, 3]);
    const indices = Array.from({ length: Math.min(size, 40) }, (_, i) => (i * step) % size);
    return scope.m.select(flat(scope, x), [...indices, 0]);
  },
  stack: (x, scope) => (sizeIn(scope, x) > 60 ? x : scope.m.stack(x, like(scope, x))),
  rowProducts: (x, scope) => scope.m.tanh(scope.m.rowProducts(square(scope, x))),
  pad: (x, scope) => (sizeIn(scope, x) > 100 ? x : scope.m.pad(flat(scope, x), 1, 2)),
  matmul: (x, scope) => scope.m.tanh(scope.m.matmul(square(scope, x), scope.m.transpose(square(scope, x)))),
  stretch: (x, scope) => (sizeIn(scope, x) > 60 ? x : scope.m.broadcastTo(flat(scope, x), [2, sizeIn(scope, x)])),
  secondOfPack: (x, scope) => scope.m.secondOfPack(scope.m.neg(x), like(scope, x)),
  statistics: (x, scope) => {
    const average = scope.m.tanh(flat(scope, x));
    return scope.pick(scope.m.statistics(average, scope.m.square(average)));
  },
  gradient: (x, { m }) => {
    // Through a variable, so that it is recorded whatever x is.
    const y = m.tanh(m.add(x, m.mean(m.read(0))));
    return m.grad(m.sum(m.square(y)), [y])[0]!;
  },
  gradientOfVariable: (x, scope) => {
    const { m } = scope;
    const v = m.held(anyVariable(scope));
    return m.add(m.mean(m.grad(m.mean(m.tanh(m.mul(m.mean(v), x))), [v])[0]!), x);
  },
  secondGradient: (x, { m }) => m.secondGrad(m.sum(m.square(m.tanh(m.scale(m.add(x, m.mean(m.read(1))), 0.5)))), x),
  read: (_, scope) => scope.m.read(anyVariable(scope)),
  /** A view of a variable that is assigned afterwards. */
  keep: (x, scope) => {
    const i = anyVariable(scope);
    const view = scope.pick([square, flat, (s: typeof scope, y: typeof x) => s.m.reshape(y, s.m.shapeOf(y))]);
    const old = view(scope, scope.m.read(i));
    scope.m.assign(i, shaped(scope, x, i));
    return old;
  },
  assign: (x, scope) => {
    const i = anyVariable(scope);
    scope.m.assign(i, shaped(scope, x, i));
    return x;
  },
  assignDetached: (x, scope) => {
    const { m } = scope;
    const y = m.tanh(m.add(x, m.mean(m.read(0))));
    m.assign(1, m.broadcastTo(m.mean(y), VARIABLES[1]));
    // Through y itself, and not through what the variable took over.
    return m.grad(m.sum(m.mul(m.square(y), m.mean(m.read(1)))), [y])[0]!;
  },
  /** The gradient of what was computed before an assignment. */
  gradientAcross: (x, scope) => {
    const { m } = scope;
    const i = anyVariable(scope);
    const y = m.tanh(m.add(x, m.mean(m.read(0))));
    const loss = m.sum(m.mul(m.square(y), m.mean(m.square(m.held(i)))));
    m.assign(i, shaped(scope, y, i));
    return m.grad(loss, [y])[0]!;
  },
  swap: (x, { m }) => {
    const old = m.reshape(m.read(2), [2, 2]);
    m.assign(2, m.slice(m.reshape(m.read(3), [6]), 1, 5));
    m.assign(3, m.reshape(m.pad(m.reshape(old, [4]), 1, 1), [3, 2]));
    return x;
  },
  copy: (x, { m }) => {
    m.assign(3, m.transpose(m.read(1)));
    m.assign(3, m.read(3));
    return x;
  },
  update: (x, { m }) => {
    const [a, b] = [m.held(2), m.held(3)];
    const loss = m.mean(m.tanh(m.mul(m.mean(a), m.add(x, m.mean(m.square(b))))));
    const [ga, gb] = m.grad(loss, [a, b]);
    m.update([ga!, gb!]);
    return m.add(x, m.mean(m.read(2)));
  },
  lateUpdate: (x, { m }) => {
    const old = m.reshape(m.read(3), [2, 3]);
    m.update([m.scale(m.read(2), 0.1), m.square(m.read(3))]);
    return m.add(m.mean(old), x);
  },
  halveWhole: (x, { m }) => {
    m.halveWhole();
    return x;
  },
  turnWords: (x, { m, words }) => {
    words.push(m.turnWords(m.readWords()));
    return x;
  },
  assignWords: (x, { m, words, pick }) => {
    words.push(m.readWords());
    m.assignWords(pick(words));
    return x;
  },
};

export interface Plan {
  readonly steps: readonly { readonly name: string; readonly on: number; readonly choice: number }[];
  /** Which values are results. */
  readonly results: readonly number[];
}

export const plans: fc.Arbitrary<Plan> = fc.record({
  steps: fc.array(fc.record({ name: fc.constantFrom(...Object.keys(STEPS)), on: fc.nat(), choice: fc.nat() }), {
    minLength: 1,
    maxLength: 14,
  }),
  results: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
});

/** Runs a plan on whatever it is given: the same calls each time. Results, then words. */
export function run<T, W>(plan: Plan, m: Machine<T, W>, inputs: readonly T[]): { results: T[]; words: W[] } {
  const values: T[] = [...inputs];
  const words: W[] = [m.readWords()];
  for (const { name, on, choice } of plan.steps) {
    let turn = choice;
    const pick = <P>(options: readonly P[]): P => options[turn++ % options.length]!;
    // Late values more often: programs shall be deep.
    const x = values[values.length - 1 - (on % Math.min(values.length, 3))]!;
    values.push(STEPS[name](x, { m, values, words, pick }));
  }
  return { results: plan.results.map(result => values[result % values.length]!), words };
}
