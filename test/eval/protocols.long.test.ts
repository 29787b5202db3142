import { test } from 'vitest';
import { checkPublishedScores, whatIsMissing } from './published-scores.ts';

test('bilinear and lanczos3 score as published on BSD100', async context => {
  const missing = whatIsMissing();
  if (missing) return context.skip(missing);
  await checkPublishedScores('BSD100', ['bilinear', 'lanczos3']);
});
