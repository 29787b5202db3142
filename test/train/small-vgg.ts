/** A file of a VGG19 that has learned nothing and has few feature maps: enough for a loss. */
import { writeFileSync } from 'node:fs';
import { writeSafetensors } from '../../models/safetensors.ts';
import { vgg19Random } from '../../models/vgg19.ts';

/** Writes it up to conv2_2, on the current device; its metadata state that it takes 0…255. */
export async function writeSmallVgg(path: string, seed = 1): Promise<string> {
  using net = vgg19Random({ widths: [4, 4], seed });
  const metadata = { input_max: '255', input_mean: '[123.68, 116.779, 103.939]', input_std: '[1, 1, 1]' };
  writeFileSync(path, writeSafetensors(await net.stateDict(), metadata));
  return path;
}
