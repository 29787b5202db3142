/** Every variant of a convolution's passes against the plain one, which takes any problem and judges the others. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apply } from '../../engine/apply.ts';
import { f32, sizeOf } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import type { Operation } from '../../engine/graph/operation.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { type Conv2dProblem, type Conv2dVariant, outputSize } from '../../kernels/products/conv2d/problem.ts';
import { forwardFamily, inputGradientFamily, weightGradientFamily } from '../../kernels/products/conv2d/variants.ts';
import { sharedDevice, take } from '../device.ts';
import { relativeError, worstElementError } from '../relative-error.ts';
import { LONG, noise, SEED } from './problems.ts';

const device = sharedDevice({ widest: true });

/** Sums of the same products in another order differ by this much in float32. */
const TOLERANCE = 3e-6;

interface Pass {
  readonly name: string;
  readonly variants: readonly Conv2dVariant[];
  readonly shapes: (problem: Conv2dProblem) => { inputs: number[][]; output: number[] };
}

const shapesOf = (problem: Conv2dProblem) => {
  const { n, c, h, w, k, r, s, groups = 1 } = problem;
  return { x: [n, c, h, w], weight: [k, c / groups, r, s], y: [n, k, ...outputSize(problem)] };
};

const passes: readonly Pass[] = [
  {
    name: 'forward',
    variants: forwardFamily.variants,
    shapes: problem => {
      const { x, weight, y } = shapesOf(problem);
      return { inputs: problem.bias ? [x, weight, [problem.k]] : [x, weight], output: y };
    },
  },
  {
    name: 'inputGradient',
    variants: inputGradientFamily.variants,
    shapes: problem => {
      const { x, weight, y } = shapesOf(problem);
      return { inputs: [y, weight], output: x };
    },
  },
  {
    name: 'weightGradient',
    variants: weightGradientFamily.variants,
    shapes: problem => {
      const { x, weight, y } = shapesOf(problem);
      return { inputs: [x, y], output: weight };
    },
  },
];

/** An operation that is one variant of one pass and nothing else. */
function operationOf(pass: Pass, variant: Conv2dVariant): Operation<{ readonly problem: Conv2dProblem }> {
  return {
    name: `test.${pass.name}.${variant.name}`,
    infer: (_, { problem }) => [f32(pass.shapes(problem).output)],
    lower: ({ attributes: { problem }, baked }, traits) => variant.lower({ ...problem, baked }, traits),
  };
}

/** Tiles through workgroup memory are for GPUs: a software driver takes a second for each text. */
const isTile = ({ name }: Conv2dVariant) => name.startsWith('tiled');

/** Which variants random problems are for: all in a long run; else tiles have a few problems of their own. */
const everyday = (variant: Conv2dVariant) => LONG || !isTile(variant);

/** Only take convolutions with as many groups as channels, and have problems of their own. */
const isDepthwise = ({ name }: Conv2dVariant) => name === 'depthwise' || name === 'strip';

/** The result of each wanted variant that accepts the problem, and of the plain one. */
async function results(
  pass: Pass,
  problem: Conv2dProblem,
  wanted: (variant: Conv2dVariant) => boolean,
): Promise<Map<string, Float32Array>> {
  const accepting = pass.variants.filter(variant => variant.accepts(problem, device().traits));
  const plain = accepting.filter(({ name }) => name === 'plain');
  const others = accepting.filter(variant => variant.name !== 'plain' && wanted(variant));
  const outputs = tidy(() => {
    const inputs = pass.shapes(problem).inputs.map((shape, i) => tensor(noise(sizeOf(shape), 7 + i), shape));
    const apart = (variants: readonly Conv2dVariant[], args: Tensor[]) =>
      variants.map(variant => apply(operationOf(pass, variant), args, { problem: { ...problem, baked: true } })[0]);
    // The judge has its sizes as arguments: of constants the driver unrolls its loops, for half a minute.
    const judged = apart(plain, inputs);
    if (!problem.baked || others.length === 0) return [...apart(others, inputs), ...judged];
    using compiled = compile((...args: Tensor[]) => apart(others, args));
    return [...compiled(...inputs), ...judged];
  });
  const contents = await take(outputs);
  return new Map([...others, ...plain].map((variant, i) => [variant.name, contents[i]]));
}

async function check(pass: Pass, problem: Conv2dProblem, wanted = everyday): Promise<string[]> {
  const all = await results(pass, problem, wanted);
  const plain = all.get('plain');
  if (!plain) throw new Error('The plain variant takes every problem.');
  const some = plain.subarray(0, 10_000);
  const typical = Math.hypot(...some) / Math.sqrt(some.length);
  for (const [name, values] of all) {
    const what = `${pass.name} ${name} of ${JSON.stringify(problem)}`;
    expect(relativeError(values, plain), what).toBeLessThanOrEqual(TOLERANCE);
    // A wrong element among many would hide in the norm.
    expect(worstElementError(values, plain, typical), `worst element: ${what}`).toBeLessThanOrEqual(20 * TOLERANCE);
  }
  return [...all.keys()];
}

