/** A folder of shipped networks for a test: tiny ones, with a registry and cards. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PretrainedModel } from '../../models/pretrained.ts';
import { writeSafetensors } from '../../models/safetensors.ts';
import { temporaryFolder } from '../eval/temporary.ts';

const SCORES = { psnr: 30.1234, ssim: 0.81234, psnr_paper: 30.2345, ssim_paper: 0.82345, texture: 0.5 };

/**
 * Lists networks of these names; their files are `bytes`, or hold nothing of use. The folder is removed when the running
 * test ends.
 */
export function shippedFolder(
  names: readonly string[],
  bytes: Uint8Array = writeSafetensors({ nothing: { shape: [1], data: new Float32Array(1) } }),
): string {
  const folder = temporaryFolder();
  const models = names.map((name): PretrainedModel => {
    writeFileSync(join(folder, `${name}.safetensors`), bytes);
    writeFileSync(join(folder, `${name}.md`), `# ${name}\n`);
    return {
      name,
      summary: `what ${name} is good for`,
      architecture: 'SRResNet, 1 blocks of 8 channels',
      parameters: 1234,
      file: `${name}.safetensors`,
      card: `${name}.md`,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      scores: { Set5: SCORES },
    };
  });
  writeFileSync(join(folder, 'registry.json'), JSON.stringify(models));
  return folder;
}
