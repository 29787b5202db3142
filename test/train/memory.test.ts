import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Held } from './train-and-measure.ts';

const SCRIPT = fileURLToPath(new URL('./train-and-measure.ts', import.meta.url));

/** Measures in a process of its own after these updates. */
async function measure(...steps: number[]): Promise<Held[]> {
  const args = ['--expose-gc', '--import', 'tsx', SCRIPT, ...steps.map(String)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Held[];
}

const LAST = process.env.DAYBREAK_LONG ? 1000 : 400;

test(`memory does not grow between 100 and ${LAST} compiled updates, on the GPU or in the process`, async () => {
  const [early, late] = await measure(100, LAST);
  expect([early.step, late.step]).toEqual([100, LAST]);
  expect(early.live).toBeGreaterThan(100_000);
  expect({ ...late, step: 0, resident: 0 }).toEqual({ ...early, step: 0, resident: 0 });
  const change = late.resident / early.resident - 1;
  expect(change, `${early.resident} and ${late.resident} bytes are resident`).toBeLessThan(0.05);
});
