import { expect, test } from 'vitest';
import { byteSize, counted, forShell, mebibytes, printable } from '../../common/text.ts';

test('sizes in bytes', () => {
  expect([0, 512, 1024, 1536, 2 ** 31, 2 ** 44].map(byteSize)).toEqual([
    '0 bytes',
    '512 bytes',
    '1 KiB',
    '1.5 KiB',
    '2 GiB',
    '16384 GiB',
  ]);
  expect([mebibytes(1), mebibytes(2 ** 30), mebibytes(1.25 * 2 ** 20, 1)]).toEqual(['1 MiB', '1,024 MiB', '1.3 MiB']);
});

test('counted things', () => {
  expect([counted(1, 'file'), counted(1200, 'file'), counted(0, 'entry', 'entries')]).toEqual([
    '1 file',
    '1,200 files',
    '0 entries',
  ]);
});

test('words for a shell', () => {
  expect([forShell('runs/a-1'), forShell("it's"), forShell('')]).toEqual(['runs/a-1', `'it'\\''s'`, "''"]);
});

test('names cannot move a cursor, colour a terminal or break a line', () => {
  expect(printable('a\n\u001b[31mred\u0007\u202egnp.exe')).toBe('a\\u{a}\\u{1b}[31mred\\u{7}\\u{202e}gnp.exe');
  expect(printable('Größe 漢字 ½.png')).toBe('Größe 漢字 ½.png');
});
