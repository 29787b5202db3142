/** Traces a function of tensors into a graph, for `compile` and `inspect`. */

import { nameOf, TraceError } from './basics/errors.ts';
import type { TensorSpec } from './basics/shape.ts';
import type { Device } from './device/device.ts';
import type { Storage } from './device/memory.ts';
import { type Guard, Trace, withTrace } from './graph/trace.ts';
import { type Graph, Value } from './graph/value.ts';
import { Tensor, tidy } from './tensor.ts';

/** Argument of a compiled function: a tensor, or a number that becomes a scalar on the GPU (so it may change each call). */
export type Argument = Tensor | number;

/** Result of a compiled function: tensors, optionally in arrays and plain objects. */
export type Tree = Tensor | readonly Tree[] | { readonly [name: string]: Tree } | undefined;

/** The arguments as the function's body receives them: all tensors. */
export type Traced<T extends readonly Argument[]> = { [K in keyof T]: Tensor };

/** The graph of a function. */
export interface TracedFunction {
  readonly graph: Graph;
  /** Rebuilds the function's result from the memory of the graph's results. */
  readonly rebuild: (results: readonly Storage[]) => Tree;
  /** Tensors from outside that the graph uses. The caller must release these claims. */
  readonly captured: readonly Value[];
  /** What the graph depends on beside the arguments. */
  readonly guards: ReadonlyMap<object, Guard>;
}

/** Runs `body` once with tensors that have no content. */
export function traceFunction<T extends readonly Argument[]>(
  device: Device,
  specs: readonly TensorSpec[],
  body: (...args: Traced<T>) => Tree,
): TracedFunction {
  const trace = new Trace(device, specs);
  const leaves: Tensor[] = [];
  let rebuild: TracedFunction['rebuild'] = () => undefined;
  try {
    // Tensors created inside from CPU data are captured by the trace; `tidy` disposes their handles.
    const graph = tidy(() =>
      withTrace(trace, () => {
        const args = trace.arguments.map(value => new Tensor(device, value)) as unknown as Traced<T>;
        rebuild = describe(device, body(...args), leaves);
        return [trace.finish(leaves.map(leaf => trace.import(leaf.value)))];
      }),
    )[0];
    return { graph, rebuild, captured: trace.captured, guards: trace.guards };
  } catch (error) {
    for (const value of trace.captured) value.release();
    throw error;
  }
}

/** Returns a function that rebuilds the structure of `result` with new storages; its tensors are appended to `leaves`. */
function describe(device: Device, result: Tree, leaves: Tensor[]): (results: readonly Storage[]) => Tree {
  if (result === undefined || result === null) return () => undefined;
  if (result instanceof Tensor) {
    const index = leaves.push(result) - 1;
    const { spec } = result.value;
    return results => new Tensor(device, new Value(spec, results[index]));
  }
  if (Array.isArray(result)) {
    const parts = result.map(item => describe(device, item as Tree, leaves));
    return results => parts.map(part => part(results));
  }
  if (!isPlain(result)) throw new TraceError(wrongResult(result));
  const parts = Object.entries(result).map(([name, item]) => [name, describe(device, item as Tree, leaves)] as const);
  return results => Object.fromEntries(parts.map(([name, part]) => [name, part(results)]));
}

const isPlain = (value: unknown): value is Readonly<Record<string, Tree>> =>
  typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value));

function wrongResult(result: unknown): string {
  if (result instanceof Promise)
    return 'A compiled function cannot be async: it is traced once, synchronously. Await outside of it.';
  return `A compiled function: expected it to return tensors (or arrays or plain objects of them), got ${nameOf(result)}.`;
}

export const specOf = (argument: Argument): TensorSpec =>
  typeof argument === 'number' ? { shape: [], dtype: 'f32' } : argument.value.spec;
