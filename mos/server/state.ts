/** What a rater's page is told: enough to show one picture, and nothing about what it is. */

import { type Example, examplesOf, itemsOf, presentationCount, type Study } from '../study.ts';
import type { Rater } from '../votes.ts';

export interface ShownPicture {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

/** `place` counts from 0; `next` is the picture after this one, to be loaded early. */
export type PageState =
  | { readonly stage: 'welcome'; readonly examples: number; readonly total: number }
  | {
      readonly stage: 'examples';
      readonly rater: number;
      readonly place: number;
      readonly total: number;
      readonly picture: ShownPicture;
      readonly score: 1 | 5;
      readonly next: string | null;
    }
  | {
      readonly stage: 'rating';
      readonly rater: number;
      readonly place: number;
      readonly total: number;
      readonly picture: ShownPicture;
      readonly next: string | null;
    }
  | { readonly stage: 'done'; readonly rater: number; readonly total: number };

/** Builds states of one study. */
export class States {
  readonly #examples: readonly Example[];
  readonly #pictures: ReadonlyMap<string, ShownPicture>;
  readonly #total: number;

  constructor(study: Study) {
    this.#examples = examplesOf(study);
    this.#pictures = new Map(itemsOf(study).map(({ id, width, height }) => [id, { id, width, height }]));
    this.#total = presentationCount(study);
  }

  of(rater: Rater | undefined): PageState {
    if (!rater) return { stage: 'welcome', examples: this.#examples.length, total: this.#total };
    const { number, examples: seen, votes, order } = rater;
    const example = this.#examples[seen];
    if (example) {
      const { score, id, width, height } = example;
      const next = this.#examples[seen + 1]?.id ?? order[0] ?? null;
      const total = this.#examples.length;
      return { stage: 'examples', rater: number, place: seen, total, picture: { id, width, height }, score, next };
    }
    const picture = this.#pictures.get(order[votes]);
    if (!picture) return { stage: 'done', rater: number, total: order.length };
    return {
      stage: 'rating',
      rater: number,
      place: votes,
      total: order.length,
      picture,
      next: order[votes + 1] ?? null,
    };
  }
}
