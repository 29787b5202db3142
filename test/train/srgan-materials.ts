/** What a run of two networks starts from. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../../engine/device/device.ts';
import { setCurrentDevice } from '../../engine/init.ts';
import { writePicture } from '../../image/files.node.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { encodeModel } from '../../models/model-file.ts';
import { srresnet } from '../../models/srresnet.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { SMALL } from './small-training.ts';
import { writeSmallVgg } from './small-vgg.ts';

/** A folder with first weights, a loss network and a picture to score on. */
export async function srganMaterials(
  device: Device,
): Promise<{ folder: string; init: string; vgg: string; held: string }> {
  const folder = temporaryFolder();
  setCurrentDevice(device);
  const init = join(folder, 'first.safetensors');
  using net = srresnet({ channels: SMALL.channels, blocks: SMALL.blocks, seed: 4 });
  writeFileSync(init, await encodeModel(net));
  await writePicture(join(folder, 'held-out', '0.png'), syntheticPicture(9, 0, 24));
  return { folder, init, vgg: await writeSmallVgg(join(folder, 'vgg.safetensors')), held: join(folder, 'held-out') };
}
