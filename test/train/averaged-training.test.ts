import { expect, test } from 'vitest';
import { srresnet } from '../../models/srresnet.ts';
import { AveragedTraining } from '../../train/averaged-training.ts';
import { ContentTraining } from '../../train/content-training.ts';
import { CropSource } from '../../train/pictures/crop-source.ts';
import { Trainer } from '../../train/trainer.ts';
import { sharedDevice } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import { pairs, SMALL } from './small-training.ts';

const device = sharedDevice();
const DECAY = 0.75;

test('averages the weights, does not affect the training, and stops when it fails', async () => {
  using net = srresnet({ ...SMALL, seed: 1 });
  using plain = srresnet({ ...SMALL, seed: 1 });
  using averaged = srresnet({ ...SMALL, seed: 1 });
  const options = { ...SMALL, seed: 5, flips: false, rotations: false };
  using source = new CropSource(device(), pairs(), options);
  using trainer = new Trainer(new AveragedTraining(new ContentTraining(net), averaged, DECAY), source, {
    maxNonFinite: 2,
  });
  using other = new Trainer(new ContentTraining(plain), source);

  const contentOf = (one: typeof net) => Promise.all(one.parameters().map(parameter => parameter.data()));
  const expected = (await contentOf(net)).map(data => Float64Array.from(data));
  for (let step = 1; step <= 4; step++) {
    for await (const _ of trainer.run(step, () => 1e-2));
    for (const [i, data] of (await contentOf(net)).entries())
      for (let k = 0; k < data.length; k++) expected[i][k] = DECAY * expected[i][k] + (1 - DECAY) * data[k];
    for (const [i, data] of (await contentOf(averaged)).entries())
      expect(relativeError(data, expected[i]), `update ${step}, parameter ${i}`).toBeLessThan(1e-5);
  }
  for await (const _ of other.run(4, () => 1e-2));
  expect(await contentOf(plain)).toEqual(await contentOf(net));
  // It follows behind.
  expect(await contentOf(averaged)).not.toEqual(await contentOf(net));

  net.parameters()[0].write(new Float32Array(net.parameters()[0].size).fill(Number.NaN));
  const before = await contentOf(averaged);
  const broken = async () => {
    for await (const _ of trainer.run(6, () => 1e-2));
  };
  await expect(broken()).rejects.toThrow('contained NaN or infinity');
  expect(await contentOf(averaged)).toEqual(before);
});
