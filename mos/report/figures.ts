/** The figures of a report as SVG. Their colours come from the page's style sheet. */

import { escapeHtml } from '../../pages/html.ts';
import type { SetScores } from '../analysis.ts';

const ROW = 44;
const COLUMN = 62;
const LEFT = 92;
const TOP = 12;
const WORDS = ['bad', 'poor', 'fair', 'good', 'excellent'];

/**
 * Distribution of the scores as in figures 5 and 9 of the paper: for each version a column of five cells, darker the more
 * ratings have that score, with the mean as a red mark at its height and its interval over raters.
 */
export function distributionFigure({ name, versions }: SetScores): string {
  const width = LEFT + versions.length * COLUMN + 12;
  const bottom = TOP + 5 * ROW;
  const y = (score: number) => bottom - (score - 0.5) * ROW;
  const rows = WORDS.map(
    (word, i) =>
      `<text x="${LEFT - 10}" y="${y(i + 1) + 4}" text-anchor="end">${word} <tspan class="strong">${i + 1}</tspan></text>`,
  );
  const columns = versions.map(({ label, counts, ratings, mos, byRaters }, column) => {
    const x = LEFT + column * COLUMN;
    const middle = x + COLUMN / 2;
    const cells = counts.map((count, i) => {
      const part = count / ratings;
      const share = Math.round(100 * part);
      const place = `x="${x + 1}" y="${y(i + 1) - ROW / 2 + 1}" width="${COLUMN - 2}" height="${ROW - 2}"`;
      const text = `<text class="${part > 0.35 ? 'over' : 'share'}" x="${x + COLUMN - 9}" y="${y(i + 1) + 4}" text-anchor="end">${share}</text>`;
      return `<rect class="cell" ${place} rx="3" fill-opacity="${(0.05 + 0.95 * part).toFixed(3)}"/>${count > 0 ? text : ''}`;
    });
    const whisker = Number.isNaN(byRaters.low)
      ? ''
      : `<line class="mean" x1="${x + 10}" x2="${x + 10}" y1="${y(byRaters.low).toFixed(1)}" y2="${y(byRaters.high).toFixed(1)}"/>`;
    const level = y(mos).toFixed(1);
    const mark = `<line class="mean wide" x1="${x + 4}" x2="${x + COLUMN / 2}" y1="${level}" y2="${level}"/>`;
    return (
      `<g><title>${escapeHtml(label)}: mean ${mos.toFixed(2)} of ${ratings} ratings</title>${cells.join('')}${whisker}${mark}</g>` +
      `<text class="strong" x="${middle}" y="${bottom + 20}" text-anchor="middle">${mos.toFixed(2)}</text>${slanted(label, middle, bottom + 36)}`
    );
  });
  const label = `Distribution of scores on ${name}`;
  return svg(width, bottom + 112, label, [...rows, ...columns].join(''));
}

const slanted = (label: string, x: number, y: number) =>
  `<text x="${x + 6}" y="${y}" text-anchor="end" transform="rotate(-38 ${x + 6} ${y})">${escapeHtml(label)}</text>`;

/** Average ranks as in figure 10: one line for each version, the best rank on the left. */
export function rankFigure({ name, versions }: SetScores): string {
  const left = 150;
  const plot = 420;
  const height = 27;
  const bottom = TOP + versions.length * height;
  const most = Math.max(2, versions.length);
  const x = (rank: number) => left + ((rank - 1) / (most - 1)) * plot;
  const ticks = Array.from({ length: most }, (_, i) => i + 1).map(
    rank =>
      `<line class="grid" x1="${x(rank).toFixed(1)}" x2="${x(rank).toFixed(1)}" y1="${TOP}" y2="${bottom}"/>` +
      `<text x="${x(rank).toFixed(1)}" y="${bottom + 18}" text-anchor="middle">${rank}</text>`,
  );
  const lines = versions.map(({ label, rank }, i) => {
    const y = TOP + (i + 0.5) * height;
    return (
      `<text x="${left - 14}" y="${y + 4}" text-anchor="end">${escapeHtml(label)}</text>` +
      `<line class="stem" x1="${left}" x2="${x(rank).toFixed(1)}" y1="${y}" y2="${y}"/>` +
      `<circle cx="${x(rank).toFixed(1)}" cy="${y}" r="5"/>` +
      `<text class="strong" x="${(x(rank) + 11).toFixed(1)}" y="${y + 4}">${rank.toFixed(2)}</text>`
    );
  });
  return svg(left + plot + 60, bottom + 28, `Average ranks on ${name}`, [...ticks, ...lines].join(''));
}

const svg = (width: number, height: number, label: string, content: string) =>
  `<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${escapeHtml(label)}">${content}</svg>`;
