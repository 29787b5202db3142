import { test } from 'vitest';
import { sharedDevice } from '../device.ts';
import { checkPublishedNetwork, PUBLISHED, whatIsMissingForScores } from './published-network.ts';

sharedDevice({ optimized: true });

test.for(PUBLISHED)('%s scores on Set5 as PyTorch does', async (name, context) => {
  const missing = whatIsMissingForScores(name);
  if (missing) return context.skip(missing);
  await checkPublishedNetwork(name, 'Set5');
});
