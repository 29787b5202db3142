/** The tables of `bench kernels`: one for each network's products, one for operations limited by memory. */

import { type Column, figure, markdownTable, percent } from '../eval/markdown-table.ts';
import { BYTES_GROUP } from './kernel-works.ts';
import type { Report, Row } from './rows.ts';

/** Tables as Markdown. Rows of a layer are adjacent; only the first has its name. */
export function kernelTables({ adapter, rows }: Report): string {
  const { software } = adapter;
  const groups = [...new Set(rows.map(({ group }) => group ?? ''))];
  const most = Math.max(...rows.map(samplesOf));
  const parts = groups.map(group => {
    const own = rows.filter(row => row.group === group);
    return `### ${group}\n\n${markdownTable(
      columnsOf(group, software),
      own.map((row, i) => cellsOf(row, own[i - 1], software, most)),
    )}`;
  });
  return [
    explanation(
      software,
      rows.some(row => samplesOf(row) < most),
    ),
    ...parts,
  ].join('\n\n');
}

const samplesOf = ({ samples }: Row): number => samples ?? 0;

function explanation(software: boolean, fewer: boolean): string {
  const by = software
    ? 'GFLOP (or GB) per CPU second, divided by that of the multiply-add loop (or the copy)'
    : 'GFLOP/s (or GB/s), divided by that of the multiply-add loop (or the copy)';
  return [
    `Share: ${by}, measured in alternation with it.`,
    'Bytes count every operand as read once and every result as written once; operations that read more than they write',
    'may be faster than the copy.',
    ...(fewer ? ['\\*: fewer samples than requested, because the time limit per row was reached.'] : []),
  ].join('\n');
}

function columnsOf(group: string, software: boolean): Column[] {
  const rate = group === BYTES_GROUP ? 'GB' : 'GFLOP';
  return [
    { head: 'work', align: 'left' },
    { head: 'pass', align: 'left' },
    { head: 'ms' },
    { head: 'CPU ms' },
    { head: `${rate}/s` },
    ...(software ? [{ head: `${rate}/CPU s` }] : []),
    { head: 'share' },
    { head: group === BYTES_GROUP ? 'kernels' : 'variant', align: 'left' },
  ];
}

function cellsOf(row: Row, before: Row | undefined, software: boolean, most: number): string[] {
  const bytes = row.group === BYTES_GROUP;
  return [
    row.work === before?.work ? '' : row.work,
    row.pass,
    figure(row.ms) + (samplesOf(row) < most ? '\\*' : ''),
    figure(row.cpu_ms),
    figure(bytes ? row.gbps : row.gflops),
    ...(software ? [figure(bytes ? row.gbps_cpu : row.gflops_cpu)] : []),
    percent(row.share),
    variantOf(row),
  ];
}

/** For more kernels than this, only their number is shown. JSON lists all of them. */
const NAMES_SHOWN = 3;

/** `broadcast, parts` for `conv2d.weightGradient.broadcast, conv2d.weightGradient.parts`: the pass has its own column. */
export function variantOf({ variant = '', dispatches = 0 }: Row): string {
  if (variant.split(', ').length > NAMES_SHOWN) return `${dispatches} dispatches`;
  return variant.replaceAll(/(conv2d\.\w+|matmul)\./g, '');
}
