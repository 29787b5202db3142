/** A disk so small that it fills up, and one that cannot be written. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './eval/temporary.ts';

const mount = (...words: string[]) => spawnSync('mount', words, { stdio: 'ignore' }).status === 0;

/** Whether this user may mount one; tests that need it say so where they are skipped. */
export const CAN_MOUNT = ((): boolean => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  // In its own namespace: nothing is left behind.
  return spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' }).status === 0;
})();

/** Why tests are skipped where nothing can be mounted. */
export const NO_MOUNT = CAN_MOUNT ? '' : ' (skipped: only root may mount a small disk, on Linux)';

/** A disk of 20 MB in memory, gone with the test. */
export function smallDisk(): string {
  const folder = join(temporaryFolder(), 'disk');
  mkdirSync(folder);
  if (!mount('-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', folder)) throw new Error('cannot mount a small disk');
  onTestFinished(() => {
    spawnSync('umount', ['-l', folder]);
  });
  return folder;
}

/** Fills a disk but for so many KiB; the function returned frees it again. */
export function fillDisk(folder: string, free: number): () => void {
  const path = join(folder, 'filler');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(path, Buffer.alloc(bavail * bsize));
  truncateSync(path, statSync(path).size - free * 1024);
  return () => rmSync(path);
}

/** From now on nothing can be written to a disk; the function returned undoes it. */
export function makeReadOnly(folder: string): () => void {
  if (!mount('-o', 'remount,ro', folder)) throw new Error('cannot make a disk read-only');
  return () => {
    mount('-o', 'remount,rw', folder);
  };
}
