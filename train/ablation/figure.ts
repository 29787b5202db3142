/** The figure of an ablation as an SVG file: PSNR and time against the number of blocks (figure 7 of Ledig et al.). */

import { figure } from '../../common/text.ts';
import { escapeHtml } from '../../pages/html.ts';
import { linearTicks, padded } from '../report/svg.ts';
import type { AblationRow } from './plan.ts';

/** A row with the time of an upscaling in seconds. */
export type TimedRow = AblationRow & { readonly seconds: number };

const PANEL = { width: 400, height: 270, left: 62, right: 18, top: 46, bottom: 44 };

const STYLE = `
text { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: #62656e; }
.title { font-size: 14px; font-weight: 620; fill: #1c1d21; }
.paper { fill: #ffffff; } .grid { stroke: #e4e2dd; }
.add { stroke: #c2410c; } .none { stroke: #4b6584; stroke-dasharray: 6 4; } .bicubic { stroke: #8a8d96; stroke-dasharray: 2 3; }
path { fill: none; stroke-width: 2; } circle.add { fill: #c2410c; } circle.none { fill: #4b6584; stroke-dasharray: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #9a9da6; } .title { fill: #e9e8e4; } .paper { fill: #1b1d21; } .grid { stroke: #33363d; }
  .add { stroke: #fb923c; } .none { stroke: #8fb0d6; } circle.add { fill: #fb923c; } circle.none { fill: #8fb0d6; }
}`;

const SKIPS = [
  { longSkip: 'add', label: 'with the long skip' },
  { longSkip: 'none', label: 'without it' },
] as const;

/** The figure, readable on light and dark pages. `set`: name of the evaluation set. `size`: side of the LR picture timed. */
export function ablationFigure(rows: readonly TimedRow[], set: string, size: number): string {
  const height = PANEL.height + 30;
  const bicubic = rows[0]?.bicubic;
  const panels = [
    panel(rows, ({ psnr }) => psnr, { title: `PSNR on ${set}, dB`, offset: 0, reference: bicubic }),
    panel(rows, ({ seconds }) => 1000 * seconds, {
      ...{ title: `Time for ${size}×${size} LR pixels, ms`, offset: PANEL.width, fromZero: true },
    }),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * PANEL.width} ${height}" role="img" ` +
    `aria-label="${escapeHtml(`PSNR on ${set} and time against the number of residual blocks`)}">` +
    `<style>${STYLE}</style><rect class="paper" width="100%" height="100%" rx="8"/>${panels.join('')}` +
    `${legend(bicubic !== undefined)}</svg>\n`
  );
}

interface PanelOptions {
  readonly title: string;
  readonly offset: number;
  /** A horizontal line. */
  readonly reference?: number | undefined;
  readonly fromZero?: boolean;
}

function panel(
  rows: readonly TimedRow[],
  measured: (row: TimedRow) => number,
  { title, offset, reference, fromZero = false }: PanelOptions,
): string {
  const values = [...rows.map(measured), ...(reference === undefined ? [] : [reference])].filter(Number.isFinite);
  const [low, high] = padded(fromZero ? 0 : Math.min(...values), Math.max(...values), false);
  const bottom = fromZero ? 0 : low;
  const blocks = [...new Set(rows.map(row => row.blocks))].sort((a, b) => a - b);
  const [first, last] = [blocks[0], blocks.at(-1)!];
  const { width, height, left, right, top, bottom: foot } = PANEL;
  const share = (value: number) => (last === first ? 0.5 : (value - first) / (last - first));
  const x = (value: number) => (offset + left + 8 + share(value) * (width - left - right - 16)).toFixed(1);
  const y = (value: number) =>
    (height - foot - ((value - bottom) / (high - bottom)) * (height - top - foot)).toFixed(1);
  const across = (value: number, kind: string) =>
    `<line class="${kind}" x1="${offset + left}" x2="${offset + width - right}" y1="${y(value)}" y2="${y(value)}"/>`;
  const grid = linearTicks(bottom, high, 5).map(
    tick =>
      `${across(tick, 'grid')}<text x="${offset + left - 8}" y="${Number(y(tick)) + 4}" text-anchor="end">${figure(tick, 4)}</text>`,
  );
  const marks = blocks.map(
    value => `<text x="${x(value)}" y="${height - foot + 18}" text-anchor="middle">${value}</text>`,
  );
  const lines = SKIPS.map(({ longSkip }) => {
    const own = rows.filter(row => row.longSkip === longSkip && Number.isFinite(measured(row)));
    const points = [...own].sort((a, b) => a.blocks - b.blocks).map(row => [x(row.blocks), y(measured(row))] as const);
    const path = points.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${px} ${py}`).join('');
    const dots = points.map(([px, py]) => `<circle class="${longSkip}" cx="${px}" cy="${py}" r="3.5"/>`);
    return `<path class="${longSkip}" d="${path}"/>${dots.join('')}`;
  });
  return (
    `<text class="title" x="${offset + left}" y="26">${escapeHtml(title)}</text>${grid.join('')}${marks.join('')}` +
    `<text x="${offset + (left + width - right) / 2}" y="${height - 6}" text-anchor="middle">residual blocks</text>` +
    `${reference === undefined ? '' : across(reference, 'bicubic')}${lines.join('')}`
  );
}

function legend(hasBicubic: boolean): string {
  const entries = [...SKIPS, ...(hasBicubic ? [{ longSkip: 'bicubic', label: 'bicubic' }] : [])];
  const y = PANEL.height + 14;
  return entries
    .map(({ longSkip, label }, i) => {
      const left = PANEL.left + 170 * i;
      return `<path class="${longSkip}" d="M${left} ${y}h28"/><text x="${left + 36}" y="${y + 4}">${escapeHtml(label)}</text>`;
    })
    .join('');
}
