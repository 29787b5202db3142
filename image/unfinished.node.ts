/** Files that are being written, beside the ones that they become: their names, and those that killed processes left. */

import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Names of more bytes are replaced by a digest: then any name that a file system can hold may be written. */
const LONGEST_STEM = 100;

const digest = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length);

const machine = digest(hostname(), 8);

const stemOf = (path: string) => {
  const name = basename(path);
  return Buffer.byteLength(name) <= LONGEST_STEM ? name : digest(name, 32);
};

/** Where a file is to be written before it gets its name: hidden, in the same folder, of at most 140 bytes. */
export function unfinishedPath(path: string): string {
  const writer = `${machine}-${process.pid}-${randomBytes(4).toString('hex')}`;
  return join(dirname(path), `.${stemOf(path)}.${writer}.tmp`);
}

const UNFINISHED = /^\.(.+)\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp$/s;

/** Nobody writes one picture for so long, in milliseconds, without a byte reaching its file. */
const ABANDONED = 3_600_000;

interface Leftover {
  readonly path: string;
  /** The process that wrote it, where it did so on this machine. */
  readonly process: number | undefined;
}

/**
 * What processes that were killed left beside the files of one run. Only what was to become a file that this run writes is
 * removed, and only where its process, on this machine, lives no more, or where nothing was written to it for an hour: of
 * other machines nothing else can be known. Each folder is listed once.
 */
export class Leftovers {
  readonly #folders = new Map<string, Promise<ReadonlyMap<string, readonly Leftover[]>>>();

  /** Removes what was to become the file `path`. What cannot be removed stays: it is in nobody's way. */
  async clear(path: string): Promise<void> {
    const folder = dirname(path);
    const listed = this.#folders.get(folder) ?? leftoversIn(folder);
    this.#folders.set(folder, listed);
    for (const leftover of (await listed).get(stemOf(path)) ?? []) {
      if (await isAbandoned(leftover)) await rm(leftover.path, { force: true }).catch(() => undefined);
    }
  }
}

/** By the first part of their names. */
async function leftoversIn(folder: string): Promise<Map<string, Leftover[]>> {
  const found = new Map<string, Leftover[]>();
  for (const entry of await readdir(folder).catch(() => [])) {
    const [, stem, on, number] = UNFINISHED.exec(entry) ?? [];
    if (stem === undefined) continue;
    const leftover = { path: join(folder, entry), process: on === machine ? Number(number) : undefined };
    found.set(stem, [...(found.get(stem) ?? []), leftover]);
  }
  return found;
}

async function isAbandoned({ path, process }: Leftover): Promise<boolean> {
  if (process !== undefined && !lives(process)) return true;
  const state = await stat(path).catch(() => undefined);
  // The number of a process that is no more may be another's now.
  return state !== undefined && Date.now() - state.mtimeMs > ABANDONED;
}

function lives(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    // Others' processes may not be signalled, but are there.
    return error instanceof Error && 'code' in error && error.code !== 'ESRCH';
  }
}
