import { test } from 'vitest';
import { sharedDevice } from '../device.ts';
import { checkThirdParty, THIRD_PARTY, whatIsMissingFor } from './third-party.ts';

sharedDevice({ optimized: true });

const CASES = Object.entries(THIRD_PARTY).flatMap(([name, sets]) =>
  (['Set5', 'Set14'] as const).filter(set => sets[set]).map(set => [name, set] as const),
);

test.for(CASES)('%s scores on %s as published', async ([name, set], context) => {
  const missing = whatIsMissingFor(name);
  if (missing) return context.skip(missing);
  await checkThirdParty(name, set);
});
