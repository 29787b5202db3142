/** `daybreak tune` from outside, and the commands that heed it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Device } from '../../engine/device/device.ts';
import { merged, type TunedProblem } from '../../tune/tuned.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { SMALL } from '../train/small-training.ts';
import { daybreak, start } from './daybreak.ts';
import { checkpointOf, TRAIN } from './training-run.ts';

test('wrong usage names the programs that there are', async () => {
  const { code, stderr } = await daybreak(['tune', '--problems', 'start,nonsense', '--out', 'x']);
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/--problems: expected names from start, .*, got nonsense$/m),
  ]);
  expect((await daybreak(['tune', '--minutes', '0'])).code).toBe(2);
});

test('Ctrl-C leaves the file as it was', async () => {
  const path = join(temporaryFolder(), 'tuned.json');
  const adapter = { vendor: 'x', architecture: 'x', device: 'x', description: 'x' };
  const before = JSON.stringify(merged(undefined, adapter, 'cpu', '2026-01-02T00:00:00.000Z', []));
  writeFileSync(path, before);
  const { child, ended } = start(['tune', '--problems', 'start', '--out', path]);
  await new Promise<void>(resolve => {
    let seen = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes('measuring 0/')) resolve();
    });
    child.on('close', () => resolve());
  });
  child.kill('SIGINT');
  const { code } = await ended;
  expect(code).toBe(130);
  expect(readFileSync(path, 'utf8')).toBe(before);
});

test('a tuned file is heeded, but by --no-tuned and by adapters that it was not measured on', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'tuned.json');
  const environment = process.env.DAYBREAK_TUNED;
  using device = await Device.create();
  const { channels: n, batch, crop } = SMALL;
  const plain: TunedProblem = {
    family: 'conv2d.weightGradient',
    problem: `3x3 ${n}>${n} padding 1x1 ${batch}x${crop / 4}x${crop / 4}`,
    variant: 'plain',
    rule: 'broadcast',
    date: '2026-01-02T00:00:00.000Z',
    times: [],
  };
  const write = (description: string) =>
    writeFileSync(
      path,
      JSON.stringify(merged(undefined, { ...device.description, description }, 'cpu', plain.date, [plain])),
    );
  const train = async (name: string, ...more: string[]) => {
    const run = join(folder, name);
    const ended = await daybreak([...TRAIN, '--out', run, '--steps', '3', ...more]);
    expect([ended.code, ended.code === 0 ? '' : ended.stderr]).toEqual([0, '']);
    return {
      weights: checkpointOf(run)['model.safetensors'],
      recorded: existsSync(join(run, 'choices.json')),
      ...ended,
    };
  };
  try {
    process.env.DAYBREAK_TUNED = '';
    const byRule = await train('rule');
    process.env.DAYBREAK_TUNED = path;
    write(device.description.description);
    const tuned = await train('tuned');
    const ignored = await train('ignored', '--no-tuned');
    write('another adapter');
    const elsewhere = await train('elsewhere');
    expect([byRule, tuned, ignored, elsewhere].map(({ recorded }) => recorded)).toEqual([false, true, false, false]);
    expect(tuned.weights).not.toBe(byRule.weights);
    expect(ignored.weights).toBe(byRule.weights);
    expect(elsewhere.weights).toBe(byRule.weights);
    expect(elsewhere.stderr).toMatch(
      /note: .*tuned\.json: was measured on .*another adapter, .*; .*; kernels are chosen by rule/,
    );
  } finally {
    process.env.DAYBREAK_TUNED = environment;
  }
});
