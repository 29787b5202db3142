/** Finds the memory of a program's buffers in one run. */

import type { Storage } from '../device/memory.ts';
import type { VariableState } from '../graph/value.ts';
import { type Buffer, rootOf } from './buffer.ts';
import type { Plan } from './plan.ts';

/** A range of a GPU buffer, from `offset` (bytes) on. */
export interface Range {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

/** The memory of `buffer` in a run on these inputs, results and slots; `variables` overrides the memory of variables. */
export function locate(
  buffer: Buffer,
  inputs: readonly Storage[],
  results: readonly Storage[],
  slots: readonly Storage[],
  plan: Plan,
  variables?: ReadonlyMap<VariableState, Storage>,
): Range {
  const { root, offset } = rootOf(buffer);
  const { origin } = root;
  const storage = (() => {
    if (origin.kind === 'argument') return inputs[origin.index];
    if (origin.kind === 'result') return results[origin.index];
    if (origin.kind === 'variable') return variables?.get(origin.variable) ?? origin.variable.storage;
    if (origin.kind === 'constant') return origin.storage;
    return slots[plan.slotOf.get(root)!];
  })();
  return { buffer: storage.buffer, offset: storage.offset + offset };
}
