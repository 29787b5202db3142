import { test } from 'vitest';
import { sharedDevice } from '../device.ts';
import { checkPublishedNetwork, whatIsMissingForScores } from './published-network.ts';

sharedDevice();

test.for(['Set14', 'BSD100'])('srresnet8_x4 scores on %s as PyTorch does', async (set, context) => {
  const missing = whatIsMissingForScores();
  if (missing) return context.skip(missing);
  await checkPublishedNetwork(set);
});
