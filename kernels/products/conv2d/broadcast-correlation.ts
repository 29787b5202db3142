/**
 * The kernel of the broadcast variants of the forward pass and the input gradient, for adapters where loads are expensive
 * and subgroup broadcasts nearly free (software drivers). A workgroup is one subgroup; its lanes are output channels. Each
 * iteration loads a patch of the input, one value per lane, and one weight per lane; then subgroupBroadcast sends every
 * value of the patch to all lanes. For a 3×3 kernel and two groups of 8 channels 31 loads feed 1,152 multiply-adds.
 *
 * A workgroup that processes several tiles loads its weights once, into private arrays, whose reads cost a third of a load
 * (`held` in broadcast-plan.ts). WGSL zeroes such arrays, and the driver's compile time is quadratic in the stores of a
 * block: so each function declares only a few arrays.
 *
 * The input is read without padding: elements outside of the image are masked, with masks that are computed once. Weights
 * are read in PyTorch's layout: a strided load costs no more than a contiguous one there. Masks are joined by &, because
 * && branches: with a hundred branches SwiftShader compiles for minutes and takes all memory.
 */
import { hiddenOne } from '../../../engine/text/assemble.ts';
import { epilogueText } from '../../../engine/text/epilogue.ts';
import { type AdapterTraits, grid, input, type Kernel, type Lowering, output } from '../../../engine/text/kernel.ts';
import { Numbers } from '../../../engine/text/numbers.ts';
import { lines, range } from '../../../engine/text/repeat.ts';
import {
  accumulator,
  channelLines,
  firstWeight,
  type Layout,
  layoutOf,
  tapOffset,
  turnOffset,
} from './broadcast-layout.ts';
import { eachOf } from './broadcast-plan.ts';
import { begin, store } from './broadcast-sums.ts';
import { type Correlation, latticeOf, latticesOf } from './correlation.ts';

/** Workgroups per CPU thread. */
const WORKGROUPS_PER_PROCESSOR = 4;
const ONE = hiddenOne('x');
/** Maximum kept weights (zeroed initially) per function. */
const MOST_KEPT_BY_FUNCTION = 200;

/** One iteration of the loop over input channels: all loads first, then arithmetic, row by row. */
function turnText(layout: Layout): string {
  const { problem, rows, columns, groups, held, lanes, patchColumns, patchLoads, taps, allTaps } = layout;
  const { stride } = problem;
  const value = (at: number) => `subgroupBroadcast(v${Math.floor(at / lanes)}, ${at % lanes}u)`;
  const weight = (at: number) => {
    const [g, tap] = [Math.floor(at / allTaps.length), at % allTaps.length];
    if (held > 0) return `h${at}[slot]`;
    return `weight[q${g} + ${tapOffset(layout, allTaps[tap])}]`;
  };
  const multiply = (row: number, patchRow: number) => {
    const here = taps.flatMap((list, phase) => list.filter(tap => tap.row === patchRow).map(tap => ({ tap, phase })));
    const used = new Set(here.flatMap(({ tap }) => range(columns).map(j => j * stride[1] + tap.column)));
    const at = (row * stride[0] + patchRow) * patchColumns;
    return `{
      ${[...used]
        .sort((a, b) => a - b)
        .map(j => `let b${j} = ${value(at + j)};`)
        .join('\n      ')}
      ${range(groups)
        .flatMap(g => here.flatMap(({ tap, phase }) => range(columns).map(j => ({ g, tap, phase, j }))))
        .map(({ g, tap, phase, j }) => {
          const a = accumulator(layout, phase, g, row, j);
          return `${a} = fma(b${j * stride[1] + tap.column}, k${g * allTaps.length + allTaps.indexOf(tap)}, ${a});`;
        })
        .join('\n      ')}
    }`;
  };
  return `${lines(patchLoads, i => `let v${i} = select(0.0, x[p + t${i}], m${i});`)}
    ${lines(groups * allTaps.length, i => `let k${i} = ${weight(i)};`)}
    ${range(rows)
      .flatMap(row => range(layout.turnRows).map(patchRow => multiply(row, patchRow)))
      .join('\n    ')}`;
}

