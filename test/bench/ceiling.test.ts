/** The probes do what they are counted for. */
import { expect, test } from 'vitest';
import { CallCounter } from '../../bench/calls.ts';
import { CeilingProbes, ceilingOf, PROBES } from '../../bench/ceiling.ts';
import { measure } from '../../bench/measure.ts';
import { sharedDevice } from '../device.ts';

const device = sharedDevice();

test('a ceiling is found, and more arithmetic takes longer', async () => {
  using probes = new CeilingProbes(device());
  const contenders = [...probes.arithmetic, ...probes.copies].map(({ contender }) => contender);
  const measured = await measure(contenders, { samples: 1, sampleMs: 1 });
  expect(measured.map(({ impl }) => impl)).toEqual(Object.values(PROBES));
  const { gflops, gbps, gflops_cpu, gbps_cpu } = ceilingOf(probes, measured);
  // A loop that a driver had optimised away would claim far more than any adapter has.
  for (const rate of [gflops, gflops_cpu]) expect(rate).toBeGreaterThan(1);
  expect(gflops).toBeLessThan(200_000);
  for (const rate of [gbps, gbps_cpu]) expect(rate).toBeGreaterThan(0.1);
  expect(gbps).toBeLessThan(20_000);
});

test('calls of WebGPU are counted between two looks, and no longer once that is over', async () => {
  using probes = new CeilingProbes(device());
  const { contender } = probes.copies[0];
  await contender.run(1);
  {
    using counter = new CallCounter();
    await contender.run(3);
    expect(counter.take()).toEqual({ dispatches: 3, submits: 3, buffers: 0 });
    expect(counter.take()).toEqual({ dispatches: 0, submits: 0, buffers: 0 });
    device().uniformBuffer(Uint32Array.of(1)).destroy();
    expect(counter.take()).toEqual({ dispatches: 0, submits: 0, buffers: 1 });
  }
  expect(GPUQueue.prototype.submit.name).toBe('submit');
});
