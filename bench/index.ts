/** `daybreak/bench`: times kernels of one's own beside others, and beside what the adapter can do. Node only. */

import type { Device } from '../engine/device/device.ts';
import { type Tensor, tidy } from '../engine/tensor.ts';
import { CeilingProbes, ceilingOf, rateOf } from './ceiling.ts';
import { type MeasureOptions, measure, onDevice } from './measure.ts';

export { type Ceiling, measureCeiling } from './ceiling.ts';
export {
  type Contender,
  type Measurement,
  type MeasureOptions,
  measure,
  median,
  onDevice,
  type Timing,
  timed,
} from './measure.ts';

/** What one call of a contender does, for its rates. */
export interface Work {
  /** Floating-point operations; a multiply-add is two. */
  readonly flops?: number;
  /** Bytes that must be read and written: each input and output once. */
  readonly bytes?: number;
}

/** One contender's row. Rates and shares are by wall time. */
export interface BenchmarkRow {
  /** The contender's name. */
  readonly name: string;
  /** Median time of a call, in milliseconds. */
  readonly ms: number;
  /** CPU time of all threads: on a software adapter it hardly depends on other processes. */
  readonly cpuMs: number;
  /** The first call, which includes compilation. */
  readonly firstMs: number;
  /** 10⁹ operations per second, and the share of the adapter's ceiling; if `flops` is given. */
  readonly gflops?: number;
  /** `gflops` divided by the ceiling's; 1 is all that the adapter can do. */
  readonly gflopsShare?: number;
  /** 10⁹ bytes per second, and the share of the adapter's ceiling; if `bytes` is given. */
  readonly gbps?: number;
  /** `gbps` divided by the ceiling's. */
  readonly gbpsShare?: number;
}

/** What a call does, and how many samples are taken. */
export interface BenchmarkOptions extends MeasureOptions, Work {}

/**
 * Times functions in one run, in alternating order, together with the loops that measure the adapter's ceiling.
 * @param contenders by name; their tensors are disposed of. Give compiled functions to time compiled code.
 * @param options what a call does, and how many samples are taken.
 */
export async function benchmark(
  device: Device,
  contenders: Readonly<Record<string, () => Tensor | readonly Tensor[]>>,
  options: BenchmarkOptions = {},
): Promise<BenchmarkRow[]> {
  const { flops, bytes, ...measuring } = options;
  const probes = new CeilingProbes(device);
  try {
    const own = Object.entries(contenders).map(([name, call]) =>
      onDevice(name, device, () => {
        tidy(() => {
          call();
        });
      }),
    );
    const loops = [...probes.arithmetic, ...probes.copies].map(({ contender }) => contender);
    const measured = await measure([...own, ...loops], measuring);
    const ceiling = ceilingOf(probes, measured);
    return measured.slice(0, own.length).map(({ impl, ms, cpuMs, firstMs }) => {
      const rates = (amount: number) => rateOf(amount, { ms, cpuMs }).wall;
      return {
        name: impl,
        ms,
        cpuMs,
        firstMs,
        ...(flops === undefined ? {} : { gflops: rates(flops), gflopsShare: rates(flops) / ceiling.gflops }),
        ...(bytes === undefined ? {} : { gbps: rates(bytes), gbpsShare: rates(bytes) / ceiling.gbps }),
      };
    });
  } finally {
    probes[Symbol.dispose]();
  }
}
