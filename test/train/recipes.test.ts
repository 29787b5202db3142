/** The recipes of the networks that the paper compares with: learned, resumed, and what their parts compute. */
import { describe, expect, test } from 'vitest';
import { shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { parseConfig } from '../../train/config/config.ts';
import { CropSource } from '../../train/pictures/crop-source.ts';
import { firstNetworks, type Networks, restoredNetworks } from '../../train/run/networks.node.ts';
import { restoreTrainer, saveState } from '../../train/run/state.ts';
import { learningRateAt } from '../../train/schedule.ts';
import { Trainer } from '../../train/trainer.ts';
import { sharedDevice } from '../device.ts';

const device = sharedDevice();

/** Small networks and crops; everything else is the recipe's. */
const SMALL: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  srcnn: { channels: 4, hidden: 3, crop: 16 },
  espcn: { channels: 4, hidden: 3, crop: 48 },
  vdsr: { channels: 4, layers: 3, crop: 16 },
  drcn: { channels: 4, recursions: 2, crop: 16, supervisionSteps: 30 },
};

const STEPS = 50;

/** Synthetic pictures as large as ESPCN's crops. */
const pairs = () =>
  [0, 1, 2].map(index => {
    const hr = syntheticPicture(1, index, 48);
    return { hr, lr: shrink(hr) };
  });

describe.each(Object.keys(SMALL))('%s', model => {
  const config = parseConfig({
    ...SMALL[model],
    ...{ model, data: 'synthetic', out: 'run', batch: 2, steps: STEPS, seed: 4 },
  });

  /** The checkpoint's files after `last` updates, and the losses on the way. */
  async function trained(networks: Networks, last: number, files?: ReadonlyMap<string, Uint8Array>) {
    using source = new CropSource(device(), pairs(), config);
    using trainer = new Trainer(networks.training(config), source);
    if (files) restoreTrainer(files, 'last', trainer);
    const losses: number[] = [];
    for await (const { loss } of trainer.run(last, step => learningRateAt(config, step))) losses.push(loss);
    return { losses, files: await saveState(networks, trainer, null) };
  }

  test('learns, and resumed it is the same byte for byte', async () => {
    const { networks } = await firstNetworks(config, undefined);
    using _ = networks;
    const half = await trained(networks, STEPS / 2);
    using again = await restoredNetworks(config, half.files, 'last');
    const resumed = await trained(again, STEPS, half.files);
    using fresh = (await firstNetworks(config, undefined)).networks;
    const whole = await trained(fresh, STEPS);
    expect(whole.losses).toEqual([...half.losses, ...resumed.losses]);
    expect(resumed.files).toEqual(whole.files);
    expect(whole.losses.every(Number.isFinite)).toBe(true);
    const mean = (losses: readonly number[]) => losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    expect(mean(whole.losses.slice(-10))).toBeLessThan(mean(whole.losses.slice(0, 10)));
  });
});
