/** A short campaign of damaged files for every reader; `npm run fuzz` is the long one. */
import { expect, test } from 'vitest';
import { campaign } from './campaign.ts';
import { KINDS } from './seeds.ts';

const COUNT = process.env.DAYBREAK_LONG ? 2000 : 60;

test.each(KINDS)('%s: no crash, no hang, no error that is not ours, bounded memory', async kind => {
  const { accepted, refused, findings } = await campaign({ kind, seed: 7, count: COUNT });
  expect(findings).toEqual([]);
  expect(accepted + refused).toBe(COUNT);
  // Damage that is always refused, or never, would not get anywhere.
  expect(accepted).toBeGreaterThan(0);
  expect(refused).toBeGreaterThan(0);
});
