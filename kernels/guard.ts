/** Keeping state as it was when a step went wrong. */
import { TraceError } from '../engine/errors.ts';
import { Tensor } from '../engine/tensor.ts';
import { activeTrace } from '../engine/trace.ts';
import { pack } from './pack.ts';
import { notFinite, where } from './selection.ts';
import { sum } from './sum.ts';

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

/**
 * Inside `compile`: how many numbers assigned so far are not finite (one element); undefined where nothing is assigned.
 * A variance may overflow though loss and gradients do not.
 */
export function assignedNotFinite(): Tensor | undefined {
  const trace = activeTrace();
  if (!trace) throw new TraceError('assignedNotFinite() belongs inside a compiled function.');
  const { device, assignments } = trace;
  if (assignments.length === 0) return undefined;
  return sum(notFinite(pack(assignments.map(({ value }) => new Tensor(device, value)))));
}
