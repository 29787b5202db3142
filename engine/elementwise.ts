/** Kernels for elementwise expressions: operands are read with NumPy's broadcasting, one result is written. */
import { type Expression, emit, operandsRead } from './expression.ts';
import { type AdapterTraits, grid, input, type Lowering, output } from './kernel.ts';
import { Numbers } from './numbers.ts';
import { broadcastStrides, mergeAxes, type Shape, sizeOf } from './shape.ts';

export interface ElementwiseProblem {
  readonly name: string;
  readonly expression: Expression;
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  readonly baked: boolean;
}

/** Rows at least this long are walked by an inner loop, so that what does not change along a row is loaded once. */
const SHORTEST_ROW = 32;
/** Elements that one workgroup of a software adapter should at least have: its launch costs as much as 1,100 FMAs. */
const SOFTWARE_ELEMENTS = 2048;

/** The walk over the output: merged axes, the operands' strides over them, and names for all sizes. */
interface Walk {
  readonly problem: ElementwiseProblem;
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
  readonly read: ReadonlySet<number>;
  readonly numbers: Numbers;
  readonly workgroup: number;
}

export function lowerElementwise(problem: ElementwiseProblem, traits: AdapterTraits): Lowering {
  const read = operandsRead(problem.expression);
  const merged = mergeAxes(
    problem.output,
    problem.inputs.map(shape => broadcastStrides(shape, problem.output)),
  );
  const { shape, strides } = merged.shape.length > 0 ? merged : { shape: [1], strides: problem.inputs.map(() => [0]) };
  const rowwise = traits.software && shape.length > 1 && shape.at(-1)! >= SHORTEST_ROW;
  const numbers = new Numbers(problem.baked, sizes(problem, shape, strides, read));
  const workgroup = rowwise ? Math.max(traits.subgroupSize, 8) : 64;
  const walk: Walk = { problem, shape, strides, read, numbers, workgroup };
  const { body, groups } = rowwise ? rows(walk) : flat(walk, traits);
  const { declarations } = emit(
    problem.expression,
    problem.inputs.map(() => '0'),
  );
  const count = problem.inputs.length;
  const wgsl = `${problem.inputs.map((_, i) => `@group(0) @binding(${i}) var<storage, read> in${i}: array<f32>;`).join('\n')}
@group(0) @binding(${count}) var<storage, read_write> result: array<f32>;
${numbers.binding(count + 1)}
${declarations}
@compute @workgroup_size(${workgroup})
fn main(
  @builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) num: vec3u, @builtin(local_invocation_index) lane: u32
) {
  ${numbers.locals}
  let group = i32(id.y * num.x + id.x);
${body}
}`;
  const kernel = {
    name: problem.name,
    wgsl,
    bindings: [...problem.inputs.map(() => 'read' as const), 'write' as const],
    ...(numbers.params.length > 0 && { params: numbers.params }),
    workgroups: grid(groups),
  };
  return { steps: [{ kernel, operands: [...problem.inputs.map((_, i) => input(i)), output(0)] }], scratch: [] };
}

/** Sizes by name: `n` elements, `d1…` dimensions but the outermost, `s0_1` the stride of operand 0 along axis 1. */
function sizes(
  problem: ElementwiseProblem,
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  read: ReadonlySet<number>,
): Record<string, number> {
  const named: Record<string, number> = { n: sizeOf(problem.output) };
  shape.forEach((size, axis) => {
    if (axis > 0) named[`d${axis}`] = size;
  });
  for (const operand of read)
    strides[operand]!.forEach((stride, axis) => {
      if (stride > 1) named[`s${operand}_${axis}`] = stride;
    });
  return named;
}

/** `index·stride` summed over `axes`, for one operand; strides of 0 and 1 are known to the text. */
export function offsetOf(operand: number, strides: readonly number[], axes: readonly number[]): string {
  const terms = axes
    .filter(axis => strides[axis] !== 0)
    .map(axis => (strides[axis] === 1 ? `a${axis}` : `a${axis} * s${operand}_${axis}`));
  return terms.length > 0 ? terms.join(' + ') : '0';
}

/** Statements that split `index` into coordinates `a0 … a(rank-1)`, innermost last. */
export function coordinates(index: string, axes: readonly number[]): string[] {
  const statements: string[] = [];
  let rest = index;
  for (let i = axes.length - 1; i > 0; i--) {
    const axis = axes[i]!;
    statements.push(`let a${axis} = ${rest} % d${axis};`, `let r${axis} = ${rest} / d${axis};`);
    rest = `r${axis}`;
  }
  if (axes.length > 0) statements.push(`let a${axes[0]} = ${rest};`);
  return statements;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Each invocation computes elements a workgroup apart, each from its own coordinates. */
function flat(
  { problem, shape, strides, read, workgroup }: Walk,
  traits: AdapterTraits,
): { body: string; groups: number } {
  const count = sizeOf(problem.output);
  const each = traits.software ? SOFTWARE_ELEMENTS / workgroup : 1;
  const axes = range(shape.length);
  const contiguous = shape.length === 1;
  const loads = [...read].map(operand => {
    const offset = contiguous
      ? strides[operand]![0] === 0
        ? '0'
        : 'index'
      : offsetOf(operand, strides[operand]!, axes);
    return `let v${operand} = in${operand}[${offset}];`;
  });
  const { statements, result } = emit(
    problem.expression,
    problem.inputs.map((_, i) => `v${i}`),
  );
  // A number of turns that the compiler does not know: unrolled, the loop takes a second to compile and twice as long to run.
  const body = `  let end = min(n, (group + 1) * ${each * workgroup});
  for (var index = group * ${each * workgroup} + i32(lane); index < end; index += ${workgroup}) {
    ${[...(contiguous ? [] : coordinates('index', axes)), ...loads, ...statements].join('\n    ')}
    result[index] = ${result};
  }`;
  return { body, groups: Math.ceil(count / (workgroup * each)) };
}

/** Each workgroup walks whole rows: coordinates and operands that are constant along a row cost next to nothing. */
function rows({ problem, shape, strides, read, workgroup }: Walk): { body: string; groups: number } {
  const last = shape.length - 1;
  const length = shape[last]!;
  const rowCount = sizeOf(shape) / length;
  const each = Math.max(1, Math.ceil(SOFTWARE_ELEMENTS / length));
  const outer = range(last);
  const before: string[] = [];
  const within: string[] = [];
  for (const operand of read) {
    const base = offsetOf(operand, strides[operand]!, outer);
    if (strides[operand]![last] === 0) before.push(`let v${operand} = in${operand}[${base}];`);
    else {
      before.push(`let b${operand} = ${base};`);
      within.push(`let v${operand} = in${operand}[b${operand} + column];`);
    }
  }
  const { statements, result } = emit(
    problem.expression,
    problem.inputs.map((_, i) => `v${i}`),
  );
  // How many rows a workgroup takes is a size like others: it must not be in the text where sizes are arguments.
  const body = `  let rowCount = n / d${last};
  let each = max(1, (${SOFTWARE_ELEMENTS} + d${last} - 1) / d${last});
  for (var k = 0; k < each; k++) {
    let row = group * each + k;
    if (row >= rowCount) { return; }
    ${[...coordinates('row', outer), ...before].join('\n    ')}
    for (var column = i32(lane); column < d${last}; column += ${workgroup}) {
      ${[...within, ...statements].join('\n      ')}
      result[row * d${last} + column] = ${result};
    }
  }`;
  return { body, groups: Math.ceil(rowCount / each) };
}
