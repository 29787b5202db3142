/** Every variant of the matrix product against the plain one, which takes any problem and judges the others. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apply } from '../../engine/apply.ts';
import { f32 } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import type { Operation } from '../../engine/graph/operation.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import type { Variant } from '../../engine/text/variants.ts';
import { countOf, type MatmulProblem } from '../../kernels/products/matmul/problem.ts';
import { matmulFamily } from '../../kernels/products/matmul/variants.ts';
import { sharedDevice, take } from '../device.ts';
import { relativeError, worstElementError } from '../relative-error.ts';
import { LONG, noise, SEED } from './problems.ts';

const device = sharedDevice();

/** Sums of the same products in another order differ by this much in float32. */
const TOLERANCE = 3e-6;

/** An operation that is one variant and nothing else. */
const operationOf = (variant: Variant<MatmulProblem>): Operation<{ readonly problem: MatmulProblem }> => ({
  name: `test.matmul.${variant.name}`,
  infer: (_, { problem }) => [f32([countOf(problem), problem.m, problem.n])],
  lower: ({ attributes: { problem }, baked }, traits) => variant.lower({ ...problem, baked }, traits),
});

/** Compares all variants that accept the problem, or some and the plain one; returns their names. */
async function check(problem: MatmulProblem, wanted: readonly string[] = []): Promise<string[]> {
  const { m, k, n, batch } = problem;
  const matrices = (strides: readonly number[] = []) =>
    strides.reduce((count, stride, axis) => (stride > 0 ? count * batch!.shape[axis] : count), 1);
  const variants = matmulFamily
    .candidates(problem, device().traits)
    .filter(({ name }) => wanted.length === 0 || name === 'plain' || wanted.includes(name));
  const outputs = tidy(() => {
    const a = tensor(noise(matrices(batch?.a) * m * k, 3));
    const b = tensor(noise(matrices(batch?.b) * k * n, 4));
    const run = (...factors: Tensor[]) => variants.map(variant => apply(operationOf(variant), factors, { problem })[0]);
    if (!problem.baked) return run(a, b);
    using compiled = compile(run);
    return compiled(a, b);
  });
  const contents = await take(outputs);
  const plain = contents.at(-1)!;
  const typical = Math.hypot(...plain.subarray(0, 1000)) / Math.sqrt(Math.min(plain.length, 1000));
  variants.forEach(({ name }, i) => {
    const what = `${name} of ${JSON.stringify(problem)}`;
    expect(relativeError(contents[i], plain), what).toBeLessThanOrEqual(TOLERANCE);
    // A wrong element among many would hide in the norm.
    expect(worstElementError(contents[i], plain, typical), `worst element: ${what}`).toBeLessThanOrEqual(
      20 * TOLERANCE,
    );
  });
  return variants.map(({ name }) => name);
}

/** One side of a matrix: single elements, primes, the tiles' sizes and their neighbours. */
const side = fc.constantFrom(1, 2, 5, 8, 15, 16, 17, 31, 64, 65, 127, 130);
const transposes = fc.record({ transposeA: fc.boolean(), transposeB: fc.boolean() });
/** The strides of a batch in matrices: none, pairs, one factor for all, and two axes. */
const batches = fc.constantFrom(
  undefined,
  undefined,
  { shape: [3], a: [1], b: [1] },
  { shape: [2], a: [0], b: [1] },
  { shape: [2, 3], a: [1, 0], b: [0, 1] },
);
const problems = (baked: boolean) =>
  fc
    .tuple(side, fc.constantFrom(1, 3, 4, 16, 18, 37, 64, 130, 1031), side, transposes, batches)
    .map(([m, k, n, which, batch]): MatmulProblem => {
      const times = (strides: readonly number[], size: number) => strides.map(stride => stride * size);
      const some = batch && { batch: { shape: batch.shape, a: times(batch.a, m * k), b: times(batch.b, k * n) } };
      return { m, k, n, ...which, ...some, baked };
    });

test('the plain one comes last, takes everything, and is right', async () => {
  expect(matmulFamily.variants.at(-1)!.name).toBe('plain');
  const result = tidy(() =>
    apply(
      operationOf(matmulFamily.variants.at(-1)!),
      [tensor([1, 2, 3, 4, 5, 6], [2, 3]), tensor([1, 0, -1], [3, 1])],
      {
        problem: { m: 2, k: 3, n: 1, transposeA: false, transposeB: false, baked: false },
      },
    ),
  );
  expect([...(await take(result))[0]]).toEqual([-2, -2]);
});

describe.each([
  ['sizes as arguments', false, LONG ? 60 : 12],
  ['sizes in the text', true, LONG ? 60 : 3],
] as const)('%s', (_, baked, count) => {
  test(`${count} random problems`, () =>
    fc.assert(
      fc.asyncProperty(problems(baked), async problem => {
        await check(problem);
      }),
      { seed: SEED + Number(baked), numRuns: count, endOnFailure: !LONG },
    ));
});

test('a dense layer and its gradients reach every variant that this adapter has', async () => {
  const reached = new Set<string>();
  const layer = { baked: false, transposeA: false, transposeB: false };
  for (const problem of [
    { ...layer, m: 16, k: 4608, n: 128, transposeB: true },
    { ...layer, m: 16, k: 128, n: 4608 },
    { ...layer, m: 128, k: 16, n: 4608, transposeA: true },
    { ...layer, m: 200, k: 256, n: 200 },
  ])
    for (const name of await check(problem)) reached.add(name);
  const possible = matmulFamily.candidates({ ...layer, m: 1, k: 1, n: 1 }, device().traits);
  expect([...reached].toSorted()).toEqual(possible.map(({ name }) => name).toSorted());
});

test('rows of whole vec4s, along the inner axis and across it', async () => {
  for (const transposeA of [false, true])
    await check({ m: 20, k: 36, n: 132, transposeA, transposeB: !transposeA, baked: true });
});

test('small matrices in a batch: the choice counts all of them, and tiles have no rows and columns that these lack', async () => {
  const { traits } = device();
  const layer = { transposeA: false, transposeB: false, baked: true };
  for (const [m, k, n, count] of [
    [24, 64, 24, 24],
    [17, 65, 9, 3],
  ] as const) {
    const problem = { ...layer, m, k, n, batch: { shape: [count], a: [m * k], b: [k * n] } };
    // Tiles for GPUs do not depend on the sizes.
    await check(problem, ['broadcast']);
    const isSmall = count * m * k * n < 2e5;
    const chosen = (of: Partial<typeof traits>) => matmulFamily.choose(problem, { ...traits, ...of }).name;
    expect(chosen({ software: true, subgroupSize: 8 })).toBe(isSmall ? 'plain' : 'broadcast');
    expect(chosen({ software: false })).toBe(isSmall ? 'plain' : 'tiledSquare');
  }
});

// Convolutions' tiles show the same in a quick run.
if (LONG)
  test.each([
    ['64 columns', 64],
    ['128 columns', 128],
  ] as const)('more than 65,535 tiles of %s', async (_, columns) => {
    await check({ m: 1, k: 2, n: columns * 65_536 + 5, transposeA: false, transposeB: false, baked: false });
  });
