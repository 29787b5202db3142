/** A benchmark's report, as written by `--json`. */
import { writeFile } from 'node:fs/promises';
import type { AdapterDescription } from '../engine/device/adapter.ts';
import type { Device } from '../engine/device/device.ts';
import { type Ceiling, rateOf } from './ceiling.ts';
import type { Measurement } from './measure.ts';

/** The work: one pass of an operation, a convolution with both gradients, or a training step. */
export type Pass = 'forward' | 'input-grad' | 'weight-grad' | 'forward+grads' | 'step';

/** One measured piece of work by one implementation. */
export interface Row {
  /** The problem, with its sizes: `conv 3x3 64>64, 16x64x24x24`. */
  readonly work: string;
  readonly pass: Pass;
  /** The implementation: `daybreak`, `tfjs` … */
  readonly impl: string;
  /** Wall time, median, milliseconds. */
  readonly ms: number;
  /** CPU time of all threads, median, milliseconds. */
  readonly cpu_ms: number;
  /** 10⁹ operations per second of wall time, counted as direct convolution; null if memory is the limit. */
  readonly gflops: number | null;
  /** The same per second of CPU time. */
  readonly gflops_cpu?: number;
  /** 10⁹ bytes per second, counting every operand as read once and every result as written once. */
  readonly gbps?: number;
  readonly gbps_cpu?: number;
  /** Fraction of the peak, measured in alternation with it: by CPU time on software adapters, else by wall time. */
  readonly share?: number;
  /** The table of this row. */
  readonly group?: string;
  /** Kernels that were run. */
  readonly variant?: string;
  /** Samples for the medians. */
  readonly samples?: number;
  /** Time of the first repetition, which includes compilation. */
  readonly first_ms?: number;
  /** WebGPU calls per repetition; `buffers`: buffers created. */
  readonly dispatches?: number;
  readonly submits?: number;
  readonly buffers?: number;
  /** Notes: the way of waiting, threads, precision. */
  readonly note?: string;
}

/** The complete report of a benchmark run. */
export interface Report {
  /** `tuned`: kernels were chosen by `daybreak tune`, else by the built-in rules. */
  readonly adapter: AdapterDescription & { readonly software: boolean; readonly tuned: boolean };
  readonly ceiling: Ceiling;
  readonly rows: readonly Row[];
}

/** The timing fields of a row, from a measurement of `flops` operations or `bytes` bytes. */
export function timesOf(
  measured: Measurement,
  { flops, bytes }: { readonly flops?: number; readonly bytes?: number },
): Pick<Row, 'ms' | 'cpu_ms' | 'gflops' | 'gflops_cpu' | 'gbps' | 'gbps_cpu' | 'samples' | 'first_ms'> {
  const operations = flops === undefined ? undefined : rateOf(flops, measured);
  const traffic = bytes === undefined ? undefined : rateOf(bytes, measured);
  return {
    ms: measured.ms,
    cpu_ms: measured.cpuMs,
    gflops: operations?.wall ?? null,
    ...(operations && { gflops_cpu: operations.cpu }),
    ...(traffic && { gbps: traffic.wall, gbps_cpu: traffic.cpu }),
    samples: measured.samples,
    first_ms: measured.firstMs,
  };
}

/** The name of a device in reports. */
export const adapterOf = ({ description, traits }: Device): Report['adapter'] => ({
  ...description,
  software: traits.software,
  tuned: traits.choices !== undefined,
});

/** Rounds measurements to four or five significant digits; counts stay exact. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;

/** Writes a report as JSON; `-` is stdout. */
export async function writeJson(file: string, report: Report): Promise<void> {
  const text = `${JSON.stringify(report, rounded, 1)}\n`;
  if (file === '-') process.stdout.write(text);
  else await writeFile(file, text);
}
