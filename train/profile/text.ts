/** Prints the summary of a profile. */

import { count, mebibytes } from '../../common/text.ts';
import type { KernelShare, ProfileSummary } from './profile.ts';

/** Maximum number of kernels in the table. */
const ROWS = 20;

const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0)} ms`;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const size = (bytes: number): string => mebibytes(bytes, 1);

export function profileLines(summary: ProfileSummary): string[] {
  const { updates, clock, tick, dispatches, encodeMs, submitMs, gpuMs, stepMs, dataMs, readbackMs, memory } = summary;
  const lines = [
    `profile of ${updates.whole} updates, and of ${updates.timed} timed dispatch by dispatch, on ${summary.adapter}`,
    `update      ${ms(stepMs)}: data ${ms(dataMs)}, encode ${ms(encodeMs)}, submit ${ms(submitMs)}, readback ${ms(readbackMs)}; 1 submit, ${count(dispatches)} dispatches`,
    `GPU         ${ms(gpuMs)} in dispatches, ${percent(summary.convolutionShare)} of it in convolutions (${summary.convolutionGflop.toFixed(2)} GFLOP, ${(summary.convolutionGflop / (summary.convolutionShare * gpuMs * 1e-3)).toFixed(1)} GFLOP/s)`,
    `memory      ${size(memory.peak)} at the peak = ${memory.ratio.toFixed(2)} x (${size(memory.kept)} kept for the backward pass + ${size(memory.learned)} parameters, gradients, moments)`,
    `            ${size(memory.temporaries)} of it temporaries (${size(memory.alive)} alive at once); pictures ${size(memory.pictures)} besides`,
    `created     ${summary.buffersMade} buffers after the first update`,
  ];
  if (clock === 'host')
    lines.push('clock       the host’s (the adapter has no timestamps): times include launching each dispatch');
  else if (tick > 1) lines.push(`clock       coarse, ${count(tick)} ns: times of single dispatches are inexact`);
  return [...lines, '', ...kernelTable(summary.kernels)];
}

function kernelTable(kernels: readonly KernelShare[]): string[] {
  const shown = kernels.slice(0, ROWS);
  const rest = kernels.slice(ROWS);
  const sum = (of: (kernel: KernelShare) => number) => rest.reduce((total, kernel) => total + of(kernel), 0);
  const rows = [
    ['GPU time', 'share', 'dispatches', 'GFLOP/s', 'kernel'],
    ...shown.map(kernel => [
      ms(kernel.ms),
      percent(kernel.share),
      count(kernel.dispatches),
      kernel.gflops === null ? '' : kernel.gflops.toFixed(1),
      kernel.kernel,
    ]),
  ];
  if (rest.length > 0)
    rows.push([
      ms(sum(kernel => kernel.ms)),
      percent(sum(kernel => kernel.share)),
      count(sum(kernel => kernel.dispatches)),
      '',
      `${rest.length} other kernels`,
    ]);
  const widths = rows[0].map((_, i) => Math.max(...rows.map(row => row[i].length)));
  return rows.map(row => row.map((cell, i) => (i < row.length - 1 ? cell.padStart(widths[i]) : cell)).join('  '));
}
