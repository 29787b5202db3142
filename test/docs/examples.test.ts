/** Every program in examples/ runs and does what its first comment says. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DRIVER_FILES, fetchedDriver, installedDrivers } from '../../engine/device/software-driver.node.ts';
import { init } from '../../engine/init.ts';
import { readPicture, writePicture } from '../../image/files.node.ts';
import { encodeModel } from '../../models/model-file.ts';
import { srresnet } from '../../models/srresnet.ts';
import { daybreak } from '../cli/daybreak.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { root, runTypeScript } from './run.ts';

const tested = new Set<string>();

/** A test of one example, by its file's name. */
function example(file: string, body: (run: typeof runTypeScript, path: string) => Promise<void>): void {
  tested.add(file);
  test(file, () => body(runTypeScript, join(root, 'examples', file)));
}

example('learn-a-filter.ts', async (run, path) => {
  const lines = (await run(path, ['300'])).trim().split('\n');
  expect(lines[0]).toMatch(/^on \S/);
  const learned = lines.slice(-3).map(line => line.trim().split(/\s+/).map(Number));
  const secret = [
    [0, 1, 0],
    [1, -4, 1],
    [0, 1, 0],
  ];
  learned.forEach((row, i) => {
    row.forEach((value, j) => {
      expect(value).toBeCloseTo(secret[i][j], 1);
    });
  });
});

example('train-a-classifier.ts', async (run, path) => {
  const lines = (await run(path)).trim().split('\n');
  const [, right, all] = lines
    .at(-1)!
    .match(/^(\d+) of (\d+) new drawings recognized$/)!
    .map(Number);
  expect(right / all).toBeGreaterThan(0.9);
});

example('upscale-a-picture.ts', async (run, path) => {
  const folder = temporaryFolder();
  const [model, from, to] = ['model.safetensors', 'in.png', 'out.png'].map(name => join(folder, name));
  {
    using _device = await init();
    using net = srresnet({ channels: 4, blocks: 1, seed: 2 });
    writeFileSync(model, await encodeModel(net));
  }
  await writePicture(from, formulaPicture([13, 9, 3, 1]));
  expect(await run(path, [model, from, to])).toContain(`${to}: 52x36`);
  const other = join(folder, 'command.png');
  expect(await daybreak(['upscale', from, '-o', other, '--model', model])).toMatchObject({ code: 0 });
  expect(await readPicture(to)).toEqual(await readPicture(other));
});

example('share-a-device.ts', async (run, path) => {
  // The example's caller looks for a driver alone; where there is only the fetched one, tell it where that lies.
  const folder = installedDrivers().length === 0 ? fetchedDriver() : undefined;
  const env = folder ? { VK_DRIVER_FILES: join(folder, DRIVER_FILES.manifest), LD_LIBRARY_PATH: folder } : {};
  const means = (await run(path, [], { env })).trim().split(' ').map(Number);
  const expected = Array.from({ length: 16 }, (_, i) => 16 * Math.floor(i / 4) + 2 * (i % 4) + 4.5);
  expect(means).toEqual(expected);
});

example('train-and-resume.ts', async (run, path) => {
  const folder = join(temporaryFolder(), 'run');
  const lines = (await run(path, [folder])).trim().split('\n');
  expect(lines.map(line => line.replace(/loss .*/, 'loss'))).toEqual([
    'update 10: loss',
    'update 20: loss',
    'stopped after 20 updates',
    'update 30: loss',
    'update 40: loss',
    `finished after 40 updates: ${join(folder, 'checkpoints', 'last', 'model.safetensors')}`,
  ]);
});

test('every example has its test', () => {
  // Folders are projects of their own, which test/package runs.
  const programs = readdirSync(join(root, 'examples')).filter(name => name.endsWith('.ts'));
  expect([...tested].sort()).toEqual(programs.sort());
});
