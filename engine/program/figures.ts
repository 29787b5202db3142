/** How large a program is. */

import { type Storage, sizeClass } from '../device/memory.ts';
import { rootOf } from './buffer.ts';
import type { Lowered } from './lower.ts';
import { bytesKeptAfter, type Plan } from './plan.ts';

/** What a program needs. Bytes are those of whole GPU buffers. */
export interface ProgramFigures {
  readonly dispatches: number;
  /** Temporaries, which stay with the program. */
  readonly temporaryBytes: number;
  /**
   * Of those, what the program's part up to its first result leaves to the rest. In a training step whose first result
   * is the loss, that is what the forward pass must keep for the backward pass.
   */
  readonly keptBytes: number;
  /** Variables that it reads or writes. */
  readonly variableBytes: number;
  /** Tensors from outside that its body used. */
  readonly constantBytes: number;
  /** What each run takes for its results. */
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

/** Of the buffers behind storages, each once: parameters lie side by side in one. */
const bytesOf = (storages: readonly Storage[]): number =>
  [...new Set(storages.map(({ buffer }) => buffer))].reduce((sum, { size }) => sum + size, 0);
