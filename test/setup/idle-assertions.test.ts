/** A `!` stands where a value may really be missing, and nowhere else. */
import { expect, test } from 'vitest';
import { idleAssertions } from '../../scripts/idle-assertions.ts';

test('no non-null assertion does nothing', () => {
  expect(idleAssertions('tsconfig.json').map(({ location }) => location)).toEqual([]);
});
