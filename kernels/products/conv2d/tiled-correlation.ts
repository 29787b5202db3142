/**
 * The kernel of the tiled variants of the forward pass and the input gradient, for GPUs: an implicit matrix product through
 * workgroup memory. Output positions (over all images) run across a tile, output channels down; the inner axis is taps and
 * input channels. The matrix of patches exists only in workgroup memory: in each step an invocation fetches a few channels
 * of one tap for four positions, so it computes their offsets and bounds only once. Neighbouring invocations fetch and store
 * neighbouring positions.
 *
 * Does not use subgroups. Tested on software adapters only: its speed is an estimate (bench/NOTES.md).
 */
import { assemble } from '../../../engine/text/assemble.ts';
import { epilogueText } from '../../../engine/text/epilogue.ts';
import { type AdapterTraits, input, type Lowering, output, scratch } from '../../../engine/text/kernel.ts';
import { Numbers } from '../../../engine/text/numbers.ts';
import { type Tile, TileProduct } from '../tile-product.ts';
import { type Correlation, positionsOf } from './correlation.ts';
import { forwardInputs } from './problem.ts';
import { packWeights, perPhase, type WeightRows, weightRows } from './tiled-weights.ts';

/** Number of workgroups of the kernel. */
export function tileCount(correlation: Correlation, { across, down }: Tile): number {
  const [rows, columns] = positionsOf(correlation);
  const { n, k, phases, groups = 1 } = correlation;
  return Math.ceil((n * rows * columns) / across) * Math.ceil(k / down) * groups * phases.length;
}

/** WGSL that fills `across` for one step. */
function fetchPatches(
  { c, dilation = [1, 1] }: Correlation,
  { tile, acrossSlots, acrossPitch, invocations }: TileProduct,
): string {
  const { depth } = tile;
  const each = invocations / acrossSlots;
  const by = (distance: number) => (distance === 1 ? '' : ` * ${distance}`);
  const locate = `let y = top + tap / tapColumns${by(dilation[0])}; let x = left + tap % tapColumns${by(dilation[1])};
      let inside = exists & (bitcast<vec4u>(y) < vec4u(u32(h))) & (bitcast<vec4u>(x) < vec4u(u32(w)));`;
  // Positions outside read the image's first element and are masked.
  const place = 'select(vec4i(), origin + y * w + x, inside)';
  const fetch = (row: string) => `across[(${row}) * ${acrossPitch} + slot] =
        select(vec4f(), vec4f(source[at.x], source[at.y], source[at.z], source[at.w]), inside);`;
  if (c % depth === 0)
    return `let tap = step * ${depth} / ${c};
      ${locate}
      var at = ${place} + (step * ${depth} % ${c} + first) * plane;
      for (var i = 0; i < ${depth / each}; i++) {
        ${fetch(`first + i * ${each}`)}
        at += ${each} * plane;
      }`;
  // Channels do not fill whole steps: each row of the step has its own tap.
  return `for (var i = first; i < ${depth}; i += ${each}) {
      let tap = (step * ${depth} + i) / ${c};
      ${locate.replace('exists', 'exists & vec4<bool>(tap < taps)')}
      let at = ${place} + (step * ${depth} + i) % ${c} * plane;
      ${fetch('i')}
    }`;
}

/** WGSL that fills both tiles for one step. */
function fill(correlation: Correlation, product: TileProduct, { rows, columns }: WeightRows): string {
  const { tile, downSlots, downPitch, invocations } = product;
  return `{
      ${fetchPatches(correlation, product)}
    }
    let matrix = (start + step * ${tile.depth}) * ${columns / 4} + block * ${downSlots}${(correlation.groups ?? 1) > 1 ? ` + channelGroup * ${(rows * columns) / 4}` : ''};
    for (var i = i32(lane); i < ${tile.depth * downSlots}; i += ${invocations}) {
      let row = i / ${downSlots}; let slot = i % ${downSlots};
      down[row * ${downPitch} + slot] = weights[matrix + row * ${columns / 4} + slot];
    }`;
}

