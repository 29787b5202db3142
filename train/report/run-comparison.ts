/** Comparison pictures of a run: the same picture by each method beside its original. */
import { type ComparisonRow, comparisonPicture } from '../../eval/comparison.ts';
import type { Pair } from '../../eval/evaluate.ts';
import { interpolation, type Method } from '../../eval/methods.ts';
import type { Picture } from '../../image/picture.ts';
import { type TrainConfig, variantOfConfig } from '../config/config.ts';
import { networkSize } from './report-content.ts';
import type { ScoredSet } from './scoring.ts';

/** A run's networks and pictures. */
export interface ComparedRun {
  readonly config: TrainConfig;
  /** The evaluation sets. */
  readonly sets: readonly ScoredSet[];
  /** Training pictures, shown if there is no evaluation set. */
  readonly pictures: readonly Pair[];
  readonly method: Method;
  /** The network that the training started from, unless it is an earlier state of the same training. */
  readonly initial?: Method | undefined;
}

/** Label of the network that an SRGAN started from. */
export const INITIAL = 'initial SRResNet';

/** Number of pictures of each set that are compared. */
export const COMPARED = 4;

/** Magnification of the comparisons of an SRGAN, which is about details. */
const ZOOM = 4;

/** The evaluation sets, or the first training pictures if there are none. */
export function comparedSets({ sets, pictures }: ComparedRun): readonly ScoredSet[] {
  return sets.length > 0 ? sets : [{ data: 'pictures trained on', pictures: pictures.slice(0, COMPARED) }];
}

/** Upscales a picture by bicubic, by the initial network if there is one, and by the trained network. */
export async function comparisonRow(
  { config, method, initial }: ComparedRun,
  { name, hr, lr }: Pair,
): Promise<ComparisonRow> {
  const methods: [string, Method][] = [
    ['bicubic', interpolation('bicubic')],
    ...(initial ? [[INITIAL, initial] as [string, Method]] : []),
    [variantOfConfig(config).label, method],
  ];
  const results: { label: string; picture: Picture }[] = [];
  for (const [label, upscale] of methods) results.push({ label, picture: await upscale(lr) });
  return { name, hr, lr, results };
}

/** Draws rows, each from LR to the original, of a set after `step` updates. */
export function drawComparison(
  { config, initial }: ComparedRun,
  data: string,
  rows: readonly ComparisonRow[],
  step: number,
): Picture {
  const { label } = variantOfConfig(config);
  const note = `${label}, ${networkSize(config)}, after ${step} updates`;
  return comparisonPicture(rows, { heading: data, note, ...(initial && { zoom: ZOOM }) });
}
