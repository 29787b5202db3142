/** The tables of `bench kernels`: one for each network's products, one for what moves bytes. */

import { type Column, figure, markdownTable, percent } from '../eval/markdown-table.ts';
import { BYTES_GROUP } from './kernel-works.ts';
import type { Report, Row } from './rows.ts';

/** Markdown. The rows of a layer stand below each other, its name in the first of them. */
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
    ? 'GFLOP (or GB) per CPU second as a part of what the multiply-add loop (or the copy) reaches per CPU second'
    : 'GFLOP/s (or GB/s) as a part of what the multiply-add loop (or the copy) reaches';
  return [
    `Share: ${by}, measured in alternation with it.`,
    'Bytes are counted as if every operand were read once and every result written once; what reads more than it writes',
    'may outdo the copy.',
    ...(fewer ? ['\\*: fewer samples than asked for, since the time for the row was up.'] : []),
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

/** More names than these tell nobody anything: their number does. JSON has them all. */
const NAMES_SHOWN = 3;

/** `broadcast, parts` for `conv2d.weightGradient.broadcast, conv2d.weightGradient.parts`: the pass has a column. */
export function variantOf({ variant = '', dispatches = 0 }: Row): string {
  if (variant.split(', ').length > NAMES_SHOWN) return `${dispatches} dispatches`;
  return variant.replaceAll(/(conv2d\.\w+|matmul)\./g, '');
}
