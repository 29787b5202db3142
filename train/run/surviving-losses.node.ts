/** Resumes a run from its last checkpoint with a new GPU device after the device was lost. */
import { join } from 'node:path';
import { count } from '../../common/text.ts';
import type { Device } from '../../engine/device/device.ts';
import { DeviceLosses } from '../../engine/device/device-losses.ts';
import { readCheckpoint } from '../run-folder/checkpoint-store.node.ts';
import { countersOf } from './state.ts';

/** Options of {@link survivingLosses}. */
export interface Survival {
  readonly device: Device;
  /** Opens a new device after one was lost. Default: a lost device ends the session. */
  readonly reopen?: () => Promise<Device>;
  readonly onLine?: (text: string) => void;
}

/**
 * Calls `attempt` with the device, and again with a new one (`again`) whenever it was lost. Losses count as consecutive if
 * no new checkpoint was saved between them in the run folder `out`.
 * @throws DeviceLostError after the third consecutive loss; whatever `attempt` and `reopen` throw.
 */
export async function survivingLosses<R>(
  out: string,
  { device: first, reopen, onLine }: Survival,
  attempt: (device: Device, again: boolean) => Promise<R>,
): Promise<R> {
  const losses = new DeviceLosses();
  let saved = 0;
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
        const from = step > 0 ? `resumed after update ${count(step)}` : 'started again';
        onLine?.(`${loss.message}; reopened the device and ${from}`);
      }
    }
  } finally {
    if (device !== first) device.dispose();
  }
}

/** Updates in the checkpoint `last`; 0 if there is none that can be read. */
async function savedStep(out: string): Promise<number> {
  const folder = join(out, 'checkpoints', 'last');
  // Resuming from a damaged checkpoint reports it.
  const files = await readCheckpoint(folder).catch(() => undefined);
  return files ? countersOf(files, folder).step : 0;
}
