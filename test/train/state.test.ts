import { describe, expect, test } from 'vitest';
import type { NetworkModule } from '../../models/network.ts';
import { readSafetensors } from '../../models/safetensors.ts';
import { srresnet } from '../../models/srresnet.ts';
import { ContentTraining } from '../../train/content-training.ts';
import { CheckpointError } from '../../train/errors.ts';
import { CropSource } from '../../train/pictures/crop-source.ts';
import { restoreGenerator, restoreTrainer, saveState } from '../../train/run/state.ts';
import { Trainer } from '../../train/trainer.ts';
import { sharedDevice } from '../device.ts';
import { fingerprints, pairs, SMALL, SmallTraining } from './small-training.ts';

const device = sharedDevice();

/** The files after `steps` updates. */
async function stateAfter(steps: number, best: number | null = null) {
  using training = new SmallTraining(device());
  await training.to(steps);
  return await saveState({ generator: training.net }, training.trainer, best);
}

/** What `body` makes of a trainer of a network like that of the files. */
async function restored<T>(
  files: ReadonlyMap<string, Uint8Array>,
  body: (trainer: Trainer, net: NetworkModule) => T,
  channels: number = SMALL.channels,
): Promise<Awaited<T>> {
  using net = channels === SMALL.channels ? restoreGenerator(files, 'RUN/last') : srresnet({ ...SMALL, channels });
  using source = new CropSource(device(), pairs(), { ...SMALL, seed: 5, flips: false, rotations: false });
  using trainer = new Trainer(new ContentTraining(net), source);
  return await body(trainer, net);
}

test('is three files: the model, the moments of each parameter by name, the counters', async () => {
  const files = await stateAfter(3, 27.5);
  expect([...files.keys()]).toEqual(['model.safetensors', 'optimizer.safetensors', 'state.json']);
  const model = readSafetensors(files.get('model.safetensors')!);
  expect(model.metadata).toMatchObject({ arch: 'srresnet', step: '3' });
  const optimizer = readSafetensors(files.get('optimizer.safetensors')!);
  expect(optimizer.metadata).toMatchObject({ optimizer: 'adam', steps: '3' });
  const parameters = [...model.tensors].filter(([name]) => !name.includes('running'));
  expect([...optimizer.tensors].map(([name, { shape }]) => [name, shape]).sort()).toEqual(
    ['exp_avg', 'exp_avg_sq']
      .flatMap(moment => parameters.map(([name, { shape }]) => [`${moment}.${name}`, shape]))
      .sort(),
  );
  for (const [name, { data }] of optimizer.tensors)
    if (name.startsWith('exp_avg_sq')) expect(Math.min(...data), name).toBeGreaterThanOrEqual(0);
  expect(new TextDecoder().decode(files.get('state.json'))).toBe('{\n  "step": 3,\n  "best": 27.5\n}\n');
});

test('restored and saved again has the same bytes, and training continues as if never stopped', async () => {
  const files = await stateAfter(4, 12);
  const unbroken = await stateAfter(9, 12);
  await restored(files, async (trainer, net) => {
    expect(restoreTrainer(files, 'RUN/last', trainer)).toEqual({ step: 4, best: 12 });
    expect(trainer.step).toBe(4);
    expect(await saveState({ generator: net }, trainer, 12)).toEqual(files);
    for await (const _ of trainer.run(9, () => 1e-3));
    expect(await saveState({ generator: net }, trainer, 12)).toEqual(unbroken);
  });
});

describe('invalid state', () => {
  const broken: [string, (files: Map<string, Uint8Array>) => unknown, string][] = [
    ['no optimizer', files => files.delete('optimizer.safetensors'), 'RUN/last: optimizer.safetensors is missing'],
    ['no counters', files => files.delete('state.json'), 'RUN/last: state.json is missing'],
    [
      'counters that are no JSON',
      files => files.set('state.json', Buffer.from('{')),
      'RUN/last/state.json: expected {"step": …, "best": …}',
    ],
    [
      'counters without a step',
      files => files.set('state.json', Buffer.from('{"best": null}')),
      'RUN/last/state.json: expected {"step": …, "best": …}',
    ],
    [
      'a step that is none',
      files => files.set('state.json', Buffer.from('{"step": -1, "best": null}')),
      'RUN/last/state.json: expected {"step": …, "best": …}',
    ],
  ];
  test.each(broken)('%s', async (_, spoil, message) => {
    const files = await stateAfter(1);
    await restored(files, async (trainer, net) => {
      const before = fingerprints(await net.stateDict());
      const spoilt = new Map(files);
      spoil(spoilt);
      const restore = () => restoreTrainer(spoilt, 'RUN/last', trainer);
      expect(restore).toThrow(CheckpointError);
      expect(restore).toThrow(message);
      expect(trainer.step).toBe(0);
      expect((await trainer.training.trained.generator.optimizer.state()).steps).toBe(0);
      expect(fingerprints(await net.stateDict())).toEqual(before);
    });
  });

  test('a checkpoint without its model', async () => {
    const files = await stateAfter(1);
    files.delete('model.safetensors');
    expect(() => restoreGenerator(files, 'RUN/last')).toThrow('RUN/last: model.safetensors is missing');
  });

  test('the optimizer of another network', async () => {
    const files = await stateAfter(1);
    await restored(
      files,
      trainer => {
        expect(() => restoreTrainer(files, 'RUN/last', trainer)).toThrow(
          /expected moments of 1215 elements .*, got 1944 and 1944/,
        );
        expect(trainer.step).toBe(0);
      },
      5,
    );
  });
});
