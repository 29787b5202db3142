/** The curves of a run, thinned out to what a screen can show. */

import { isEvaluation, type MetricsEntry, type StepEntry } from '../run-folder/metrics.ts';
import { type ReportScores, setMeans, stepEntries } from './report-content.ts';

/**
 * How a line is drawn: the network's own, a second one of its kind, measurements as they are behind a smoothed line, or
 * something to compare with.
 */
export type LineRole = 'main' | 'second' | 'raw' | 'reference';

export interface Line {
  readonly label: string;
  readonly role: LineRole;
  /** One value for each of the chart's steps; null where there is none. */
  readonly values: readonly (number | null)[];
}

export interface Chart {
  readonly title: string;
  /** What the figures are, where the title does not say it. */
  readonly note: string;
  readonly logarithmic: boolean;
  /** Ascending. */
  readonly steps: readonly number[];
  readonly lines: readonly Line[];
}

/** More points than this are more than a screen has columns. */
const POINTS = 1200;

/**
 * Loss and its terms, the discriminator's answers, scores of each evaluation set, learning rate, speed: as far as the log
 * has them. `label`: what the network is called.
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

/** What a loss of pixels alone is. */
const PIXEL_NOTES: Readonly<Record<string, string>> = {
  mse: 'mean squared error on [−1, 1]',
  l1: 'mean absolute error on [−1, 1]',
};

/** Titles and notes of terms; others are features of VGG19, under their own names. */
const TERMS: Readonly<Record<string, readonly [title: string, note: string]>> = {
  mse: ['Mean squared error', 'on [−1, 1]'],
  l1: ['Mean absolute error', 'on [−1, 1]'],
  tv: ['Total variation', 'before its weight'],
  adversarial: ['Adversarial loss', '−log D(G(x)), before its weight'],
  discriminator: ["Discriminator's loss", '−log D(y) − log(1 − D(G(x)))'],
};

/** What the discriminator takes for photographs. */
const ANSWERS = ['dReal', 'dFake'] as const;

function lossCharts(entries: readonly StepEntry[]): Chart[] {
  // Entries have none where all their updates were skipped.
  const names = Object.keys(entries.findLast(({ terms }) => terms !== undefined)?.terms ?? {});
  const terms = names.filter(name => !ANSWERS.some(answer => answer === name));
  // A single term is the loss.
  const alone = terms.length <= 1;
  const loss = measured(
    entries.map(({ loss }) => loss),
    entries,
    {
      title: 'Loss',
      note: (alone && PIXEL_NOTES[terms[0] ?? 'mse']) || 'what the generator is to make small',
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
  return [loss, ...each, ...(names.includes('dReal') ? [answersChart(entries)] : [])];
}

function answersChart(entries: readonly StepEntry[]): Chart {
  const [real, fake] = ANSWERS.map(name => smoothed(entries.map(({ terms }) => terms?.[name] ?? Number.NaN)));
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

/** Values as logged, and smoothed. */
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
    // A loss that falls to a third and less shows its end better this way.
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
  return measured(speeds, entries, { title: 'Speed', note: 'high-resolution crops a second', linear: true });
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

/** Least and greatest; Math.min(...values) has a limit on the number of arguments. */
function range(values: readonly number[]): [number, number] {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

/**
 * Exponential moving average over about a fortieth of the values, corrected for its start as Adam's moments are. Values
 * that are not finite are passed over.
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
 * Which of the values to draw: all, or of equal stretches the least and the greatest, so that no spike gets lost, and the
 * first and last of all. Indices, ascending.
 */
export function thinned(values: readonly number[], points = POINTS): number[] {
  if (values.length <= points) return values.map((_, i) => i);
  const picked = new Set([0, values.length - 1]);
  const stretches = points >> 1;
  for (let s = 0; s < stretches; s++) {
    const from = Math.floor((s * values.length) / stretches);
    const to = Math.floor(((s + 1) * values.length) / stretches);
    let [least, greatest] = [from, from];
    for (let i = from; i < to; i++) {
      if (values[i] < values[least]) least = i;
      if (values[i] > values[greatest]) greatest = i;
    }
    picked.add(least).add(greatest);
  }
  return [...picked].sort((a, b) => a - b);
}
