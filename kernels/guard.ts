/** Keeping state as it was when a step went wrong. */
import { TraceError } from '../engine/errors.ts';
import { Tensor } from '../engine/tensor.ts';
import { activeTrace } from '../engine/trace.ts';
import { where } from './selection.ts';

/**
 * Inside `compile`: every variable assigned so far keeps its content where `bad` (one element) is not 0. The decision
 * is the GPU's, so the host need not wait for it.
 */
export function guardAssignments(bad: Tensor): void {
  const trace = activeTrace();
  if (!trace) throw new TraceError('guardAssignments() belongs inside a compiled function.');
  const { device } = trace;
  trace.revise((old, assigned) => where(bad, new Tensor(device, old), new Tensor(device, assigned)).value);
}
