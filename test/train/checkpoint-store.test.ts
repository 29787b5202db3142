import { spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CheckpointError } from '../../train/errors.ts';
import {
  type CheckpointFiles,
  readCheckpoint,
  recoverCheckpoint,
  type WriteStage,
  writeCheckpoint,
} from '../../train/run-folder/checkpoint-store.node.ts';

let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'daybreak-checkpoint-'));
  folder = join(parent, 'last');
});
afterEach(async () => rm(parent, { recursive: true, force: true }));

/** A checkpoint whose files say which one it is. */
const numbered = (n: number): CheckpointFiles =>
  new Map([
    ['state.json', new TextEncoder().encode(`{"step":${n}}`)],
    ['model.safetensors', new Uint8Array(3000 + n).fill(n)],
    ['optimizer.safetensors', new Uint8Array(0)],
  ]);

describe('writing and reading', () => {
  test('reads back the files that were written, whatever was there before', async () => {
    for (const n of [1, 2, 3]) {
      await writeCheckpoint(folder, numbered(n));
      expect(await readCheckpoint(folder)).toEqual(new Map([...numbered(n)].sort()));
      expect(await readdir(parent)).toEqual(['last']);
    }
  });

  test('removes a file that is no longer part of the checkpoint', async () => {
    await writeCheckpoint(folder, numbered(1));
    await writeCheckpoint(folder, new Map([['only', new Uint8Array(1)]]));
    expect((await readdir(folder)).sort()).toEqual(['manifest.json', 'only']);
  });

  test('the same files give the same bytes on disk, in any order', async () => {
    const other = join(parent, 'best');
    await writeCheckpoint(folder, numbered(5));
    await writeCheckpoint(other, new Map([...numbered(5)].reverse()));
    for (const name of await readdir(folder)) {
      expect(await readFile(join(other, name))).toEqual(await readFile(join(folder, name)));
    }
  });

  test('rejects names that leave the folder or clash with the manifest', async () => {
    for (const name of ['../x', 'manifest.json', '', '.hidden', 'a/b']) {
      await expect(writeCheckpoint(folder, new Map([[name, new Uint8Array(1)]]))).rejects.toThrow(CheckpointError);
    }
    expect(await readdir(parent)).toEqual([]);
  });

  test('a failed write is an error and keeps the old checkpoint', async () => {
    await writeCheckpoint(folder, numbered(1));
    await writeFile(join(parent, 'best'), 'a file where the folder should go');
    await expect(writeCheckpoint(join(parent, 'best'), numbered(2))).rejects.toThrow(
      /best: cannot be read: a parent is not a folder \(ENOTDIR\)$/,
    );
    expect(await readCheckpoint(folder)).toEqual(new Map([...numbered(1)].sort()));
  });
});

describe('damage', () => {
  beforeEach(async () => writeCheckpoint(folder, numbered(7)));

  const problem = async () => {
    const error: unknown = await readCheckpoint(folder).then(
      () => undefined,
      failure => failure,
    );
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as CheckpointError).message).toMatch(/^[^\n]+$/);
    return (error as CheckpointError).message;
  };

  test('names a truncated file and its sizes', async () => {
    const path = join(folder, 'model.safetensors');
    await truncate(path, 1000);
    expect(await problem()).toBe(`${path}: damaged: expected 3007 bytes, got 1000`);
  });

  test('names a file with one changed bit', async () => {
    const path = join(folder, 'model.safetensors');
    const bytes = await readFile(path);
    bytes[1234] ^= 1;
    await writeFile(path, bytes);
    expect(await problem()).toBe(`${path}: damaged: its SHA-256 is not that of the manifest`);
  });

  test('names a missing file', async () => {
    const path = join(folder, 'optimizer.safetensors');
    await rm(path);
    expect(await problem()).toBe(`${path}: cannot be read: no such file or folder (ENOENT)`);
  });

  test('names a missing or damaged manifest', async () => {
    const path = join(folder, 'manifest.json');
    await writeFile(path, '{"format": "something else"}');
    expect(await problem()).toBe(`${path}: damaged`);
    await truncate(path, 10);
    expect(await problem()).toBe(`${path}: damaged`);
    await rm(path);
    expect(await problem()).toMatch(/manifest\.json: missing; this is not a checkpoint, or it is damaged$/);
  });

  test('reports that there is no checkpoint', async () => {
    await rm(folder, { recursive: true });
    expect(await problem()).toBe(`${folder}: no checkpoint here`);
  });
});

