/** Ctrl-C, SIGTERM and a closed terminal: finish what is at hand, then stop. */

import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { Interrupted, type StopSignal } from './failures.ts';

/**
 * Runs `work` with a signal that SIGINT, SIGTERM or SIGHUP aborts; its reason is `Interrupted`. A second one ends the
 * process at once. Under `nohup` SIGHUP does nothing, as its users expect.
 * @param notice printed when the first signal comes: what is being finished.
 */
export async function interruptible<T>(notice: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: StopSignal) => {
    const reason = new Interrupted(name);
    if (controller.signal.aborted) process.exit(reason.exitCode);
    process.stderr.write(`\n${notice} Once more to stop at once.\n`);
    controller.abort(reason);
  };
  // A terminal that closes says so to the whole group, perhaps twice: it is no second wish.
  const hangUp = (name: StopSignal) => {
    if (!controller.signal.aborted) stop(name);
  };
  const ignore = () => {};
  const onHangUp = startedByNohup() ? ignore : hangUp;
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', onHangUp);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', onHangUp);
  }
}

const unlessMissing = (read: () => string): string => {
  try {
    return read();
  } catch {
    return '';
  }
};

/**
 * Whether `nohup` started this process. Node forgets that SIGHUP was ignored when it began, so nohup is known by its other
 * traces: shells name the command that they start, a terminal as input is replaced by a file that cannot be read, and one
 * as output by nohup.out.
 */
function startedByNohup(): boolean {
  if (basename(process.env._ ?? '') === 'nohup') return true;
  const flags = unlessMissing(() => readFileSync('/proc/self/fdinfo/0', 'latin1'));
  if (/^flags:\s*\d*[15]$/m.test(flags)) return true; // O_WRONLY
  return [1, 2].some(file => basename(unlessMissing(() => readlinkSync(`/proc/self/fd/${file}`))) === 'nohup.out');
}
