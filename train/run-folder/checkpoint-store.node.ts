/**
 * A checkpoint is a folder of files and a manifest of their sizes and SHA-256. It is replaced as a whole:
 *
 * 1. the new one is written to `.NAME.new` beside it and synced, its manifest last;
 * 2. NAME is renamed to `.NAME.old`;
 * 3. `.NAME.new` is renamed to NAME;
 * 4. `.NAME.old` is removed.
 *
 * Whatever moment the process dies in, one whole checkpoint is left: `recoverCheckpoint` puts it in its place, and
 * `readCheckpoint` finds it even before.
 */

import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { sha256Of } from '../../common/files/digest.node.ts';
import { codeOf, reasonOf } from '../../common/files/file-error.ts';
import { makeFolder } from '../../common/files/make-folder.node.ts';
import { syncFolder, writeSynced } from '../../common/files/write.node.ts';
import { jsonText } from '../../common/text.ts';
import { CheckpointError } from '../errors.ts';

/** File names and contents. */
export type CheckpointFiles = ReadonlyMap<string, Uint8Array>;

/** What has been done when a write is at this point. */
export type WriteStage = 'first file' | 'all files' | 'manifest' | 'old set aside' | 'new in place';

const MANIFEST = 'manifest.json';
const Manifest = z.object({
  format: z.literal('daybreak checkpoint 1'),
  files: z.record(z.string(), z.object({ bytes: z.number().int().min(0), sha256: z.string() })),
});

/** The places beside a checkpoint where its successor is written and its predecessor waits to be removed. */
function beside(folder: string): { fresh: string; previous: string } {
  const place = (what: string) => join(dirname(folder), `.${basename(folder)}.${what}`);
  return { fresh: place('new'), previous: place('old') };
}

/**
 * Writes or replaces a checkpoint. Equal files give equal folders to the byte.
 * @param reached called after each stage and awaited: for tests of dying there.
 * @throws CheckpointError where it cannot be written, for instance on a full disk; what was there before stays readable.
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
    const there = await recoverCheckpoint(folder);
    const { fresh, previous } = beside(folder);
    await writeFresh(fresh, files, reached);
    if (there) {
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
    // A full disk should not stay full of half a checkpoint.
    await rm(fresh, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * Puts a checkpoint, whose writer may have died, back in its place and clears what is left over beside it. Only for
 * whoever may write there. Returns whether there is a checkpoint now.
 */
export async function recoverCheckpoint(folder: string): Promise<boolean> {
  const { fresh, previous } = beside(folder);
  if (!(await exists(folder))) {
    // The old one is only ever set aside once the new one is whole; a new one without an old one may be half written.
    if (await isWhole(fresh)) await rename(fresh, folder);
    else if (await exists(previous)) await rename(previous, folder);
  }
  await rm(fresh, { recursive: true, force: true });
  await rm(previous, { recursive: true, force: true });
  return await exists(folder);
}

/**
 * The files of a checkpoint, each compared with the manifest. Changes nothing on the disk.
 * @throws CheckpointError where there is none, or naming the file that is missing, cut off or altered.
 */
export async function readCheckpoint(folder: string): Promise<Map<string, Uint8Array>> {
  if (await exists(folder)) return await readWhole(folder);
  const { fresh, previous } = beside(folder);
  if (await isWhole(fresh)) return await readWhole(fresh);
  if (await exists(previous)) return await readWhole(previous);
  // A writer may have finished just now, between the first look and the last.
  if (await exists(folder)) return await readWhole(folder);
  throw new CheckpointError(folder, 'there is no checkpoint here');
}

/** Whether `readCheckpoint` would find one, whole or damaged. Changes nothing on the disk. */
export async function hasCheckpoint(folder: string): Promise<boolean> {
  const { fresh, previous } = beside(folder);
  return (await exists(folder)) || (await exists(previous)) || (await isWhole(fresh));
}

async function readWhole(folder: string): Promise<Map<string, Uint8Array>> {
  const path = join(folder, MANIFEST);
  let manifest: z.infer<typeof Manifest>;
  try {
    manifest = Manifest.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const problem = codeOf(error) === 'ENOENT' ? 'missing; this is no checkpoint, or a damaged one' : 'damaged';
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
      throw new CheckpointError(file, `damaged: ${bytes.length} bytes where ${entry.bytes} were written`);
    }
    if (sha256Of(bytes) !== entry.sha256) throw new CheckpointError(file, 'damaged: not the bytes that were written');
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
