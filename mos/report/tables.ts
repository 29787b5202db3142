/** A report's figures as CSV (RFC 4180) and JSON. */

import type { Analysis } from '../analysis.ts';
import { itemsOf, type Study } from '../study.ts';
import type { Votes } from '../votes.ts';
import { type ReportContent, simulationNote } from './page.ts';

type Cell = string | number | boolean;

/** Lines end with a line feed. NaN is an empty cell. */
export function csvOf(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cell = (value: Cell) => {
    const text = typeof value === 'number' && !Number.isFinite(value) ? '' : String(value);
    // A spreadsheet would run a text that begins like a formula.
    const inert = typeof value === 'string' && /^[=+@-]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
  };
  return [head, ...rows].map(row => `${row.map(cell).join(',')}\n`).join('');
}

/** One row for each version of each set. */
export function scoresCsv({ sets, raters }: Analysis): string {
  const head =
    'set,version,ratings,mos,deviation,low_t,high_t,low_raters,high_raters,low_pictures,high_pictures,rank,n1,n2,n3,n4,n5,simulated';
  const simulated = raters.some(rater => rater.simulated);
  const rows = sets.flatMap(({ name, versions }) =>
    versions.map(({ label, ratings, mos, deviation, interval, byRaters, byPictures, rank, counts }) => [
      ...[name, label, ratings, mos, deviation],
      ...[interval, byRaters, byPictures].flatMap(({ low, high }) => [low, high]),
      ...[rank, ...counts, simulated],
    ]),
  );
  return csvOf(head.split(','), rows);
}

/** One row for each pair of versions of each set. */
export function comparisonsCsv({ sets, raters }: Analysis): string {
  const tests = ['wilcox', 'pratt'] as const;
  const columns = ['statistic', 'z', 'p', 'p_holm', 'method'];
  const head = ['set', 'a', 'b', 'pairs', 'zeros', 'difference'];
  const simulated = raters.some(rater => rater.simulated);
  const rows = sets.flatMap(({ name, comparisons }) =>
    comparisons.map(one => [
      ...[name, one.a, one.b, one.pairs, one.wilcox.zeros, one.difference],
      ...tests.flatMap(test => {
        const { statistic, z, p, adjusted, method } = one[test];
        return [statistic, z, p, adjusted, method];
      }),
      simulated,
    ]),
  );
  const tested = tests.flatMap(test => columns.map(column => `${column}_${test}`));
  return csvOf([...head, ...tested, 'simulated'], rows);
}

/** One row for each rater. */
export function ratersCsv({ raters }: Analysis): string {
  const head = 'rater,simulated,ratings,presentations,mean,deviation,agreement,repeats,same,within_one,remarks';
  const rows = raters.map(
    ({ number, simulated, ratings, presentations, mean, deviation, agreement, retest, doubts }) => [
      ...[number, simulated, ratings, presentations, mean, deviation, agreement],
      ...[retest.pairs, retest.same, retest.withinOne, doubts.join('; ')],
    ],
  );
  return csvOf(head.split(','), rows);
}

/** One row for each vote, in each rater's order. */
export function ratingsCsv(study: Study, { raters, votes }: Votes): string {
  const items = new Map(itemsOf(study).map(item => [item.id, item]));
  const simulated = new Set(raters.filter(rater => rater.simulated).map(({ number }) => number));
  const rows = votes.map(({ rater, place, picture: id, score, repeat, at }) => {
    const { set = '', picture = '', version = '' } = items.get(id) ?? {};
    return [rater, place + 1, set, picture, version, score, repeat, at, simulated.has(rater)];
  });
  return csvOf('rater,place,set,picture,version,score,repeat,at,simulated'.split(','), rows);
}

/** Everything but the single votes. NaN is null. */
export function reportJson({ study, analysis, excluded, daybreak }: ReportContent): object {
  return {
    daybreak,
    study: study.id,
    note: simulationNote(analysis) ?? null,
    simulated: analysis.raters.some(({ simulated }) => simulated),
    excluded,
    versions: study.versions,
    ...analysis,
  };
}
