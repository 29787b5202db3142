/** Measures pieces of work on one device, each in alternation with the probe of the peak that limits it. */

import { sizeOf } from '../engine/basics/shape.ts';
import { compile } from '../engine/compile.ts';
import type { Device } from '../engine/device/device.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { variable } from '../engine/variable.ts';
import { type Ceiling, CeilingProbes, ceilingOf, type Probe, rateOf } from './ceiling.ts';
import type { KernelWork } from './kernel-works.ts';
import { loweredKernels, namesOf } from './lowered-kernels.ts';
import { type Measurement, type MeasureOptions, measure, median, onDevice } from './measure.ts';
import { type Row, timesOf } from './rows.ts';

export class KernelBench implements Disposable {
  readonly #device: Device;
  readonly #options: MeasureOptions;
  readonly #probes: CeilingProbes;
  /** The faster of the copies. */
  readonly #copy: Probe;
  readonly #seen = new Map<string, Measurement[]>();

  static async create(device: Device, options: MeasureOptions): Promise<KernelBench> {
    const probes = new CeilingProbes(device);
    const all = [...probes.arithmetic, ...probes.copies];
    const first = await measure(
      all.map(({ contender }) => contender),
      options,
    );
    return new KernelBench(device, options, probes, first);
  }

  private constructor(device: Device, options: MeasureOptions, probes: CeilingProbes, first: readonly Measurement[]) {
    this.#device = device;
    this.#options = options;
    this.#probes = probes;
    for (const measured of first) this.#seen.set(measured.impl, [measured]);
    const timeOf = (name: string) => this.#seen.get(name)![0].ms;
    this.#copy = probes.copies.reduce((a, b) => (timeOf(a.contender.impl) <= timeOf(b.contender.impl) ? a : b));
  }

  /** Measures one piece of work and releases its memory. */
  async row(work: KernelWork): Promise<Row> {
    const device = this.#device;
    const inputs = work.inputs.map((shape, i) => tensor(noise(sizeOf(shape), i), shape));
    const updated = (work.updates ?? []).map(shape => variable(new Float32Array(sizeOf(shape)), shape));
    const body = (...given: Tensor[]) => work.body(...given, ...updated);
    const compiled = compile(body);
    try {
      let written = 0;
      const ours = onDevice('daybreak', device, () => {
        const results = compiled(...inputs);
        written = elementsOf(results);
        for (const result of results) result.dispose();
      });
      const probe = work.flops === undefined ? this.#copy : this.#probes.arithmetic[0];
      const [own, top] = await measure([ours, probe.contender], this.#options);
      this.#seen.get(probe.contender.impl)!.push(top);
      // Updated variables are read and written.
      const bytes = 4 * (elementsOf(inputs) + written + 2 * elementsOf(updated));
      const kernels = loweredKernels(device, work.inputs, body);
      const amount = work.flops ?? bytes;
      const by = device.traits.software ? 'cpu' : 'wall';
      return {
        group: work.group,
        work: work.work,
        pass: work.pass,
        impl: 'daybreak',
        ...timesOf(own, work.flops === undefined ? { bytes } : { flops: work.flops }),
        share: rateOf(amount, own)[by] / rateOf(probe.amount, top)[by],
        variant: namesOf(kernels),
        dispatches: kernels.length,
      };
    } finally {
      compiled.dispose();
      for (const held of [...inputs, ...updated]) held.dispose();
      device.memory.trim();
    }
  }

  /** Medians over the whole run. */
  ceiling(): Ceiling {
    const medians = [...this.#seen].map(([impl, all]) => ({
      ...all[0],
      impl,
      ms: median(all.map(({ ms }) => ms)),
      cpuMs: median(all.map(({ cpuMs }) => cpuMs)),
    }));
    return ceilingOf(this.#probes, medians);
  }

  [Symbol.dispose](): void {
    this.#probes[Symbol.dispose]();
  }
}

const elementsOf = (tensors: readonly Tensor[]): number => tensors.reduce((sum, { size }) => sum + size, 0);

/** Repeating numbers in [-1, 1): their values do not matter as long as none is special. */
function noise(length: number, seed: number): Float32Array {
  const period = 4093;
  const data = new Float32Array(length);
  for (let i = 0; i < Math.min(length, period); i++) data[i] = Math.sin(12.9898 * (i + 1) + 78.233 * (seed + 1));
  for (let filled = period; filled < length; filled *= 2) data.copyWithin(filled, 0, Math.min(filled, length - filled));
  return data;
}
