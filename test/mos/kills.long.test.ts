import { test } from 'vitest';
import { checkKills } from './kills.ts';

test('26 raters at once, 20 kills of the server: no acknowledged vote is lost', async () => {
  await checkKills(26, 20);
});
