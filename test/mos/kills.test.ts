import { test } from 'vitest';
import { checkKills } from './kills.ts';

test('six raters at once, three kills of the server: no acknowledged vote is lost', async () => {
  await checkKills(6, 3);
});
