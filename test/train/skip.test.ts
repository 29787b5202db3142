/** Which skipped updates get a line, and what it says. */
import { expect, test } from 'vitest';
import { foundIn, MAX_NON_FINITE, SkipLines } from '../../train/skip.ts';

const found = { losses: 1, "generator's gradients": 1204 };

/** Numbers in a row of one row of `length` skipped updates that get a line. */
function shown(lines: SkipLines, length: number, limit = 1_000_000): number[] {
  return Array.from({ length }, (_, i) => i + 1).filter(inRow => lines.line(inRow, { inRow, found }, limit));
}

test('NaN and infinite elements are counted by kind', () => {
  expect(foundIn({ inRow: 1, found })).toBe("1 of the losses, 1,204 of the generator's gradients");
});

test('of a row the first three and powers of two get a line, and so does the one that ends the run', () => {
  expect(shown(new SkipLines(), 70)).toEqual([1, 2, 3, 4, 8, 16, 32, 64]);
  expect(shown(new SkipLines(), 11, 11)).toEqual([1, 2, 3, 4, 8, 11]);
});

test('of rows the first ten and powers of two get a line', () => {
  const lines = new SkipLines();
  const rows = Array.from({ length: 40 }, (_, i) => i + 1).filter(() => shown(lines, 1).length > 0);
  expect(rows).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 32]);
});

test('a run that is resumed within a row counts that as its first', () => {
  const lines = new SkipLines();
  expect(lines.line(7, { inRow: 4, found }, 10)).toBe(
    `skipped update 7, NaN or infinity in ${foundIn({ inRow: 4, found })} (4 in a row, 10 end the run)`,
  );
  for (let row = 2; row <= 10; row++) expect(shown(lines, 1)).toEqual([1]);
  expect(shown(lines, 1)).toEqual([]);
});

test('the line says how near the end is', () => {
  const line = (inRow: number, limit: number) => new SkipLines().line(1234, { inRow, found: { losses: 1 } }, limit);
  expect(line(1, 1)).toBe('skipped update 1,234, NaN or infinity in 1 of the losses (that ends the run)');
  expect(line(2, MAX_NON_FINITE)).toMatch(/\(2 in a row, 10 end the run\)$/);
  expect(line(10, MAX_NON_FINITE)).toMatch(/\(10 in a row end the run\)$/);
});
