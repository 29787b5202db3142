import { expect, test } from 'vitest';
import { ImageError } from '../../image/errors.ts';

test('a message is one line, the file keeps its own name', () => {
  const error = new ImageError('a\nb.png', 'two\nlines');
  expect(error.message).toBe('a\\u{a}b.png: two lines');
  expect(error).toMatchObject({ name: 'ImageError', file: 'a\nb.png', reason: 'two lines' });
});
