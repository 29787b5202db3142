/** By what the checkpoint `best` is chosen. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../train/config/config.ts';
import { selectionOf } from '../../train/report/selection.ts';
import { startSession } from '../../train/run/session.node.ts';
import { RunFolder } from '../../train/run-folder/folder.node.ts';
import { type EvaluationEntry, isEvaluation } from '../../train/run-folder/metrics.ts';
import { readMetrics } from '../../train/run-folder/metrics-log.node.ts';
import { variantOf } from '../../train/variants.ts';
import { sharedDevice } from '../device.ts';
import { resumeRun } from './resume-run.ts';
import { sessionOptions } from './small-training.ts';
import { srganMaterials } from './srgan-materials.ts';

describe('the figure', () => {
  test.each([
    ['srresnet', 'psnr'],
    ['srresnet-vgg22', 'vgg_distance'],
    ['srgan-mse', 'texture'],
    ['srgan', 'vgg_distance'],
    ['srgan-vgg22', 'vgg_distance'],
    ['srgan-slides', 'vgg_distance'],
  ])('of %s is %s', (name, by) => {
    expect(selectionOf(variantOf(name)!).by).toBe(by);
  });

  const [psnr, distance, texture] = ['srresnet', 'srgan', 'srgan-mse'].map(name => selectionOf(variantOf(name)!));

  test('higher PSNR is better; for the others, lower is better', () => {
    expect([psnr.isBetter(31, 30), psnr.isBetter(30, 31), psnr.isBetter(30, 30), psnr.isBetter(1, null)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    for (const { isBetter } of [distance, texture])
      expect([isBetter(0.1, 0.2), isBetter(0.2, 0.1), isBetter(0.1, 0.1), isBetter(9, null)]).toEqual([
        true,
        false,
        false,
        true,
      ]);
  });

  test('is the distance of texture from 1 on either side; non-finite values are never better', () => {
    expect([0.75, 1, 1.5].map(one => texture.figureOf({ texture: one }))).toEqual([0.25, 0, 0.5]);
    expect(texture.figureOf({ psnr: 30 })).toBeUndefined();
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
      for (const { isBetter } of [distance, texture])
        expect([isBetter(bad, null), isBetter(bad, 3)]).toEqual([false, false]);
  });
});

const device = sharedDevice();

async function materials() {
  const { folder, init, vgg, held } = await srganMaterials(device());
  const run = join(folder, 'run');
  const configOf = (model: string) =>
    parseConfig({
      ...{ model, data: 'synthetic', init, out: run, eval: held, batch: 2, crop: 16 },
      ...{ steps: 12, lr: 1e-3, discriminatorChannels: 4, discriminatorHidden: 8, saveEvery: 3, evalEvery: 2, keep: 0 },
      ...(model.includes('vgg') && { vgg }),
    });
  return { run, configOf };
}

const stateOf = (run: string, name: string) =>
  JSON.parse(readFileSync(join(run, 'checkpoints', name, 'state.json'), 'utf8'));
const evaluationsOf = async (run: string): Promise<EvaluationEntry[]> =>
  (await readMetrics(join(run, 'metrics.jsonl'))).filter(isEvaluation);

test.each([
  ['srgan-mse', 'texture', ({ evaluation: { texture = Number.NaN } }: EvaluationEntry) => Math.abs(1 - texture)],
  ['srgan-vgg22', 'vgg_distance', ({ evaluation }: EvaluationEntry) => evaluation.vgg_distance!],
] as const)('of %s has the lowest %s of all evaluations, also after a stop', async (model, bestBy, figureOf) => {
  const { run, configOf } = await materials();
  await startSession(configOf(model), sessionOptions(device(), { stopAfter: 5 }));
  await resumeRun(run, {}, sessionOptions(device()));
  const evaluations = await evaluationsOf(run);
  expect(evaluations.map(({ step }) => step)).toEqual([2, 4, 6, 8, 10, 12]);
  const figures = evaluations.map(figureOf);
  const least = Math.min(...figures);
  expect(stateOf(run, 'best')).toEqual({ step: evaluations[figures.indexOf(least)].step, best: least, bestBy });
  expect(stateOf(run, 'last')).toEqual({ step: 12, best: least, bestBy });
});

test('of an SRGAN that an earlier version chose by PSNR is chosen again', async () => {
  const { run, configOf } = await materials();
  await startSession(configOf('srgan-mse'), sessionOptions(device(), { stopAfter: 5 }));
  {
    using folder = await RunFolder.resume(run);
    for (const name of ['last', 'best'] as const) {
      const files = await folder.readCheckpoint(name);
      const { step } = stateOf(run, name);
      files.set('state.json', new TextEncoder().encode(JSON.stringify({ step, best: 99 })));
      await folder.continueAfter(5);
      await folder.saveCheckpoint(name, files);
    }
  }
  const lines: string[] = [];
  const onLine = (line: string) => lines.push(line);
  await resumeRun(run, {}, sessionOptions(device(), { onLine }));
  expect(lines.filter(line => line.startsWith('note'))).toEqual([
    "note: so far best was chosen by PSNR; from now on it is chosen by difference of fine texture from the original's, lower is better",
  ]);
  expect(stateOf(run, 'best')).toMatchObject({ bestBy: 'texture' });
  expect(stateOf(run, 'best').step).toBeGreaterThan(5);
  expect(stateOf(run, 'last').best).toBe(stateOf(run, 'best').best);
});
