/** A chart as SVG, for readers without JavaScript, for print, and until the script has drawn its own. */

import { figure } from '../../common/text.ts';
import type { Chart } from './curves.ts';
import { escapeHtml } from './html.ts';

const WIDTH = 520;
const HEIGHT = 260;
const MARGIN = { left: 58, right: 26, top: 10, bottom: 30 };

/** So few values are marked one by one. */
const DOTS = 40;

function dot(place: string): string {
  const [x, y] = place.split(' ');
  return `<circle cx="${x}" cy="${y}" r="3"/>`;
}

interface Axis {
  /** Data to 0…1. */
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Ticks 1, 2 or 5 times a power of ten apart, about `wanted` of them. */
export function linearTicks(low: number, high: number, wanted: number): number[] {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const distance = power * ([1, 2, 5].find(factor => factor * power >= rough * 0.999) ?? 10);
  const ticks: number[] = [];
  // By counting, not by adding, so that 0.3 is not 0.30000000000000004.
  for (let i = Math.ceil(low / distance - 1e-9); i * distance <= high + distance * 1e-9; i++) {
    ticks.push(Number((i * distance).toPrecision(12)));
  }
  return ticks;
}

/** 1, 2 and 5 times each power of ten; only the powers where that would be too many. */
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

/** Bounds with some air; a single value gets a span of its own. */
export function padded(low: number, high: number, logarithmic: boolean): [number, number] {
  if (logarithmic) {
    const air = low === high ? 2 : (high / low) ** 0.05;
    return [low / air, high * air];
  }
  const air = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.06;
  return [low - air, high + air];
}

function linear(low: number, high: number, wanted: number): Axis {
  return { place: value => (value - low) / (high - low), ticks: linearTicks(low, high, wanted) };
}

function logarithmic(low: number, high: number): Axis {
  const length = Math.log(high / low);
  return { place: value => Math.log(value / low) / length, ticks: logarithmicTicks(low, high) };
}

/** Least and greatest value of all lines; undefined where there is nothing to draw. */
export function bounds(chart: Chart): [number, number] | undefined {
  let [low, high] = [Infinity, -Infinity];
  for (const line of chart.lines) {
    for (const value of line.values) {
      if (value === null || (chart.logarithmic && value <= 0)) continue;
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
  }
  return low <= high ? [low, high] : undefined;
}

/** An svg element; its colours come from the page's style. */
export function svgOf(chart: Chart): string {
  const range = bounds(chart);
  if (!range) return '<p class="nothing">nothing was measured</p>';
  const [first, last] = [chart.steps[0], chart.steps[chart.steps.length - 1]];
  const across = first === last ? linear(first - 1, last + 1, 1) : linear(first, last, 5);
  const [low, high] = padded(...range, chart.logarithmic);
  const up = chart.logarithmic ? logarithmic(low, high) : linear(low, high, 5);
  const x = (step: number) => MARGIN.left + across.place(step) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number) => HEIGHT - MARGIN.bottom - up.place(value) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const at = (value: number) => value.toFixed(1);
  const grid = [
    ...up.ticks.map(tick => {
      const height = at(y(tick));
      return (
        `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${height}" y2="${height}"/>` +
        `<text x="${MARGIN.left - 8}" y="${at(y(tick) + 4)}" text-anchor="end">${figure(tick, 4)}</text>`
      );
    }),
    ...across.ticks
      .filter(tick => Number.isInteger(tick))
      .map(tick => `<text x="${at(x(tick))}" y="${HEIGHT - 8}" text-anchor="middle">${figure(tick, 7)}</text>`),
  ];
  const lines = chart.lines.map(({ role, values }) => {
    const points: string[] = [];
    let pen = 'M';
    values.forEach((value, i) => {
      const drawn = value !== null && !(chart.logarithmic && value <= 0);
      if (drawn) points.push(`${pen}${at(x(chart.steps[i]))} ${at(y(value))}`);
      pen = drawn ? 'L' : 'M';
    });
    const dots = role === 'main' && values.length <= DOTS ? points.map(point => dot(point.slice(1))) : [];
    return `<path class="${role}" d="${points.join('')}"/>${dots.join('')}`;
  });
  const label = escapeHtml(`${chart.title}${chart.note ? `, ${chart.note}` : ''}, over updates ${first} to ${last}`);
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${grid.join('')}${lines.join('')}</svg>`;
}
