/** Stops commands cleanly on Ctrl-C, SIGTERM and a closed terminal. */

import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { Interrupted, type StopSignal } from './failures.ts';

/**
 * Runs `work` with an AbortSignal that SIGINT, SIGTERM or SIGHUP aborts; its reason is `Interrupted`. A second SIGINT or
 * SIGTERM ends the process immediately. Under `nohup`, SIGHUP is ignored.
 * @param notice Printed at the first signal: what is still being done.
 */
export async function interruptible<T>(notice: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: StopSignal) => {
    const reason = new Interrupted(name);
    if (controller.signal.aborted) process.exit(reason.exitCode);
    process.stderr.write(`\n${notice} Interrupt again to stop immediately.\n`);
    controller.abort(reason);
  };
  // A closing terminal may send SIGHUP twice, which is not a second request.
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

const orEmpty = (read: () => string): string => {
  try {
    return read();
  } catch {
    return '';
  }
};

/**
 * True if `nohup` started this process. Node does not keep SIGHUP ignored, so we look for other traces of nohup: the
 * shell's variable `_` names the command, a terminal as input is replaced by a file opened for writing only, and a
 * terminal as output by nohup.out.
 */
function startedByNohup(): boolean {
  if (basename(process.env._ ?? '') === 'nohup') return true;
  const flags = orEmpty(() => readFileSync('/proc/self/fdinfo/0', 'latin1'));
  if (/^flags:\s*\d*[15]$/m.test(flags)) return true; // O_WRONLY
  return [1, 2].some(file => basename(orEmpty(() => readlinkSync(`/proc/self/fd/${file}`))) === 'nohup.out');
}
