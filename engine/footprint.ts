/** Estimates the memory of a compiled function before it is compiled. */

import type { TensorSpec } from './basics/shape.ts';
import type { Device } from './device/device.ts';
import { sizeClass } from './device/memory.ts';
import { optimize } from './graph/optimize.ts';
import { lower } from './program/lower.ts';
import { planMemory } from './program/plan.ts';
import type { Tensor } from './tensor.ts';
import { traceFunction } from './traced.ts';

/** Memory use in bytes. */
export interface Footprint {
  /** Temporaries, owned by the program. */
  readonly temporaries: number;
  /** Results, owned by the caller. */
  readonly results: number;
  /** The largest single binding; must not exceed the adapter's `maxBindingBytes`. */
  readonly largestBinding: number;
}

/**
 * The footprint of `compile(body, { baked })` for arguments of these shapes. Nothing is allocated or compiled. `body` is
 * traced and must be pure, as for `compile`.
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