/** Packs the weights, then runs the kernel: reads x, weight and an optional bias; writes the result. */
export function lowerTiles(correlation: Correlation, tile: Tile, traits: AdapterTraits): Lowering {
  const { n, c, h, w, k, oh, ow, stride, padding, phases, spread, bias, groups: parts = 1, baked } = correlation;
  const [rows, columns] = positionsOf(correlation);
  const product = new TileProduct(tile, { across: false, down: false });
  const matrix = weightRows(correlation, tile.depth, tile.down);
  const ownBlocks = matrix.columns / tile.down;
  const blocks = ownBlocks * parts;
  const total = n * rows * columns;
  const tiles = Math.ceil(total / tile.across);
  const { acrossSlots: slots } = product;
  const of = (key: 'taps' | 'columns' | 'row' | 'column') => matrix.grids.map(grid => grid[key]);
  const dense = spread[0] === 1 && spread[1] === 1;
  const epilogue = epilogueText(correlation.epilogue);
  const shuffled = correlation.epilogue !== undefined && correlation.epilogue.shuffle > 1;
  const channel = parts > 1 ? `(channelGroup * ${k} + channel)` : 'channel';
  const position = { image: '(at / positions)', channel, row: 'row', column: 'column' };
  // Elements of a dense output are in the order of positions, except for the other channels between two images.
  const { statements, result } = epilogue.perElement(
    'sum',
    { ...position, sizes: [parts * k, 'oh', 'ow'] },
    dense ? `at + (at / positions * ${parts * k - 1} + ${channel}) * positions` : undefined,
  );
  const finish = [...epilogue.perChannel(channel), ...statements, `result[place] = ${result};`].join(' ');
  const store =
    dense && !shuffled
      ? finish
      : `let row = at / columns % rows * ${spread[0]} + outRow; let column = at % columns * ${spread[1]} + outColumn;
      if (row < oh && column < ow) {
        ${finish}
      }`;
  const kernel = assemble({
    name: correlation.name,
    reads: ['source', 'weights: array<vec4f>', ...(bias ? ['bias'] : []), ...epilogue.reads],
    numbers: new Numbers(baked, { h, w, oh, ow, rows, columns, total, tiles }),
    declarations: `${product.declarations}\n${epilogue.declarations}`,
    lanes: product.invocations,
    groups: tiles * blocks * phases.length,
    body: `let plane = h * w; let positions = rows * columns;
  // Blocks of channels vary fastest: workgroups that run together read the same patches.
  let block = ${parts > 1 ? `group % ${ownBlocks}; let channelGroup = group / ${ownBlocks} % ${parts}` : `group % ${blocks}`}; let tile = group / ${blocks} % tiles; let phase = group / ${blocks} / tiles;
  if (phase >= ${phases.length}) { return; }
  ${perPhase('start', matrix.starts)} ${perPhase('steps', matrix.steps)}
  ${perPhase('taps', of('taps'))} ${perPhase('tapColumns', of('columns'))}
  ${perPhase(
    'outRow',
    phases.map(({ row }) => row),
  )} ${perPhase(
    'outColumn',
    phases.map(({ column }) => column),
  )}
  ${perPhase('firstRow', of('row'))} ${perPhase('firstColumn', of('column'))}
  let slot = i32(lane) % ${slots}; let first = i32(lane) / ${slots};
  let position = vec4i(tile * ${tile.across} + slot) + vec4i(0, ${slots}, ${2 * slots}, ${3 * slots});
  let exists = position < vec4i(total);
  let top = position / columns % rows * ${stride[0]} + firstRow - ${padding[0]};
  let left = position % columns * ${stride[1]} + firstColumn - ${padding[1]};
  let origin = ${parts > 1 ? `(position / positions * ${parts} + channelGroup)` : 'position / positions'} * (${c} * plane);
  ${product.begin}
  for (var step = 0; step < steps; step++) {
    ${fill(correlation, product, matrix)}
    workgroupBarrier();
    ${product.multiply}
    workgroupBarrier();
  }
  ${product.store(
    { across: 'spread', down: 'natural' },
    `let at = tile * ${tile.across} + x; let channel = block * ${tile.down} + y;
      if (at < total && channel < ${k}) {
        let sum = value${bias ? ` + bias[${channel}]` : ''};
        ${store}
      }`,
  )}`,
  });
  const others = Array.from({ length: forwardInputs(correlation) - 2 }, (_, i) => input(i + 2));
  return {
    steps: [
      packWeights(correlation, matrix, traits),
      { kernel, operands: [input(0), scratch(0), ...others, output(0)] },
    ],
    scratch: [parts * matrix.rows * matrix.columns],
  };
}
