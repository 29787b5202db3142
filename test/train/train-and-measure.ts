/**
 * Trains the small network and prints what memory it holds after some updates: a process of its own, because whoever
 * else lives in a process has a share in its resident memory. Arguments: the updates after which to measure, ascending.
 * Needs --expose-gc.
 */
import { init } from '../../engine/init.ts';
import { SmallTraining } from './small-training.ts';

/** Bytes: of GPU buffers as the pool counts them, and of the process as the system does. */
export interface Held {
  readonly step: number;
  readonly live: number;
  readonly pooled: number;
  readonly buffers: number;
  readonly resident: number;
}

using device = await init();
using training = new SmallTraining(device);
const held: Held[] = [];
for (const step of process.argv.slice(2).map(Number)) {
  await training.to(step);
  await device.finished();
  // What is held for good is there in every reading; what the heap has yet to give back is not in the lowest.
  let resident = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10; i++) {
    globalThis.gc!();
    await new Promise(resolve => setTimeout(resolve, 20));
    resident = Math.min(resident, process.memoryUsage.rss());
  }
  const { live, pooled, buffers } = device.memory.figures();
  held.push({ step, live, pooled, buffers, resident });
}
process.stdout.write(`${JSON.stringify(held)}\n`);
