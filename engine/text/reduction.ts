/** Kernels that sum an elementwise expression over axes, or combine its elements otherwise, in a fixed order. */

import { broadcastStrides, mergeAxes, type Shape, sizeOf, type TensorSpec, wgslType } from '../basics/shape.ts';
import { type Fold, SUM } from './accumulate.ts';
import { assemble, assembleElements, coordinates } from './assemble.ts';
import { offsetOf } from './elementwise.ts';
import { type Emitted, type Expression, emit, operandsRead } from './expression.ts';
import { type AdapterTraits, input, type Lowering, type Operand, output, type Step, scratch } from './kernel.ts';
import { Numbers } from './numbers.ts';
import { range } from './repeat.ts';

export interface ReductionProblem {
  readonly name: string;
  readonly expression: Expression;
  readonly inputs: readonly TensorSpec[];
  /** Shape of the summed tensor. */
  readonly domain: Shape;
  readonly axes: readonly number[];
  /** Divides the result. */
  readonly divisor: number;
  /** How elements are combined; default their sum. */
  readonly fold?: Fold;
  readonly baked: boolean;
}

interface Walk {
  readonly problem: ReductionProblem;
  readonly fold: Fold;
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
  /** Merged axes that are kept and those that are summed. */
  readonly kept: readonly number[];
  readonly summed: readonly number[];
  readonly outputs: number;
  readonly length: number;
}

/** Sums shorter than this are computed by one invocation. */
const LONG = 64;
/** Maximum operands of an expression that is unrolled four times. */
const MOST_UNROLLED = 4;

export function lowerReduction(problem: ReductionProblem, traits: AdapterTraits): Lowering {
  const walk = walkOf(problem);
  if (walk.length < LONG) return { steps: [serial(walk, traits)], scratch: [] };
  const splits = splitsOf(walk, traits);
  const lanes = traits.software ? Math.max(traits.subgroupSize, 8) : 256;
  if (splits === 1) return { steps: [parallel(walk, 1, lanes, output(0), problem.divisor)], scratch: [] };
  return {
    steps: [parallel(walk, splits, lanes, scratch(0), 1), addShares(walk, splits, traits)],
    scratch: [walk.outputs * splits],
  };
}

function walkOf(problem: ReductionProblem): Walk {
  const { domain, axes, inputs } = problem;
  const keptShape = domain.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const merged = mergeAxes(domain, [
    broadcastStrides(keptShape, domain),
    ...inputs.map(({ shape }) => broadcastStrides(shape, domain)),
  ]);
  const [kept = [], ...strides] = merged.strides;
  const all = range(merged.shape.length);
  // Kept axes have a nonzero stride in the output.
  const summed = all.filter(axis => kept[axis] === 0);
  const outputs = sizeOf(keptShape);
  return {
    problem,
    fold: problem.fold ?? SUM,
    shape: merged.shape,
    strides,
    kept: all.filter(axis => kept[axis] !== 0),
    summed,
    outputs,
    length: sizeOf(domain) / outputs,
  };
}

/** How many workgroups share a sum: enough to keep the adapter busy, none with too little work. */
function splitsOf({ outputs, length }: Walk, traits: AdapterTraits): number {
  const [busy, least] = traits.software ? [16, 4096] : [512, 2048];
  return Math.max(1, Math.min(Math.floor(busy / outputs), Math.floor(length / least)));
}

function declare(walk: Walk, extra: Readonly<Record<string, number>>): Numbers {
  const named: Record<string, number> = { outputs: walk.outputs, len: walk.length, ...extra };
  walk.shape.forEach((size, axis) => {
    if (axis > 0) named[`d${axis}`] = size;
  });
  for (const operand of operandsRead(walk.problem.expression))
    walk.strides[operand].forEach((stride, axis) => {
      if (stride > 1) named[`s${operand}_${axis}`] = stride;
    });
  return new Numbers(walk.problem.baked, named);
}

/** The expression's WGSL, from operands `v0 …`; its numbers are declared once. */
const emitted = ({ problem: { expression, inputs } }: Walk, numbers: Numbers): Emitted =>
  emit(
    expression,
    inputs.map((_, i) => `v${i}`),
    numbers.float,
  );

/** WGSL for `sum` divided by `divisor`. */
const divided = (sum: string, divisor: number, numbers: Numbers): string =>
  divisor === 1 ? sum : `${sum} / ${numbers.float(divisor)}`;

/** Statements that compute `value` for coordinates of all axes. */
function evaluate({ problem, strides, shape }: Walk, { statements, result }: Emitted): string {
  const axes = range(shape.length);
  const loads = [...operandsRead(problem.expression)].map(
    operand => `let v${operand} = in${operand}[${offsetOf(operand, strides[operand], axes)}];`,
  );
  return [...loads, ...statements, `let value = ${result};`].join('\n      ');
}

