/** The charts of a run, reduced to as many points as a screen can show. */

import { isEvaluation, type MetricsEntry, type StepEntry } from '../run-folder/metrics.ts';
import { type ReportScores, setMeans, stepEntries } from './report-content.ts';

/**
 * The role of a line, which sets its style: the main value, a second value, unsmoothed values behind a smoothed line, or a
 * reference.
 */
export type LineRole = 'main' | 'second' | 'raw' | 'reference';

export interface Line {
  readonly label: string;
  readonly role: LineRole;
  /** A value for each step of the chart; null if it is missing. */
  readonly values: readonly (number | null)[];
}

export interface Chart {
  readonly title: string;
  /** Unit or definition of the values, if the title does not say it. */
  readonly note: string;
  readonly logarithmic: boolean;
  /** Ascending. */
  readonly steps: readonly number[];
  readonly lines: readonly Line[];
}

/** Maximum number of points per line: about the width of a screen in pixels. */
const POINTS = 1200;

/**
 * The charts of everything in the log: loss and its terms, outputs of the discriminator, scores of each evaluation set,
 * learning rate, speed. `label`: name of the network.
 */
export function chartsOf(
  metrics: readonly MetricsEntry[],
  scores: readonly ReportScores[],
  label = 'SRResNet',
): Chart[] {
  const entries = stepEntries(metrics);
  const charts: Chart[] = [];
  if (entries.length > 0) charts.push(...lossCharts(entries));
  charts.push(...scoreCharts(metrics, scores, label));
  if (entries.length > 0) {
    const picked = thinned(entries.map(({ lr }) => lr));
    charts.push({
      title: 'Learning rate',
      note: '',
      logarithmic: false,
      steps: picked.map(i => entries[i].step),
      lines: [{ label: 'learning rate', role: 'main', values: picked.map(i => entries[i].lr) }],
    });
    charts.push(speedChart(entries));
  }
  return charts;
}

/** Notes of pixel losses. */
const PIXEL_NOTES: Readonly<Record<string, string>> = {
  mse: 'mean squared error on [−1, 1]',
  l1: 'mean absolute error on [−1, 1]',
};

/** Titles and notes of loss terms. Other terms are features of VGG19. */
const TERMS: Readonly<Record<string, readonly [title: string, note: string]>> = {
  mse: ['Mean squared error', 'on [−1, 1]'],
  l1: ['Mean absolute error', 'on [−1, 1]'],
  tv: ['Total variation', 'before its weight'],
  adversarial: ['Adversarial loss', '−log D(G(x)), before its weight'],
  discriminator: ["Discriminator's loss", '−log D(y) − log(1 − D(G(x)))'],
};

/** Outputs of the discriminator. */
const OUTPUTS = ['dReal', 'dFake'] as const;

function lossCharts(entries: readonly StepEntry[]): Chart[] {
  // Entries whose updates were all skipped have no terms.
  const names = Object.keys(entries.findLast(({ terms }) => terms !== undefined)?.terms ?? {});
  const terms = names.filter(name => !OUTPUTS.some(output => output === name));
  // If there is only one term, it is the loss.
  const alone = terms.length <= 1;
  const loss = measured(
    entries.map(({ loss }) => loss),
    entries,
    {
      title: 'Loss',
      note: (alone && PIXEL_NOTES[terms[0] ?? 'mse']) || 'total loss of the generator',
    },
  );
  const each = alone
    ? []
    : terms.map(name => {
        const [title, note] = TERMS[name] ?? [name.toUpperCase(), 'squared distance of features, before its weight'];
        return measured(
          entries.map(({ terms: all }) => all?.[name] ?? Number.NaN),
          entries,
          { title, note },
        );
      });
  return [loss, ...each, ...(names.includes('dReal') ? [outputsChart(entries)] : [])];
}

function outputsChart(entries: readonly StepEntry[]): Chart {
  const [real, fake] = OUTPUTS.map(name => smoothed(entries.map(({ terms }) => terms?.[name] ?? Number.NaN)));
  const picked = thinned(fake);
  const line = (label: string, role: LineRole, values: readonly number[]): Line => ({
    label,
    role,
    values: picked.map(i => finiteOrNull(values[i])),
  });
  return {
    title: 'D(real) and D(fake)',
    note: 'probability of being a photograph, smoothed',
    logarithmic: false,
    steps: picked.map(i => entries[i].step),
    lines: [line('D(y)', 'main', real), line('D(G(x))', 'second', fake)],
  };
}

