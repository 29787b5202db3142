/** What a run shows for the eye, and how: the same picture by every method beside its original. */
import { type ComparisonRow, comparisonPicture } from '../../eval/comparison.ts';
import type { Pair } from '../../eval/evaluate.ts';
import { interpolation, type Method } from '../../eval/methods.ts';
import type { Picture } from '../../image/picture.ts';
import { type TrainConfig, variantOfConfig } from '../config/config.ts';
import type { ScoredSet } from './scoring.ts';

/** What can be shown of a run. */
export interface Exhibits {
  readonly config: TrainConfig;
  readonly sets: readonly ScoredSet[];
  /** Shown where nothing is held out. */
  readonly pictures: readonly Pair[];
  readonly method: Method;
  /** The network that the training began with, where it is another's result worth comparing. */
  readonly initial?: Method | undefined;
}

/** What the network is called that an SRGAN began with. */
export const INITIAL = 'initial SRResNet';

/** Pictures of each set that are compared: enough to judge by, few enough for a page. */
export const COMPARED = 4;

/** Beside an SRResNet, the detail is what it is about. */
const ZOOM = 4;

/** The held-out sets, or the first pictures trained on where there are none. */
export function exhibited({ sets, pictures }: Exhibits): readonly ScoredSet[] {
  return sets.length > 0 ? sets : [{ data: 'pictures trained on', pictures: pictures.slice(0, COMPARED) }];
}

/** What becomes of a picture: by bicubic first, by the network last, and in between by what it began as, if worth it. */
export async function rowOf({ config, method, initial }: Exhibits, { name, hr, lr }: Pair): Promise<ComparisonRow> {
  const methods: [string, Method][] = [
    ['bicubic', interpolation('bicubic')],
    ...(initial ? [[INITIAL, initial] as [string, Method]] : []),
    [variantOfConfig(config).label, method],
  ];
  const results: { label: string; picture: Picture }[] = [];
  for (const [label, enlarge] of methods) results.push({ label, picture: await enlarge(lr) });
  return { name, hr, lr, results };
}

/** The rows, LR before and the original behind, as they are after `step` updates. */
export function comparisonOf(
  { config, initial }: Exhibits,
  data: string,
  rows: readonly ComparisonRow[],
  step: number,
): Picture {
  const { label } = variantOfConfig(config);
  const note = `${label} of ${config.blocks} blocks and ${config.channels} channels after ${step} updates`;
  return comparisonPicture(rows, { heading: data, note, ...(initial && { zoom: ZOOM }) });
}
