/** Fills a study with simulated raters. */

import { StudyError } from './errors.ts';
import { simulatedScores } from './simulate.ts';
import { examplesOf } from './study.ts';
import type { OpenStudy } from './study-folder.node.ts';
import { VoteStore } from './votes.node.ts';

export interface DemoOptions {
  readonly raters: number;
  /** How many of them answer at random. */
  readonly random: number;
  readonly seed: number;
}

/**
 * Adds simulated raters with all their votes. They are stored as simulated, which every report says.
 * @returns the number of votes.
 * @throws StudyError if the study has raters already: opinions and simulations must not mix.
 */
export async function fillStudy(open: OpenStudy, { raters, random, seed }: DemoOptions): Promise<number> {
  using store = await VoteStore.open(open);
  if (store.read().raters.length > 0) {
    throw new StudyError(open.folder, 'has raters already; simulated raters go into a study of their own');
  }
  const examples = examplesOf(open.study).length;
  return store.together(() => {
    let votes = 0;
    for (let i = 0; i < raters; i++) {
      const { rater, secret } = store.join({ simulated: true });
      for (let place = 0; place < examples; place++) store.see(secret, place);
      const habit = i >= raters - random ? 'random' : 'careful';
      const scores = simulatedScores(open.study, rater.number, rater.order, seed, habit);
      for (const [place, score] of scores.entries())
        store.vote(secret, place, score, `${seed}-${rater.number}-${place}`);
      votes += scores.length;
    }
    return votes;
  });
}
