/**
 * Tiled products through workgroup memory, for GPUs: the result's columns run across a tile, its rows down. A factor is
 * loaded in its contiguous direction, as vec4 if its rows are multiples of 4. If the result has too few tiles to fill a GPU
 * (a batch of 16 rows), the inner axis is split over workgroups, and a second kernel adds the parts in order.
 *
 * Does not use subgroups. Tested on software adapters only: its speed is an estimate (bench/NOTES.md).
 */
import { assemble } from '../../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Lowering, output, scratch } from '../../../engine/text/kernel.ts';
import { Numbers } from '../../../engine/text/numbers.ts';
import type { Variant } from '../../../engine/text/variants.ts';
import { addParts, fewestParts, startOfPart } from '../../reductions/parts.ts';
import { type Order, type Tile, TileProduct } from '../tile-product.ts';
import { batchText, countOf, describe, type MatmulProblem } from './problem.ts';

/** 128 and 64 invocations; the small one wastes nothing on a batch of 16 rows, the square one the least on small matrices. */
const TILES = {
  tiled: { across: 128, down: 64, blockAcross: 8, blockDown: 8, depth: 16 },
  tiledSmall: { across: 64, down: 16, blockAcross: 4, blockDown: 4, depth: 16 },
  tiledSquare: { across: 32, down: 32, blockAcross: 4, blockDown: 4, depth: 16 },
} as const satisfies Record<string, Tile>;

export type TileName = keyof typeof TILES;

/** Workgroups that fill a GPU; fewer leave parts of it idle. */
const WORKGROUPS = 512;
/** Minimum steps per workgroup if the inner axis is split. */
const LEAST_STEPS = 16;

function blocksOf(problem: MatmulProblem, { across, down, depth }: Tile) {
  const { m, k, n } = problem;
  const count = countOf(problem);
  const [blocksAcross, blocksDown] = [Math.ceil(n / across), Math.ceil(m / down)];
  const steps = Math.ceil(k / depth);
  const wanted = Math.max(Math.ceil(WORKGROUPS / (blocksAcross * blocksDown * count)), fewestParts(k, m * n * count));
  return {
    count,
    blocksAcross,
    blocksDown,
    steps,
    splits: Math.max(1, Math.min(wanted, Math.floor(steps / LEAST_STEPS))),
  };
}

/** One factor and how it is loaded into its tile. */
interface Side {
  /** The names of the factor and its tile. */
  readonly factor: 'a' | 'b';
  /** WGSL before the offset of an element: where the factor starts in a batch. */
  readonly first: string;
  readonly tile: 'across' | 'down';
  /** WGSL: the tile's first element, and the number of elements. */
  readonly origin: string;
  readonly extent: string;
  readonly slots: number;
  readonly pitch: number;
  /** It is contiguous along the inner axis. */
  readonly alongDepth: boolean;
  /** Loaded as vec4. */
  readonly wide: boolean;
}

/** Which elements share a slot of the tile (see {@link Order}). */
const orderOf = ({ wide, alongDepth }: Side): Order => (wide && !alongDepth ? 'natural' : 'spread');

/** Fills the side's tile for step `step`; elements outside of the matrix are zero. */
function fill(
  { factor, first, tile, origin, extent, slots, pitch, alongDepth, wide }: Side,
  depth: number,
  lanes: number,
) {
  const loop = (count: number, body: string) => `for (var i = i32(lane); i < ${count}; i += ${lanes}) {
      ${body}
    }`;
  const elements = `let element = vec4i(${origin} + slot) + vec4i(0, ${slots}, ${2 * slots}, ${3 * slots});
      let inside = (element < vec4i(${extent})) & vec4<bool>(inner < k);`;
  if (wide && alongDepth)
    return loop(
      (slots * depth) / 4,
      `let row = i % ${depth / 4} * 4; let slot = i / ${depth / 4}; let inner = step * ${depth} + row;
      ${elements}
      let at = select(vec4i(), (${first}element * k + inner) / 4, inside);
      let p = select(vec4f(), ${factor}[at.x], inside.x); let q = select(vec4f(), ${factor}[at.y], inside.y);
      let r = select(vec4f(), ${factor}[at.z], inside.z); let s = select(vec4f(), ${factor}[at.w], inside.w);
      ${[...'xyzw']
        .map(
          (part, j) => `${tile}[(row + ${j}) * ${pitch} + slot] = vec4f(p.${part}, q.${part}, r.${part}, s.${part});`,
        )
        .join('\n      ')}`,
    );
  if (wide)
    return loop(
      slots * depth,
      `let row = i / ${slots}; let slot = i % ${slots}; let inner = step * ${depth} + row;
      let element = ${origin} + slot * 4; let inside = element < ${extent} && inner < k;
      ${tile}[row * ${pitch} + slot] =
        select(vec4f(), ${factor}[select(0, (${first}inner * ${extent} + element) / 4, inside)], inside);`,
    );
  const place = alongDepth
    ? `let row = i % ${depth}; let slot = i / ${depth};`
    : `let row = i / ${slots}; let slot = i % ${slots};`;
  return loop(
    slots * depth,
    `${place} let inner = step * ${depth} + row;
      ${elements}
      let at = select(vec4i(), ${first}${alongDepth ? 'element * k + inner' : `inner * ${extent} + element`}, inside);
      ${tile}[row * ${pitch} + slot] =
        select(vec4f(), vec4f(${['x', 'y', 'z', 'w'].map(part => `${factor}[at.${part}]`).join(', ')}), inside);`,
  );
}