/** Adds some of the input channels, from `first` on, to one tile's sums. */
function accumulate(layout: Layout): string {
  const { problem, groups, held, whole, patch, patchLoads, turns, turnRows } = layout;
  const { c, weight } = problem;
  const last = whole ? `first + ${c} * one` : `min(first + ${held}, ${c})`;
  const [down] = problem.dilation ?? [1];
  const shift = turns > 1 ? ` + turn * ${turnRows * down}` : '';
  // Outer loop over patch rows, inner loop over channels: masks only depend on the row.
  const loop = `${lines(
    patchLoads,
    i => `let m${i} = (y${i}${shift} >= 0) & (y${i}${shift} < h) & (x${i} >= 0) & (x${i} < w) & (e${i} < ${patch});
    let t${i} = select(0, (y${i}${shift}) * w + x${i}, m${i});`,
  )}
    var p = (image * ${c} + first) * plane;
    ${
      held > 0
        ? `var slot = ${turns > 1 ? `turn * ${held}` : '0'};`
        : lines(groups, g => `var q${g} = ${firstWeight(layout, g)}${turnOffset(layout)};`)
    }
    for (var ci = first; ci < ${last}; ci++) {
    ${turnText(layout)}
    p += plane; ${held > 0 ? 'slot++;' : lines(groups, g => `q${g} += ${weight.perInput};`)}
    }`;
  return turns > 1 ? `for (var turn = 0; turn < ${turns} * one; turn++) {\n    ${loop}\n    }` : loop;
}

/** Loops over the workgroup's tiles. */
function walk(layout: Layout): string {
  const { problem, rows, columns, lanes, held, patchColumns, patchLoads, parts } = layout;
  const { stride, padding, dilation } = problem;
  // A group's channels of an image are an image of their own.
  const imageOf = (whole: string) => (parts > 1 ? `${whole} * ${parts} + part` : whole);
  const by = (distance: number) => (distance === 1 ? '' : ` * ${distance}`);
  const place = dilation
    ? `let lattice = at / (across * down); let image = ${imageOf(`lattice / ${latticesOf(problem)}`)};
  let firstRow = lattice / ${dilation[1]} % ${dilation[0]}; let firstColumn = lattice % ${dilation[1]};`
    : `let image = ${imageOf('at / (across * down)')};`;
  const corner = dilation
    ? `let top = row0 * ${dilation[0]} + firstRow - ${padding[0]}; let left = column0 * ${dilation[1]} + firstColumn - ${padding[1]};`
    : `let top = row0 * ${stride[0]} - ${padding[0]}; let left = column0 * ${stride[1]} - ${padding[1]};`;
  const [down, across] = dilation ?? [1, 1];
  const tile = `let tile = at % (across * down); ${place}
  let column0 = tile % across * ${columns}; let row0 = tile / across * ${rows};
  ${corner}
  let plane = h * w;
  ${lines(
    patchLoads,
    i =>
      `let e${i} = i32(lane) + ${i * lanes}; let y${i} = e${i} / ${patchColumns}${by(down)} + top; let x${i} = e${i} % ${patchColumns}${by(across)} + left;`,
  )}
  ${begin(layout)}
  ${accumulate(layout)}
  ${store(layout)}`;
  if (held === 0) return `let at = line;\n  ${tile}`;
  return `for (var at = line * each; at < min((line + 1) * each, n * across * down); at++) {
  ${tile}
  }`;
}

/**
 * Functions that keep weights: each declares arrays, fills them and calls the next one with all arrays so far; the last one
 * loops over the tiles.
 */
