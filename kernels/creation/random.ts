/** Random numbers by a generator's state. */
import { apply } from '../../engine/apply.ts';
import { ArgumentError, checkOptions, nameOf, quoted } from '../../engine/basics/errors.ts';
import { philox4x32 } from '../../engine/basics/philox.ts';
import { checkShape, f32, type Shape, sizeOf, u32 } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import type { Device } from '../../engine/device/device.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { input, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { LOG, SINE } from '../elementwise/precise.ts';
import { oddShape } from '../references.ts';
import { defaultGenerator, Generator } from './generator.ts';
import { PHILOX, STATE, STATE_TEXT } from './philox.ts';

/** What random words become: themselves, or numbers of a distribution with two parameters. */
type Distribution = 'words' | 'uniform' | 'normal' | 'bernoulli' | 'randint';

type RandomAttributes = {
  readonly shape: Shape;
  readonly distribution: Distribution;
  /** The lower bound, the mean, or the probability. */
  readonly first: number;
  /** The upper bound, or the standard deviation. */
  readonly second: number;
};

/** Pairs of words as pairs of normal numbers (Box and Muller 1958). */
const NORMAL = `fn philoxNormal(words: vec2u) -> vec2f {
  let radius = sqrt(-2.0 * daybreakLog(1.0 - philoxUniform(words.x)));
  let angle = 6.28318530718 * philoxUniform(words.y);
  return radius * vec2f(daybreakSine(angle, 1u), daybreakSine(angle, 0u));
}`;

/** Each invocation makes four results of one block. */
export const randomOp: Declaration<RandomAttributes> = /* @__PURE__ */ defineOp<RandomAttributes>({
  name: 'random',
  takes: ['u32'],
  infer: (_, { shape, distribution }) => [distribution === 'words' ? u32(shape) : f32(shape)],
  lower({ attributes: { shape, distribution, first, second } }, traits) {
    const elements = sizeOf(shape);
    const blocks = Math.ceil(elements / 4);
    const isRange = distribution === 'randint';
    // Always arguments: drivers fold constants differently, and compiled code shall give the bits of eager code.
    const numbers = new Numbers(false, { n: elements, blocks, ...(isRange && { low: first, range: second - first }) });
    const [a, b] = isRange ? ['', ''] : [numbers.float(first), numbers.float(second)];
    const uniforms =
      'vec4f(philoxUniform(words.x), philoxUniform(words.y), philoxUniform(words.z), philoxUniform(words.w))';
    const values: Readonly<Record<Distribution, string>> = {
      words: 'words',
      uniform: `${a} + (${b} - ${a}) * ${uniforms}`,
      normal: `${a} + ${b} * vec4f(philoxNormal(words.xy), philoxNormal(words.zw))`,
      bernoulli: `select(vec4f(), vec4f(1.0), ${uniforms} < vec4f(${a}))`,
      randint: 'vec4f(vec4i(low) + vec4i(words % vec4u(u32(range))))',
    };
    const type = distribution === 'words' ? 'u32' : 'f32';
    const kernel = assembleElements(
      {
        name: `random ${distribution}`,
        reads: ['state: array<u32>'],
        writes: [`result: array<${type}>`],
        declarations: [...PHILOX, ...(distribution === 'normal' ? [...LOG, ...SINE, NORMAL] : [])].join('\n'),
        numbers,
        elements: blocks,
        count: 'blocks',
        before: `let start = ${STATE_TEXT};`,
        body: `let words = philoxBlock(start, u32(index));
    let values = ${values[distribution]};
    for (var lane = 0; lane < min(4, n - index * 4); lane++) { result[index * 4 + lane] = values[lane]; }`,
      },
      traits,
    );
    return { steps: [{ kernel, operands: [input(0), output(0)] }], scratch: [] };
  },
});

/** The first words after a state, on the CPU. */
export function wordsAfter(state: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: Math.ceil(count / 4) }, (_, i) => {
    const low = state[2] + i;
    const counter = [low >>> 0, (state[3] + Math.floor(low / 2 ** 32)) >>> 0, 0, 0] as const;
    return philox4x32(counter, [state[0], state[1]]);
  })
    .flat()
    .slice(0, count);
}

/** Uniform in [0, 1), as the GPU makes it of a word. */
export const uniformOf = (word: number): number => (word >>> 8) / 2 ** 24;

/** A state near a carry, as sample input. */
export const sampleState = { shape: [STATE], dtype: 'u32', values: [12345, 678, 2 ** 32 - 2, 9] } as const;

