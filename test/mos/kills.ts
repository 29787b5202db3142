/** Raters vote while the server is killed and started again, over and over. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import { readVotes } from '../../mos/votes.node.ts';
import { kill, NetworkRater, serving } from './serving.ts';
import { smallStudy } from './small-study.ts';

/**
 * Lets `raters` rate a study while its server is killed `kills` times, and checks that every acknowledged vote is stored
 * as it was given.
 */
export async function checkKills(raters: number, kills: number): Promise<void> {
  const open = await smallStudy();
  let server = await serving(open.folder);
  const { port } = new URL(server.url);
  const people = Array.from({ length: raters }, () => new NetworkRater(() => server.url));
  const score = (rater: number) => (place: number) => 1 + ((3 * rater + place) % 5);
  const all = Promise.all(people.map((rater, i) => rater.run(score(i))));
  let killed = 0;
  try {
    for (; killed < kills; killed++) {
      await wait(20 + 40 * (killed % 7));
      await kill(server);
      // What the next server acknowledges while its votes are copied is no matter of this kill.
      const before = people.map(({ number, acknowledged }) => ({ number, acknowledged: [...acknowledged] }));
      server = await serving(open.folder, port);
      const { votes } = await readVotes(open);
      for (const { number, acknowledged } of before) {
        const stored = votes.filter(({ rater }) => rater === number);
        // A rater who does not know their number yet has no vote.
        acknowledged.forEach((given, place) => {
          expect(stored[place]?.score, `rater ${number}, place ${place}, after ${killed + 1} kills`).toBe(given);
        });
      }
    }
    await all;
  } finally {
    await kill(server);
  }
  const { votes, raters: stored } = await readVotes(open);
  expect(people.map(({ acknowledged }) => acknowledged.length)).toEqual(Array(raters).fill(7));
  for (const [i, { number }] of people.entries()) {
    const own = votes.filter(({ rater }) => rater === number);
    expect(own.map(vote => vote.score)).toEqual(Array.from({ length: 7 }, (_, place) => score(i)(place)));
  }
  // Joining may have been stored without its answer arriving: such raters have no votes.
  expect(stored.length).toBeGreaterThanOrEqual(raters);
  expect(votes.length).toBe(7 * raters);
}
