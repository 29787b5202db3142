/** What the README shows runs as it stands. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TRAIN_OPTIONS } from '../../train/config.ts';
import { root, runTypeScript } from './run.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, code]) => code);

test('its TypeScript runs, and learns what it says', async () => {
  const [code, ...more] = blocks('ts');
  expect(more).toEqual([]);
  // Within the project, so that its own name resolves.
  const folder = mkdtempSync(join(root, 'test/docs/readme-'));
  try {
    const file = join(folder, 'block.ts');
    writeFileSync(file, code);
    const [learned] = /[\d.]+(?= ?\])/.exec(await runTypeScript(file)) ?? [];
    expect(Number(learned)).toBeCloseTo(2, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('its commands and options exist', () => {
  const lines = blocks('sh').flatMap(block => block.trim().split('\n'));
  const commands = lines.filter(line => line.startsWith('npx daybreak '));
  expect(commands.length).toBeGreaterThan(3);
  const known = new Set([
    '--resume',
    '--model',
    '--data',
    '-o',
    ...TRAIN_OPTIONS.map(({ flags }) => flags.split(' ')[0]),
  ]);
  for (const command of commands) {
    expect(['doctor', 'train', 'upscale', 'eval']).toContain(command.split(' ')[2]);
    for (const option of command.match(/ -{1,2}[a-z][a-z-]*/g) ?? []) expect(known).toContain(option.trim());
  }
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const [, script] of readme.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty(script);
});

test('the files that it links to exist', () => {
  for (const [, path] of readme.matchAll(/\]\(([\w./-]+)\)/g))
    expect(() => readFileSync(join(root, path))).not.toThrow(/ENOENT/);
});
