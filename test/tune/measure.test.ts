import { describe, expect, test } from 'vitest';
import { f32, type TensorSpec } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import type { Operation } from '../../engine/graph/operation.ts';
import { Node, Value } from '../../engine/graph/value.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import { input, type Kernel, output, scratch } from '../../engine/text/kernel.ts';
import { Family } from '../../engine/text/variants.ts';
import { families } from '../../kernels/families.ts';
import { add, conv2d } from '../../kernels/index.ts';
import { type MeasureOptions, measureOf, timeCandidates } from '../../tune/measure.ts';
import { problemsOf, type TuningProblem } from '../../tune/problems.ts';
import { PROGRAMS } from '../../tune/programs.ts';
import { sharedDevice } from '../device.ts';

const device = sharedDevice();

const SPEC: TensorSpec = f32([64]);

/** Turns of a loop that each variant makes. */
const TURNS = { quick: 1_000, slow: 100_000, hopeless: 1_000_000 };

const kernelOf = (turns: number): Kernel => ({
  name: `turns ${turns}`,
  wgsl: `@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
  var sum = x[i];
  for (var turn = 0; turn < ${turns}; turn++) { sum = sum * 0.5 + x[(i + u32(turn)) % 64u]; }
  y[i] = sum;
}`,
  bindings: ['read', 'write'],
  workgroups: [1, 1, 1],
});

const family = new Family<unknown>({
  name: 'loops',
  variants: Object.entries(TURNS).map(([name, turns]) => ({
    name,
    accepts: () => true,
    lower: () => ({ steps: [{ kernel: kernelOf(turns), operands: [input(0), output(0)] }], scratch: [] }),
  })),
  rule: () => ['slow'],
  key: () => 'one',
});

const operation: Operation<never> = {
  name: 'loops',
  infer: () => [SPEC],
  lower: (problem, traits) => family.choose(problem, traits).lower(problem, traits),
};

const problem: TuningProblem = {
  family: 'loops',
  key: 'one',
  candidates: ['slow', 'quick', 'hopeless'],
  node: new Node(operation, [new Value(SPEC)], [new Value(SPEC)], {}),
  baked: true,
};

const cpuTime = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const times = (more: Partial<MeasureOptions> = {}) => timeCandidates(device(), problem, { cpuTime, ...more });

