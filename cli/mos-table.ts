/** Mean opinion scores as a table in the terminal. */

import Table from 'cli-table3';
import { count } from '../common/text.ts';
import type { SetScores } from '../mos/analysis.ts';

/** The scores of a set with their 95 % intervals over raters. */
export function mosTable({ name, versions }: SetScores): string {
  if (versions.length === 0) return `${name}: nobody has rated it yet`;
  const table = new Table({
    head: [name, 'MOS', '95 %', 'rank', 'ratings'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const {
    label,
    mos,
    byRaters: { low, high },
    rank,
    ratings,
  } of versions) {
    const interval = Number.isNaN(low) ? '–' : `${low.toFixed(2)} – ${high.toFixed(2)}`;
    table.push([label, mos.toFixed(2), interval, Number.isNaN(rank) ? '–' : rank.toFixed(2), count(ratings)]);
  }
  return table.toString();
}
