/**
 * Products for adapters where loads are expensive and subgroup broadcasts nearly free (software drivers). A workgroup is
 * one subgroup; its lanes are columns of the product. Each iteration loads a few steps of the inner axis: one value of b per
 * lane and column group, and a's values distributed over the lanes, from where subgroupBroadcast sends them to all. All
 * loads come before any arithmetic, and all steps of the iteration use one row's sums before the next row's, to reduce
 * register spills. If the product has few elements, the inner axis is split over workgroups, and a second kernel adds the
 * parts in order.
 */

import {
  type AdapterTraits,
  grid,
  input,
  type Kernel,
  type Lowering,
  output,
  scratch,
} from '../../../engine/text/kernel.ts';
import { Numbers } from '../../../engine/text/numbers.ts';
import { lines, range } from '../../../engine/text/repeat.ts';
import type { Variant } from '../../../engine/text/variants.ts';
import { addParts, fewestParts, startOfPart } from '../../reductions/parts.ts';
import { batchText, countOf, describe, type MatmulProblem, matrixStrides } from './problem.ts';

/** What one workgroup computes, and the steps of the inner axis per iteration. */
interface Tile {
  readonly rows: number;
  readonly groups: number;
  readonly steps: number;
}

/** Minimum workgroups over which the inner axis is split, if it is long enough; fewer of a batch, where none waits for another. */
const WORKGROUPS = 64;
const WORKGROUPS_OF_BATCH = 16;
/** Minimum iterations per workgroup if the inner axis is split. */
const LEAST_TURNS = 16;

/**
 * The fastest of the measured tiles (bench/NOTES.md). A transposed b is read down its rows, each lane in a different cache
 * line: four steps per iteration, because with long rows those lines are evicted between iterations.
 */
function largestTileOf({ m, transposeB }: MatmulProblem): Tile {
  if (m <= 8) return { rows: 8, groups: 8, steps: 2 };
  if (transposeB) return { rows: 16, groups: 4, steps: 4 };
  return { rows: m <= 16 ? 16 : 24, groups: 8, steps: 2 };
}

/** The part of `most` that divides `size` into equal parts, as few as possible. */
const evenly = (size: number, most: number): number => Math.ceil(size / Math.ceil(size / most));

/** That tile, without rows and columns that the product has none of, where its sizes are in the text. */
function tileOf(problem: MatmulProblem, lanes: number): Tile {
  const { m, n, baked } = problem;
  const { rows, groups, steps } = largestTileOf(problem);
  return baked
    ? { rows: evenly(m, rows), groups: evenly(Math.ceil(n / lanes), groups), steps }
    : { rows, groups, steps };
}

