/** Markdown tables that are readable as plain text, too. */

import { count } from '../common/text.ts';

export interface Column {
  readonly head: string;
  /** Default: right, for numbers. */
  readonly align?: 'left' | 'right';
}

/** A table with its columns padded to the same width. */
export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ head }, i) => Math.max(3, head.length, ...rows.map(row => (row[i] ?? '').length)));
  const pad = (text: string, i: number) =>
    columns[i].align === 'left' ? text.padEnd(widths[i]) : text.padStart(widths[i]);
  const line = (cells: readonly string[]) => `| ${columns.map((_, i) => pad(cells[i] ?? '', i)).join(' | ')} |`;
  const rule = columns.map(({ align }, i) =>
    align === 'left' ? '-'.repeat(widths[i]) : `${'-'.repeat(widths[i] - 1)}:`,
  );
  return [line(columns.map(({ head }) => head)), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

/** Three significant digits, or integers from 100: 0.0123, 0.123, 1.23, 12.3, 123, 1,235. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '';
  if (value >= 100) return count(value);
  return value === 0 ? '0' : value < 0.001 ? '<0.001' : value.toPrecision(3);
}

/** `47 %`. */
export const percent = (part: number | undefined): string => (part === undefined ? '' : `${Math.round(100 * part)} %`);
