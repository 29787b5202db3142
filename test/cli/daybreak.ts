/** Runs the command line as a user does: as a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** The program's file. */
export const BIN = fileURLToPath(new URL('../../cli/bin.mjs', import.meta.url));

/** How a process ended: its exit code (null where a signal killed it) and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `daybreak` with these arguments, its output piped (no terminal). */
export function start(args: readonly string[], cwd?: string): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const code = new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve).on('error', reject);
  });
  const ended = Promise.all([code, text(child.stdout), text(child.stderr)]).then(([code, stdout, stderr]) => {
    return { code, stdout, stderr };
  });
  return { child, ended };
}

/** Runs `daybreak` with these arguments to its end. */
export async function daybreak(args: readonly string[], cwd?: string): Promise<Ended> {
  return await start(args, cwd).ended;
}