/** What is part of a text also where sizes are not: channels, kernel, stride, padding. Another one is another second. */
const texts = fc
  .tuple(
    fc.constantFrom([1, 1], [3, 3], [3, 3], [5, 5], [9, 9], [2, 4], [3, 1]),
    fc.constantFrom([1, 1], [1, 1], [1, 1], [2, 2], [2, 2], [2, 1]),
    fc.tuple(fc.nat(), fc.nat()),
    fc.constantFrom(1, 2, 3, 7, 8, 13, 16, 17),
    fc.constantFrom(1, 3, 4, 8, 11, 16, 19),
    fc.boolean(),
  )
  .map(([[r, s], [down, across], [top, left], c, k, bias]) => ({
    c,
    k,
    r,
    s,
    stride: [down, across] as const,
    // From 0 to r − 1.
    padding: [top % r, left % s] as const,
    bias,
  }));

/** Sizes that a text serves: single pixels, primes, more than a tile. */
const sizes = fc.record({
  n: fc.constantFrom(1, 2, 3),
  h: fc.constantFrom(1, 2, 5, 7, 13, 17, 23),
  w: fc.constantFrom(1, 3, 4, 11, 16, 19, 29),
});

/** A problem that has an output. */
function problemOf(
  { n, h, w }: { n: number; h: number; w: number },
  text: Pick<Conv2dProblem, 'c' | 'k' | 'r' | 's' | 'stride' | 'padding' | 'bias'>,
  baked: boolean,
): Conv2dProblem {
  const enough = (size: number, kernel: number, padding: number) => Math.max(size, kernel - 2 * padding);
  return {
    ...text,
    n,
    h: enough(h, text.r, text.padding[0]),
    w: enough(w, text.s, text.padding[1]),
    baked,
  };
}

/** The variants that a depthwise problem has: strips without stride and dilation, and not for sums over several results. */
function depthwiseOf({ name }: Pass, { c, k, stride }: { c: number; k: number; stride: readonly number[] }): string[] {
  const hasStrips = name !== 'weightGradient' && Math.max(...stride) === 1 && (name === 'forward' || c === k);
  return [...(hasStrips ? ['strip'] : []), 'depthwise', 'plain'];
}

