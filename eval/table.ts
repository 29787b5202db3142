/** Tables of scores beside the paper's printed ones, as Markdown and CSV. */

import { counted, signed } from '../common/text.ts';
import type { MeanFigures } from './evaluate.ts';
import { type Column, figure, markdownTable } from './markdown-table.ts';
import { PAPER_METHODS, type PrintedFigures, paperMethodOf } from './paper-tables.ts';
import { decimals, PROTOCOLS } from './protocols.ts';

/** A method's row. */
export interface TableRow {
  readonly label: string;
  /** Undefined if the method could not be scored. */
  readonly mean: MeanFigures | undefined;
  /** Pictures that the means are of. */
  readonly pictures: number;
  /** Mean duration of the method alone for a picture; undefined for results that existed. */
  readonly seconds: number | undefined;
  /** Why there are no figures, or what to know about them. */
  readonly note: string;
}

/** The table of one set. */
export interface ScoreTable {
  /** The set's name, by which the paper's figures are found. */
  readonly set: string;
  readonly pictures: number;
  /** Where the LR pictures come from. */
  readonly origin: string;
  readonly rows: readonly TableRow[];
}

const COLUMNS: readonly Column[] = [
  { head: 'method', align: 'left' },
  { head: 'PSNR' },
  { head: 'printed' },
  { head: 'difference' },
  { head: 'SSIM' },
  { head: 'printed' },
  { head: 'difference' },
  { head: 'PSNR matlab' },
  { head: 'SSIM matlab' },
  { head: 's per picture' },
  { head: 'note', align: 'left' },
];

/** The paper's figures for a row of a set. */
export const printedFor = (set: string, label: string): PrintedFigures | undefined =>
  paperMethodOf(label)?.printed[set];

function cellsOf(set: string, { label, mean, seconds, note }: TableRow): string[] {
  const printed = printedFor(set, label);
  const beside = (ours: number | undefined, theirs: number | undefined, digits: number) => [
    ours === undefined ? '' : decimals(ours, digits),
    theirs?.toFixed(digits) ?? '',
    ours === undefined || theirs === undefined || !Number.isFinite(ours) ? '' : signed(ours - theirs, digits),
  ];
  return [
    label,
    ...beside(mean?.psnr_paper, printed?.psnr, 2),
    ...beside(mean?.ssim_paper, printed?.ssim, 4),
    mean ? decimals(mean.psnr, 2) : '',
    mean?.ssim.toFixed(4) ?? '',
    figure(seconds),
    note,
  ];
}

/**
 * Rows of the paper's methods for this set that `rows` do not have, with the printed figures alone.
 * @param ready names of methods that need no further file.
 */
export function missingRows(set: string, rows: readonly TableRow[], ready: readonly string[]): TableRow[] {
  const known = new Set(rows.map(({ label }) => paperMethodOf(label)?.name));
  return PAPER_METHODS.filter(({ name, printed }) => printed[set] && !known.has(name)).map(({ name }) => ({
    label: name,
    mean: undefined,
    pictures: 0,
    seconds: undefined,
    note: ready.includes(name.toLowerCase())
      ? `not asked for; --method ${name.toLowerCase()} adds it`
      : `not at hand; --method ${name}=FILE or --results ${name}=DIR adds it`,
  }));
}

const headOf = ({ pictures, origin }: ScoreTable) => `${counted(pictures, 'picture')}; ${origin}`;

/** The table of a set as Markdown, without a heading. */
export const tableText = (table: ScoreTable): string =>
  markdownTable(
    COLUMNS,
    table.rows.map(row => cellsOf(table.set, row)),
  );

/** What the columns mean. */
export const LEGEND = [
  `PSNR (dB) and SSIM: ${PROTOCOLS.paper}.`,
  `printed: tables 1 and 2 of Ledig et al. 2017; difference: ours less theirs.`,
  `matlab: ${PROTOCOLS.matlab}.`,
  's per picture: mean time of the method alone.',
] as const;

/** A Markdown document with the table of each set. */
export function tablesMarkdown(tables: readonly ScoreTable[], title: string, about: readonly string[]): string {
  const sections = tables.map(table => `## ${table.set}\n\n${headOf(table)}.\n\n${tableText(table)}\n`);
  return [
    `# ${title}\n`,
    ...about.map(line => `${line}\n`),
    LEGEND.map(line => `- ${line}`).join('\n'),
    '',
    ...sections,
  ]
    .join('\n')
    .replace(/\n{3,}/g, '\n\n');
}

/** A text for a CSV cell (RFC 4180). */
const quotedCell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** All tables as one CSV: a line per set and method, numbers with a point. */
export function tablesCsv(tables: readonly ScoreTable[]): string {
  const head = [
    ...['set', 'method', 'pictures', 'psnr_paper', 'ssim_paper', 'psnr_printed', 'ssim_printed'],
    ...['psnr_matlab', 'ssim_matlab', 'seconds_per_picture', 'note'],
  ];
  const number = (value: number | undefined) => (value === undefined || !Number.isFinite(value) ? '' : String(value));
  const lines = tables.flatMap(({ set, rows }) =>
    rows.map(({ label, mean, pictures, seconds, note }) => {
      const printed = printedFor(set, label);
      const figures = [
        mean?.psnr_paper,
        mean?.ssim_paper,
        printed?.psnr,
        printed?.ssim,
        mean?.psnr,
        mean?.ssim,
        seconds,
      ];
      return [set, label, String(pictures), ...figures.map(number), note].map(quotedCell).join(',');
    }),
  );
  return `${[head.join(','), ...lines].join('\r\n')}\r\n`;
}