function lower(problem: MatmulProblem, name: TileName, traits: AdapterTraits): Lowering {
  const { m, k, n, transposeA, transposeB, baked } = problem;
  const tile = TILES[name];
  const { count, blocksAcross, blocksDown, steps, splits } = blocksOf(problem, tile);
  const batch = batchText(problem, 'group / (blocksAcross * blocksDown * splits)');
  const product = new TileProduct(tile, { across: transposeB, down: !transposeA });
  const whole = (size: number) => baked && size % 4 === 0;
  const a: Side = {
    factor: 'a',
    first: batch.a,
    tile: 'down',
    origin: 'row0',
    extent: 'm',
    slots: product.downSlots,
    pitch: product.downPitch,
    alongDepth: !transposeA,
    wide: whole(transposeA ? m : k),
  };
  const b: Side = {
    factor: 'b',
    first: batch.b,
    tile: 'across',
    origin: 'column0',
    extent: 'n',
    slots: product.acrossSlots,
    pitch: product.acrossPitch,
    alongDepth: transposeB,
    wide: whole(transposeB ? k : n),
  };
  const sizes = { m, k, n, blocksAcross, blocksDown, steps, splits };
  const kernel = assemble({
    name: `matmul.${name} ${describe(problem)}`,
    reads: [a, b].map(({ factor, wide }) => `${factor}: array<${wide ? 'vec4f' : 'f32'}>`),
    numbers: new Numbers(baked, { ...sizes, ...(problem.batch && { count }), ...batch.sizes }),
    declarations: product.declarations,
    lanes: product.invocations,
    groups: blocksAcross * blocksDown * splits * count,
    body: `${
      problem.batch
        ? `if (group >= blocksAcross * blocksDown * splits * count) { return; }
  ${batch.statements}
  let split = group / (blocksAcross * blocksDown) % splits;`
        : `let split = group / (blocksAcross * blocksDown);
  if (split >= splits) { return; }`
    }
  // Rows vary fastest: workgroups that run together read the same columns of b.
  let row0 = group % blocksDown * ${tile.down}; let column0 = group / blocksDown % blocksAcross * ${tile.across};
  ${product.begin}
  let end = ${startOfPart('(split + 1)', 'steps')};
  for (var step = ${startOfPart('split', 'steps')}; step < end; step++) {
    ${fill(a, tile.depth, product.invocations)}
    ${fill(b, tile.depth, product.invocations)}
    workgroupBarrier();
    ${product.multiply}
    workgroupBarrier();
  }
  ${product.store(
    { across: orderOf(b), down: orderOf(a) },
    `let row = row0 + y; let column = column0 + x;
      if (row < m && column < n) { result[(${problem.batch ? '(split * count + batch)' : 'split'} * m + row) * n + column] = value; }`,
  )}`,
  });
  const factors = [input(0), input(1)];
  if (splits === 1) return { steps: [{ kernel, operands: [...factors, output(0)] }], scratch: [] };
  return {
    steps: [{ kernel, operands: [...factors, scratch(0)] }, addParts('matmul', m * n * count, splits, traits)],
    scratch: [m * n * count * splits],
  };
}

export const tiled: readonly Variant<MatmulProblem>[] = (Object.keys(TILES) as TileName[]).map(name => ({
  name,
  accepts: () => true,
  lower: (problem, traits) => lower(problem, name, traits),
}));

/** Workgroups that keep a GPU busy: it has 10 to 140 units, and each needs several. */
const ENOUGH = 128;

/** The default tile for a GPU: the largest one if it fills the GPU and is at least half full; else one that suits the shape. */
export function tiledChoice(problem: MatmulProblem): TileName {
  const { count, blocksAcross, blocksDown, splits } = blocksOf(problem, TILES.tiled);
  const large = problem.m > TILES.tiled.down / 2 && blocksAcross * blocksDown * splits * count >= ENOUGH;
  if (large) return 'tiled';
  return problem.n <= TILES.tiledSquare.across && problem.m > TILES.tiledSmall.down ? 'tiledSquare' : 'tiledSmall';
}
