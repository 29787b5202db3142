/** Ctrl-C and SIGTERM: finish what is at hand, then stop. */

import { Interrupted } from './failures.ts';

/**
 * Runs `work` with a signal that SIGINT or SIGTERM aborts; its reason is `Interrupted`. A second SIGINT ends the process
 * at once.
 * @param notice printed when the first signal comes: what is being finished.
 */
export async function interruptible<T>(notice: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    const reason = new Interrupted(name === 'SIGTERM' ? 'SIGTERM' : 'SIGINT');
    if (controller.signal.aborted) process.exit(reason.exitCode);
    process.stderr.write(`\n${notice} Once more to stop at once.\n`);
    controller.abort(reason);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
