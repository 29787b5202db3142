/** One process at a time writes in a run folder, whichever host or container it runs in. */

import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync, unlinkSync } from 'node:fs';
import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { codeOf, reasonOf } from '../../common/files/file-error.ts';
import { RunFolderError } from '../errors.ts';

/** In milliseconds: how often a lock shows that its process lives, and after how long without a sign it is taken for dead. */
export interface LockTimes {
  readonly every: number;
  readonly dead: number;
}

const TIMES: LockTimes = { every: 4_000, dead: 20_000 };

/** Milliseconds between two looks at another process's lock. */
const LOOK = 100;

/** A run folder's lock, held. */
export interface RunLock {
  /** @throws RunFolderError where another process has taken it, thinking this one dead (after a suspend, say). */
  check(): void;
  /** Gives it back. */
  release(): void;
}

interface Owner {
  readonly process: number;
  /** Processes of equal places can see each other. */
  readonly place: string;
  /** When the process began, by the system's clock ticks: numbers of processes are used again. */
  readonly began: string;
  readonly host: string;
  readonly since: string;
}

/** Locks of this process. */
const held = new Set<string>();

/**
 * Takes the lock file `path`. One whose process can be seen to have died is taken over at once; of one from another host or
 * container it is waited whether it shows a sign of life.
 * @throws RunFolderError where another living process holds it, or it cannot be written.
 */
export async function takeLock(path: string, times: LockTimes = TIMES): Promise<RunLock> {
  const mine = `${JSON.stringify({ ...self(), since: new Date().toISOString(), id: randomUUID() })}\n`;
  while (!(await createWith(path, mine))) {
    const seen = await contentOf(path);
    if (seen === undefined) continue;
    const owner = ownerOf(seen);
    if (held.has(path) || (await isAlive(path, seen, owner, times))) throw occupied(path, owner);
    await removeDead(path, seen, times);
  }
  held.add(path);
  const beat = new Worker(new URL('./heartbeat.node.mjs', import.meta.url), {
    workerData: { path, content: mine, every: times.every },
    execArgv: [],
  });
  // The file may be gone with its folder: then there is nothing to guard.
  beat.on('error', () => {}).unref();
  return {
    check() {
      if (contentNow(path) === mine) return;
      throw new RunFolderError(path, 'another process has taken over this run folder: this one stops writing in it');
    },
    release() {
      held.delete(path);
      void beat.terminate();
      if (contentNow(path) === mine) unlinkSync(path);
    },
  };
}

function occupied(path: string, owner: Owner | undefined): RunFolderError {
  const host = owner && owner.place !== self().place ? ` on ${owner.host}` : '';
  const who = owner ? `process ${owner.process}${host} since ${owner.since}` : 'another process';
  return new RunFolderError(path, `${who} writes in this run folder; stop it first, or delete this file`);
}

/** Whether a new file of this content could be made; false where there is one. */
async function createWith(path: string, content: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, 'wx');
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new RunFolderError(path, `cannot be written: ${reasonOf(error)}`, { cause: error });
  }
  try {
    await file.writeFile(content);
  } catch (error) {
    await rm(path, { force: true });
    throw new RunFolderError(path, `cannot be written: ${reasonOf(error)}`, { cause: error });
  } finally {
    await file.close();
  }
  return true;
}

/** Whether the process that wrote this content lives; where it cannot be seen, whether it gives a sign in time. */
async function isAlive(path: string, content: string, owner: Owner | undefined, times: LockTimes): Promise<boolean> {
  if (owner && owner.place === self().place) {
    // Of our own number, and not held by us: an earlier process had it.
    return owner.process !== process.pid && exists(owner.process) && owner.began === beginOf(owner.process);
  }
  const before = await timeOf(path);
  if (before === undefined) return false;
  // The file system's own clock: hosts need not agree on the time.
  const now = await timeNow(path);
  let silent = Math.max(0, now - before);
  while (silent < times.dead) {
    await wait(LOOK);
    silent += LOOK;
    const time = await timeOf(path);
    if (time === undefined) return false;
    if (time !== before || (await contentOf(path)) !== content) return true;
  }
  return false;
}

/** Removes a lock of this content, unless another process does so at this moment. */
async function removeDead(path: string, content: string, times: LockTimes): Promise<void> {
  const guard = `${path}.taken`;
  if (!(await createWith(guard, ''))) {
    await wait(LOOK);
    // Its process died between two instructions.
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

/** What the clock of the file system says. */
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
      ? { place: '', began: '', host: 'another host', since: 'an unknown time', ...owner, process: owner.process }
      : undefined;
  } catch {
    return undefined; // Half written.
  }
}

/** This process, as others may find it. */
function self(): Omit<Owner, 'since'> {
  const host = hostname();
  return { process: process.pid, place: `${host} ${bootOf()} ${namespace()}`, began: beginOf(process.pid), host };
}

const unlessMissing = (read: () => string): string => {
  try {
    return read();
  } catch {
    return ''; // Linux alone has it.
  }
};

const bootOf = () => unlessMissing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim());

/** Containers on one host have numbers of processes of their own. */
const namespace = () => unlessMissing(() => readlinkSync('/proc/self/ns/pid'));

/** When a process began, after the last bracket of its state; empty where that is not known. */
const beginOf = (id: number) =>
  unlessMissing(() => {
    const state = readFileSync(`/proc/${id}/stat`, 'latin1');
    return state.slice(state.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  });

function exists(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM'; // Another user's.
  }
}
