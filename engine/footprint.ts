/** How much memory a compiled function will take, before it is compiled. */

import type { TensorSpec } from './basics/shape.ts';
import type { Device } from './device/device.ts';
import { sizeClass } from './device/memory.ts';
import { optimize } from './graph/optimize.ts';
import { lower } from './program/lower.ts';
import { planMemory } from './program/plan.ts';
import type { Tensor } from './tensor.ts';
import { traceFunction } from './traced.ts';

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
  const { graph, captured } = traceFunction(device, specs, body);
  try {
    const lowered = lower(optimize(graph, device.traits), baked, device.traits);
    const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
    return {
      temporaries: sum(planMemory(lowered).slots),
      results: sum(lowered.results.map(({ bytes }) => sizeClass(bytes))),
      largestBinding: Math.max(...lowered.calls.flatMap(({ buffers }) => buffers.map(({ bytes }) => bytes))),
    };
  } finally {
    for (const value of captured) value.release();
  }
}
