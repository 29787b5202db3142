/** What every shipped network must be, and a folder of tiny ones for a test. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { decodeModel } from '../../models/model-file.ts';
import { LARGEST_PRETRAINED, type PretrainedModel } from '../../models/pretrained.ts';
import { readSafetensors, writeSafetensors } from '../../models/safetensors.ts';
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

/**
 * Fails unless the file is what the registry says, small enough, float16 and loads on the current device, and the card
 * tells all that one must know: what it is, from which pictures under which licence, how it was trained and on what, and
 * the scores that the registry has.
 */
export function checkShipped({ scores, ...model }: PretrainedModel, folder: string): void {
  const bytes = readFileSync(join(folder, model.file));
  expect(bytes.length).toBe(model.bytes);
  expect(bytes.length).toBeLessThanOrEqual(LARGEST_PRETRAINED);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(model.sha256);
  const { tensors, metadata } = readSafetensors(bytes, model.file);
  expect(new Set([...tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(['F16']));
  expect(metadata).toMatchObject({ name: model.name, summary: model.summary, licence: expect.stringMatching(/./) });
  using net = decodeModel(bytes, model.file);
  expect(net.parameterCount).toBe(model.parameters);

  const card = readFileSync(join(folder, model.card), 'utf8').replaceAll(/ +/g, ' ');
  const { command, updates, data, adapters, commits } = JSON.parse(metadata.training);
  const count = (n: number) => n.toLocaleString('en-US');
  const named = [
    `# ${model.name}\n\n${model.summary}\n`,
    `| architecture | ${model.architecture} |`,
    `| parameters | ${count(model.parameters)} |`,
    `\`${model.file}\`, ${count(model.bytes)} bytes, safetensors in float16`,
    model.sha256,
    `| licence of the weights | ${metadata.licence} |`,
    `\`\`\`sh\n${command}\n\`\`\``,
    `- ${count(updates)}`,
    `commit: ${commits.join(', ')}`,
    ...data.map((line: string) => `- ${line}\n`),
    ...adapters.map((adapter: string) => `adapter: ${adapter}\n`),
    'float16: ',
  ];
  for (const text of named) expect(card).toContain(text);
  expect(data.length).toBeGreaterThan(0);
  for (const line of data) expect(line, 'pictures and their licence').toMatch(/\(.+\)/);
  expect(command).toMatch(/^npx daybreak train \S+ /);
  expect(Object.keys(scores).length).toBeGreaterThan(0);
  for (const [set, { psnr, ssim, psnr_paper, ssim_paper, texture }] of Object.entries(scores)) {
    const row = card.split('\n').find(line => line.startsWith(`| ${set} | `));
    expect(row).toContain(` | ${psnr.toFixed(3)} / ${ssim.toFixed(4)} | `);
    expect(row).toContain(` | ${psnr_paper.toFixed(3)} / ${ssim_paper.toFixed(4)} | `);
    expect(row).toContain(` | ${texture.toFixed(3)} |`);
  }
  // Nothing of the machine that it was made on.
  expect(card).not.toMatch(/(^|[\s`'"(|])(\/|[A-Z]:\\)\w/m);
}
