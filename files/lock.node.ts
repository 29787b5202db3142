/** The lock of a folder: only one process at a time can write, across hosts and containers. */

import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync, unlinkSync } from 'node:fs';
import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { codeOf, FileError, unwritable } from './file-error.ts';

/** Milliseconds between heartbeats, and without a heartbeat until a process counts as dead. */
export interface LockTimes {
  readonly every: number;
  readonly dead: number;
}

const TIMES: LockTimes = { every: 4_000, dead: 20_000 };

/** Milliseconds between checks of another process's lock. */
const POLL = 100;

/** A lock that this process holds. */
export interface FolderLock {
  /** @throws FileError if another process has taken it over, for instance while this one was suspended. */
  check(): void;
  /** Releases the lock. */
  release(): void;
}

interface Owner {
  readonly process: number;
  /** Host, boot and process namespace; processes with the same value can see each other. */
  readonly system: string;
  /** Start time of the process in clock ticks, because process ids are reused. */
  readonly started: string;
  readonly host: string;
  readonly since: string;
}

/** Paths of the locks that this process holds. */
const held = new Set<string>();

/**
 * Acquires the lock file `path`. If its process has visibly died, it is taken over at once. For a process on another host
 * or in another container, this waits for a heartbeat.
 * @param what the folder's kind, for messages.
 * @throws FileError if another living process holds it, or it cannot be written.
 */
export async function takeLock(path: string, what = 'folder', times: LockTimes = TIMES): Promise<FolderLock> {
  const mine = `${JSON.stringify({ ...self(), since: new Date().toISOString(), id: randomUUID() })}\n`;
  while (!(await createWith(path, mine))) {
    const seen = await contentOf(path);
    if (seen === undefined) continue;
    const owner = ownerOf(seen);
    if (held.has(path) || (await isAlive(path, seen, owner, times))) throw occupied(path, what, owner);
    await removeDead(path, seen, times);
  }
  held.add(path);
  const beat = new Worker(new URL('./heartbeat.node.mjs', import.meta.url), {
    workerData: { path, content: mine, every: times.every },
    execArgv: [],
  });
  // If the file is gone with its folder, there is nothing to protect.
  beat.on('error', () => {}).unref();
  return {
    check() {
      if (contentNow(path) === mine) return;
      throw new FileError(path, `another process has taken over this ${what}; this one stops writing to it`);
    },
    release() {
      held.delete(path);
      void beat.terminate();
      if (contentNow(path) === mine) unlinkSync(path);
    },
  };
}

function occupied(path: string, what: string, owner: Owner | undefined): FileError {
  const host = owner && owner.system !== self().system ? ` on ${owner.host}` : '';
  const who = owner ? `process ${owner.process}${host} since ${owner.since}` : 'another process';
  return new FileError(path, `${who} is writing to this ${what}; stop it first, or delete this file`);
}

/** Creates a file with this content; returns false if it already exists. */
async function createWith(path: string, content: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, 'wx');
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw unwritable(path, error);
  }
  try {
    await file.writeFile(content);
  } catch (error) {
    await rm(path, { force: true });
    throw unwritable(path, error);
  } finally {
    await file.close();
  }
  return true;
}

/** Whether the owner is alive: checked directly if it is visible, else by its heartbeat. */
async function isAlive(path: string, content: string, owner: Owner | undefined, times: LockTimes): Promise<boolean> {
  if (owner && owner.system === self().system) {
    // Our own process id, but not our lock: it belonged to an earlier process.
    return owner.process !== process.pid && exists(owner.process) && owner.started === startOf(owner.process);
  }
  const before = await timeOf(path);
  if (before === undefined) return false;
  // Use the file system's clock, as the clocks of hosts may differ.
  const now = await timeNow(path);
  let silent = Math.max(0, now - before);
  while (silent < times.dead) {
    await wait(POLL);
    silent += POLL;
    const time = await timeOf(path);
    if (time === undefined) return false;
    if (time !== before || (await contentOf(path)) !== content) return true;
  }
  return false;
}

/** Removes a dead lock with this content, unless another process is doing so. */
async function removeDead(path: string, content: string, times: LockTimes): Promise<void> {
  const guard = `${path}.taken`;
  if (!(await createWith(guard, ''))) {
    await wait(POLL);
    // A guard this old belongs to a process that died here.
    if ((await timeNow(path)) - ((await timeOf(guard)) ?? Number.POSITIVE_INFINITY) > times.dead)
      await rm(guard, { force: true });
    return;
  }
  try {
    if ((await contentOf(path)) === content) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

const timeOf = async (path: string): Promise<number | undefined> =>
  await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );

/** The current time by the file system's clock. */
async function timeNow(path: string): Promise<number> {
  const probe = `${path}.${randomUUID()}.tmp`;
  await createWith(probe, '');
  const time = await timeOf(probe);
  await rm(probe, { force: true });
  return time ?? Date.now();
}

const contentOf = async (path: string): Promise<string | undefined> =>
  await readFile(path, 'utf8').catch(() => undefined);

function contentNow(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function ownerOf(text: string): Owner | undefined {
  try {
    const owner: Partial<Owner> = JSON.parse(text);
    return typeof owner.process === 'number' && owner.process > 0
      ? { system: '', started: '', host: 'another host', since: 'an unknown time', ...owner, process: owner.process }
      : undefined;
  } catch {
    return undefined; // Incomplete.
  }
}

/** This process as an owner. */
function self(): Omit<Owner, 'since'> {
  const host = hostname();
  return { process: process.pid, system: `${host} ${bootOf()} ${namespace()}`, started: startOf(process.pid), host };
}

const emptyIfMissing = (read: () => string): string => {
  try {
    return read();
  } catch {
    return ''; // Only Linux has it.
  }
};

const bootOf = () => emptyIfMissing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim());

/** Containers on one host have separate process ids. */
const namespace = () => emptyIfMissing(() => readlinkSync('/proc/self/ns/pid'));

/** Start time of a process; empty if unknown. The fields follow the last parenthesis, as the name may contain any. */
const startOf = (id: number) =>
  emptyIfMissing(() => {
    const state = readFileSync(`/proc/${id}/stat`, 'latin1');
    return state.slice(state.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  });

function exists(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM'; // It belongs to another user.
  }
}
