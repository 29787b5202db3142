/** Running sums along an axis. */
import { apply } from '../../engine/apply.ts';
import { normalizeAxes, type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { requireTensors } from '../../engine/require.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { ACCUMULATION, emptySum } from '../../engine/text/accumulate.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Lowering, output, scratch } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';

type CumsumAttributes = {
  readonly axis: number;
  /** From the end: the transpose. */
  readonly reverse: boolean;
};

/** Elements that an invocation adds one after the other. Longer lines are parts, whose sums are added first. */
const PART = 256;

export const cumsumOp: Declaration<CumsumAttributes> = /* @__PURE__ */ defineOp<CumsumAttributes>({
  name: 'cumsum',
  infer: ([x]) => [x],
  lower: ({ inputs: [{ shape }], attributes: { axis, reverse }, baked }, traits) =>
    lowerCumsum(shape, axis, reverse, baked, traits),
  gradient: ({ grads, attributes: { axis, reverse } }) => [
    apply(cumsumOp, [grads[0]!], { axis, reverse: !reverse })[0],
  ],
});

function lowerCumsum(shape: Shape, axis: number, reverse: boolean, baked: boolean, traits: AdapterTraits): Lowering {
  const length = shape[axis];
  const inner = sizeOf(shape.slice(axis + 1));
  const lines = sizeOf(shape) / length;
  const parts = Math.ceil(length / PART);
  const numbersOf = (n: number) => new Numbers(baked, { n, length, inner, parts });
  const common = { declarations: ACCUMULATION, count: 'n', heavy: true };
  // Invocations are (line's outer index, part, line's inner index): neighbours read neighbours.
  const position = `let part = index / inner % parts;
    let first = index / (inner * parts) * (length * inner) + index % inner;
    let end = min(length, (part + 1) * ${PART});`;
  const place = reverse ? 'first + (length - 1 - i) * inner' : 'first + i * inner';
  const start = `for (var i = part * ${PART}; i < end; i++) {
      let at = ${place};
      addTo(&sum, x[at]);`;
  const sums = assembleElements(
    {
      ...common,
      name: 'cumsum',
      reads: parts > 1 ? ['x', 'before'] : ['x'],
      numbers: numbersOf(lines * parts),
      elements: lines * parts,
      body: `${position}
    var sum = ${emptySum('x')};
    ${parts > 1 ? 'sum.high = before[index];' : ''}
    ${start}
      result[at] = totalOf(sum);
    }`,
    },
    traits,
  );
  if (parts === 1) return { steps: [{ kernel: sums, operands: [input(0), output(0)] }], scratch: [] };
  const totals = assembleElements(
    {
      ...common,
      name: 'cumsum.parts',
      reads: ['x'],
      numbers: numbersOf(lines * parts),
      elements: lines * parts,
      body: `${position}
    var sum = ${emptySum('x')};
    ${start}
    }
    result[index] = totalOf(sum);`,
    },
    traits,
  );
  const before = assembleElements(
    {
      ...common,
      name: 'cumsum.before',
      reads: ['totals'],
      numbers: numbersOf(lines),
      elements: lines,
      body: `var sum = ${emptySum('totals')};
    for (var part = 0; part < parts; part++) {
      let at = (index / inner * parts + part) * inner + index % inner;
      result[at] = totalOf(sum);
      addTo(&sum, totals[at]);
    }`,
    },
    traits,
  );
  return {
    steps: [
      { kernel: totals, operands: [input(0), scratch(0)] },
      { kernel: before, operands: [scratch(0), scratch(1)] },
      { kernel: sums, operands: [input(0), scratch(1), output(0)] },
    ],
    scratch: [lines * parts, lines * parts],
  };
}

/* @__PURE__ */ specify(cumsumOp, () => ({
  summary: 'Running sums along an axis.',
  reference([x], [shape], { axis, reverse }) {
    const inner = sizeOf(shape.slice(axis + 1));
    const length = shape[axis];
    const y = new Float64Array(x.length);
    for (let line = 0; line < x.length / length; line++) {
      let sum = 0;
      for (let i = 0; i < length; i++) {
        const along = reverse ? length - 1 - i : i;
        const at = (Math.floor(line / inner) * length + along) * inner + (line % inner);
        sum += x[at];
        y[at] = sum;
      }
    }
    return [y];
  },
  samples: [
    { inputs: [{ shape: [2, 5, 3] }], attributes: { axis: 1, reverse: false } },
    { inputs: [{ shape: [2, 700] }], attributes: { axis: 1, reverse: false } },
    { inputs: [{ shape: [600, 3] }], attributes: { axis: 0, reverse: true } },
    {
      inputs: [{ shape: [5], values: [1, Number.POSITIVE_INFINITY, 2, Number.NEGATIVE_INFINITY, 3] }],
      attributes: { axis: 0, reverse: false },
      kink: 'NaN',
    },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 2, 13]));
    return {
      inputs: [{ shape }],
      attributes: { axis: choose.integer(0, shape.length - 1), reverse: choose.pick([true, false]) },
    };
  },
  // Terms of both signs cancel.
  tolerance: 4e-6,
}));

/** Running sums of x along `axis` (negative from the end): element i is the sum of elements 0 to i. PyTorch's `cumsum`. */
export function cumsum(x: Tensor, axis: number): Tensor {
  requireTensors('cumsum', x);
  const [at] = normalizeAxes('cumsum', [axis], x.shape.length);
  return apply(cumsumOp, [x], { axis: at, reverse: false })[0];
}
