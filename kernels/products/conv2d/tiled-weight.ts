/**
 * Tiled weight gradient through workgroup memory, for GPUs. Weights of one output channel (input channel and tap) run across
 * a tile, output channels down; the inner axis is the positions of all images. That sum is long and the result small, so
 * positions are split over workgroups, and a second kernel adds the parts in a fixed order.
 *
 * Neighbouring invocations fetch neighbouring positions of x and gy. The offset of each weight's x from a position is
 * computed once, into a table in workgroup memory. Does not use subgroups. Tested on software adapters only: its speed is an
 * estimate (bench/NOTES.md).
 */
import { assemble } from '../../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Lowering, output, scratch } from '../../../engine/text/kernel.ts';
import { Numbers } from '../../../engine/text/numbers.ts';
import { addParts, fewestParts, startOfPart } from '../../reductions/parts.ts';
import { type Tile, TileProduct } from '../tile-product.ts';
import { type Conv2dProblem, type Conv2dVariant, channelsOfGroup, describe, outputSize } from './problem.ts';
import { TILES, type TileName } from './tiled.ts';

/** Workgroups that fill a GPU; fewer leave parts of it idle. */
const WORKGROUPS = 512;
/** Minimum steps per workgroup: storing and reloading the parts must not cost more than the sum. */
const LEAST_STEPS = 16;

/** The number of blocks of the result, and of parts into which each sum is split. */
function weightBlocks(problem: Conv2dProblem, { across, down, depth }: Tile) {
  const { n, r, s, groups: parts = 1 } = problem;
  const [c, k] = channelsOfGroup(problem);
  const [oh, ow] = outputSize(problem);
  const [blocksAcross, blocksDown] = [Math.ceil((c * r * s) / across), Math.ceil(k / down)];
  const steps = Math.ceil((n * oh * ow) / depth);
  const wanted = Math.max(
    Math.ceil(WORKGROUPS / (blocksAcross * blocksDown * parts)),
    fewestParts(n * oh * ow, parts * k * c * r * s),
  );
  return { blocksAcross, blocksDown, steps, splits: Math.max(1, Math.min(wanted, Math.floor(steps / LEAST_STEPS))) };
}

/** Fills both tiles for one step. */
function fill(problem: Conv2dProblem, product: TileProduct): string {
  const { stride, padding, groups: count = 1 } = problem;
  const [c, k] = channelsOfGroup(problem);
  const { tile, acrossSlots, acrossPitch, downSlots, downPitch, invocations } = product;
  const each = invocations / tile.depth;
  const parts = [0, 1, 2, 3];
  return `let position = step * ${tile.depth} + depth;
    let exists = position < total;
    let image = position / positions${count > 1 ? ` * ${count} + channelGroup` : ''}; let place = position % positions;
    let top = place / ow * ${stride[0]} - ${padding[0]}; let left = place % ow * ${stride[1]} - ${padding[1]};
    let origin = image * ${c} * plane + top * w + left;
    for (var slot = first; slot < ${acrossSlots}; slot += ${each}) {
      ${parts
        .map(
          part => `let t${part} = offsets[slot + ${part * acrossSlots}];
      let m${part} = exists & (u32(top + t${part}.y) < u32(h)) & (u32(left + t${part}.z) < u32(w));`,
        )
        .join('\n      ')}
      across[depth * ${acrossPitch} + slot] = vec4f(
        ${parts.map(part => `select(0.0, x[select(0, origin + t${part}.x, m${part})], m${part})`).join(',\n        ')});
    }
    let gradient = select(0, image * ${k} * positions + place, exists);
    for (var slot = first; slot < ${downSlots}; slot += ${each}) {
      let channel = blockDown * ${tile.down} + slot;
      down[depth * ${downPitch} + slot] = select(vec4f(), vec4f(
        ${parts.map(part => `gy[gradient + min(channel + ${part * downSlots}, ${k - 1}) * positions]`).join(',\n        ')}), exists);
    }`;
}

function lower(problem: Conv2dProblem, name: TileName, traits: AdapterTraits): Lowering {
  const { n, h, w, r, s, dilation = [1, 1], groups: parts = 1, baked } = problem;
  const [c, k] = channelsOfGroup(problem);
  const by = (axis: 0 | 1) => (dilation[axis] === 1 ? '' : ` * ${dilation[axis]}`);
  const [oh, ow] = outputSize(problem);
  const tile = TILES[name];
  const product = new TileProduct(tile, { across: true, down: true });
  const { blocksAcross, blocksDown, steps, splits } = weightBlocks(problem, tile);
  const blocks = blocksAcross * blocksDown * parts;
  const weights = c * r * s;
  const kernel = assemble({
    name: `conv2d.weightGradient.${name} ${describe(problem)}`,
    reads: ['x', 'gy'],
    numbers: new Numbers(baked, { h, w, oh, ow, total: n * oh * ow, steps, splits }),
    declarations: `${product.declarations}
// For each weight of the block: where its x lies, from the corner of the patch; and the same as row and column.
var<workgroup> offsets: array<vec3i, ${tile.across}>;`,
    lanes: product.invocations,
    groups: blocks * splits,
    body: `let plane = h * w; let positions = oh * ow;
  let blockAcross = group % ${blocksAcross}; let blockDown = group / ${blocksAcross} % ${blocksDown};${parts > 1 ? ` let channelGroup = group / ${blocksAcross * blocksDown} % ${parts};` : ''} let split = group / ${blocks};
  if (split >= splits) { return; }
  for (var i = i32(lane); i < ${tile.across}; i += ${product.invocations}) {
    // Weights beyond the last repeat it and are not stored.
    let weight = min(blockAcross * ${tile.across} + i, ${weights - 1});
    let row = weight / ${s} % ${r}${by(0)}; let column = weight % ${s}${by(1)};
    offsets[i] = vec3i(weight / ${r * s} * plane + row * w + column, row, column);
  }
  workgroupBarrier();
  let depth = i32(lane) % ${tile.depth}; let first = i32(lane) / ${tile.depth};
  ${product.begin}
  let end = ${startOfPart('(split + 1)', 'steps')};
  for (var step = ${startOfPart('split', 'steps')}; step < end; step++) {
    ${fill(problem, product)}
    workgroupBarrier();
    ${product.multiply}
    workgroupBarrier();
  }
  ${product.store(
    { across: 'spread', down: 'spread' },
    `let weight = blockAcross * ${tile.across} + x; let channel = blockDown * ${tile.down} + y;
      if (weight < ${weights} && channel < ${k}) { result[(${parts > 1 ? `(split * ${parts} + channelGroup)` : 'split'} * ${k} + channel) * ${weights} + weight] = value; }`,
  )}`,
  });
  const factors = [input(0), input(1)];
  if (splits === 1) return { steps: [{ kernel, operands: [...factors, output(0)] }], scratch: [] };
  const count = parts * k * weights;
  return {
    steps: [{ kernel, operands: [...factors, scratch(0)] }, addParts('conv2d.weightGradient', count, splits, traits)],
    scratch: [count * splits],
  };
}

export const tiledWeightGradient: readonly Conv2dVariant[] = (Object.keys(TILES) as TileName[]).map(name => ({
  name,
  accepts: () => true,
  lower: (problem, traits) => lower(problem, name, traits),
}));

/** Workgroups that the pass would have with a kind of tile. */
export function weightWorkgroups(problem: Conv2dProblem, name: TileName): number {
  const { blocksAcross, blocksDown, splits } = weightBlocks(problem, TILES[name]);
  return blocksAcross * blocksDown * splits * (problem.groups ?? 1);
}
