/** The tables of `bench train`: statistics of a step, and its kernels by time. */

import { count, mebibytes } from '../common/text.ts';
import { figure, markdownTable, percent } from '../eval/markdown-table.ts';
import type { ProfileSummary } from '../train/profile/profile.ts';
import type { Row } from './rows.ts';

/** A step's row with its time and memory profile. */
export interface StepRow extends Row {
  readonly profile: ProfileSummary;
  /** The first step, including kernel compilation (or loading from the driver's cache). */
  readonly warm_up_ms: number;
}

/** Number of kernels with their own row. */
const KERNELS_SHOWN = 12;

/** The tables as Markdown. */
export function trainTables(row: StepRow, software: boolean): string {
  return [`### ${row.work}`, figures(row, software), kernels(row)].join('\n\n');
}

function figures(row: StepRow, software: boolean): string {
  const { profile } = row;
  const { memory } = profile;
  const perSecond = software
    ? `${figure(row.gflops)} GFLOP/s, ${figure(row.gflops_cpu)} per CPU second, ${percent(row.share)} of the multiply-add loop`
    : `${figure(row.gflops)} GFLOP/s, ${percent(row.share)} of the multiply-add loop`;
  const rows = [
    ['step', `**${figure(row.ms)} ms**, CPU ${figure(row.cpu_ms)} ms (medians of ${row.samples} samples)`],
    ['its convolutions', `${figure(profile.convolutionGflop)} GFLOP: ${perSecond}, over the whole step`],
    ['GPU time in them', `${percent(profile.convolutionShare)} of ${figure(profile.gpuMs)} ms in dispatches`],
    [
      'host',
      `encode ${figure(profile.encodeMs)} ms, submit ${figure(profile.submitMs)} ms, data ${figure(profile.dataMs)} ms`,
    ],
    [
      'calls',
      `${count(row.dispatches!)} dispatches, ${row.submits} submits (one reads the loss), ${row.buffers} buffers made`,
    ],
    [
      'GPU memory, peak',
      `${mebibytes(memory.peak, 1)} = ${memory.ratio.toFixed(2)} × (${mebibytes(memory.kept, 1)} kept for the backward pass + ${mebibytes(memory.learned, 1)} parameters, gradients, moments)`,
    ],
    ['first step', `${figure(row.warm_up_ms / 1000)} s, kernels compiled or taken from the driver’s cache`],
  ];
  return markdownTable(
    [
      { head: 'what', align: 'left' },
      { head: 'figure', align: 'left' },
    ],
    rows,
  );
}

function kernels({ profile: { kernels, clock, tick } }: StepRow): string {
  const shown = kernels.slice(0, KERNELS_SHOWN);
  const rest = kernels.slice(KERNELS_SHOWN);
  const sum = (of: (kernel: (typeof kernels)[number]) => number) =>
    rest.reduce((total, kernel) => total + of(kernel), 0);
  const rows = shown.map(({ kernel, dispatches, ms, share, gflops }) => [
    kernel,
    count(dispatches),
    figure(ms),
    percent(share),
    figure(gflops),
  ]);
  if (rest.length > 0)
    rows.push([
      `${rest.length} others`,
      count(sum(({ dispatches }) => dispatches)),
      figure(sum(({ ms }) => ms)),
      percent(sum(({ share }) => share)),
      '',
    ]);
  const columns = [
    { head: 'kernel', align: 'left' as const },
    ...['dispatches', 'ms', 'share', 'GFLOP/s'].map(head => ({ head })),
  ];
  const by = clock === 'gpu' ? 'the GPU’s timestamps' : 'the host’s clock, one submit each';
  const coarse = tick > 1 ? `, which are multiples of ${count(tick)} ns` : '';
  return `Kernels by ${by}${coarse}:\n\n${markdownTable(columns, rows)}`;
}
