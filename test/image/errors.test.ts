import { expect, test } from 'vitest';
import { ImageError, printable } from '../../image/errors.ts';

test('names cannot move a cursor, colour a terminal or break a line', () => {
  expect(printable('a\n\u001b[31mred\u0007\u202egnp.exe')).toBe('a\\u{a}\\u{1b}[31mred\\u{7}\\u{202e}gnp.exe');
  expect(printable('Größe 漢字 ½.png')).toBe('Größe 漢字 ½.png');
});

test('a message is one line, the file keeps its own name', () => {
  const error = new ImageError('a\nb.png', 'two\nlines');
  expect(error.message).toBe('a\\u{a}b.png: two lines');
  expect(error.file).toBe('a\nb.png');
});