/** A chart of values as logged, and smoothed. */
function measured(
  values: readonly number[],
  entries: readonly StepEntry[],
  { title, note, linear = false }: { title: string; note: string; linear?: boolean },
): Chart {
  const smooth = smoothed(values);
  const picked = thinned(values);
  const finite = smooth.filter(value => value > 0);
  return {
    title,
    note,
    // A logarithmic scale shows the end of a loss that falls to less than a third.
    logarithmic: !linear && finite.length > 1 && Math.max(...range(finite)) > 3 * Math.min(...range(finite)),
    steps: picked.map(i => entries[i].step),
    lines: [
      { label: 'as logged', role: 'raw', values: picked.map(i => finiteOrNull(values[i])) },
      { label: 'smoothed', role: 'main', values: picked.map(i => finiteOrNull(smooth[i])) },
    ],
  };
}

function speedChart(entries: readonly StepEntry[]): Chart {
  const speeds = entries.map(({ imagesPerSecond }) => imagesPerSecond);
  return measured(speeds, entries, { title: 'Speed', note: 'HR crops per second', linear: true });
}

function scoreCharts(metrics: readonly MetricsEntry[], scores: readonly ReportScores[], label: string): Chart[] {
  const bySet = new Map<string, { step: number; psnr: number }[]>();
  for (const entry of metrics) {
    if (!isEvaluation(entry)) continue;
    const { data, psnr } = entry.evaluation;
    const points = bySet.get(data) ?? [];
    points.push({ step: entry.step, psnr });
    bySet.set(data, points);
  }
  return [...bySet].map(([data, points]) => {
    const final = scores.find(one => one.data === data && one.images.length > 0);
    const bicubic = final && setMeans(final).bicubic.psnr;
    const picked = thinned(points.map(({ psnr }) => psnr));
    const lines: Line[] = [{ label, role: 'main', values: picked.map(i => finiteOrNull(points[i].psnr)) }];
    if (bicubic !== undefined)
      lines.unshift({ label: 'bicubic', role: 'reference', values: picked.map(() => bicubic) });
    return {
      title: `PSNR on ${data}`,
      note: 'dB, protocol matlab',
      logarithmic: false,
      steps: picked.map(i => points[i].step),
      lines,
    };
  });
}

const finiteOrNull = (value: number) => (Number.isFinite(value) ? value : null);

/** Minimum and maximum. Math.min(...values) fails with too many values. */
function range(values: readonly number[]): [number, number] {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

/**
 * Exponential moving average over about a fortieth of the values, with the bias correction of Adam's moments. Non-finite
 * values are ignored.
 */
export function smoothed(values: readonly number[]): number[] {
  const keep = 1 - 1 / Math.max(1, values.length / 40);
  let sum = 0;
  let weight = 0;
  return values.map(value => {
    if (Number.isFinite(value)) {
      sum = keep * sum + (1 - keep) * value;
      weight = keep * weight + (1 - keep);
    }
    return weight > 0 ? sum / weight : Number.NaN;
  });
}

/**
 * Chooses the values to draw: all, or the minimum and maximum of equal intervals, so that no spike is lost, and the first
 * and last value. Returns their indices in ascending order.
 */
export function thinned(values: readonly number[], points = POINTS): number[] {
  if (values.length <= points) return values.map((_, i) => i);
  const picked = new Set([0, values.length - 1]);
  const intervals = points >> 1;
  for (let s = 0; s < intervals; s++) {
    const from = Math.floor((s * values.length) / intervals);
    const to = Math.floor(((s + 1) * values.length) / intervals);
    let [lowest, highest] = [from, from];
    for (let i = from; i < to; i++) {
      if (values[i] < values[lowest]) lowest = i;
      if (values[i] > values[highest]) highest = i;
    }
    picked.add(lowest).add(highest);
  }
  return [...picked].sort((a, b) => a - b);
}