function lower(problem: MatmulProblem, traits: AdapterTraits): Lowering {
  const { m, k, n, transposeA, baked } = problem;
  const { subgroupSize: lanes } = traits;
  const { rows, groups, steps } = tileOf(problem, lanes);
  const loads = Math.ceil((rows * steps) / lanes);
  const [blocksDown, blocksAcross] = [Math.ceil(m / rows), Math.ceil(n / (groups * lanes))];
  const blocks = blocksDown * blocksAcross;
  const turns = Math.ceil(k / steps);
  const count = countOf(problem);
  const wanted = Math.max(
    Math.ceil((problem.batch ? WORKGROUPS_OF_BATCH : WORKGROUPS) / (blocks * count)),
    fewestParts(k, m * n * count),
  );
  const splits = Math.max(1, Math.min(wanted, Math.floor(turns / LEAST_TURNS)));
  const batch = batchText(problem, 'group / (blocks * splits)');
  const sizes = { m, k, n, blocksDown, blocks, turns, splits };
  const numbers = new Numbers(baked, { ...sizes, ...(problem.batch && { count }), ...batch.sizes });
  const { a, b } = matrixStrides(problem);
  const ragged = !baked || k % steps !== 0;
  const whole = baked && n % (groups * lanes) === 0;
  // Row and step of a value of a: neighbours in memory are on neighbouring lanes.
  const [rowOf, stepOf] = transposeA
    ? [(e: string) => `${e} % ${rows}`, (e: string) => `${e} / ${rows}`]
    : [(e: string) => `${e} / ${steps}`, (e: string) => `${e} % ${steps}`];
  const place = (row: number, step: number) => (transposeA ? step * rows + row : row * steps + step);
  const value = (row: number, step: number) => {
    const at = place(row, step);
    return `subgroupBroadcast(v${Math.floor(at / lanes)}, ${at % lanes}u)`;
  };
  const sum = (row: number, group: number) => `s${row * groups + group}`;
  const multiply = (row: number) => `{
      ${lines(steps, step => `let x${step} = ${value(row, step)};`)}
      ${range(steps)
        .flatMap(step =>
          range(groups).map(g => `${sum(row, g)} = fma(x${step}, w${step * groups + g}, ${sum(row, g)});`),
        )
        .join('\n      ')}
    }`;
  const wgsl = `enable subgroups;
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
${numbers.binding(3)}
@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) num: vec3u) {
  ${numbers.locals}
  let group = i32(id.y * num.x + id.x);
  ${
    problem.batch
      ? `if (group >= blocks * splits * count) { return; }
  ${batch.statements}
  let split = group / blocks % splits;`
      : `let split = group / blocks;
  if (split >= splits) { return; }`
  }
  let row0 = group % blocksDown * ${rows}; let column0 = group / blocksDown % (blocks / blocksDown) * ${groups * lanes};
  let firstTurn = ${startOfPart('split', 'turns')};
  let endTurn = ${startOfPart('(split + 1)', 'turns')};
  // Rows and columns beyond the last repeat it and are not stored.
  ${lines(loads, i => `let e${i} = min(i32(lane) + ${i * lanes}, ${rows * steps - 1}); let t${i} = ${stepOf(`e${i}`)};`)}
  ${lines(loads, i => `let f${i} = min(row0 + ${rowOf(`e${i}`)}, m - 1) * ${a.row} + t${i} * ${a.inner};`)}
  var p = ${batch.a}firstTurn * ${steps} * ${a.inner};
  ${lines(groups, g => `var q${g} = ${batch.b}min(column0 + ${g * lanes} + i32(lane), n - 1) * ${b.column} + firstTurn * ${steps} * ${b.inner};`)}
  ${lines(rows * groups, i => `var s${i} = 0.0;`)}
  for (var turn = firstTurn; turn < endTurn; turn++) {
    ${ragged ? `let left = k - turn * ${steps};` : ''}
    ${lines(loads, i => `let v${i} = ${ragged ? `select(0.0, a[p + f${i}], t${i} < left)` : `a[p + f${i}]`};`)}
    ${range(groups)
      .flatMap(g =>
        range(steps).map(step => {
          const load = `b[q${g} + ${step} * ${b.inner}]`;
          return `let w${step * groups + g} = ${ragged ? `select(0.0, ${load}, ${step} < left)` : load};`;
        }),
      )
      .join('\n    ')}
    ${lines(rows, multiply)}
    p += ${steps} * ${a.inner}; ${lines(groups, g => `q${g} += ${steps} * ${b.inner};`)}
  }
  // A loop over rows, because each store in the text costs compile time.
  ${lines(
    groups,
    g => `var all${g} = array<f32, ${rows}>(${range(rows)
      .map(row => sum(row, g))
      .join(', ')});
    let c${g} = column0 + ${g * lanes} + i32(lane);`,
  )}
  var at = (${problem.batch ? '(split * count + batch)' : 'split'} * m + row0) * n;
  for (var row = 0; row < min(${rows}, m - row0); row++) {
    ${lines(groups, g => (whole ? `result[at + c${g}] = all${g}[row];` : `if (c${g} < n) { result[at + c${g}] = all${g}[row]; }`))}
    at += n;
  }
}`;
  const kernel: Kernel = {
    name: `matmul.broadcast ${describe(problem)}`,
    wgsl,
    bindings: ['read', 'read', 'write'],
    ...(numbers.params.length > 0 && { params: numbers.params }),
    workgroups: grid(blocks * splits * count),
  };
  const factors = [input(0), input(1)];
  if (splits === 1) return { steps: [{ kernel, operands: [...factors, output(0)] }], scratch: [] };
  return {
    steps: [{ kernel, operands: [...factors, scratch(0)] }, addParts('matmul', m * n * count, splits, traits)],
    scratch: [m * n * count * splits],
  };
}

export const broadcast: Variant<MatmulProblem> = {
  name: 'broadcast',
  /** One fixed subgroup size of 4 to 32 lanes. */
  accepts: (_, { subgroupSize }) => subgroupSize >= 4 && subgroupSize <= 32,
  lower,
};
