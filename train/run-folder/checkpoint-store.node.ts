/**
 * Writes and reads checkpoints. A checkpoint is a folder of files and a manifest of their sizes and SHA-256. It is replaced
 * atomically:
 *
 * 1. write the new checkpoint to `.NAME.new`, its manifest last, and sync it to disk;
 * 2. rename NAME to `.NAME.old`;
 * 3. rename `.NAME.new` to NAME;
 * 4. remove `.NAME.old`.
 *
 * Whenever the process dies, one complete checkpoint remains: `recoverCheckpoint` moves it to NAME, and `readCheckpoint`
 * also finds it before that.
 */

import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { jsonText } from '../../common/text.ts';
import { sha256Of } from '../../files/digest.node.ts';
import { codeOf, reasonOf } from '../../files/file-error.ts';
import { makeFolder } from '../../files/make-folder.node.ts';
import { syncFolder, writeSynced } from '../../files/write.node.ts';
import { CheckpointError } from '../errors.ts';

/** File names and contents. */
export type CheckpointFiles = ReadonlyMap<string, Uint8Array>;

/** Completed stages of a write. */
export type WriteStage = 'first file' | 'all files' | 'manifest' | 'old set aside' | 'new in place';

const MANIFEST = 'manifest.json';
const Manifest = z.object({
  format: z.literal('daybreak checkpoint 1'),
  files: z.record(z.string(), z.object({ bytes: z.number().int().min(0), sha256: z.string() })),
});

/** The paths of a checkpoint's successor while it is written, and of its predecessor until it is removed. */
function siblings(folder: string): { fresh: string; previous: string } {
  const sibling = (ending: string) => join(dirname(folder), `.${basename(folder)}.${ending}`);
  return { fresh: sibling('new'), previous: sibling('old') };
}

/**
 * Writes or replaces a checkpoint. The same files give the same bytes on disk.
 * @param reached called after each stage and awaited, for tests that kill the process there.
 * @throws CheckpointError if it cannot be written, for instance on a full disk; the previous checkpoint stays readable.
 */
export async function writeCheckpoint(
  folder: string,
  files: CheckpointFiles,
  reached: (stage: WriteStage) => Promise<void> | void = () => undefined,
): Promise<void> {
  for (const name of files.keys()) {
    if (name === MANIFEST || !/^[A-Za-z0-9][\w.-]*$/.test(name)) {
      throw new CheckpointError(folder, `a checkpoint cannot hold a file named ${JSON.stringify(name)}`);
    }
  }
  try {
    const isReplaced = await recoverCheckpoint(folder);
    const { fresh, previous } = siblings(folder);
    await writeFresh(fresh, files, reached);
    if (isReplaced) {
      await rename(folder, previous);
      await reached('old set aside');
    }
    await rename(fresh, folder);
    await syncFolder(dirname(folder));
    await reached('new in place');
    await rm(previous, { recursive: true, force: true });
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    throw new CheckpointError(folder, `cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}

async function writeFresh(
  fresh: string,
  files: CheckpointFiles,
  reached: (stage: WriteStage) => Promise<void> | void,
): Promise<void> {
  try {
    await makeFolder(fresh);
    const names = [...files.keys()].sort();
    const entries: Record<string, { bytes: number; sha256: string }> = {};
    for (const name of names) {
      const bytes = files.get(name)!;
      await writeSynced(join(fresh, name), bytes);
      entries[name] = { bytes: bytes.length, sha256: sha256Of(bytes) };
      if (name === names[0]) await reached('first file');
    }
    await reached('all files');
    const manifest = jsonText({ format: 'daybreak checkpoint 1', files: entries });
    await writeSynced(join(fresh, MANIFEST), new TextEncoder().encode(manifest));
    await syncFolder(fresh);
    await reached('manifest');
  } catch (error) {
    // Do not leave half a checkpoint on a full disk.
    await rm(fresh, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * Completes or undoes a write that was interrupted, and removes its leftovers. The caller must hold the run's lock.
 * @returns whether there is a checkpoint now.
 */
export async function recoverCheckpoint(folder: string): Promise<boolean> {
  const { fresh, previous } = siblings(folder);
  if (!(await exists(folder))) {
    // The old checkpoint is only renamed after the new one is complete. A new one without an old one may be incomplete.
    if (await isWhole(fresh)) await rename(fresh, folder);
    else if (await exists(previous)) await rename(previous, folder);
  }
  await rm(fresh, { recursive: true, force: true });
  await rm(previous, { recursive: true, force: true });
  return await exists(folder);
}

/**
 * Reads the files of a checkpoint and checks them against the manifest. Does not change anything on disk.
 * @throws CheckpointError if there is none, or naming the file that is missing, truncated or changed.
 */
export async function readCheckpoint(folder: string): Promise<Map<string, Uint8Array>> {
  if (await exists(folder)) return await readWhole(folder);
  const { fresh, previous } = siblings(folder);
  if (await isWhole(fresh)) return await readWhole(fresh);
  if (await exists(previous)) return await readWhole(previous);
  // A writer may have finished since the first check.
  if (await exists(folder)) return await readWhole(folder);
  throw new CheckpointError(folder, 'no checkpoint here');
}

/** Whether `readCheckpoint` would find a checkpoint, complete or damaged. Does not change anything on disk. */
export async function hasCheckpoint(folder: string): Promise<boolean> {
  const { fresh, previous } = siblings(folder);
  return (await exists(folder)) || (await exists(previous)) || (await isWhole(fresh));
}

async function readWhole(folder: string): Promise<Map<string, Uint8Array>> {
  const path = join(folder, MANIFEST);
  let manifest: z.infer<typeof Manifest>;
  try {
    manifest = Manifest.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const problem = codeOf(error) === 'ENOENT' ? 'missing; this is not a checkpoint, or it is damaged' : 'damaged';
    throw new CheckpointError(path, problem, { cause: error });
  }
  const files = new Map<string, Uint8Array>();
  for (const [name, entry] of Object.entries(manifest.files)) {
    const file = join(folder, name);
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(await readFile(file));
    } catch (error) {
      throw new CheckpointError(file, `cannot be read: ${reasonOf(error)}`, { cause: error });
    }
    if (bytes.length !== entry.bytes) {
      throw new CheckpointError(file, `damaged: expected ${entry.bytes} bytes, got ${bytes.length}`);
    }
    if (sha256Of(bytes) !== entry.sha256)
      throw new CheckpointError(file, 'damaged: its SHA-256 is not that of the manifest');
    files.set(name, bytes);
  }
  return files;
}

async function isWhole(folder: string): Promise<boolean> {
  return await readWhole(folder).then(
    () => true,
    () => false,
  );
}

async function exists(folder: string): Promise<boolean> {
  return await readdir(folder).then(
    () => true,
    error => {
      if (codeOf(error) === 'ENOENT') return false;
      throw new CheckpointError(folder, `cannot be read: ${reasonOf(error)}`, { cause: error });
    },
  );
}
