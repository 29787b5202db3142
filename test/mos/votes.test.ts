import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStudy } from '../../mos/study-folder.node.ts';
import { readVotes, VoteStore } from '../../mos/votes.node.ts';
import { smallStudy } from './small-study.ts';

/** A rater who has seen the examples. */
function ready(store: VoteStore) {
  const { rater, secret } = store.join();
  for (const place of [0, 1]) store.see(secret, place);
  return { rater, secret };
}

test('raters and votes outlast the process, and each has an order of their own', async () => {
  const open = await smallStudy();
  let secret: string;
  {
    using store = await VoteStore.open(open);
    const one = ready(store);
    secret = one.secret;
    expect(one.rater).toMatchObject({ number: 1, votes: 0, examples: 0 });
    expect(store.vote(secret, 0, 4, 'k'.repeat(16)).votes).toBe(1);
    expect(ready(store).rater.number).toBe(2);
  }
  using store = await VoteStore.open(open);
  expect(store.find(secret)).toMatchObject({ number: 1, votes: 1, examples: 2 });
  expect(store.find('somebody else')).toBeUndefined();
  const { raters, votes } = store.read();
  expect(raters.map(({ number, presentations, simulated }) => [number, presentations, simulated])).toEqual([
    [1, 7, false],
    [2, 7, false],
  ]);
  expect(votes).toMatchObject([{ rater: 1, place: 0, score: 4, repeat: false, picture: store.find(secret)!.order[0] }]);
});

test('votes come in order, once, and within 1 to 5', async () => {
  using store = await VoteStore.open(await smallStudy());
  const { secret } = store.join();
  expect(() => store.vote(secret, 0, 3, 'a')).toThrow('the examples come before the first rating');
  expect(() => store.see(secret, 1)).toThrow('example 2 is not the next: 0 of 2 were seen');
  for (const place of [0, 1]) store.see(secret, place);
  expect(() => store.see(secret, 2)).toThrow('example 3 is not the next');
  for (const score of [0, 6, 7, 3.5, -1, Number.NaN]) {
    expect(() => store.vote(secret, 0, score, 'a')).toThrow(`score: expected 1, 2, 3, 4 or 5, got ${score}`);
  }
  expect(() => store.vote(secret, 1, 3, 'a')).toThrow('picture 2 is not the next: 0 are rated');
  store.vote(secret, 0, 3, 'a');
  // Sent again because the answer was lost, and sent by another tab.
  expect(store.vote(secret, 0, 3, 'a').votes).toBe(1);
  expect(() => store.vote(secret, 0, 5, 'b')).toThrow('picture 1 is rated already');
  for (let place = 1; place < 7; place++) store.vote(secret, place, 2, `${place}`);
  expect(() => store.vote(secret, 7, 3, 'c')).toThrow('picture 8 is not the next: 7 are rated');
  const { votes } = store.read();
  expect(votes.map(({ score }) => score)).toEqual([3, 2, 2, 2, 2, 2, 2]);
  expect(votes.filter(({ repeat }) => repeat).length).toBe(1);
});

test('a link moves a rater to another browser, once', async () => {
  using store = await VoteStore.open(await smallStudy());
  const { secret } = ready(store);
  store.vote(secret, 0, 3, 'a');
  const replaced = store.offerHandover(secret);
  const code = store.offerHandover(secret);
  expect(() => store.redeem(replaced)).toThrow('this link was used already or replaced by a newer one');
  const moved = store.redeem(code);
  expect(moved.rater).toMatchObject({ number: 1, votes: 1 });
  expect(() => store.redeem(code)).toThrow('this link was used already');
  expect(() => store.vote(secret, 1, 3, 'b')).toThrow('this rater goes on in another browser');
  expect(store.vote(moved.secret, 1, 5, 'c').votes).toBe(2);
});

test('one process at a time writes, others read what is complete', async () => {
  const open = await smallStudy();
  expect(await readVotes(open)).toEqual({ raters: [], votes: [] });
  using store = await VoteStore.open(open);
  await expect(VoteStore.open(open)).rejects.toThrow(/study\.lock: process \d+ since .* is writing to this study/);
  const { secret } = ready(store);
  store.vote(secret, 0, 2, 'a');
  expect((await readVotes(open)).votes).toMatchObject([{ score: 2 }]);
  store.vote(secret, 1, 4, 'b');
  expect(await readVotes(open)).toEqual(store.read());
});

test('what a killed process leaves behind does not lock the votes', async () => {
  const open = await smallStudy();
  (await VoteStore.open(open))[Symbol.dispose]();
  mkdirSync(join(open.folder, 'votes.sqlite.lock'));
  using store = await VoteStore.open(open);
  expect(store.join().rater.number).toBe(1);
});

test('votes of another study, and files that are no database, are refused', async () => {
  const open = await smallStudy();
  {
    using store = await VoteStore.open(open);
    ready(store);
  }
  const manifest = join(open.folder, 'study.json');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"seed": 0', '"seed": 1'));
  const changed = await openStudy(open.folder);
  await expect(VoteStore.open(changed)).rejects.toThrow('study.json was changed after the first vote');
  await expect(readVotes(changed)).rejects.toThrow('study.json was changed after the first vote');
  writeFileSync(join(open.folder, 'votes.sqlite'), 'no database, but long enough to be looked at'.repeat(100));
  await expect(VoteStore.open(open)).rejects.toThrow('votes.sqlite: no usable database');
  // The failed attempt released its lock.
  await expect(VoteStore.open(open)).rejects.toThrow('no usable database');
});

test('many votes in one transaction are all stored, or none', async () => {
  using store = await VoteStore.open(await smallStudy());
  expect(() =>
    store.together(() => {
      const { secret } = ready(store);
      store.vote(secret, 0, 9, 'a');
    }),
  ).toThrow('got 9');
  expect(store.read()).toEqual({ raters: [], votes: [] });
});
