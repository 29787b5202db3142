/** `daybreak models`: lists the shipped networks. */

import Table from 'cli-table3';
import type { Command } from 'commander';
import { jsonText } from '../common/text.ts';
import { listPretrained } from '../models/pretrained.node.ts';
import { DEFAULT_PRETRAINED, type PretrainedModel } from '../models/pretrained.ts';

/** Adds `models` to the program. */
export function addModelsCommand(program: Command): void {
  program
    .command('models')
    .description('List the shipped networks, their purposes and scores.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nUse them in upscale, eval and compare by --model NAME.')
    .action(async ({ json }: { json?: boolean }) => {
      const models = await listPretrained();
      const listed = models.map(model => ({ ...model, default: model.name === DEFAULT_PRETRAINED }));
      process.stdout.write(json ? jsonText(listed) : `${described(models)}\n`);
    });
}

function described(models: readonly PretrainedModel[]): string {
  if (models.length === 0) return 'No networks are shipped with this copy of Daybreak.';
  const sets = [...new Set(models.flatMap(({ scores }) => Object.keys(scores)))];
  const table = new Table({
    head: ['', 'network', 'size', ...sets],
    colAligns: ['left', 'left', 'right', ...sets.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, architecture, bytes, scores } of models) {
    const figures = sets.map(set => {
      const one = scores[set];
      return one ? `${one.psnr.toFixed(2)} / ${one.ssim.toFixed(4)}` : '';
    });
    table.push([name, architecture, `${(bytes / 1e6).toFixed(2)} MB`, ...figures]);
  }
  const goodFor = models.map(
    ({ name, summary, card }) =>
      `${name}${name === DEFAULT_PRETRAINED ? ' (default)' : ''}: ${summary} (card: ${card})`,
  );
  return [table.toString(), 'PSNR in dB / SSIM, protocol matlab (see daybreak eval).', ...goodFor].join('\n');
}