/* @__PURE__ */ specify<RandomAttributes>(randomOp, () => ({
  summary: 'Random words (Philox 4×32-10), and uniform, normal, Bernoulli or whole numbers made of them.',
  reference([state], _, { shape, distribution, first, second }) {
    const count = sizeOf(shape);
    const words = wordsAfter(state, Math.ceil(count / 4) * 4);
    const [a, b] = [Math.fround(first), Math.fround(second)];
    const normal = (i: number) => {
      const [x, y] = [words[i - (i % 2)], words[i - (i % 2) + 1]].map(uniformOf);
      const angle = 2 * Math.PI * y;
      return Math.sqrt(-2 * Math.log(1 - x)) * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    };
    const numberOf = (word: number, i: number): number => {
      if (distribution === 'words') return word;
      if (distribution === 'uniform') return a + (b - a) * uniformOf(word);
      if (distribution === 'normal') return a + b * normal(i);
      if (distribution === 'bernoulli') return Number(uniformOf(word) < a);
      return first + (word % (second - first));
    };
    return [Float64Array.from(words, numberOf).slice(0, count)];
  },
  samples: [
    { inputs: [sampleState], attributes: { shape: [3, 5], distribution: 'words', first: 0, second: 0 } },
    { inputs: [sampleState], attributes: { shape: [7], distribution: 'randint', first: -3, second: 8 } },
    { inputs: [sampleState], attributes: { shape: [9], distribution: 'normal', first: 1, second: 2 } },
  ],
  random: choose => ({
    inputs: [{ shape: [STATE], dtype: 'u32', range: [0, 2 ** 32] }],
    attributes: {
      shape: oddShape(choose),
      distribution: choose.pick(['words', 'uniform', 'normal', 'bernoulli', 'randint'] as const),
      first: choose.pick([0, 0.25]) * 4 ** choose.integer(0, 1),
      second: 5,
    },
  }),
  // The angle of a normal number is rounded.
  tolerance: 4e-6,
}));

/** Options of all functions that draw. */
export interface RandomOptions {
  /** Default: the default device's. */
  readonly generator?: Generator;
}

/** The generator in options, which is made if it is the default one and not used before. Throws ArgumentError. */
export function generatorIn(
  operation: string,
  options: RandomOptions,
  names: readonly string[],
  device?: Device,
): Generator {
  checkGenerator(operation, options, names);
  return options.generator ?? defaultGenerator(device);
}

/** Throws ArgumentError for other options than `generator` and `names`, or if the generator is none. */
export function checkGenerator(operation: string, options: RandomOptions, names: readonly string[]): void {
  checkOptions(operation, options, ['generator', ...names]);
  const { generator } = options;
  if (generator !== undefined && !(generator instanceof Generator))
    throw new ArgumentError(operation, `expected generator to be a Generator, got ${nameOf(generator)}.`);
}

function draw(
  operation: string,
  shape: Shape,
  distribution: Distribution,
  [first, second]: readonly [number, number],
  generator: Generator,
): Tensor {
  checkShape(operation, shape);
  for (const value of [first, second])
    if (typeof value !== 'number') throw new ArgumentError(operation, `expected numbers, got ${nameOf(value)}.`);
  const [made] = apply(randomOp, [generator.state], { shape, distribution, first, second });
  generator.advance(sizeOf(shape));
  return made;
}

/** Random words, u32: those of {@link Philox} with the generator's seed, in order. */
export const words = (shape: Shape, options: RandomOptions = {}): Tensor =>
  draw('random.words', shape, 'words', [0, 0], generatorIn('random.words', options, []));

/** Options of `random.uniform`. */
export interface UniformOptions extends RandomOptions {
  /** Bounds; default 0 (included) and 1 (excluded, but reached by rounding if the range is not [0, 1)). */
  readonly low?: number;
  /** See `low`. Default: 1. */
  readonly high?: number;
}

/** Uniform numbers in [low, high), multiples of 2⁻²⁴ of the range. PyTorch's `rand` and `uniform_`. */
export function uniform(shape: Shape, options: UniformOptions = {}): Tensor {
  const generator = generatorIn('random.uniform', options, ['low', 'high']);
  const { low = 0, high = 1 } = options;
  return draw('random.uniform', shape, 'uniform', [low, high], generator);
}

/** Options of `random.normal`. */
export interface NormalOptions extends RandomOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation; default 1. */
  readonly std?: number;
}

/** Normal numbers (Box and Muller 1958), at most 5.8 standard deviations from the mean. PyTorch's `randn` and `normal`. */
export function normal(shape: Shape, options: NormalOptions = {}): Tensor {
  const generator = generatorIn('random.normal', options, ['mean', 'std']);
  const { mean = 0, std = 1 } = options;
  return draw('random.normal', shape, 'normal', [mean, std], generator);
}

/** Options of `random.bernoulli`. */
export interface BernoulliOptions extends RandomOptions {
  /** The probability of 1, from 0 to 1; default 0.5. */
  readonly p?: number;
}

/** 1 with probability `p`, else 0. PyTorch's `bernoulli_`. */
export function bernoulli(shape: Shape, options: BernoulliOptions = {}): Tensor {
  const generator = generatorIn('random.bernoulli', options, ['p']);
  const { p = 0.5 } = options;
  if (!(p >= 0 && p <= 1)) throw new ArgumentError('random.bernoulli', `expected p from 0 to 1, got ${quoted(p)}.`);
  return draw('random.bernoulli', shape, 'bernoulli', [p, 0], generator);
}

/**
 * Whole numbers from `low` to below `high`, as f32. Bounds are integers of at most 2²⁴ in size. Words modulo the range, as in
 * PyTorch's `randint`: numbers differ in probability by less than range · 2⁻³². Throws ArgumentError.
 */
export function randint(low: number, high: number, shape: Shape, options: RandomOptions = {}): Tensor {
  const generator = generatorIn('random.randint', options, []);
  const isBound = (value: number) => Number.isInteger(value) && Math.abs(value) <= 2 ** 24;
  if (!isBound(low) || !isBound(high) || low >= high)
    throw new ArgumentError(
      'random.randint',
      `expected integers low < high of at most 2²⁴ in size, got ${quoted(low)} and ${quoted(high)}.`,
    );
  return draw('random.randint', shape, 'randint', [low, high], generator);
}
