/** The adapter's peak: a loop of only multiply-adds, and a copy. */
import { apply } from '../engine/apply.ts';
import { DaybreakError } from '../engine/basics/errors.ts';
import { f32 } from '../engine/basics/shape.ts';
import type { Device } from '../engine/device/device.ts';
import type { Operation } from '../engine/graph/operation.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { assemble } from '../engine/text/assemble.ts';
import { type AdapterTraits, input, type Kernel, output } from '../engine/text/kernel.ts';
import { Numbers } from '../engine/text/numbers.ts';
import { type Contender, type Measurement, type MeasureOptions, measure, onDevice } from './measure.ts';

/** 10⁹ operations per second, and 10⁹ bytes read or written per second: by wall time, and by CPU time of all threads. */
export interface Ceiling {
  /** 10⁹ floating-point operations per second by wall time; a multiply-add is two. */
  readonly gflops: number;
  /** 10⁹ bytes read or written per second, by wall time. */
  readonly gbps: number;
  /** `gflops` by the CPU time of all threads. */
  readonly gflops_cpu: number;
  /** `gbps` by the CPU time of all threads. */
  readonly gbps_cpu: number;
  /** The multiply-add loop with its trip count as an argument, as in kernels that serve every size. */
  readonly unknown_turns: { readonly gflops: number; readonly gflops_cpu: number };
}

/** A probe, and the amount of work per repetition. */
export interface Probe {
  readonly contender: Contender;
  /** Floating-point operations (a multiply-add is two), or bytes read and written. */
  readonly amount: number;
}

/** 10⁹ of `amount` per second, by wall and by CPU time. */
export const rateOf = (amount: number, { ms, cpuMs }: Pick<Measurement, 'ms' | 'cpuMs'>) => ({
  wall: amount / ms / 1e6,
  cpu: amount / cpuMs / 1e6,
});

/** Independent sums: enough to hide a multiply-add's latency, and few enough for the registers. */
const SUMS = 12;
/** Multiply-adds per iteration: an iteration costs a software adapter as much as 20 of them. */
const MULTIPLY_ADDS = 96;

/** Sizes for a repetition of 5 to 50 ms, with work for every core. */
const sizesFor = ({ software }: AdapterTraits) =>
  software
    ? { lanes: 64, groups: 256, turns: 512, copied: 2 ** 25 }
    : { lanes: 256, groups: 4096, turns: 1024, copied: 2 ** 28 };

/**
 * `known`: the trip count is a constant in the text. If it is an argument, lavapipe masks every sum in every iteration and
 * is a third slower: the peak of kernels whose loops depend on sizes that are arguments.
 */
function multiplyAddKernel(known: boolean, traits: AdapterTraits): Kernel {
  const { lanes, groups, turns } = sizesFor(traits);
  const sums = Array.from({ length: SUMS }, (_, i) => `s${i}`);
  const turn = Array.from({ length: MULTIPLY_ADDS / SUMS }, () =>
    sums.map(s => `${s} = fma(${s}, factor, summand);`).join(' '),
  );
  return assemble({
    name: 'ceiling.multiply-add',
    reads: ['x'],
    numbers: new Numbers(known, { turns }),
    lanes,
    groups,
    body: `let factor = x[0]; let summand = x[1];
  ${sums.map((s, i) => `var ${s} = f32(lane) + ${i}.0;`).join(' ')}
  for (var turn = 0; turn < turns; turn++) {
    ${turn.join('\n    ')}
  }
  result[group * ${lanes} + i32(lane)] = ${sums.join(' + ')};`,
  });
}

/** Copies `words` f32 in elements of `type`; neighbouring invocations copy neighbouring elements. */
function copyKernel(type: 'f32' | 'vec4f', words: number, { software }: AdapterTraits): Kernel {
  const elements = words / (type === 'f32' ? 1 : 4);
  const lanes = software ? 64 : 256;
  const each = software ? 32 : 4; // A launch costs a software adapter as much as 1,100 multiply-adds.
  return assemble({
    name: `ceiling.copy ${type}`,
    reads: [`x: array<${type}>`],
    writes: [`result: array<${type}>`],
    numbers: new Numbers(true, { elements }),
    lanes,
    groups: Math.ceil(elements / (lanes * each)),
    body: `let end = min(elements, (group + 1) * ${lanes * each});
  for (var index = group * ${lanes * each} + i32(lane); index < end; index += ${lanes}) {
    result[index] = x[index];
  }`,
  });
}

