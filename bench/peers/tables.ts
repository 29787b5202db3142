/** The comparison as Markdown: each peer's time relative to Daybreak's, and all measurements. */

import { count } from '../../common/text.ts';
import { figure, markdownTable } from '../../eval/markdown-table.ts';
import type { Row } from '../rows.ts';
import { WAITS } from './comparison.ts';

/** A peer's time divided by Daybreak's, wall and CPU. Above 1, Daybreak is faster. */
export interface Ratio {
  readonly wall: number;
  readonly cpu: number;
}

/** A peer's row compared with Daybreak's for the same work; undefined if Daybreak has none. */
export function ratioOf(row: Row, rows: readonly Row[]): Ratio | undefined {
  const ours = rows.find(
    ({ work, pass, impl, note }) =>
      impl === 'daybreak' && work === row.work && pass === row.pass && waitOf({ note }) === waitOf(row),
  );
  return ours && { wall: row.ms / ours.ms, cpu: row.cpu_ms / ours.cpu_ms };
}

/** The way of waiting, without the rest of the note. */
const waitOf = ({ note }: { readonly note?: string | undefined }): string | undefined => note?.split(',', 1)[0];

const ratioText = (ratio: Ratio | undefined): string =>
  ratio === undefined ? '' : `${figure(ratio.wall)} / ${figure(ratio.cpu)}`;

/** One row per task, one column per peer: wall and CPU ratio. */
export function ratioTable(rows: readonly Row[]): string {
  const impls = [...new Set(rows.map(({ impl }) => impl))].filter(impl => impl !== 'daybreak');
  const tasks = [...new Map(rows.map(({ work, pass }) => [`${work}|${pass}`, { work, pass }])).values()];
  const ours = (work: string, pass: string) =>
    rows.find(row => row.impl === 'daybreak' && row.work === work && row.pass === pass);
  return markdownTable(
    [
      { head: 'work', align: 'left' },
      { head: 'pass', align: 'left' },
      { head: 'daybreak, ms' },
      ...impls.map(head => ({ head })),
    ],
    tasks.map(({ work, pass }) => {
      const own = ours(work, pass);
      return [
        work,
        pass,
        own ? `${figure(own.ms)} / ${figure(own.cpu_ms)}` : '',
        ...impls.map(impl => {
          const row = rows.find(each => each.impl === impl && each.work === work && each.pass === pass);
          return row ? ratioText(ratioOf(row, rows)) : '';
        }),
      ];
    }),
  );
}

const callsText = (calls: number | undefined): string =>
  calls !== undefined && Number.isInteger(calls) ? count(calls) : figure(calls);

/** All measurements, one row per peer. */
export function timesTable(rows: readonly Row[]): string {
  return markdownTable(
    [
      { head: 'work', align: 'left' },
      { head: 'pass', align: 'left' },
      { head: 'by', align: 'left' },
      { head: 'ms' },
      { head: 'CPU ms' },
      { head: 'GFLOP/s' },
      { head: 'dispatches' },
      { head: 'submits' },
      { head: 'buffers' },
      { head: 'samples' },
      { head: 'first, ms' },
    ],
    rows.map(row => [
      row.work,
      row.pass,
      row.impl,
      figure(row.ms),
      figure(row.cpu_ms),
      figure(row.gflops),
      callsText(row.dispatches),
      callsText(row.submits),
      callsText(row.buffers),
      String(row.samples ?? ''),
      figure(row.first_ms),
    ]),
  );
}

/** The whole section: participants, and ratios and times with quiet and with native waiting. */
export function comparisonSection(
  rows: readonly Row[],
  participants: readonly string[],
  missing: readonly string[],
): string {
  const of = (wait: string) => rows.filter(row => waitOf(row) === wait);
  const parts = [
    [...participants, ...missing.map(line => `not measured: ${line}`)].map(line => `- ${line}`).join('\n'),
    'Times divided by Daybreak’s, wall / CPU: above 1, Daybreak is faster. GFLOP/s use wall time; dispatches, submits and created buffers are WebGPU calls per repetition.',
  ];
  const sections = [
    ['Quiet waiting: every process sleeps until its work is done.', of(WAITS.quiet)],
    [
      'As users of each peer experience it: Dawn polls while waiting; onnxruntime-web copies its input and output; Daybreak trains with its trainer, which gathers crops, checks for NaN and infinity, and runs two steps ahead.',
      of(WAITS.native),
    ],
  ] as const;
  for (const [title, some] of sections)
    if (some.length > 0) parts.push(`**${title}**`, ratioTable(some), timesTable(some));
  return parts.join('\n\n');
}