describe.each(passes.map(pass => [pass.name, pass] as const))('%s', (_, pass) => {
  test('random problems, each text with several sizes', () =>
    fc.assert(
      fc.asyncProperty(texts, fc.array(sizes, { minLength: 4, maxLength: 4 }), async (text, several) => {
        for (const size of several) await check(pass, problemOf(size, text, false));
      }),
      { seed: SEED, numRuns: LONG ? 60 : 4, endOnFailure: !LONG },
    ));

  test('random problems with their sizes in the text', () =>
    fc.assert(
      fc.asyncProperty(texts, sizes, async (text, size) => {
        await check(pass, problemOf(size, text, true));
      }),
      { seed: SEED + 1, numRuns: LONG ? 60 : 2, endOnFailure: !LONG },
    ));

  test('the network’s own convolutions reach every variant that this adapter has', async () => {
    const layers = [
      { c: 3, k: 16, r: 9, s: 9, padding: [4, 4] as const, bias: true },
      { c: 16, k: 16, r: 3, s: 3, padding: [1, 1] as const, bias: false },
      { c: 16, k: 3, r: 9, s: 9, padding: [4, 4] as const, bias: true },
    ];
    const reached = new Set<string>();
    for (const layer of layers) {
      const problem: Conv2dProblem = { ...layer, n: 2, h: 12, w: 10, stride: [1, 1], baked: false };
      for (const name of await check(pass, problem)) reached.add(name);
    }
    const { software, subgroupSize } = device().traits;
    const names = pass.variants.filter(variant => everyday(variant) && !isDepthwise(variant)).map(({ name }) => name);
    // Three channels fill most of four lanes: nothing is narrow there.
    if (software && subgroupSize === 4) expect(reached).toEqual(new Set(names.filter(name => name !== 'narrow')));
    else if (software && subgroupSize > 4) expect(reached).toEqual(new Set(names));
    else expect(reached.has('plain')).toBe(true);
  });

  test('tiles for GPUs: channels that fill whole steps of the sum and that do not, a stride, more than one tile', async () => {
    const layers = [
      { c: 16, k: 67, r: 3, s: 3, stride: [2, 2], padding: [1, 1], bias: true },
      { c: 3, k: 16, r: 5, s: 5, stride: [1, 1], padding: [2, 4], bias: false },
    ] as const;
    const names = pass.variants.filter(isTile).map(({ name }) => name);
    for (const layer of layers)
      for (const [n, h, w] of [
        [2, 12, 11],
        [1, 17, 23],
        [1, 3, 1],
      ] as const) {
        const problem = problemOf({ n, h, w }, layer, false);
        expect(await check(pass, problem, isTile)).toEqual([...names, 'plain']);
        // The weight gradient's sums are split, which depends on the tile.
        if (pass.name === 'weightGradient') continue;
        const all = await results(pass, problem, isTile);
        for (const name of names) expect(all.get(name), `${name}, to the bit`).toEqual(all.get(names[0]));
      }
  });

  test.each([
    ['3x3', { c: 9, k: 16, r: 3, s: 3, stride: [1, 1], padding: [2, 2], dilation: [2, 2], bias: true }],
    [
      '2x4, apart along one axis',
      { c: 4, k: 3, r: 2, s: 4, stride: [1, 1], padding: [0, 3], end: [1, 2], dilation: [1, 3], bias: false },
    ],
    [
      '5x3, farther than the padding',
      { c: 3, k: 17, r: 5, s: 3, stride: [1, 1], padding: [1, 0], dilation: [2, 5], bias: true },
    ],
  ] as const)('dilated %s: sizes that leave parts of a lattice empty', async (name, layer) => {
    const software = device().traits.subgroupSize >= 4;
    for (const [n, h, w] of [
      [2, 17, 23],
      [1, 8, 11],
    ] as const) {
      const reached = await check(pass, { ...layer, n, h, w, baked: false });
      expect(reached).toContain(software ? 'broadcast' : 'plain');
    }
    if (LONG || name === '3x3') await check(pass, { ...layer, n: 1, h: 8, w: 11, baked: false }, isTile);
    if (LONG || name !== '3x3') await check(pass, { ...layer, n: 2, h: 7, w: 13, baked: true });
  });

  test.each([
    [
      'groups of four and five channels, with a stride',
      { c: 8, k: 10, r: 3, s: 3, stride: [2, 2], padding: [1, 0], groups: 2, bias: true },
    ],
    [
      'groups of more channels than lanes, dilated',
      { c: 34, k: 28, r: 2, s: 1, stride: [1, 1], padding: [0, 0], dilation: [2, 1], groups: 2, bias: false },
    ],
    [
      'three groups of unequal sides',
      { c: 51, k: 12, r: 1, s: 3, stride: [1, 1], padding: [0, 2], groups: 3, bias: true },
    ],
  ] as const)('%s', async (_, layer) => {
    const software = device().traits.subgroupSize >= 4;
    for (const [n, h, w] of [
      [2, 13, 22],
      [3, 5, 6],
    ] as const) {
      const reached = await check(pass, { ...layer, n, h, w, baked: false });
      expect(reached).toContain(software ? 'broadcast' : 'plain');
    }
    await check(pass, { ...layer, n: 2, h: 5, w: 9, baked: true });
    if (LONG || Math.max(...layer.stride) > 1) await check(pass, { ...layer, n: 3, h: 5, w: 6, baked: false }, isTile);
  });

  test.each([
    ['3x3', { c: 5, k: 5, r: 3, s: 3, stride: [1, 1], padding: [1, 1], groups: 5, bias: true }],
    [
      '5x2, two results per channel',
      { c: 3, k: 6, r: 5, s: 2, stride: [1, 1], padding: [4, 0], end: [1, 2], groups: 3, bias: true },
    ],
    [
      '2x4 of stride 2x1, dilated, two results per channel',
      {
        c: 3,
        k: 6,
        r: 2,
        s: 4,
        stride: [2, 1],
        padding: [1, 2],
        end: [0, 3],
        dilation: [3, 1],
        groups: 3,
        bias: false,
      },
    ],
  ] as const)('depthwise %s: single pixels, and more than a tile', async (_, layer) => {
    for (const [n, h, w] of [
      [2, 17, 21],
      [1, 4, 1],
    ] as const)
      for (const baked of [false, true])
        expect(await check(pass, { ...layer, n, h, w, baked })).toEqual(depthwiseOf(pass, layer));
  });

  test('depthwise sums split over workgroups', async () => {
    const layer = { c: 2, k: 2, r: 3, s: 1, stride: [1, 1], padding: [1, 0], groups: 2, bias: false } as const;
    expect(await check(pass, { ...layer, n: 3, h: 90, w: 70, baked: false })).toEqual(depthwiseOf(pass, layer));
  });

  // The weight gradient would need 67 million weights for that.
  if (pass.name !== 'weightGradient')
    test.each([['tiledSmall', 1024], ...(LONG ? ([['tiled', 4096]] as const) : [])] as const)(
      '%s: more than 65,535 tiles',
      async (name, w) => {
        const layer = { c: 1, k: 1, r: 1, s: 1, stride: [1, 1], padding: [0, 0], bias: false } as const;
        expect(
          await check(pass, { ...layer, n: 1, h: 2049, w, baked: false }, variant => variant.name === name),
        ).toEqual([name, 'plain']);
      },
    );

  if (LONG)
    test('tiles for GPUs: 48 random problems of 12 texts, and 12 with their sizes in the text', () =>
      fc.assert(
        fc.asyncProperty(texts, fc.array(sizes, { minLength: 5, maxLength: 5 }), async (text, several) => {
          for (const [i, size] of several.entries()) await check(pass, problemOf(size, text, i === 4), isTile);
        }),
        { seed: SEED + 2, numRuns: 12 },
      ));
});
