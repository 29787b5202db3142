/**
 * The kernels' texts for real GPUs, run on whatever adapter there is: operations are told that it is no software driver
 * and has no subgroups. Their speed says nothing here, their numbers do.
 */
import { describe, expect, test } from 'vitest';
import type { Specified } from '../../engine/specify.ts';
import { tidy } from '../../engine/tensor.ts';
import type { Kernel } from '../../engine/text/kernel.ts';
import type { Family } from '../../engine/text/variants.ts';
import { type Conv2dProblem, outputSize } from '../../kernels/products/conv2d/problem.ts';
import { convolutionFamilies } from '../../kernels/products/conv2d/variants.ts';
import { matmulFamily } from '../../kernels/products/matmul/variants.ts';
import { sharedDevice, takeElements } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import { checkRandomProblems, describeProblem, LONG, type Problem, referenceOf, tensorsOf } from './problems.ts';
import { byName, specifiedBy } from './specified.ts';

const device = sharedDevice({ traits: { software: false, subgroupSize: 0 } });

const RANDOM = LONG ? 40 : 1;

async function check(operation: Specified, problem: Problem): Promise<void> {
  const results = await takeElements(tidy(() => operation.call(tensorsOf(problem), problem.attributes)));
  referenceOf(operation, problem).forEach((expected, i) => {
    const error = relativeError(results[i], expected);
    expect(error, `output ${i}`).toBeLessThanOrEqual(operation.tolerance ?? 1e-6);
  });
}

describe.each(byName())('%s', (_, operation) => {
  // The variants of convolutions and products have tests of their own.
  const samples = operation.samples.slice(0, LONG ? undefined : 1);
  test.each(samples.map(sample => [describeProblem(sample), sample] as const))('%s', (_, sample) =>
    check(operation, sample),
  );

  test(`${RANDOM} random problems`, () => checkRandomProblems(operation, RANDOM, problem => check(operation, problem)));
});

test('every variant keeps within what any WebGPU device offers', () => {
  const layer = { n: 2, c: 3, h: 40, w: 40, k: 5, r: 9, s: 9, padding: [4, 4], bias: true } as const;
  const product = { m: 16, k: 640, n: 128, transposeA: false };
  const texts = [true, false].flatMap(baked => [
    ...convolutionFamilies.flatMap(family =>
      ([1, 2] as const).flatMap(step => kernelsOf(family, { ...layer, stride: [step, step], baked })),
    ),
    ...[true, false].flatMap(transposeB => kernelsOf(matmulFamily, { ...product, transposeB, baked })),
  ]);
  for (const { name, wgsl, bindings } of texts) {
    const invocations = Number(/@workgroup_size\((\d+)\)/.exec(wgsl)![1]);
    const memory = [...wgsl.matchAll(/var<workgroup> \w+: array<vec[34][fi], (\d+)>/g)];
    expect([...wgsl.matchAll(/var<workgroup>/g)], name).toHaveLength(memory.length);
    expect(invocations, name).toBeLessThanOrEqual(256);
    expect(16 * memory.reduce((sum, [, length]) => sum + Number(length), 0), name).toBeLessThanOrEqual(16_384);
    expect(bindings.length, name).toBeLessThanOrEqual(8);
  }
  expect(texts.filter(({ wgsl }) => wgsl.includes('var<workgroup>')).length).toBeGreaterThan(40);
});

/** The kernels of all variants that need no subgroups. */
const kernelsOf = <P>(family: Family<P>, problem: P): Kernel[] =>
  family
    .candidates(problem, device().traits)
    .flatMap(variant => variant.lower(problem, device().traits).steps.map(({ kernel }) => kernel));

describe('problems large enough for tiles', () => {
  const layers = [
    // Channels in and out, kernel, stride, padding; batch, height, width; tiles of the three passes.
    [8, 64, 3, 1, 1, 4, 64, 66, ['tiled', 'tiledThin', 'tiledSmall']],
    [16, 24, 3, 2, 1, 4, 31, 30, ['tiledSmall', 'tiledSmall', 'tiledSmall']],
    [16, 3, 9, 1, 4, 2, 24, 20, ['tiledThin', 'tiledSmall', 'tiledThin']],
    [3, 40, 5, 1, 2, 3, 40, 41, ['tiledSmall', 'tiledThin', 'tiledSmall']],
  ] as const;

  test.each(LONG ? layers : layers.slice(1))(
    'conv2d %i>%i %ix, stride %i',
    async (c, k, r, step, pad, n, h, w, tiles) => {
      const stride = [step, step] as const;
      const padding = [pad, pad] as const;
      const problem: Conv2dProblem = { n, c, h, w, k, r, s: r, stride, padding, bias: true, baked: false };
      const y = { shape: [n, k, ...outputSize(problem)] };
      const x = { shape: [n, c, h, w] };
      const weight = { shape: [k, c, r, r] };
      expect(convolutionFamilies.map(family => family.choose(problem, device().traits).name)).toEqual(tiles);
      await check(specifiedBy('conv2d'), { inputs: [x, weight, { shape: [k] }], attributes: { stride, padding } });
      const gradients = { stride, padding };
      await check(specifiedBy('conv2dInputGradient'), {
        inputs: [y, weight],
        attributes: { ...gradients, shape: x.shape },
      });
      await check(specifiedBy('conv2dWeightGradient'), {
        inputs: [x, y],
        attributes: { ...gradients, shape: weight.shape },
      });
    },
  );

  test.each([
    [16, 2304, 70, false, true, 'tiledSmall'],
    [16, 70, 2304, false, false, 'tiledSmall'],
    [1024, 16, 2048, true, false, 'tiled'],
  ] as const)('matmul %ix%ix%i', async (m, k, n, transposeA, transposeB, tile) => {
    const attributes = { transposeA, transposeB };
    expect(matmulFamily.choose({ m, k, n, ...attributes, baked: false }, device().traits).name).toBe(tile);
    const inputs = [{ shape: transposeA ? [k, m] : [m, k] }, { shape: transposeB ? [n, k] : [k, n] }];
    await check(specifiedBy('matmul'), { inputs, attributes });
  });
});
