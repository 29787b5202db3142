/** What a benchmark reports, as `--json` writes it. */
import { writeFile } from 'node:fs/promises';
import type { AdapterDescription, Device } from '../engine/device/device.ts';
import { type Ceiling, rateOf } from './ceiling.ts';
import type { Measurement } from './measure.ts';

/** What is done: one pass of an operation, a convolution with both its gradients, or a training step. */
export type Pass = 'forward' | 'input-grad' | 'weight-grad' | 'forward+grads' | 'step';

/** One measured piece of work of one implementation. */
export interface Row {
  /** The problem, with its sizes: `conv 3x3 64>64, 16x64x24x24`. */
  readonly work: string;
  readonly pass: Pass;
  /** Whose: `daybreak`, `tfjs` … */
  readonly impl: string;
  /** Wall time, median, milliseconds. */
  readonly ms: number;
  /** CPU time of all threads, median, milliseconds. */
  readonly cpu_ms: number;
  /** 10⁹ operations per second of wall time, counted as direct convolution; null where bytes count, not operations. */
  readonly gflops: number | null;
  /** The same per second of CPU time. */
  readonly gflops_cpu?: number;
  /** 10⁹ bytes per second: every operand read once, every result written once. */
  readonly gbps?: number;
  readonly gbps_cpu?: number;
  /** Part of the ceiling, measured in alternation with it: by CPU time on software adapters, else by wall time. */
  readonly share?: number;
  /** The table that it stands in. */
  readonly group?: string;
  /** Kernels that ran. */
  readonly variant?: string;
  /** Samples behind the medians. */
  readonly samples?: number;
  /** The first time, in which drivers compile. */
  readonly first_ms?: number;
  /** Calls of WebGPU for one repetition; `buffers`: made anew. */
  readonly dispatches?: number;
  readonly submits?: number;
  readonly buffers?: number;
  /** What else is to be said: how it was waited for, threads, precision. */
  readonly note?: string;
}

/** All that a run of a benchmark says. */
export interface Report {
  /** `tuned`: kernels were chosen as `daybreak tune` found, else by the rules that ship. */
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

/** What a device is called in reports. */
export const adapterOf = ({ description, traits }: Device): Report['adapter'] => ({
  ...description,
  software: traits.software,
  tuned: traits.choices !== undefined,
});

/** More than four or five digits of a measurement mean nothing; counts are kept as they are. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;

/** Writes a report as JSON; `-` is stdout. */
export async function writeJson(file: string, report: Report): Promise<void> {
  const text = `${JSON.stringify(report, rounded, 1)}\n`;
  if (file === '-') process.stdout.write(text);
  else await writeFile(file, text);
}
