import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { writePicture } from '../../image/files.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { BIN, start } from './daybreak.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'].map(name => `${name}.png`);

/** A folder with some pictures in `in`, and one that is none. */
async function folderOfPictures(): Promise<string> {
  const folder = temporaryFolder();
  for (const name of NAMES) await writePicture(join(folder, 'in', name), formulaPicture([9, 7, 3, 1]));
  writeFileSync(join(folder, 'in/broken.png'), 'no picture');
  return folder;
}

const ARGS = ['upscale', 'in', '-o', 'out', '--name', '{name}', '--model', 'nearest'];

test('whoever stops reading stops no work, nor changes how it ends', async () => {
  const folder = await folderOfPictures();
  const { child, ended } = start(ARGS, folder);
  child.stdout?.destroy();
  child.stderr?.destroy();
  // What was destroyed cannot be read to its end.
  const [code] = await Promise.all([once(child, 'exit').then(([code]) => code), ended.catch(() => undefined)]);
  expect(code).toBe(1);
  expect(readdirSync(join(folder, 'out')).sort()).toEqual(NAMES);
});

test.skipIf(process.platform !== 'linux')('output that finds no room is one line and exit code 1', async () => {
  const folder = await folderOfPictures();
  const full = openSync('/dev/full', 'w');
  try {
    const args = [BIN, 'upscale', 'in/a.png', ...ARGS.slice(2)];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', full, 'pipe'] });
    const [[code], stderr] = await Promise.all([once(child, 'close'), text(child.stderr!)]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^in\/a\.png 9x7 -> [^\n]*\nerror: the output cannot be written: the disk is full \(ENOSPC\)\n$/,
    );
    const silent = spawn(process.execPath, [BIN, ...ARGS, '--overwrite'], {
      cwd: folder,
      stdio: ['ignore', full, full],
    });
    expect(await once(silent, 'close')).toEqual([1, null]);
    expect(readdirSync(join(folder, 'out')).sort()).toEqual(NAMES);
  } finally {
    closeSync(full);
  }
});
