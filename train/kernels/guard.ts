/** Undoes the assignments of a step that failed. */
import { apply } from '../../engine/apply.ts';
import { TraceError } from '../../engine/basics/errors.ts';
import { sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { activeTrace } from '../../engine/graph/trace.ts';
import type { Value } from '../../engine/graph/value.ts';
import { specify } from '../../engine/specify.ts';
import { Tensor } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { input, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { where } from '../../kernels/elementwise/selection.ts';
import { words } from '../../kernels/references.ts';

type NoAttributes = Record<never, never>;

/** Inputs: x and its replacement [n], and a flag (one element). Replaces x in place, unless the flag is not 0. */
export const replaceUnlessOp: Declaration<NoAttributes> = /* @__PURE__ */ defineOp<NoAttributes>({
  name: 'replaceUnless',
  takes: ['any', 'any', 'f32'],
  infer: ([x]) => [x],
  inPlace: [[0, 0]],
  lower({ inputs }, traits) {
    const n = sizeOf(inputs[0].shape);
    const kernel = assembleElements(
      {
        name: 'replaceUnless',
        // Copies bits of any type.
        reads: ['next: array<u32>', 'bad'],
        writes: ['x: array<u32>'],
        numbers: new Numbers(false, { n }),
        elements: n,
        count: 'n',
        before: 'if (bad[0] != 0.0) { return; }',
        body: 'x[index] = next[index];',
      },
      traits,
    );
    return { steps: [{ kernel, operands: [input(1), input(2), output(0)] }], scratch: [] };
  },
});

/* @__PURE__ */ specify(replaceUnlessOp, () => ({
  summary: 'Replaces a by b in place, unless a flag is not 0.',
  reference: ([x, next, bad]) => [(bad[0] === 0 ? next : x).slice()],
  samples: [
    replaceSample(130, 0),
    replaceSample(5, 1),
    { inputs: [words([9]), words([9]), { shape: [1], values: [0], fixed: true }], attributes: {} },
  ],
  random: choose => replaceSample(choose.pick([1, 64, 100]), choose.pick([0, 1])),
}));

function replaceSample(n: number, bad: number) {
  return { inputs: [{ shape: [n] }, { shape: [n] }, { shape: [1], values: [bad], fixed: true }], attributes: {} };
}

/** Variables of at least this many elements are guarded in place by a separate dispatch, instead of selected and copied. */
const LARGE = 4096;

/**
 * Inside `compile`: undoes all assignments so far if `bad` (one element) is not 0. The GPU decides, so the host does not
 * have to wait. Variables that are parts of one variable and have all been assigned share a dispatch.
 */
export function guardAssignments(bad: Tensor): void {
  const trace = activeTrace();
  if (!trace) throw new TraceError('guardAssignments() belongs inside a compiled function.');
  const handle = (value: Value) => new Tensor(trace.device, value);
  for (const { variable, was, is } of trace.assigned()) {
    const [old, assigned] = [handle(was), handle(is)];
    const isApart = old.size >= LARGE || variable.parts.size > 0 || old.dtype !== 'f32';
    const kept = isApart ? apply(replaceUnlessOp, [old, assigned, bad], {})[0] : where(bad, old, assigned);
    trace.assign(variable, kept.value);
  }
}
