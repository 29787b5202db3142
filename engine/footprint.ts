/** How much memory a compiled function will take, before it is compiled. */

import type { TensorSpec } from './basics/shape.ts';
import type { Device } from './device/device.ts';
import { sizeClass } from './device/memory.ts';
import { optimize } from './graph/optimize.ts';
import { Trace, withTrace } from './graph/trace.ts';
import { lower } from './program/lower.ts';
import { planMemory } from './program/plan.ts';
import { Tensor, tidy } from './tensor.ts';

/** Bytes. */
export interface Footprint {
  /** Temporaries, which stay with the program. */
  readonly temporaries: number;
  /** Results, which are the caller's. */
  readonly results: number;
  /** The most that a single binding spans; no adapter binds more than its `maxBindingBytes`. */
  readonly largestBinding: number;
}

/**
 * The footprint of `compile(body, { baked })` for arguments of these shapes. It is planned only: no memory is taken and
 * no kernel made. `body` is traced and must be pure, as for `compile`.
 */
export function footprint(
  device: Device,
  specs: readonly TensorSpec[],
  body: (...args: Tensor[]) => Tensor,
  baked: boolean,
): Footprint {
  const trace = new Trace(device, specs);
  try {
    const graph = tidy(() =>
      withTrace(trace, () => {
        const result = body(...trace.arguments.map(value => new Tensor(device, value)));
        return [trace.finish([trace.import(result.value)])];
      }),
    )[0];
    const lowered = lower(optimize(graph, device.traits), baked, device.traits);
    const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
    return {
      temporaries: sum(planMemory(lowered).slots),
      results: sum(lowered.results.map(({ bytes }) => sizeClass(bytes))),
      largestBinding: Math.max(...lowered.calls.flatMap(({ buffers }) => buffers.map(({ bytes }) => bytes))),
    };
  } finally {
    for (const value of trace.captured) value.release();
  }
}
