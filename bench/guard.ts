/**
 * Detects slower convolutions: the ratio of the plain kernel's CPU time to theirs, measured in alternation on small
 * problems, is compared with recorded ratios (`bench/baseline.json`).
 *
 * The machine's current speed cancels out, but its type does not. So a baseline applies to one driver on one processor.
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
import type { Pass } from './rows.ts';

/** One guarded kernel. */
export interface Watched {
  /** `conv 3x3 64>64 forward`. */
  readonly name: string;
  readonly family: Family<Conv2dProblem>;
  readonly problem: Conv2dProblem;
  readonly inputs: readonly Shape[];
  readonly output: Shape;
}

/** Sizes that take the plain kernel about 50 ms on one core, and with which the fast kernels still fill both cores. */
const LAYERS = [
  { c: 64, k: 64, r: 3 },
  { c: 3, k: 64, r: 9 },
  { c: 64, k: 3, r: 9 },
] as const;
const SIDE = 24;

/** Every pass of a 3×3 layer and of both 9×9 layers of SRResNet, except the gradient of the network's input. */
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

/** The plain kernel's CPU time divided by that of the variant chosen here. */
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

/** Parses the file's content. Throws ZodError if it is invalid. */
export const parseBaselines = (json: string): Baselines => baselineSchema.parse(JSON.parse(json));

export const placeOf = (device: Device): Pick<Baseline, 'adapter' | 'cpu'> => ({
  adapter: device.adapterName,
  // One name may cover several generations, for which drivers compile different instructions.
  cpu: `${cpus()[0]?.model.trim() ?? 'unknown'}${hasWideVectors() ? ', AVX-512' : ''}`,
});

export const baselineFor = (device: Device, baselines: Baselines): Baseline | undefined => {
  const { adapter, cpu } = placeOf(device);
  return baselines.find(baseline => baseline.adapter === adapter && baseline.cpu === cpu);
};

/** A kernel below this fraction of its recorded ratio is too slow. */
const LEAST_KEPT = 0.75;

/** Names of the kernels that are slower than the baseline allows. Kernels without a baseline always pass. */
export const slowerThan = (baseline: Baseline, ratios: Readonly<Record<string, number>>): string[] =>
  Object.keys(ratios).filter(name => ratios[name] < LEAST_KEPT * (baseline.ratios[name] ?? 0));
