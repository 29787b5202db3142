/** Lists the kernels of a compiled function, without running it. */

import { f32, type Shape } from '../engine/basics/shape.ts';
import type { Device } from '../engine/device/device.ts';
import { optimize } from '../engine/graph/optimize.ts';
import { Trace, withTrace } from '../engine/graph/trace.ts';
import { lower } from '../engine/program/lower.ts';
import { Tensor, tidy } from '../engine/tensor.ts';
import type { Kernel } from '../engine/text/kernel.ts';

/** The kernels of `compile(body)` for inputs of these shapes, in the order of its dispatches. */
export function loweredKernels(
  device: Device,
  inputs: readonly Shape[],
  body: (...inputs: Tensor[]) => readonly Tensor[],
): Kernel[] {
  const trace = new Trace(device, inputs.map(f32));
  try {
    const graph = tidy(() =>
      withTrace(trace, () => {
        const results = body(...trace.arguments.map(value => new Tensor(device, value)));
        return [trace.finish(results.map(result => trace.import(result.value)))];
      }),
    )[0];
    return lower(optimize(graph, device.traits), true, device.traits).calls.map(({ kernel }) => kernel);
  } finally {
    for (const value of trace.captured) value.release();
  }
}

/** `conv2d.forward.broadcast`, `sum`, `elementwise ×2`: names without sizes, with counts. */
export function namesOf(kernels: readonly Kernel[]): string {
  const counts = new Map<string, number>();
  for (const { name } of kernels) {
    const [short] = name.split(' ') as [string];
    counts.set(short, (counts.get(short) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => (count > 1 ? `${name} ×${count}` : name)).join(', ');
}