describe('timing', () => {
  test('tells fast from slow, and measures no further what has no hope', async () => {
    const begun: string[] = [];
    const [slow, quick, hopeless] = await times({ rounds: 3, onCandidate: name => begun.push(name) });
    expect(begun).toEqual(['slow', 'quick', 'hopeless']);
    expect([slow.variant, quick.variant, hopeless.variant]).toEqual(begun);
    expect(quick.ms).toBeLessThan(slow.ms / 3);
    expect(slow.ms).toBeLessThan(hopeless.ms);
    expect(quick.runs).toBe(3);
    expect(hopeless.runs).toBeLessThan(3);
    for (const { ms, wallMs } of [slow, quick, hopeless]) expect([ms > 0, wallMs > 0]).toEqual([true, true]);
  });

  test('decides by CPU time where the CPU computes', () => {
    expect(measureOf(device())).toBe(device().traits.software ? 'cpu' : 'gpu');
  });

  test.each(['cpu', 'gpu', 'wall'] as const)('by %s', async measure => {
    const [slow, quick] = await times({ rounds: 2, measure });
    expect(quick.ms).toBeLessThan(slow.ms / 2);
    expect(quick.runs).toBe(2);
  });

  test('goes on without a variant that does not run here', async () => {
    const broken: Operation<never> = {
      ...operation,
      lower: (problem, traits) => {
        const lowering = operation.lower(problem, traits);
        const [step] = lowering.steps;
        if (step.kernel.name !== `turns ${TURNS.slow}`) return lowering;
        return { ...lowering, steps: [{ ...step, kernel: { ...step.kernel, wgsl: `${step.kernel.wgsl} nonsense` } }] };
      },
    };
    const node = new Node(broken, problem.node.inputs, problem.node.outputs, {});
    const options = { cpuTime, rounds: 2 };
    const [slow, quick] = await timeCandidates(device(), { ...problem, node, candidates: ['slow', 'quick'] }, options);
    expect(slow).toMatchObject({ variant: 'slow', runs: 0, failure: expect.stringContaining('turns 100000') });
    expect(quick).toMatchObject({ variant: 'quick', runs: 2 });
  });

  test('goes on without a variant whose memory the adapter cannot bind', async () => {
    const greedy: Operation<never> = {
      ...operation,
      lower: (problem, traits) => {
        const lowering = operation.lower(problem, traits);
        const [step] = lowering.steps;
        if (step.kernel.name !== `turns ${TURNS.slow}`) return lowering;
        return {
          steps: [{ ...step, operands: [input(0), scratch(0)] }],
          scratch: [traits.maxBindingBytes / 4 + 1],
        };
      },
    };
    const node = new Node(greedy, problem.node.inputs, problem.node.outputs, {});
    const options = { cpuTime, rounds: 2 };
    const [slow, quick] = await timeCandidates(device(), { ...problem, node, candidates: ['slow', 'quick'] }, options);
    expect(slow).toMatchObject({
      variant: 'slow',
      runs: 0,
      failure: expect.stringContaining('maxStorageBufferBindingSize'),
    });
    expect(quick).toMatchObject({ variant: 'quick', runs: 2 });
  });

  test('stops at a signal, and gives all memory back', async () => {
    const controller = new AbortController();
    const stopped = times({
      signal: controller.signal,
      onCandidate: name => {
        if (name === 'quick') controller.abort(new Error('enough'));
      },
    });
    // The candidate that is begun is still measured; sharedDevice looks for memory that is left.
    await expect(stopped).rejects.toThrow('enough');
    await expect(times({ signal: AbortSignal.abort(new Error('at once')) })).rejects.toThrow('at once');
  });
});

describe('problems', () => {
  test('are what a program leaves to choose, each once, the rule’s variant first', () => {
    using x = tensor(new Float32Array(2 * 8 * 12 * 12), [2, 8, 12, 12]);
    using weight = tensor(new Float32Array(8 * 8 * 9), [8, 8, 3, 3]);
    using f = compile((x: Tensor, weight: Tensor) => {
      const y = conv2d(conv2d(x, weight, undefined, { padding: 1 }), weight, undefined, { padding: 1 });
      return { y: add(y, 1), z: conv2d(x, weight, undefined, { padding: 0 }) };
    });
    const problems = problemsOf(f.plan([x, weight]).lowered, device().traits);
    expect(problems.map(({ family }) => family)).toEqual(['conv2d.forward', 'conv2d.forward']);
    expect(new Set(problems.map(({ key }) => key)).size).toBe(2);
    const forward = families.find(({ name }) => name === 'conv2d.forward')!;
    for (const { candidates, baked } of problems) {
      expect(new Set(candidates).size).toBe(candidates.length);
      expect(candidates).toContain('plain');
      expect(candidates.length).toBeGreaterThan(1);
      expect(forward.variants.map(({ name }) => name)).toEqual(expect.arrayContaining([...candidates]));
      expect(baked).toBe(true);
      if (device().traits.software) expect(candidates[0]).not.toBe('plain');
    }
  });

  test.each(Object.keys(PROGRAMS))('of %s are found without making anything', name => {
    const { pipelineCount } = device();
    const { live } = device().memory.figures();
    const problems = problemsOf(PROGRAMS[name].plan(device()), device().traits);
    expect(device().pipelineCount).toBe(pipelineCount);
    expect(device().memory.figures().live).toBe(live);
    const found = new Set(problems.map(({ family }) => family));
    expect(found).toContain('conv2d.forward');
    // Enlarging trains nothing, and VGG19 is frozen.
    const trains = name !== 'upscale' && name !== 'vgg19';
    expect(found.has('conv2d.weightGradient')).toBe(trains);
    for (const { baked } of problems) expect(baked).toBe(name !== 'upscale');
  });
});