const STAGES: readonly WriteStage[] = ['first file', 'all files', 'manifest', 'old set aside', 'new in place'];

/** Writes until `stage` and stays there for ever, as a process that dies does: nothing after it runs, nothing is tidied. */
async function dieAt(stage: WriteStage, files: CheckpointFiles): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = (reached: WriteStage) => {
      if (reached !== stage) return;
      resolve();
      return new Promise<void>(() => undefined);
    };
    writeCheckpoint(folder, files, stop).then(() => reject(new Error(`never came to "${stage}"`)), reject);
  });
}

describe('dying while replacing a checkpoint', () => {
  describe.each(STAGES)('after: %s', stage => {
    const survivor = stage === 'first file' || stage === 'all files' || stage === 'manifest' ? 1 : 2;
    const expected = new Map([...numbered(survivor)].sort());

    beforeEach(async () => {
      await writeCheckpoint(folder, numbered(1));
      await dieAt(stage, numbered(2));
    });

    test('a complete checkpoint can be read at once, and reading changes nothing', async () => {
      const before = (await readdir(parent)).sort();
      expect(await readCheckpoint(folder)).toEqual(expected);
      expect((await readdir(parent)).sort()).toEqual(before);
    });

    test('recovery moves it into place and removes leftovers', async () => {
      expect(await recoverCheckpoint(folder)).toBe(true);
      expect(await readdir(parent)).toEqual(['last']);
      expect(await readCheckpoint(folder)).toEqual(expected);
    });

    test('the next write works, and dying during it loses nothing', async () => {
      for (const next of STAGES) {
        await dieAt(next, numbered(3));
        const state = new TextDecoder().decode((await readCheckpoint(folder)).get('state.json'));
        expect([`{"step":${survivor}}`, '{"step":3}']).toContain(state);
      }
      await writeCheckpoint(folder, numbered(4));
      expect(await readdir(parent)).toEqual(['last']);
      expect(await readCheckpoint(folder)).toEqual(new Map([...numbered(4)].sort()));
    });
  });

  test('dying while the old one is being removed leaves the new one', async () => {
    await writeCheckpoint(folder, numbered(1));
    await cp(folder, join(parent, '.last.old'), { recursive: true });
    await rm(join(parent, '.last.old', 'manifest.json'));
    expect(await readCheckpoint(folder)).toEqual(new Map([...numbered(1)].sort()));
    expect(await recoverCheckpoint(folder)).toBe(true);
    expect(await readdir(parent)).toEqual(['last']);
  });
});

describe('dying while the first checkpoint is written', () => {
  test.each(['first file', 'all files'] as const)('after: %s: there is no checkpoint', async stage => {
    await dieAt(stage, numbered(1));
    await expect(readCheckpoint(folder)).rejects.toThrow('no checkpoint here');
    expect(await recoverCheckpoint(folder)).toBe(false);
    expect(await readdir(parent)).toEqual([]);
  });

  test.each(['manifest', 'new in place'] as const)('after: %s: there is a checkpoint', async stage => {
    await dieAt(stage, numbered(1));
    expect(await readCheckpoint(folder)).toEqual(new Map([...numbered(1)].sort()));
    expect(await recoverCheckpoint(folder)).toBe(true);
    expect(await readdir(parent)).toEqual(['last']);
  });
});

test('a process killed at any moment leaves a complete checkpoint, no older than the last one it reported', async () => {
  const script = fileURLToPath(new URL('./write-checkpoints.ts', import.meta.url));
  let reported = 0;
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, ['--import', 'tsx', script, folder, String(reported + 1)]);
    let output = '';
    let errors = '';
    child.stderr.on('data', chunk => {
      errors += chunk;
    });
    await new Promise<void>(resolve => {
      child.on('exit', () => resolve());
      child.stdout.on('data', chunk => {
        // Killed at moments that differ from round to round, once a write has been seen.
        if (output === '') setTimeout(() => child.kill('SIGKILL'), 11 * round);
        output += chunk;
      });
    });
    expect(errors).toBe('');
    reported = Number(output.trim().split('\n').at(-1));
    const state = JSON.parse(new TextDecoder().decode((await readCheckpoint(folder)).get('state.json')));
    expect(state.step).toBeGreaterThanOrEqual(reported);
    expect(await recoverCheckpoint(folder)).toBe(true);
    expect(await readdir(parent)).toEqual(['last']);
    reported = state.step;
  }
  expect(reported).toBeGreaterThan(6);
});
