/** A folder of pictures whose GPU device is destroyed in the middle. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gpuOf, openMethod } from '../../cli/open-method.ts';
import { DeviceLostError } from '../../engine/basics/errors.ts';
import { Device } from '../../engine/device/device.ts';
import { currentDevice, setCurrentDevice } from '../../engine/tensor.ts';
import { upscaleFiles } from '../../eval/batch.node.ts';
import { planBatch } from '../../eval/plan-batch.node.ts';
import { writePicture } from '../../image/files.node.ts';
import { encodeModel } from '../../models/model-file.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { trainedLike } from '../models/trained-like.ts';

const NAMES = ['a', 'b', 'c'];

/** A network and three pictures of some tiles each. */
async function folderOfThree(): Promise<string> {
  const folder = temporaryFolder();
  using device = await Device.create();
  setCurrentDevice(device);
  using net = trainedLike({ channels: 8, blocks: 0, seed: 6 });
  writeFileSync(join(folder, 'net.safetensors'), await encodeModel(net));
  for (const [i, name] of NAMES.entries()) {
    await writePicture(join(folder, `in/${name}.png`), formulaPicture([64, 8, 3, i]));
  }
  return folder;
}

/** Enlarges them into `out`; `onTile` hears of each tile that is begun, by picture and tile. */
async function run(folder: string, out: string, onTile: (picture: number, tile: number) => void) {
  const gpu = gpuOf({});
  const { method } = await openMethod(join(folder, 'net.safetensors'), { tile: 8 }, gpu);
  const { jobs } = await planBatch({ inputs: [join(folder, 'in')], out: join(folder, out), model: 'net' });
  const told: string[] = [];
  let picture = 0;
  const running = upscaleFiles(jobs, method, {
    onStart: (_, index) => {
      picture = index;
    },
    onTile: tile => onTile(picture, tile),
    onNote: note => told.push(`${picture}: ${note}`),
    onOutcome: ({ state }) => told.push(state),
  });
  return { told, running: running.finally(async () => (await gpu()).device.dispose()) };
}

const destroy = () => currentDevice().gpu.destroy();

const results = (folder: string, out: string) =>
  readdirSync(join(folder, out)).map(name => readFileSync(join(folder, out, name)).toString('base64'));

test('every picture is enlarged, to the byte as on a device that stays', async () => {
  const folder = await folderOfThree();
  const whole = await run(folder, 'whole', () => undefined);
  await whole.running;
  expect(whole.told).toEqual(['done', 'done', 'done']);
  // Before a tile, while one is computed or read, twice for one picture, and before a picture's first.
  const strikes = ['0.1', '1.1', '1.2', '2.0'];
  const { told, running } = await run(folder, 'broken', (picture, tile) => {
    const at = strikes.indexOf(`${picture}.${tile}`);
    if (at < 0) return;
    delete strikes[at];
    if (picture === 0) setTimeout(destroy, 1);
    else destroy();
  });
  await running;
  const note = (picture: number) =>
    `${picture}: GPU device lost (destroyed): device was destroyed; reopened the device and restarted the picture`;
  expect(told.filter(line => line !== 'done')).toEqual([0, 1, 1, 2].map(note));
  expect(told.filter(line => line === 'done')).toHaveLength(3);
  expect(results(folder, 'broken')).toEqual(results(folder, 'whole'));
});

test('three losses in a row end it; what was finished before stays', async () => {
  const folder = await folderOfThree();
  const { told, running } = await run(folder, 'out', (picture, tile) => {
    if (picture === 1 && tile === 2) destroy();
  });
  await expect(running).rejects.toThrow(DeviceLostError);
  await expect(running).rejects.toThrow('3 times in a row without progress');
  expect(told.filter(line => line === 'done')).toHaveLength(1);
  expect(readdirSync(join(folder, 'out'))).toEqual(['a_x4.png']);
});
