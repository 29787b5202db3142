/** Draws a chart as SVG. It is readable without JavaScript and in print; the page's script adds a hover readout. */

import { figure } from '../../common/text.ts';
import { escapeHtml } from '../../pages/html.ts';
import type { Chart } from './curves.ts';

const WIDTH = 520;
const HEIGHT = 260;
const MARGIN = { left: 58, right: 26, top: 10, bottom: 30 };

/** Lines of at most this many values get a dot for each value. */
const DOTS = 40;

interface Axis {
  /** Maps data to 0…1. */
  readonly scale: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Ticks at multiples of 1, 2 or 5 times a power of ten, about `wanted` of them. */
export function linearTicks(low: number, high: number, wanted: number): number[] {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const distance = power * ([1, 2, 5].find(factor => factor * power >= rough * 0.999) ?? 10);
  const ticks: number[] = [];
  // Multiply instead of adding up, so that 0.3 does not become 0.30000000000000004.
  for (let i = Math.ceil(low / distance - 1e-9); i * distance <= high + distance * 1e-9; i++) {
    ticks.push(Number((i * distance).toPrecision(12)));
  }
  return ticks;
}

/** Ticks at 1, 2 and 5 times each power of ten, or at the powers alone if the range spans more than 2.5 of them. */
export function logarithmicTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  const factors = Math.log10(high / low) > 2.5 ? [1] : [1, 2, 5];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of factors) {
      const tick = Number((factor * 10 ** power).toPrecision(12));
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks;
}

/** Adds some margin to the bounds; a range of zero length is widened. */
export function padded(low: number, high: number, logarithmic: boolean): [number, number] {
  if (logarithmic) {
    const margin = low === high ? 2 : (high / low) ** 0.05;
    return [low / margin, high * margin];
  }
  const margin = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.06;
  return [low - margin, high + margin];
}

function linear(low: number, high: number, wanted: number): Axis {
  return { scale: value => (value - low) / (high - low), ticks: linearTicks(low, high, wanted) };
}

function logarithmic(low: number, high: number): Axis {
  const length = Math.log(high / low);
  return { scale: value => Math.log(value / low) / length, ticks: logarithmicTicks(low, high) };
}

/** The smallest and the largest value of all lines; undefined if no value can be drawn. */
function bounds(chart: Chart): [number, number] | undefined {
  let [low, high] = [Infinity, -Infinity];
  for (const line of chart.lines) {
    for (const value of line.values) {
      if (value === null || (chart.logarithmic && value <= 0)) continue;
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
  }
  return low <= high ? [low, high] : undefined;
}

/** The steps at the left and the right edge of the plot. */
function stepRange({ steps }: Chart): [number, number] {
  const [first, last] = [steps[0], steps[steps.length - 1]];
  return first === last ? [first - 1, last + 1] : [first, last];
}

/** What the page's script needs to find the step under the pointer. */
export interface HoverData extends Pick<Chart, 'steps' | 'lines'> {
  /** x of the plot's left and right edge, in units of the SVG's viewBox. */
  readonly edges: readonly [number, number];
  /** The steps there. */
  readonly range: readonly [number, number];
}

/** A chart's values and the position of its plot in the SVG that `svgOf` draws. */
export function hoverData(chart: Chart): HoverData {
  const { steps, lines } = chart;
  return { steps, lines, edges: [MARGIN.left, WIDTH - MARGIN.right], range: stepRange(chart) };
}

/** An svg element, or a paragraph if there is no value to draw. Its colours come from the page's style sheet. */
export function svgOf(chart: Chart): string {
  const range = bounds(chart);
  if (!range) return '<p class="nothing">nothing was measured</p>';
  const horizontal = linear(...stepRange(chart), chart.steps.length > 1 ? 8 : 1);
  const [low, high] = padded(...range, chart.logarithmic);
  const vertical = chart.logarithmic ? logarithmic(low, high) : linear(low, high, 5);
  const x = (step: number) => MARGIN.left + horizontal.scale(step) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number) => HEIGHT - MARGIN.bottom - vertical.scale(value) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const grid = [
    ...vertical.ticks.map(tick => {
      const height = coordinate(y(tick));
      return (
        `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${height}" y2="${height}"/>` +
        `<text x="${MARGIN.left - 8}" y="${coordinate(y(tick) + 4)}" text-anchor="end">${figure(tick, 4)}</text>`
      );
    }),
    ...horizontal.ticks
      .filter(tick => Number.isInteger(tick))
      .map(tick => `<text x="${coordinate(x(tick))}" y="${HEIGHT - 8}" text-anchor="middle">${figure(tick, 7)}</text>`),
  ];
  const lines = chart.lines.map(line => pathOf(line, chart, x, y));
  const [first, last] = [chart.steps[0], chart.steps[chart.steps.length - 1]];
  const label = escapeHtml(`${chart.title}${chart.note ? `, ${chart.note}` : ''}, over updates ${first} to ${last}`);
  const cursor = `<line class="cursor" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}" visibility="hidden"/>`;
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">` +
    `${grid.join('')}${lines.join('')}${cursor}</svg>`
  );
}

const coordinate = (value: number) => value.toFixed(1);

/** A line as a path, with a gap at each missing value. The main line also gets dots if it has few values. */
function pathOf(
  { role, values }: Chart['lines'][number],
  { steps, logarithmic }: Chart,
  x: (step: number) => number,
  y: (value: number) => number,
): string {
  const points: { readonly command: 'M' | 'L'; readonly x: string; readonly y: string }[] = [];
  let command: 'M' | 'L' = 'M';
  values.forEach((value, i) => {
    const isDrawn = value !== null && !(logarithmic && value <= 0);
    if (isDrawn) points.push({ command, x: coordinate(x(steps[i])), y: coordinate(y(value)) });
    command = isDrawn ? 'L' : 'M';
  });
  const path = points.map(point => `${point.command}${point.x} ${point.y}`).join('');
  const dots = role === 'main' && values.length <= DOTS ? points : [];
  return (
    `<path class="${role}" d="${path}"/>` +
    dots.map(point => `<circle cx="${point.x}" cy="${point.y}" r="3"/>`).join('')
  );
}
