import { test } from 'vitest';
import { sharedDevice } from '../device.ts';
import { checkPublishedNetwork, PUBLISHED, whatIsMissingForScores } from './published-network.ts';

sharedDevice({ optimized: true });

const CASES = PUBLISHED.flatMap(name => ['Set14', 'BSD100'].map(set => [name, set] as const));

test.for(CASES)('%s scores on %s as PyTorch does', async ([name, set], context) => {
  const missing = whatIsMissingForScores(name);
  if (missing) return context.skip(missing);
  await checkPublishedNetwork(name, set);
});
