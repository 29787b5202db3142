/** One process at a time writes in a run folder: a guard against accidents, such as the same command in two windows. */

import { readFileSync, unlinkSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { RunFolderError } from './errors.ts';
import { codeOf } from './run-write.node.ts';

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
      await file.writeFile(`${mine}\n`);
      await file.close();
      held.add(path);
      return () => {
        held.delete(path);
        // Another process may have taken it over, thinking us dead.
        if (contentOf(path) === mine) unlinkSync(path);
      };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') {
        throw new RunFolderError(path, `cannot be written (${codeOf(error)})`, { cause: error });
      }
    }
    const owner = ownerOf(await readFile(path, 'utf8').catch(() => ''));
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
