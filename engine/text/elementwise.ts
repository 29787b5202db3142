/** Kernels for elementwise expressions, with NumPy's broadcasting and one result. */

import { broadcastStrides, mergeAxes, sizeOf, type TensorSpec, wgslType } from '../basics/shape.ts';
import { assemble, assembleElements, coordinates } from './assemble.ts';
import { type Expression, emit, operandsRead } from './expression.ts';
import { type AdapterTraits, input, type Kernel, type Lowering, output } from './kernel.ts';
import { Numbers } from './numbers.ts';
import { range } from './repeat.ts';

export interface ElementwiseProblem {
  readonly name: string;
  readonly expression: Expression;
  readonly inputs: readonly TensorSpec[];
  readonly output: TensorSpec;
  readonly baked: boolean;
}

/** Rows at least this long get an inner loop, so that values that are constant along a row are loaded once. */
const SHORTEST_ROW = 32;
/** Minimum elements for a workgroup of rows. */
const LEAST_ELEMENTS = 2048;

/** How to iterate over the output: merged axes, the operands' strides over them, and names for all sizes. */
interface Walk {
  readonly problem: ElementwiseProblem;
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
  readonly read: ReadonlySet<number>;
  readonly numbers: Numbers;
}

export function lowerElementwise(problem: ElementwiseProblem, traits: AdapterTraits): Lowering {
  const read = operandsRead(problem.expression);
  const merged = mergeAxes(
    problem.output.shape,
    problem.inputs.map(({ shape }) => broadcastStrides(shape, problem.output.shape)),
  );
  const { shape, strides } = merged.shape.length > 0 ? merged : { shape: [1], strides: problem.inputs.map(() => [0]) };
  const numbers = new Numbers(problem.baked, sizes(problem, shape, strides, read));
  const walk: Walk = { problem, shape, strides, read, numbers };
  const rowwise = traits.software && shape.length > 1 && shape.at(-1)! >= SHORTEST_ROW;
  const kernel = rowwise ? rows(walk, traits) : flat(walk, traits);
  return { steps: [{ kernel, operands: [...problem.inputs.map((_, i) => input(i)), output(0)] }], scratch: [] };
}

/** Sizes by name: `n` elements, `d1…` dimensions except the outermost, `s0_1` the stride of operand 0 along axis 1. */
function sizes(
  problem: ElementwiseProblem,
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  read: ReadonlySet<number>,
): Record<string, number> {
  const named: Record<string, number> = { n: sizeOf(problem.output.shape) };
  shape.forEach((size, axis) => {
    if (axis > 0) named[`d${axis}`] = size;
  });
  for (const operand of read)
    strides[operand].forEach((stride, axis) => {
      if (stride > 1) named[`s${operand}_${axis}`] = stride;
    });
  return named;
}

/** `index·stride` summed over `axes`, for one operand; strides of 0 and 1 are folded. */
export function offsetOf(operand: number, strides: readonly number[], axes: readonly number[]): string {
  const terms = axes
    .filter(axis => strides[axis] !== 0)
    .map(axis => (strides[axis] === 1 ? `a${axis}` : `a${axis} * s${operand}_${axis}`));
  return terms.length > 0 ? terms.join(' + ') : '0';
}

/** What both kernel forms pass to `assemble`, and the WGSL of an element from the operands `v0 …`. */
function partsOf({ problem, numbers }: Walk) {
  const { name, expression, inputs, output } = problem;
  const { declarations, statements, result } = emit(
    expression,
    inputs.map((_, i) => `v${i}`),
    numbers.float,
  );
  const reads = inputs.map(({ dtype }, i) => `in${i}: array<${wgslType(dtype)}>`);
  const writes = [`result: array<${wgslType(output.dtype)}>`];
  return { frame: { name, reads, writes, numbers, declarations }, statements, result };
}

/** Each invocation computes elements a workgroup's width apart, each from its own coordinates. */
function flat(walk: Walk, traits: AdapterTraits): Kernel {
  const { problem, shape, strides, read } = walk;
  const { frame, statements, result } = partsOf(walk);
  const axes = range(shape.length);
  const contiguous = shape.length === 1;
  const loads = [...read].map(operand => {
    const own = strides[operand];
    const offset = contiguous ? (own[0] === 0 ? '0' : 'index') : offsetOf(operand, own, axes);
    return `let v${operand} = in${operand}[${offset}];`;
  });
  const position = contiguous ? [] : coordinates('index', axes);
  const body = [...position, ...loads, ...statements, `result[index] = ${result};`].join('\n    ');
  return assembleElements({ ...frame, elements: sizeOf(problem.output.shape), count: 'n', body }, traits);
}

/** Each workgroup computes whole rows: coordinates and operands that are constant along a row are almost free. */
function rows(walk: Walk, traits: AdapterTraits): Kernel {
  const { shape, strides, read } = walk;
  const { frame, statements, result } = partsOf(walk);
  const lanes = Math.max(traits.subgroupSize, 8);
  const last = shape.length - 1;
  const length = shape[last];
  const each = Math.max(1, Math.ceil(LEAST_ELEMENTS / length));
  const outer = range(last);
  const before: string[] = [];
  const within: string[] = [];
  for (const operand of read) {
    const base = offsetOf(operand, strides[operand], outer);
    if (strides[operand][last] === 0) before.push(`let v${operand} = in${operand}[${base}];`);
    else {
      before.push(`let b${operand} = ${base};`);
      within.push(`let v${operand} = in${operand}[b${operand} + column];`);
    }
  }
  // Rows per workgroup is a size like any other: it must not be a constant where sizes are arguments.
  const body = `let rowCount = n / d${last};
  let each = max(1, (${LEAST_ELEMENTS} + d${last} - 1) / d${last});
  for (var row = group * each; row < min(rowCount, (group + 1) * each); row++) {
    ${[...coordinates('row', outer), ...before].join('\n    ')}
    for (var column = i32(lane); column < d${last}; column += ${lanes}) {
      ${[...within, ...statements].join('\n      ')}
      result[row * d${last} + column] = ${result};
    }
  }`;
  return assemble({ ...frame, lanes, groups: Math.ceil(sizeOf(shape) / length / each), body });
}