/** An operation of one kernel with one input, which writes `words` f32. Its name is its key in the program cache. */
const operationOf = (name: string, make: (traits: AdapterTraits) => Kernel, words: number): Operation => ({
  name,
  infer: () => [f32([words])],
  lower: (_, traits) => ({ steps: [{ kernel: make(traits), operands: [input(0), output(0)] }], scratch: [] }),
});

/** Names of the probes, as contenders and in tables. */
export const PROBES = {
  loop: 'multiply-add loop',
  unknownLoop: 'multiply-add loop, trip count as an argument',
  copy: 'copy of f32',
  wideCopy: 'copy of vec4f',
} as const;

/** The loops and copies on one device, ready to be measured along with other contenders. */
export class CeilingProbes implements Disposable {
  /** Count operations; the first is the fastest on all adapters seen so far. */
  readonly arithmetic: readonly Probe[];
  /** Count bytes read plus bytes written. */
  readonly copies: readonly Probe[];
  readonly #held: readonly Tensor[];

  constructor(device: Device) {
    const { lanes, groups, turns, copied } = sizesFor(device.traits);
    // The sums converge to 1: no infinities, no subnormals.
    const numbers = tensor(Float32Array.of(0.999, 0.001), [2], { device });
    const words = Math.min(copied, device.traits.maxBindingBytes) / 4;
    const content = tensor(new Float32Array(words).fill(1), [words], { device });
    this.#held = [numbers, content];
    const probe = (
      name: string,
      make: (traits: AdapterTraits) => Kernel,
      x: Tensor,
      written: number,
      amount: number,
    ) => {
      const operation = operationOf(name, make, written);
      return { contender: onDevice(name, device, () => apply(operation, [x], {})[0].dispose()), amount };
    };
    const loop = (name: string, known: boolean) => {
      const flops = 2 * MULTIPLY_ADDS * turns * lanes * groups;
      return probe(name, traits => multiplyAddKernel(known, traits), numbers, lanes * groups, flops);
    };
    const copy = (name: string, type: 'f32' | 'vec4f') =>
      probe(name, traits => copyKernel(type, words, traits), content, words, 8 * words);
    this.arithmetic = [loop(PROBES.loop, true), loop(PROBES.unknownLoop, false)];
    this.copies = [copy(PROBES.copy, 'f32'), copy(PROBES.wideCopy, 'vec4f')];
  }

  [Symbol.dispose](): void {
    for (const held of this.#held) held.dispose();
  }
}

/** The best probe of each kind, from measurements named like the probes. */
export function ceilingOf({ arithmetic, copies }: CeilingProbes, measured: readonly Measurement[]): Ceiling {
  const rate = ({ contender, amount }: Probe) => {
    const found = measured.find(({ impl }) => impl === contender.impl);
    if (!found) throw new DaybreakError(`The ${contender.impl} was not measured.`);
    return rateOf(amount, found);
  };
  const best = (probes: readonly Probe[]) => {
    const rates = probes.map(rate);
    return { wall: Math.max(...rates.map(({ wall }) => wall)), cpu: Math.max(...rates.map(({ cpu }) => cpu)) };
  };
  const [loop, copy, unknown] = [best(arithmetic), best(copies), rate(arithmetic[1])];
  return {
    gflops: loop.wall,
    gbps: copy.wall,
    gflops_cpu: loop.cpu,
    gbps_cpu: copy.cpu,
    unknown_turns: { gflops: unknown.wall, gflops_cpu: unknown.cpu },
  };
}

/** Measures the ceiling of `device`. */
export async function measureCeiling(device: Device, options: MeasureOptions = {}): Promise<Ceiling> {
  using probes = new CeilingProbes(device);
  const contenders = [...probes.arithmetic, ...probes.copies].map(({ contender }) => contender);
  return ceilingOf(probes, await measure(contenders, options));
}
