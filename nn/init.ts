/**
 * Initial weights: PyTorch's `torch.nn.init`. Each function replaces a variable's content and returns the variable. Fans
 * are those of PyTorch: for a weight [out, in, …], fan-in is in · …, and fan-out out · ….
 */

import { defaultRandom } from '../engine/basics/default-random.ts';
import { ArgumentError, checkOptions, ShapeError } from '../engine/basics/errors.ts';
import type { Philox } from '../engine/basics/philox.ts';
import { formatShape, type Shape, sizeOf } from '../engine/basics/shape.ts';
import type { Variable } from '../engine/variable.ts';

/** Where the random numbers come from. */
export interface InitOptions {
  /** Default: the default source (see `manualSeed`). */
  readonly random?: Philox;
}

/** What follows a layer, for its gain. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu';

/** Options of {@link xavierUniform} and {@link xavierNormal}. */
export interface XavierOptions extends InitOptions {
  /** Factor of the deviation. Default: 1. See {@link calculateGain}. */
  readonly gain?: number;
}

/** Options of {@link kaimingUniform} and {@link kaimingNormal}. */
export interface KaimingOptions extends InitOptions {
  /** Negative slope of the leaky ReLU; used with `leakyRelu` only. Default: 0. */
  readonly a?: number;
  /** `fanIn` (default) keeps the variance of activations, `fanOut` that of gradients. */
  readonly mode?: 'fanIn' | 'fanOut';
  /** Default: `leakyRelu`. */
  readonly nonlinearity?: Nonlinearity;
}

/** Options of {@link truncNormal}. */
export interface TruncNormalOptions extends InitOptions {
  /** Default: 0. */
  readonly mean?: number;
  /** Default: 1. */
  readonly std?: number;
  /** Least value. Default: -2. */
  readonly a?: number;
  /** Largest value. Default: 2. */
  readonly b?: number;
}

/** Recommended gain: 1 for linear layers and sigmoid, 5/3 for tanh, √2 for ReLU, √(2 / (1 + a²)) for leaky ReLU, 3/4 for SELU. */
export function calculateGain(nonlinearity: Nonlinearity, a = 0.01): number {
  switch (nonlinearity) {
    case 'linear':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + a ** 2));
    case 'selu':
      return 3 / 4;
    default:
      throw new ArgumentError('calculateGain', `unknown nonlinearity "${String(nonlinearity)}".`);
  }
}

/** Fan-in and fan-out of a weight. Throws ShapeError for fewer than two axes. */
export function fansOf(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length < 2)
    throw new ShapeError('init', `expected a weight with at least two axes, got ${formatShape(shape)}.`);
  const field = sizeOf(shape.slice(2));
  return { fanIn: shape[1] * field, fanOut: shape[0] * field };
}

/** Writes numbers made one by one. */
function fill(target: Variable, next: (index: number) => number): Variable {
  target.write(Float32Array.from({ length: target.size }, (_, i) => next(i)));
  return target;
}

const sourceOf = ({ random = defaultRandom() }: InitOptions): Philox => random;

/** Uniform in [a, b). */
export function uniform(target: Variable, a = 0, b = 1, options: InitOptions = {}): Variable {
  checkOptions('init.uniform', options, ['random']);
  const random = sourceOf(options);
  return fill(target, () => a + (b - a) * random.uniform());
}

/** Normal. */
export function normal(target: Variable, mean = 0, std = 1, options: InitOptions = {}): Variable {
  checkOptions('init.normal', options, ['random']);
  const random = sourceOf(options);
  return fill(target, () => mean + std * random.normal());
}

/** Normal, without the values outside [a, b]: they are drawn again. Throws ArgumentError if hardly any lie inside. */
export function truncNormal(target: Variable, options: TruncNormalOptions = {}): Variable {
  checkOptions('init.truncNormal', options, ['random', 'mean', 'std', 'a', 'b']);
  const { mean = 0, std = 1, a = -2, b = 2 } = options;
  const isWide = a < b && std >= 0 && a <= mean + 4 * std && b >= mean - 4 * std && b - a > std / 1000;
  if (!isWide)
    throw new ArgumentError('init.truncNormal', `no values of mean ${mean} and std ${std} lie between ${a} and ${b}.`);
  const random = sourceOf(options);
  return fill(target, () => {
    for (;;) {
      const value = mean + std * random.normal();
      if (value >= a && value <= b) return value;
    }
  });
}

/** One value everywhere. */
export const constant = (target: Variable, value: number): Variable => fill(target, () => value);

/** 0 everywhere. */
export const zeros = (target: Variable): Variable => constant(target, 0);

/** 1 everywhere. */
export const ones = (target: Variable): Variable => constant(target, 1);

