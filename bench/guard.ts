/**
 * Whether the convolutions are as fast as they were: how many times less CPU time they take than the plain kernel does,
 * measured in alternation on small problems, against ratios that were written down (`bench/baseline.json`).
 *
 * The machine's speed at the moment cancels; its kind does not. So a baseline counts for one driver on one processor.
 */
import { cpus } from 'node:os';
import { z } from 'zod';
import { apply } from '../engine/apply.ts';
import { f32, type Shape, sizeOf } from '../engine/basics/shape.ts';
import { compile } from '../engine/compile.ts';
import type { Device } from '../engine/device/device.ts';
import { hasWideVectors } from '../engine/device/lavapipe.node.ts';
import type { Operation } from '../engine/graph/operation.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import type { Family, Variant } from '../engine/text/variants.ts';
import { type Conv2dProblem, outputSize } from '../kernels/products/conv2d/problem.ts';
import { forwardFamily, inputGradientFamily, weightGradientFamily } from '../kernels/products/conv2d/variants.ts';
import { type Contender, measure, onDevice } from './measure.ts';
import { adapterName } from './results.ts';
import { adapterOf, type Pass } from './rows.ts';

/** One kernel that is watched. */
export interface Watched {
  /** `conv 3x3 64>64 forward`. */
  readonly name: string;
  readonly family: Family<Conv2dProblem>;
  readonly problem: Conv2dProblem;
  readonly inputs: readonly Shape[];
  readonly output: Shape;
}

/** As large as the plain kernel does in about 50 ms on one core, and the fast ones still fill both of them. */
const LAYERS = [
  { c: 64, k: 64, r: 3 },
  { c: 3, k: 64, r: 9 },
  { c: 64, k: 3, r: 9 },
] as const;
const SIDE = 24;

/** Every pass of a 3×3 layer and of both 9×9 layers of SRResNet, but for the gradient of its very first input. */
export const WATCHED: readonly Watched[] = LAYERS.flatMap(({ c, k, r }) => {
  const pad = r >> 1;
  const problem: Conv2dProblem = {
    ...{ n: 1, c, h: SIDE, w: SIDE, k, r, s: r },
    ...{ stride: [1, 1], padding: [pad, pad], bias: false, baked: true },
  };
  const [x, weight, y] = [
    [1, c, SIDE, SIDE],
    [k, c, r, r],
    [1, k, ...outputSize(problem)],
  ];
  const watch = (pass: Pass, family: Family<Conv2dProblem>, inputs: readonly Shape[], output: Shape): Watched => ({
    ...{ name: `conv ${r}x${r} ${c}>${k} ${pass}`, family, problem, inputs, output },
  });
  return [
    watch('forward', forwardFamily, [x, weight], y),
    ...(c === 3 ? [] : [watch('input-grad', inputGradientFamily, [y, weight], x)]),
    watch('weight-grad', weightGradientFamily, [x, y], weight),
  ];
});

/** The plain kernel's CPU time through that of the variant that is chosen here. */
export async function ratioOf(device: Device, { name, family, problem, inputs, output }: Watched): Promise<number> {
  const given = inputs.map((shape, i) =>
    tensor(
      Float32Array.from({ length: sizeOf(shape) }, (_, j) => ((j * 37 + i) % 17) / 17),
      shape,
      { device },
    ),
  );
  const made: Disposable[] = [...given];
  const contender = (impl: string, variant: Variant<Conv2dProblem>): Contender => {
    const operation: Operation = {
      name: `${name} ${impl}`,
      infer: () => [f32(output)],
      lower: (_, traits) => variant.lower(problem, traits),
    };
    const run = compile((...args: Tensor[]) => apply(operation, args, {})[0]);
    made.push(run);
    return onDevice(impl, device, () => run(...given).dispose());
  };
  try {
    const ours = contender('ours', family.choose(problem, device.traits));
    const plain = contender('plain', family.variants.at(-1)!);
    const [fast, slow] = await measure([ours, plain], { sampleMs: 30, samples: 7 });
    return slow.leastCpuMs / fast.leastCpuMs;
  } finally {
    for (const one of made) one[Symbol.dispose]();
  }
}

/** Ratios on one driver and processor. */
const baselineSchema = z.array(
  z.object({
    adapter: z.string(),
    cpu: z.string(),
    date: z.string(),
    ratios: z.record(z.string(), z.number().positive()),
  }),
);
export type Baselines = z.infer<typeof baselineSchema>;
export type Baseline = Baselines[number];

/** Where the file does not hold what it should, a ZodError. */
export const parseBaselines = (json: string): Baselines => baselineSchema.parse(JSON.parse(json));

export const placeOf = (device: Device): Pick<Baseline, 'adapter' | 'cpu'> => ({
  adapter: adapterName(adapterOf(device)),
  // The name alone may stand for several generations, which compile the same texts to other instructions.
  cpu: `${cpus()[0]?.model.trim() ?? 'unknown'}${hasWideVectors() ? ', AVX-512' : ''}`,
});

export const baselineFor = (device: Device, baselines: Baselines): Baseline | undefined => {
  const { adapter, cpu } = placeOf(device);
  return baselines.find(baseline => baseline.adapter === adapter && baseline.cpu === cpu);
};

/** A kernel that falls below this part of its ratio has lost its speed. */
const LEAST_KEPT = 0.75;

/** Names of the kernels that are slower than the baseline allows. One that the baseline does not know may be anything. */
export const slowerThan = (baseline: Baseline, ratios: Readonly<Record<string, number>>): string[] =>
  Object.keys(ratios).filter(name => ratios[name] < LEAST_KEPT * (baseline.ratios[name] ?? 0));
