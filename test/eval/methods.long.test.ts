import { test } from 'vitest';
import { interpolation } from '../../eval/methods.ts';
import { checkPublishedScores, whatIsMissing } from './published-scores.ts';

test.for(['nearest', 'bilinear', 'lanczos3'] as const)('%s scores as published on BSD100', async (name, context) => {
  const missing = whatIsMissing();
  if (missing) return context.skip(missing);
  await checkPublishedScores('BSD100', { [name]: interpolation(name) });
});
