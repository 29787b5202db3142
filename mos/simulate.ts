/** Simulated raters, to try a study out and to see what its report looks like. They say nothing about real opinions. */

import { Random } from '../image/random.ts';
import { itemsOf, type Study } from './study.ts';
import { PAPER_SETS, paperVersion } from './versions.ts';

/** How a simulated rater answers. */
export type Habit = 'careful' | 'random';

/** Standard deviations in units of the scale (ours): of raters, of pictures, and of single answers. */
const SPREAD = { rater: 0.35, picture: 0.3, answer: 0.6 };
/** The quality of a version that the paper does not have. */
const UNKNOWN_QUALITY = 3;

/**
 * The scores that rater `number` gives to pictures in the given order: the paper's mean opinion score of the version, plus
 * what rater and picture add, plus noise, rounded to 1…5. `random` raters draw any score.
 */
export function simulatedScores(
  study: Study,
  number: number,
  order: readonly string[],
  seed: number,
  habit: Habit,
): number[] {
  const items = new Map(itemsOf(study).map(item => [item.id, item]));
  const random = new Random(seed, number, 1);
  const bias = SPREAD.rater * random.normal();
  const pictures = new Map<string, number>();
  const offsets = new Random(seed, 0, 2);
  for (const { name, pictures: all } of study.sets) {
    for (const picture of all) pictures.set(`${name} ${picture.name}`, SPREAD.picture * offsets.normal());
  }
  return order.map(id => {
    if (habit === 'random') return 1 + random.integer(5);
    const item = items.get(id);
    const quality = item ? qualityOf(item.version, item.set) : UNKNOWN_QUALITY;
    const offset = item ? (pictures.get(`${item.set} ${item.picture}`) ?? 0) : 0;
    const score = Math.round(quality + bias + offset + SPREAD.answer * random.normal());
    return Math.min(5, Math.max(1, score));
  });
}

function qualityOf(label: string, set: string): number {
  const mos = paperVersion(label)?.mos;
  if (!mos) return UNKNOWN_QUALITY;
  const place = Math.max(0, (PAPER_SETS as readonly string[]).indexOf(set));
  return mos[place] ?? mos[1];
}
