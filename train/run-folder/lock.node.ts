/** One process at a time writes in a run folder: a guard against accidents, such as the same command in two windows. */

import { readFileSync, unlinkSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { RunFolderError } from '../errors.ts';
import { codeOf, reasonOf } from '../write.node.ts';

/** Milliseconds in which another process surely does two things that it does one after the other. */
const MOMENT = 100;

/** Locks of this process: another with our own process number was left by an earlier process. */
const held = new Set<string>();

/**
 * Takes the lock file `path`; the function returned gives it back. A lock whose process has died is taken over, and so is
 * one from another machine: whether that still runs cannot be seen from here, and a run must not be lost with its host.
 * @throws RunFolderError where another living process of this machine holds it, or it cannot be written.
 */
export async function takeLock(path: string): Promise<() => void> {
  const mine = JSON.stringify({ process: process.pid, host: hostname(), since: new Date().toISOString() });
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await open(path, 'wx');
      try {
        await file.writeFile(`${mine}\n`);
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      } finally {
        await file.close();
      }
      // Another process may have found the same dead lock, and remove ours in its stead.
      if (attempt > 0) await wait(MOMENT);
      if (contentOf(path) !== mine) continue;
      held.add(path);
      return () => {
        held.delete(path);
        // Another process may have taken it over, thinking us dead.
        if (contentOf(path) === mine) unlinkSync(path);
      };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') {
        throw new RunFolderError(path, `cannot be written: ${reasonOf(error)}`, { cause: error });
      }
    }
    const content = () => readFile(path, 'utf8').catch(() => '');
    let owner = ownerOf(await content());
    // It may be about to be written.
    if (!owner) owner = await wait(MOMENT).then(async () => ownerOf(await content()));
    if (attempt > 2 || held.has(path) || (owner && isAlive(owner))) {
      const who = owner ? `process ${owner.process} since ${owner.since}` : 'another process';
      throw new RunFolderError(path, `${who} writes in this run folder; stop it first, or delete this file`);
    }
    await rm(path, { force: true });
  }
}

interface Owner {
  readonly process: number;
  readonly host: string;
  readonly since: string;
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function ownerOf(text: string): Owner | undefined {
  try {
    const owner: Partial<Owner> = JSON.parse(text);
    return typeof owner.process === 'number' && owner.process > 0
      ? ({ host: '', since: '', ...owner } as Owner)
      : undefined;
  } catch {
    return undefined; // Half written: its process died within a few instructions.
  }
}

function isAlive(owner: Owner): boolean {
  if (owner.host !== hostname() || owner.process === process.pid) return false;
  try {
    process.kill(owner.process, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM'; // Alive, but another user's.
  }
}
