/** Sessions that outlive their GPU device: it is opened anew, and the run goes on from its last checkpoint. */
import { join } from 'node:path';
import type { Device } from '../../engine/device/device.ts';
import { DeviceLosses } from '../../engine/device/device-losses.ts';
import { count } from '../readable.ts';
import { readCheckpoint } from '../run-folder/checkpoint-store.node.ts';
import { countersOf } from './state.ts';

/** What a session needs to outlive a device. */
export interface Survival {
  readonly device: Device;
  /** Opens another device after one was lost. Without it a loss ends the session. */
  readonly reopen?: () => Promise<Device>;
  readonly onLine?: (text: string) => void;
}

/**
 * Calls `attempt` with the device at hand, and again with a new one (`again`) whenever it was lost. Losses in a row are
 * those between which no further checkpoint was saved in the run folder `out`.
 * @throws DeviceLostError at the third loss in a row; what `attempt` and `reopen` throw.
 */
export async function survivingLosses<R>(
  out: string,
  { device: first, reopen, onLine }: Survival,
  attempt: (device: Device, again: boolean) => Promise<R>,
): Promise<R> {
  const losses = new DeviceLosses();
  let saved = 0; // Before the first loss there is no row to end.
  let device = first;
  try {
    for (let again = false; ; again = true) {
      try {
        return await attempt(device, again);
      } catch (error) {
        const loss = await device.lossBehind(error);
        if (!loss || !reopen) throw error;
        const step = await savedStep(out);
        if (step > saved) losses.progressed();
        saved = step;
        losses.lost(loss);
        if (device !== first) device.dispose();
        device = await reopen();
        const from = step > 0 ? `goes on after update ${count(step)}` : 'begins again';
        onLine?.(`${loss.message}; the device is opened again, and the run ${from}`);
      }
    }
  } finally {
    if (device !== first) device.dispose();
  }
}

/** Updates of the last checkpoint; 0 where there is none that can be read. */
async function savedStep(out: string): Promise<number> {
  const folder = join(out, 'checkpoints', 'last');
  // A damaged one is for whoever resumes from it to tell of.
  const files = await readCheckpoint(folder).catch(() => undefined);
  return files ? countersOf(files, folder).step : 0;
}
