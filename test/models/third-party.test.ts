import { test } from 'vitest';
import { sharedDevice } from '../device.ts';
import { checkThirdParty, whatIsMissingFor } from './third-party.ts';

sharedDevice({ optimized: true });

// The smallest of each kind of input: enlarged, and as it is.
test.for(['srcnn_915_x4', 'espcn_vkhoi_x4'])('%s scores on Set5 as published', async (name, context) => {
  const missing = whatIsMissingFor(name);
  if (missing) return context.skip(missing);
  await checkThirdParty(name, 'Set5');
});