/** The identity matrix. Throws ShapeError unless there are two axes. */
export function eye(target: Variable): Variable {
  const { shape } = target;
  if (shape.length !== 2) throw new ShapeError('init.eye', `expected a matrix, got ${formatShape(shape)}.`);
  return fill(target, i => (Math.floor(i / shape[1]) === i % shape[1] ? 1 : 0));
}

/**
 * A convolution that gives back its input, as far as channels suffice: 1 at the middle of kernel [i, i].
 * @param groups each group of output channels gives back the group's input channels.
 */
export function dirac(target: Variable, groups = 1): Variable {
  const { shape } = target;
  const [outputs, inputs, ...kernel] = shape;
  if (kernel.length < 1 || kernel.length > 3)
    throw new ShapeError('init.dirac', `expected the weight of a convolution, got ${formatShape(shape)}.`);
  if (!Number.isInteger(groups) || groups < 1 || outputs % groups !== 0)
    throw new ArgumentError('init.dirac', `expected groups to divide ${outputs}, got ${groups}.`);
  const each = outputs / groups;
  const field = sizeOf(kernel);
  const middle = kernel.reduce((at, size) => at * size + Math.floor(size / 2), 0);
  return fill(target, i => {
    const [output, input] = [Math.floor(i / (inputs * field)), Math.floor(i / field) % inputs];
    return i % field === middle && output % each === input ? 1 : 0;
  });
}

/** Uniform in ±gain · √(6 / (fan-in + fan-out)) (Glorot and Bengio 2010, equation 16). */
export function xavierUniform(target: Variable, options: XavierOptions = {}): Variable {
  checkOptions('init.xavierUniform', options, ['random', 'gain']);
  const { fanIn, fanOut } = fansOf(target.shape);
  const bound = (options.gain ?? 1) * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(target, -bound, bound, { random: sourceOf(options) });
}

/** Normal with deviation gain · √(2 / (fan-in + fan-out)) (Glorot and Bengio 2010). */
export function xavierNormal(target: Variable, options: XavierOptions = {}): Variable {
  checkOptions('init.xavierNormal', options, ['random', 'gain']);
  const { fanIn, fanOut } = fansOf(target.shape);
  return normal(target, 0, (options.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut)), { random: sourceOf(options) });
}

/** gain / √fan (He et al. 2015). */
function kaimingDeviation(name: string, shape: Shape, options: KaimingOptions): number {
  checkOptions(name, options, ['random', 'a', 'mode', 'nonlinearity']);
  const { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' } = options;
  if (mode !== 'fanIn' && mode !== 'fanOut')
    throw new ArgumentError(name, `expected mode fanIn or fanOut, got "${String(mode)}".`);
  return calculateGain(nonlinearity, a) / Math.sqrt(fansOf(shape)[mode]);
}

/** Uniform in ±gain · √(3 / fan) (He et al. 2015). */
export function kaimingUniform(target: Variable, options: KaimingOptions = {}): Variable {
  const bound = Math.sqrt(3) * kaimingDeviation('init.kaimingUniform', target.shape, options);
  return uniform(target, -bound, bound, { random: sourceOf(options) });
}

/** Normal with deviation gain / √fan (He et al. 2015, equations 10 and 14). */
export function kaimingNormal(target: Variable, options: KaimingOptions = {}): Variable {
  const std = kaimingDeviation('init.kaimingNormal', target.shape, options);
  return normal(target, 0, std, { random: sourceOf(options) });
}

/**
 * Orthogonal rows, or columns if there are more rows than columns, of length `gain` (Saxe et al. 2014). Axes after the first
 * count as columns. Throws ShapeError for fewer than two axes.
 */
export function orthogonal(target: Variable, options: XavierOptions = {}): Variable {
  checkOptions('init.orthogonal', options, ['random', 'gain']);
  const { shape, size } = target;
  if (shape.length < 2)
    throw new ShapeError('init.orthogonal', `expected at least two axes, got ${formatShape(shape)}.`);
  const { gain = 1 } = options;
  const random = sourceOf(options);
  const rows = shape[0];
  const columns = size / rows;
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
  const vectors = orthonormal(count, length, random);
  return fill(target, i => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return gain * (rows < columns ? vectors[row][column] : vectors[column][row]);
  });
}

/** Orthonormal vectors: Gram-Schmidt on normal ones, twice, which leaves errors of rounding only. */
function orthonormal(count: number, length: number, random: Philox): Float64Array[] {
  const vectors: Float64Array[] = [];
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, () => random.normal());
    for (let pass = 0; pass < 2; pass++)
      for (const other of vectors) {
        const share = dot(vector, other);
        for (let i = 0; i < length; i++) vector[i] -= share * other[i];
      }
    const norm = Math.sqrt(dot(vector, vector));
    // Almost never: it depended on the others.
    if (norm < 1e-9) continue;
    vectors.push(vector.map(value => value / norm));
  }
  return vectors;
}
