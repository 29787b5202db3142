import { expect, test } from 'vitest';
import { DEFAULT_NAME, DISTINCT_NAME, resultName, resultPattern, templateProblem } from '../../eval/result-name.ts';

const fields = { name: 'photo', ext: 'jpg', scale: '4', size: 'x4', model: 'srgan' };

test('names are made of the picture, the enlargement and the model', () => {
  expect(resultName(DEFAULT_NAME, fields)).toBe('photo_x4');
  expect(resultName(DISTINCT_NAME, fields)).toBe('photo.jpg_x4');
  expect(resultName('{model}-{name}-{name}', fields)).toBe('srgan-photo-photo');
  // What a picture is called is no template, nor a pattern of `replace`.
  expect(resultName('{name}_{model}', { ...fields, name: '{scale}$&' })).toBe('{scale}$&_srgan');
});

test.each([
  ['{name}/{scale}', 'no slashes'],
  ['..\\{name}', 'no slashes'],
  ['{name}\n', 'no control characters'],
  ['{name}_{height}', 'unknown field {height}, expected {name}, {ext}, {scale}, {size}, {model}'],
  ['{name', 'an unmatched brace'],
  ['', 'must not be empty'],
  ['.{name}', 'start with a dot'],
])('the template %j is refused', (template, problem) => {
  expect(templateProblem(template)).toContain(problem);
});

test('results are told from pictures by what the template adds', () => {
  const pattern = resultPattern(DEFAULT_NAME, fields)!;
  expect(['a_x4', 'a_x4_x4', 'a\nb_x4'].every(name => pattern.test(name))).toBe(true);
  expect(['_x4', 'a_x40', 'a_x4b', 'a'].some(name => pattern.test(name))).toBe(false);
  expect(resultPattern('({name})+{model}', fields)!.test('(a)+srgan')).toBe(true);
  for (const bare of ['{name}', '{name}.{ext}']) expect(resultPattern(bare, fields)).toBeUndefined();
  for (const good of [DEFAULT_NAME, DISTINCT_NAME, '{name}']) expect(templateProblem(good)).toBeUndefined();
});
