/**
 * Interpolates between two networks: npx tsx scripts/interpolate-models.ts SRRESNET SRGAN --alpha 0.5 -o FILE. The
 * pretrained `srgan` was made this way and has no grid in flat regions. The metadata is that of the second network.
 */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { runScript } from '../cli/failures.ts';
import { writeAtomically } from '../files/write.node.ts';
import { interpolate } from '../models/interpolate.ts';
import { readSafetensors, writeSafetensors } from '../models/safetensors.ts';

async function run(from: string, to: string, { alpha, out }: { alpha: string; out: string }): Promise<void> {
  const [a, b] = [readSafetensors(await readFile(from), from), readSafetensors(await readFile(to), to)];
  const tensors = interpolate(a.tensors, b.tensors, Number(alpha));
  await writeAtomically(out, writeSafetensors(tensors, { ...b.metadata, interpolated: alpha }));
}

const program = new Command('interpolate-models')
  .argument('<from>', 'model file (α = 0)')
  .argument('<to>', 'model file (α = 1)')
  .option('--alpha <x>', 'from 0 to 1', '0.5')
  .requiredOption('-o, --out <file>', 'model file to write')
  .action(run);

await runScript(program);
