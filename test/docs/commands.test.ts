/** Every command line in the documents is one that its program takes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../cli/commands.ts';
import { INVOCATION_OPTIONS } from '../../cli/train.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { parseConfig } from '../../train/config/config.ts';
import { commandLines, documents } from './documents.ts';
import { root } from './run.ts';

const lines = [...new Set(documents.flatMap(commandLines))];

/** Parses a command line as `daybreak` does, up to where the work would begin. Throws what the user would read. */
async function parse(args: readonly string[]): Promise<void> {
  const program = new Command('daybreak');
  const wanted = COMMANDS.find(({ name }) => name === args[0]);
  if (!wanted) throw new Error(`daybreak has no command ${args[0]}`);
  await wanted.add(program);
  let reached = false;
  const stub = (command: Command): void => {
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (command.commands.length > 0) {
      for (const inner of command.commands) stub(inner);
      return;
    }
    command.action((...given: unknown[]) => {
      reached = true;
      // The values of a training's options are looked at by its configuration; a resumed run has one already.
      const options = command.opts<Record<string, unknown>>();
      if (args[0] !== 'train' || options.resume) return;
      const told = Object.entries(options).filter(([key]) => !INVOCATION_OPTIONS.includes(key));
      const rest = { ...Object.fromEntries(told), model: command.name() };
      parseConfig(options.config === undefined ? rest : { data: 'x', out: 'x', ...rest });
      expect(given.length).toBeGreaterThan(0);
    });
  };
  stub(program);
  await program.parseAsync(args, { from: 'user' });
  if (!reached) throw new Error('no work would begin');
}

test.each(lines.filter(line => line.startsWith('npx daybreak ')))('%s', async line => {
  await parse(line.split(/\s+/).slice(2));
});

test.each(lines.filter(line => line.startsWith('npm ')))('%s', line => {
  const [, verb, name] = line.split(/\s+/);
  // test/package runs these.
  if (verb === 'install' || verb === 'pack') return;
  expect(['start', 'test', 'run']).toContain(verb);
  expect(packageJson.scripts).toHaveProperty([verb === 'run' ? name : verb]);
});

test.each(lines.filter(line => /^npx (?!daybreak )/.test(line)))('%s', line => {
  const [, program, first] = line.split(/\s+/);
  expect(existsSync(join(root, 'node_modules/.bin', program))).toBe(true);
  if (program === 'tsx') expect(existsSync(join(root, first))).toBe(true);
});

test('the lines were found, and a wrong one is refused', async () => {
  expect(lines.length).toBeGreaterThan(10);
  await expect(parse(['enlarge', 'a.png'])).rejects.toThrow('no command enlarge');
  await expect(parse(['upscale', 'a.png'])).rejects.toThrow('--out');
  await expect(parse(['eval', '--data', 'x', '--model', 'bicubic', '--fast'])).rejects.toThrow('--fast');
  const train = ['train', 'srresnet', '--data', 'synthetic', '--out', 'x'];
  await expect(parse([...train, '--crop', '50'])).rejects.toThrow('--crop');
  await expect(parse([...train, '--lr-schedule', 'quick'])).rejects.toThrow('--lr-schedule');
});
