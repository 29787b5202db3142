/** Networks of a run that cannot be: nothing of them stays on the device. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { setCurrentDevice } from '../../engine/init.ts';
import { encodeModel } from '../../models/model-file.ts';
import { writeSafetensors } from '../../models/safetensors.ts';
import { srresnet } from '../../models/srresnet.ts';
import { vgg19Random } from '../../models/vgg19.ts';
import { parseConfig } from '../../train/config/config.ts';
import { CheckpointError, ConfigError } from '../../train/errors.ts';
import { firstNetworks, restoredNetworks } from '../../train/run/networks.node.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { SMALL } from './small-training.ts';
import { writeSmallVgg } from './small-vgg.ts';

const device = sharedDevice();
const live = () => device().memory.figures().live;
const configOf = (vgg: string, more: Record<string, unknown> = {}) =>
  parseConfig({ ...SMALL, model: 'srgan-vgg22', data: 'synthetic', out: 'run', init: 'none', vgg, ...more });

test('a checkpoint without a discriminator leaks no generator or loss network', async () => {
  setCurrentDevice(device());
  const vgg = await writeSmallVgg(join(temporaryFolder(), 'vgg.safetensors'));
  const net = srresnet(SMALL);
  const files = new Map([['model.safetensors', await encodeModel(net)]]);
  net.dispose();
  const before = live();
  await expect(restoredNetworks(configOf(vgg), files, 'last')).rejects.toThrow(CheckpointError);
  expect(live()).toBe(before);
});

test('rejects crops that are too small for reflecting padding, wherever it is set', async () => {
  setCurrentDevice(device());
  const path = join(temporaryFolder(), 'vgg.safetensors');
  const net = vgg19Random({ widths: [2, 2, 2] });
  const weights = await net.stateDict();
  net.dispose();
  // φ(3,1) of crops of 4 is one pixel.
  const tiny = { model: 'srresnet-vgg31', crop: 4 };
  const before = live();
  for (const [metadata, option] of [
    [{ padding_mode: 'reflect' }, {}],
    [{}, { vggPadding: 'reflect' }],
  ] as const) {
    writeFileSync(path, writeSafetensors(weights, metadata));
    const refused = firstNetworks(configOf(path, { ...tiny, ...option }), undefined);
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(
      /^--crop: expected at least 8 for srresnet-vgg31 with reflecting padding, got 4:/,
    );
  }
  expect(live()).toBe(before);
  for (const enough of [{ crop: 8 }, { vggPadding: 'zeros' }])
    (await firstNetworks(configOf(path, { ...tiny, vggPadding: 'reflect', ...enough }), undefined)).networks.dispose();
  expect(live()).toBe(before);
});