function keepers(layout: Layout, locals: string): string {
  const { problem, groups, held, turns, allTaps } = layout;
  const { c, weight } = problem;
  const length = turns * held;
  const count = groups * allTaps.length;
  const perFunction = Math.max(1, Math.floor(MOST_KEPT_BY_FUNCTION / length));
  const functions = Math.ceil(count / perFunction);
  const signature = (arrays: number) =>
    ['line: i32, block: i32, lane: u32, first: i32', ...range(arrays).map(i => `h${i}: Kept`)].join(', ');
  const passOn = (before: number, own: readonly number[]) =>
    ['line, block, lane, first', ...range(before).map(i => `h${i}`), ...own.map(i => `&h${i}`)].join(', ');
  // `one`: the driver would unroll a loop with a known trip count.
  const texts = range(functions).map(f => {
    const own = range(count).slice(f * perFunction, (f + 1) * perFunction);
    const source = (i: number) => {
      const [g, tap] = [Math.floor(i / allTaps.length), i % allTaps.length];
      return `weight[${firstWeight(layout, g)} + channel * ${weight.perInput} + ${tapOffset(layout, allTaps[tap])}${turnOffset(layout)}]`;
    };
    return `fn keep${f}(${signature(own[0])}) {
  ${own.map(i => `var h${i}: array<f32, ${length}>;`).join(' ')}
  ${ONE}
  ${channelLines(layout)}
  for (var i = 0; i < ${length} * one; i++) {
    let turn = i / ${held}; let channel = min(first + i % ${held}, ${c - 1});
    ${own.map(i => `h${i}[i] = ${source(i)};`).join('\n    ')}
  }
  keep${f + 1}(${passOn(own[0], own)});
}`;
  });
  return `alias Kept = ptr<function, array<f32, ${length}>>;
fn keep${functions}(${signature(count)}) {
  ${ONE}
  ${locals}
  ${channelLines(layout)}
  ${walk(layout)}
}
${texts.reverse().join('\n')}`;
}

/** One kernel: reads x, weight, an optional bias and the epilogue's inputs; writes the result. Needs a fixed subgroup size. */
export function lowerCorrelation(problem: Correlation, { subgroupSize: lanes, processors }: AdapterTraits): Lowering {
  const { n, c, h, w, oh, ow, bias } = problem;
  const epilogue = epilogueText(problem.epilogue);
  const reads = ['x', 'weight', ...(bias ? ['bias'] : []), ...epilogue.reads];
  const layout = layoutOf(problem, lanes, WORKGROUPS_PER_PROCESSOR * processors);
  const { rows, columns, held, whole, parts } = layout;
  const [positionsDown, positionsAcross] = latticeOf(problem);
  const [across, down] = [Math.ceil(positionsAcross / columns), Math.ceil(positionsDown / rows)];
  const blocks = layout.blocks * parts;
  const images = n * latticesOf(problem);
  const tiles = images * across * down;
  // Tiles per workgroup is an argument like the sizes: the text does not depend on it.
  const each = problem.baked ? layout.each : eachOf(tiles * blocks, WORKGROUPS_PER_PROCESSOR * processors);
  const walks = held > 0;
  const numbers = new Numbers(problem.baked, { n: images, h, w, oh, ow, across, down, ...(walks && { each }) });
  const work = walks
    ? whole
      ? 'keep0(line, block, lane, 0);'
      : `for (var first = 0; first < ${c} * one; first += ${held}) { keep0(line, block, lane, first); }`
    : `let first = 0;\n  ${channelLines(layout)}\n  ${walk(layout)}`;
  const wgsl = `enable subgroups;
${reads.map((name, i) => `@group(0) @binding(${i}) var<storage, read> ${name}: array<f32>;`).join('\n')}
@group(0) @binding(${reads.length}) var<storage, read_write> result: array<f32>;
${numbers.binding(reads.length + 1)}
${epilogue.declarations}
${walks ? keepers(layout, numbers.locals) : ''}
@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) num: vec3u) {
  ${ONE}
  ${numbers.locals}
  let group = i32(id.y * num.x + id.x);
  let block = group % ${blocks}; let line = group / ${blocks};
  if (line${walks ? ' * each' : ''} >= n * across * down) { return; }
  ${work}
}`;
  const kernel: Kernel = {
    name: problem.name,
    wgsl,
    bindings: [...reads.map(() => 'read' as const), 'write'],
    ...(numbers.params.length > 0 && { params: numbers.params }),
    workgroups: grid(blocks * Math.ceil(tiles / (walks ? each : 1))),
  };
  return { steps: [{ kernel, operands: [...reads.map((_, i) => input(i)), output(0)] }], scratch: [] };
}