/** What is passed to `assemble`: the operands are `in0 …`. */
function frameOf({ problem: { name, inputs }, fold }: Walk, { declarations }: Emitted) {
  const reads = inputs.map(({ dtype }, i) => `in${i}: array<${wgslType(dtype)}>`);
  return { name, reads, declarations: `${fold.declarations}\n${declarations}` };
}

/** Statements that declare `value`, the term number `counter` of a sum. */
const termAt = (counter: string, walk: Walk, expression: Emitted): string =>
  `${coordinates(counter, walk.summed).join(' ')}\n      ${evaluate(walk, expression)}`;

const operands = (walk: Walk, target: Operand): Operand[] => [...walk.problem.inputs.map((_, i) => input(i)), target];

/** One invocation per output. Its terms are too few for blocks, whose loop would cost more than they do. */
function serial(walk: Walk, traits: AdapterTraits): Step {
  const numbers = declare(walk, {});
  const expression = emitted(walk, numbers);
  const body = `${coordinates('index', walk.kept).join(' ')}
    var total = ${walk.fold.empty('in0')};
    for (var t = 0; t < len; t++) {
      ${termAt('t', walk, expression)}
      ${walk.fold.add('value')}
    }
    result[index] = ${divided(walk.fold.result, walk.problem.divisor, numbers)};`;
  const parts = { ...frameOf(walk, expression), numbers, elements: walk.outputs, count: 'outputs', body };
  return { kernel: assembleElements(parts, traits), operands: operands(walk, output(0)) };
}

/** Whether the terms are contiguous, and short enough to be unrolled four times. */
const unrolls = ({ summed, shape, problem }: Walk): boolean =>
  summed.at(-1) === shape.length - 1 && operandsRead(problem.expression).size <= MOST_UNROLLED;

/** One workgroup per output and part of its sum: lanes add strided elements, then a tree adds the lanes. */
function parallel(walk: Walk, splits: number, lanes: number, target: Operand, divisor: number): Step {
  const numbers = declare(walk, { splits });
  const expression = emitted(walk, numbers);
  const { kept, summed, fold } = walk;
  const [outer, inner] = [summed.slice(0, -1), summed.at(-1)];
  // Short rows would leave most lanes idle: flatten those.
  const rowwise = outer.length > 0 && inner !== undefined && walk.shape[inner] >= 4 * lanes && lanes <= 32;
  const loop = rowwise
    ? `  let rowCount = len / d${inner};
  for (var row = part * rowCount / splits; row < (part + 1) * rowCount / splits; row++) {
    ${coordinates('row', outer).join(' ')}
    ${fold.loop({ counter: `a${inner}`, from: 'i32(lane)', to: `d${inner}`, step: lanes, term: evaluate(walk, expression) }, unrolls(walk))}
  }`
    : `  let first = part * (len / splits) + min(part, len % splits);
  let end = first + len / splits + select(0, 1, part < len % splits);
  ${fold.loop({ counter: 't', from: 'first + i32(lane)', to: 'end', step: lanes, term: termAt('t', walk, expression) }, unrolls(walk))}`;
  const body = `let part = group % splits; let index = group / splits;
  if (index >= outputs) { return; }
  ${coordinates('index', kept).join(' ')}
  var total = ${fold.empty('in0')};
${loop}
  partial[lane] = ${fold.result};
  for (var width = ${lanes / 2}u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { partial[lane] = ${fold.join('partial[lane]', 'partial[lane + width]')}; }
  }
  if (lane == 0u) { result[group] = ${divided('partial[0]', divisor, numbers)}; }`;
  const frame = frameOf(walk, expression);
  const declarations = `${frame.declarations}\nvar<workgroup> partial: array<f32, ${lanes}>;`;
  const kernel = assemble({ ...frame, declarations, numbers, lanes, groups: walk.outputs * splits, body });
  return { kernel, operands: operands(walk, target) };
}

/** The second kernel of a split sum: adds the workgroups' parts for each output, in order. */
function addShares({ problem, fold, outputs }: Walk, splits: number, traits: AdapterTraits): Step {
  const numbers = new Numbers(problem.baked, { outputs, splits });
  const kernel = assembleElements(
    {
      name: `${problem.name} parts`,
      reads: ['parts'],
      declarations: fold.declarations,
      numbers,
      elements: outputs,
      count: 'outputs',
      body: `var total = ${fold.empty('parts')};
    for (var i = 0; i < splits; i++) { ${fold.add('parts[index * splits + i]')} }
    result[index] = ${divided(fold.result, problem.divisor, numbers)};`,
    },
    traits,
  );
  return { kernel, operands: [scratch(0), output(0)] };
}
