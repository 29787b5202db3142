/** A method that survives the loss of its GPU device. */

import { DeviceLostError } from '../engine/basics/errors.ts';
import { DeviceLosses } from '../engine/device/device-losses.ts';
import type { Method } from './methods.ts';

/**
 * Runs `first`. Whenever the device is lost, replaces the method with the result of `reopen` on a new device, restarts
 * the current picture, and reports that to `onNote`.
 * @throws DeviceLostError at the third loss in a row without a finished picture; errors of `reopen`.
 */
export function surviving(first: Method, reopen: () => Promise<Method>): Method {
  const losses = new DeviceLosses();
  let method: Method | undefined = first;
  return async (lr, control) => {
    for (;;) {
      try {
        method ??= await reopen();
        const result = await method(lr, control);
        losses.progressed();
        return result;
      } catch (error) {
        if (!(error instanceof DeviceLostError)) throw error;
        method = undefined;
        losses.lost(error);
        control?.onNote?.(`${error.message}; reopened the device and restarted the picture`);
      }
    }
  };
}
