/** A run folder on a disk that is full, read-only, or not ours: one line, and nothing that existed is lost. */
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../train/config/config.ts';
import { CheckpointError, RunFolderError } from '../../train/errors.ts';
import { RunFolder } from '../../train/run-folder/folder.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { CAN_MOUNT, fillDisk, makeReadOnly, NO_MOUNT, smallDisk } from '../small-disk.ts';

const config = parseConfig({ data: 'synthetic', out: 'run', steps: 20 });
const files = (step: number) => new Map([['model.safetensors', new Uint8Array(200_000).fill(step)]]);
const entry = (step: number) => ({ step, loss: 0.1, lr: 1e-4, imagesPerSecond: 3, seconds: step });

describe.skipIf(!CAN_MOUNT)(`on a disk of 20 MB${NO_MOUNT}`, () => {
  test('a checkpoint that does not fit keeps the previous one and leaves no partial files', async () => {
    const disk = smallDisk();
    using run = await RunFolder.create(join(disk, 'run'), config);
    run.record(entry(1));
    await run.saveCheckpoint('last', files(1));
    const free = fillDisk(disk, 64);
    const save = run.saveCheckpoint('last', files(2));
    await expect(save).rejects.toThrow(`${run.checkpointPath('last')}: cannot be written: the disk is full (ENOSPC)`);
    await expect(save).rejects.toThrow(CheckpointError);
    expect(await run.readCheckpoint('last')).toEqual(files(1));
    expect(await readdir(join(run.path, 'checkpoints'))).toEqual(['last']);
    free();
    await run.saveCheckpoint('last', files(2));
    expect(await run.readCheckpoint('last')).toEqual(files(2));
  });

  test('after a failed log write no checkpoint is saved; a resumed run has a complete log', async () => {
    const disk = smallDisk();
    const path = join(disk, 'run');
    {
      using run = await RunFolder.create(path, config);
      run.record(entry(1));
      await run.saveCheckpoint('last', files(1));
      const free = fillDisk(disk, 0);
      let step = 2;
      // Longer in the log than in the event file, so that the log's last page is full first.
      const long = { unfinished: { updates: 1, sums: { ['a name of many letters '.repeat(50)]: 1 } } };
      const fill = () => {
        for (; step < 1000; step++) run.record({ ...entry(step), ...long });
      };
      expect(fill).toThrow(`${path}/metrics.jsonl: cannot be written: the disk is full (ENOSPC)`);
      free();
      expect(() => run.record(entry(step))).toThrow(RunFolderError);
      await expect(run.saveCheckpoint('last', files(step))).rejects.toThrow(`${path}/metrics.jsonl: cannot be written`);
      expect(await run.readCheckpoint('last')).toEqual(files(1));
    }
    using run = await RunFolder.resume(path);
    await run.continueAfter(1);
    for (const step of [2, 3]) run.record(entry(step));
    expect(await run.readMetrics()).toEqual([1, 2, 3].map(entry));
  });

  test('a lock that does not fit leaves no file; starting a run reports it', async () => {
    const disk = smallDisk();
    const path = join(disk, 'run');
    (await RunFolder.create(path, config)).close();
    const before = readFileSync(join(path, 'config.json'), 'utf8');
    const free = fillDisk(disk, 0);
    const full = `${path}/run.lock: cannot be written: the disk is full (ENOSPC)`;
    await expect(RunFolder.resume(path)).rejects.toThrow(full);
    await expect(RunFolder.create(path, config)).rejects.toThrow(full);
    expect(await readdir(path)).not.toContain('run.lock');
    expect(readFileSync(join(path, 'config.json'), 'utf8')).toBe(before);
    free();
    (await RunFolder.resume(path)).close();
  });

  test('a read-only disk is an error when starting and resuming', async () => {
    const disk = smallDisk();
    const path = join(disk, 'run');
    (await RunFolder.create(path, config)).close();
    const writable = makeReadOnly(disk);
    const readOnly = 'the file system is read-only (EROFS)';
    await expect(RunFolder.resume(path)).rejects.toThrow(`${path}/run.lock: cannot be written: ${readOnly}`);
    await expect(RunFolder.create(join(disk, 'a', 'b'), config)).rejects.toThrow(
      `${disk}/a/b: cannot be created: ${readOnly}`,
    );
    writable();
    (await RunFolder.resume(path)).close();
  });
});

// Root may write everywhere.
const OTHERS = process.platform !== 'win32' && process.getuid?.() !== 0;

test.skipIf(!OTHERS)(
  `a folder without permission${OTHERS ? '' : ' (skipped: root may write everywhere)'}`,
  async () => {
    const folder = join(temporaryFolder(), 'locked');
    await mkdir(folder);
    await chmod(folder, 0o555);
    await expect(RunFolder.create(join(folder, 'run'), config)).rejects.toThrow(
      `${folder}/run: cannot be created: no permission (EACCES)`,
    );
    expect(await readdir(folder)).toEqual([]);
    await chmod(folder, 0o755);
  },
);
