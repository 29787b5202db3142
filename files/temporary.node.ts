/**
 * Temporary files beside the files being written: their names, and the cleanup of those that killed processes left
 * behind.
 */

import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { sha256Of } from './digest.node.ts';
import { codeOf } from './file-error.ts';

/** Longer names are replaced by a digest, so that any valid file name can be written. */
const LONGEST_STEM = 100;

const machine = sha256Of(hostname()).slice(0, 8);

const stemOf = (path: string) => {
  const name = basename(path);
  return Buffer.byteLength(name) <= LONGEST_STEM ? name : sha256Of(name).slice(0, 32);
};

/** The temporary path for writing a file: hidden, in the same folder, with a name of at most 140 bytes. */
export function temporaryPath(path: string): string {
  const writer = `${machine}-${process.pid}-${randomBytes(4).toString('hex')}`;
  return join(dirname(path), `.${stemOf(path)}.${writer}.tmp`);
}

const TEMPORARY = /^\.(.+)\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp$/s;

/** After this many milliseconds without a write, a temporary file counts as abandoned. */
const ABANDONED = 3_600_000;

interface Leftover {
  readonly path: string;
  /** The process that wrote it, if on this machine. */
  readonly process: number | undefined;
}

/**
 * Removes temporary files that killed processes left behind. Only removes those of files that this run writes, and only
 * if their process on this machine has ended, or nothing was written for an hour: processes on other machines cannot be
 * checked. Each folder is listed once.
 */
export class Leftovers {
  readonly #folders = new Map<string, Promise<ReadonlyMap<string, readonly Leftover[]>>>();

  /** Removes leftover temporary files of `path`. Errors are ignored. */
  async clear(path: string): Promise<void> {
    const folder = dirname(path);
    const listed = this.#folders.get(folder) ?? leftoversIn(folder);
    this.#folders.set(folder, listed);
    for (const leftover of (await listed).get(stemOf(path)) ?? []) {
      if (await isAbandoned(leftover)) await rm(leftover.path, { force: true }).catch(() => undefined);
    }
  }
}

/** By name prefix. */
async function leftoversIn(folder: string): Promise<Map<string, Leftover[]>> {
  const found = new Map<string, Leftover[]>();
  for (const entry of await readdir(folder).catch(() => [])) {
    const [, stem, on, number] = TEMPORARY.exec(entry) ?? [];
    if (stem === undefined) continue;
    const leftover = { path: join(folder, entry), process: on === machine ? Number(number) : undefined };
    found.set(stem, [...(found.get(stem) ?? []), leftover]);
  }
  return found;
}

async function isAbandoned({ path, process }: Leftover): Promise<boolean> {
  if (process !== undefined && !isRunning(process)) return true;
  const state = await stat(path).catch(() => undefined);
  // The ID of an ended process may have been reused.
  return state !== undefined && Date.now() - state.mtimeMs > ABANDONED;
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    // Other users' processes cannot be signalled, but exist.
    return codeOf(error) !== 'ESRCH';
  }
}
