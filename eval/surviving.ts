/** A method that outlives its GPU device. */

import { DeviceLostError } from '../engine/basics/errors.ts';
import { DeviceLosses } from '../engine/device/losses-in-a-row.ts';
import type { Method } from './methods.ts';

/**
 * `first`, and what `reopen` makes in its place, on a device that works, whenever the device is lost: the picture at which
 * it happened is done again from its start, and its `onNote` told of it.
 * @throws DeviceLostError at the third loss in a row without a picture finished between; what `reopen` throws.
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
        control?.onNote?.(`${error.message}; the device is opened again and the picture done again`);
      }
    }
  };
}
