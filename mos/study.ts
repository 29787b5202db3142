/** What a study consists of. */

import { z } from 'zod';
import { Random } from '../image/random.ts';

/** Random, so that neither a page nor a file's name says what it shows. */
const pictureId = z.string().regex(/^[0-9a-f]{32}$/);

const side = z.int().positive();

const studyShape = z.strictObject({
  version: z.literal(1),
  /** Tells studies apart. */
  id: z.string().regex(/^[0-9a-f]{16}$/),
  created: z.iso.datetime(),
  /** Determines each rater's order. */
  seed: z.int().nonnegative(),
  /** How many pictures each rater is shown a second time. */
  repeats: z.int().nonnegative(),
  versions: z.array(
    z.strictObject({
      label: z.string().min(1),
      /** Where the pictures come from: a model, a folder, or the data. */
      source: z.string(),
    }),
  ),
  sets: z.array(
    z.strictObject({
      name: z.string().min(1),
      pictures: z
        .array(
          z.strictObject({
            name: z.string(),
            width: side,
            height: side,
            /** Label of a version → picture. */
            shown: z.record(z.string(), pictureId),
          }),
        )
        .min(1),
    }),
  ),
  /** Examples shown before rating: a 1 (nearest neighbour) and a 5 (the original). */
  calibration: z.array(
    z.strictObject({ name: z.string(), width: side, height: side, low: pictureId, high: pictureId }),
  ),
  /** SHA-256 of each picture's file. */
  files: z.record(pictureId, z.string().regex(/^[0-9a-f]{64}$/)),
});

/** A study's manifest, `study.json`. */
export type Study = z.infer<typeof studyShape>;

const studySchema = studyShape
  .refine(study => [...itemsOf(study), ...examplesOf(study)].every(({ id }) => id in study.files), {
    message: 'a picture without SHA-256',
  })
  .refine(study => new Set(itemsOf(study).map(({ id }) => id)).size === itemsOf(study).length, {
    message: 'a picture that is shown for two versions',
  });

/** @throws ZodError if `value` is no study. */
export const parseStudy = (value: unknown): Study => studySchema.parse(value);

/** A version of a picture that is rated. */
export interface Item {
  readonly id: string;
  readonly set: string;
  /** The picture's name in its set. */
  readonly picture: string;
  /** The version's label. */
  readonly version: string;
  readonly width: number;
  readonly height: number;
}

/** All versions of all pictures. */
export function itemsOf({ sets }: Pick<Study, 'sets'>): Item[] {
  return sets.flatMap(({ name: set, pictures }) =>
    pictures.flatMap(({ name, width, height, shown }) =>
      Object.entries(shown).map(([version, id]) => ({ id, set, picture: name, version, width, height })),
    ),
  );
}

/** An example of a score. */
export interface Example {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly score: 1 | 5;
}

/** The examples in the order shown: a 1 and a 5 of each picture. */
export function examplesOf({ calibration }: Pick<Study, 'calibration'>): Example[] {
  return calibration.flatMap(({ width, height, low, high }) => [
    { id: low, width, height, score: 1 as const },
    { id: high, width, height, score: 5 as const },
  ]);
}

/** Presentations of a study to one rater, hidden repeats included. */
export const presentationCount = (study: Study): number => itemsOf(study).length + study.repeats;

/** A second presentation is at least this part of the study after the first. */
const REPEAT_DISTANCE = 1 / 3;

/** At most this part of a study's pictures can be repeated. */
export const MOST_REPEATS = 1 / 2;

/**
 * The order for rater `number`, the same at every call: all items fully at random, as in the paper, and among them
 * `repeats` a second time, late enough that few raters recognize them (ours; the paper's pilot does not say).
 */
export function presentationOrder(study: Study, number: number): string[] {
  const random = new Random(study.seed, number);
  const order = itemsOf(study).map(({ id }) => id);
  shuffle(order, random);
  const distance = Math.ceil(order.length * REPEAT_DISTANCE);
  // Only items of the first half have enough others behind them.
  const early = order.slice(0, Math.floor(order.length * MOST_REPEATS));
  shuffle(early, random);
  for (const id of early.slice(0, study.repeats)) {
    const first = order.indexOf(id);
    const least = first + distance;
    order.splice(least + random.integer(order.length - least + 1), 0, id);
  }
  return order;
}

/** Fisher and Yates' shuffle. */
function shuffle<T>(values: T[], random: Random): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
}
