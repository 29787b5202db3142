/** Size and memory use of a program. */

import { type Storage, sizeClass } from '../device/memory.ts';
import { rootOf } from './buffer.ts';
import type { Lowered } from './lower.ts';
import { bytesKeptAfter, type Plan } from './plan.ts';

/** Statistics of a program. Bytes count whole GPU buffers. */
export interface ProgramFigures {
  /** Kernels that a run dispatches. */
  readonly dispatches: number;
  /** Temporaries, owned by the program. */
  readonly temporaryBytes: number;
  /**
   * The temporaries written before the first result and read after it. In a training step whose first result is the loss,
   * this is what the forward pass keeps for the backward pass.
   */
  readonly keptBytes: number;
  /** Variables it reads or writes. */
  readonly variableBytes: number;
  /** Tensors from outside that its body used. */
  readonly constantBytes: number;
  /** Memory that each run allocates for its results. */
  readonly resultBytes: number;
}

export function programFigures(lowered: Lowered, plan: Plan): ProgramFigures {
  const { calls, results, variables } = lowered;
  const constants = calls.flatMap(({ buffers }) =>
    buffers.flatMap(buffer => {
      const { origin } = rootOf(buffer).root;
      return origin.kind === 'constant' ? [origin.storage] : [];
    }),
  );
  return {
    dispatches: calls.length,
    temporaryBytes: plan.slots.reduce((sum, size) => sum + size, 0),
    keptBytes: results.length > 0 ? bytesKeptAfter(lowered, 0) : 0,
    variableBytes: bytesOf(variables.map(({ storage }) => storage)),
    constantBytes: bytesOf(constants),
    resultBytes: results.reduce((sum, { bytes }) => sum + sizeClass(bytes), 0),
  };
}

/** Bytes of the distinct buffers behind storages: several parameters may share one. */
const bytesOf = (storages: readonly Storage[]): number =>
  [...new Set(storages.map(({ buffer }) => buffer))].reduce((sum, { size }) => sum + size, 0);
