import { test } from 'vitest';
import { sharedDevice } from '../device.ts';
import { checkPublishedNetwork, whatIsMissingForScores } from './published-network.ts';

sharedDevice();

test('srresnet8_x4 scores on Set5 as PyTorch does', async context => {
  const missing = whatIsMissingForScores();
  if (missing) return context.skip(missing);
  await checkPublishedNetwork('Set5');
});
