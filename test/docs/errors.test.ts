import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { expect, test } from 'vitest';
import { DaybreakError } from '../../common/errors.ts';
import { DeviceLostError, ShapeError } from '../../engine/basics/errors.ts';
import { codeOf, FileError } from '../../files/file-error.ts';
import { errorClasses, errorsDocument } from '../../scripts/errors-table.ts';

const classes = errorClasses();

test('docs/errors.md is up to date', () => {
  const written = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  expect(written, 'run: npm run docs').toBe(errorsDocument());
});

test('every class states its name, a code of its own and what it means', () => {
  expect(classes.length).toBeGreaterThan(30);
  for (const { name, statedName, code, meaning } of classes) {
    expect(statedName, name).toBe(name);
    expect(code, name).toMatch(/^DAYBREAK_[A-Z_]+$/);
    expect(meaning, name).not.toBe('');
  }
  expect(new Set(classes.map(({ code }) => code)).size).toBe(classes.length);
});

test('errors carry the name and the code of their class', () => {
  const lost = new DeviceLostError('destroyed', 'gone');
  expect([lost.name, lost.code, String(lost)]).toEqual([
    'DeviceLostError',
    'DAYBREAK_DEVICE_LOST',
    'DeviceLostError: GPU device lost (destroyed): gone',
  ]);
  class OwnError extends ShapeError {}
  const own = new OwnError('scale', 'expected one axis.');
  expect([own.name, own.code]).toEqual(['OwnError', 'DAYBREAK_SHAPE']);
});

test('a structured clone begins its stack with the name', () => {
  const clone = structuredClone(new ShapeError('add', 'no.'));
  expect(clone.stack).toMatch(/^ShapeError: add: no\.\n/);
});

test('names and codes survive minification', async () => {
  const { outputFiles } = buildSync({
    stdin: {
      contents: `import { MethodError } from './methods/errors.ts'; export const error = new MethodError('no');`,
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    write: false,
  });
  const code = outputFiles[0].text;
  expect(code).not.toMatch(/class MethodError/);
  const { error }: { error: DaybreakError } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  expect([error.name, error.code]).toEqual(['MethodError', 'DAYBREAK_METHOD']);
});

test('the code of a system error is not that of our own', () => {
  expect(codeOf(Object.assign(new Error('no'), { code: 'ENOENT' }))).toBe('ENOENT');
  expect(codeOf(new FileError('a', 'missing'))).toBe('a: missing');
  expect(codeOf(new DaybreakError('no'))).toBe('no');
});
