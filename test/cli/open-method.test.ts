/** How `--model` is read, as far as no GPU is needed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { fileLabelOf, labelOf, labelsOf, openMethod } from '../../cli/open-method.ts';
import { ImageError } from '../../image/errors.ts';
import { PretrainedError, REGISTRY_FILE } from '../../models/pretrained.ts';
import { temporaryFolder } from '../eval/temporary.ts';

/** Opens a method up to where it asks for a GPU. */
const open = (model: string) =>
  openMethod(model, {}, () => {
    throw new Error('a GPU, please');
  });

test('a file that can be nothing else is found beside a damaged registry', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, REGISTRY_FILE), 'damaged');
  vi.stubEnv('DAYBREAK_PRETRAINED', folder);
  const file = join(folder, 'mine');
  writeFileSync(file, '');
  await expect(open(file)).rejects.toThrow('a GPU, please');
  for (const missing of [join(folder, 'other'), 'missing.safetensors']) {
    await expect(open(missing)).rejects.toThrow(ImageError);
    await expect(open(missing)).rejects.toThrow(`${missing}: no such model file`);
  }
  await expect(open('srresnet')).rejects.toThrow(PretrainedError);
  vi.unstubAllEnvs();
});

test.each([
  ['srgan', 'srgan'],
  ['models/mine.safetensors', 'mine'],
  ['runs/first/checkpoints/last/model.safetensors', 'first'],
  ['runs/first/checkpoints/best/model-scored.safetensors', 'first'],
  ['runs/first/checkpoints/best/discriminator.safetensors', 'discriminator'],
])('%s is called %s', (model, label) => {
  expect(labelOf(model)).toBe(label);
});

const checkpoint = (run: string, name: string, file = 'model') => `${run}/checkpoints/${name}/${file}.safetensors`;

test.each([
  [
    ['bicubic', 'srgan'],
    ['bicubic', 'srgan'],
  ],
  [
    [checkpoint('runs/first', 'best'), checkpoint('runs/first', 'last')],
    ['first/best', 'first/last'],
  ],
  [
    [checkpoint('runs/first', 'best'), 'srgan', checkpoint('runs/second', 'best')],
    ['first', 'srgan', 'second'],
  ],
  [
    [checkpoint('runs/first', 'best'), checkpoint('runs/first', 'best', 'model-scored')],
    ['first/best/model', 'first/best/model-scored'],
  ],
  [
    [checkpoint('a/first', 'best'), checkpoint('b/first', 'best')],
    [checkpoint('a/first', 'best'), checkpoint('b/first', 'best')],
  ],
  [
    ['old/mine.safetensors', 'new/mine.safetensors', 'other.safetensors'],
    ['old/mine', 'new/mine', 'other'],
  ],
  [
    ['bicubic', './bicubic.safetensors'],
    ['bicubic', './bicubic'],
  ],
  [
    ['srgan', 'srgan', './x.safetensors', 'x.safetensors', 'srgan'],
    ['srgan', 'srgan (2)', 'x', 'x (2)', 'srgan (3)'],
  ],
])('%j are called %j', (models, labels) => {
  expect(labelsOf(models)).toEqual(labels);
});

test.each([
  ['srgan', 'srgan'],
  ['models/mine.safetensors', 'mine'],
  [checkpoint('runs/first', 'last'), 'first-last'],
  [checkpoint('runs/first', 'best', 'model-scored'), 'first-best'],
])('results of %s name it %s', (model, label) => {
  expect(fileLabelOf(model)).toBe(label);
});
