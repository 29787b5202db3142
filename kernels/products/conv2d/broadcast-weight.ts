/**
 * Weight gradient for adapters where loads are expensive and subgroup broadcasts nearly free. A workgroup is one subgroup;
 * its lanes are channels of one side (gy if that has more channels, else x), and subgroupBroadcast sends values of the other
 * side. It moves down strips of a few columns, one row per iteration: it loads the new row of the broadcast side across the
 * lanes, keeps the previous rows, and loads one value of the lane side per lane and column. For 3×3 and 16 lane channels
 * 20 loads feed 864 multiply-adds. Strips are split over workgroups; a second kernel adds the parts in order.
 */

import { hiddenOne } from '../../../engine/text/assemble.ts';
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
import { addParts, fewestParts, startOfPart } from '../../reductions/parts.ts';
import { latticesOf } from './correlation.ts';
import {
  type Conv2dProblem,
  type Conv2dVariant,
  channelsOfGroup,
  describe,
  isWithinKernel,
  outputSize,
} from './problem.ts';

/**
 * gw[lane channel, wide channel, p, q] = Σ wide[·, i + p − padding, j + q − padding] · lane[·, i, j]. With x as the wide
 * side this is the definition; with gy as the wide side, taps are reversed and the padding is kernel − 1 − padding. With dilation,
 * strips lie in lattices (see `correlation.ts`), one after the other.
 */
interface Roles {
  /** False: x is wide (broadcast) and gy is across the lanes. True: the reverse. */
  readonly swapped: boolean;
  readonly wide: { readonly channels: number; readonly h: number; readonly w: number };
  readonly lane: { readonly channels: number; readonly h: number; readonly w: number };
  readonly padding: readonly [number, number];
}

/** Minimum workgroups over which a pass is split, if there is enough work. */
const WORKGROUPS = 32;
const MOST_ACCUMULATORS = 162;
/** Maximum loads per iteration: with more, the instructions no longer fit into a fast cache. */
const MOST_LOADS = 20;
const FEWEST_COLUMNS = 6;

function rolesOf(problem: Conv2dProblem, lanes: number): Roles {
  const { h, w, r, s, stride, padding, dilation = [1, 1] } = problem;
  const [c, k] = channelsOfGroup(problem);
  const [oh, ow] = outputSize(problem);
  const padded = (channels: number) => Math.ceil(channels / lanes) * lanes;
  const x = { channels: c, h, w };
  const gy = { channels: k, h: oh, w: ow };
  // Only x can be read with a stride.
  if (Math.max(...stride) > 1 || padded(k) * c <= padded(c) * k) return { swapped: false, wide: x, lane: gy, padding };
  return {
    swapped: true,
    wide: gy,
    lane: x,
    padding: [dilation[0] * (r - 1) - padding[0], dilation[1] * (s - 1) - padding[1]],
  };
}

function lower(problem: Conv2dProblem, traits: AdapterTraits): Lowering {
  const { subgroupSize: lanes } = traits;
  const { n, r, s, stride, dilation, groups: parts = 1, baked } = problem;
  const [c, k] = channelsOfGroup(problem);
  const [down, along] = stride;
  const [apartDown, apartAlong] = dilation ?? [1, 1];
  const { swapped, wide, lane, padding } = rolesOf(problem, lanes);
  const taps = r * s;
  // A strip's row of the wide side takes several registers per lane, or a segment of one, which channels then share.
  const least = (FEWEST_COLUMNS - 1) * along + s;
  const registers = Math.ceil(least / lanes);
  const segment = registers > 1 ? lanes : 2 ** Math.ceil(Math.log2(least));
  const shared = lanes / segment;
  // Rows of the wide side that the next iteration reuses.
  const kept = Math.max(0, r - down);
  const groups = Math.min(Math.ceil(lane.channels / lanes), 2 * taps <= MOST_ACCUMULATORS ? 2 : 1);
  const inputs = Math.min(
    wide.channels,
    Math.max(1, Math.min(taps === 1 ? 16 : 8, Math.floor(MOST_ACCUMULATORS / (groups * taps)))),
  );
  // As wide as the registers and the text allow, and no wider than the image needs.
  const bundles = Math.ceil(inputs / shared);
  const room = Math.floor((MOST_LOADS - bundles * registers * Math.min(r, down)) / groups);
  const widest = Math.min(Math.floor((registers * segment - s) / along) + 1, Math.max(FEWEST_COLUMNS, room));
  const laneColumns = Math.ceil(lane.w / apartAlong);
  const columns = baked ? Math.ceil(laneColumns / Math.ceil(laneColumns / widest)) : widest;
  // Columns of a wide row that are used: not all if the stride is larger than the kernel.
  const used = new Set(range(columns).flatMap(j => range(s).map(q => j * along + q)));
  const laneBlocks = Math.ceil(lane.channels / lanes / groups);
  const wideBlocks = Math.ceil(wide.channels / inputs);
  const strips = Math.ceil(laneColumns / columns);
  const total = n * strips * latticesOf(problem);
  const count = parts * k * c * taps;
  const blocks = laneBlocks * wideBlocks * parts;
  const wanted = Math.max(Math.ceil(WORKGROUPS / blocks), fewestParts(n * lane.h * lane.w, count));
  const splits = Math.max(1, Math.min(wanted, total));
  const numbers = new Numbers(baked, {
    h: wide.h,
    w: wide.w,
    lh: lane.h,
    lw: lane.w,
    strips,
    total,
    splits,
  });

  const accumulator = (g: number, i: number, p: number, q: number) => `a${((g * inputs + i) * r + p) * s + q}`;
  const row = (bundle: number, p: number, register: number) => `v${(bundle * r + p) * registers + register}`;
  const value = (i: number, p: number, column: number) => {
    const register = row(Math.floor(i / shared), p, Math.floor(column / segment));
    return `subgroupBroadcast(${register}, ${(i % shared) * segment + (column % segment)}u)`;
  };
  const multiply = range(inputs)
    .flatMap(i =>
      range(r).map(
        p => `{
        ${[...used].map(t => `let b${t} = ${value(i, p, t)};`).join('\n        ')}
        ${range(groups)
          .flatMap(g =>
            range(s).flatMap(q =>
              range(columns).map(
                j =>
                  `${accumulator(g, i, p, q)} = fma(b${j * along + q}, g${g * columns + j}, ${accumulator(g, i, p, q)});`,
              ),
            ),
          )
          .join('\n        ')}
      }`,
      ),
    )
    .join('\n      ');
  const needsColumnMask = !baked || lane.w % (columns * apartAlong) !== 0;
  const by = (distance: number) => (distance === 1 ? '' : ` * ${distance}`);
  const columnAt = (j: string) => (dilation ? `firstColumn + (column0 + ${j}) * ${apartAlong}` : `column0 + ${j}`);
  // A group's channels of an image are an image of their own.
  const imageOf = (whole: string) => (parts > 1 ? `${whole} * ${parts} + part` : whole);
  const place = dilation
    ? `let lattice = strip / strips; let image = ${imageOf(`lattice / ${latticesOf(problem)}`)};
    let firstRow = lattice / ${apartAlong} % ${apartDown}; let firstColumn = lattice % ${apartAlong};`
    : `let image = ${imageOf('strip / strips')};`;
  const wideColumn = dilation
    ? (i: number) =>
        `(column0 + i32(lane)${shared > 1 ? ` % ${segment}` : ''} + ${i * lanes}) * ${apartAlong} + firstColumn - ${padding[1]}`
    : (i: number) =>
        `column0 * ${along} - ${padding[1]} + i32(lane)${shared > 1 ? ` % ${segment}` : ''} + ${i * lanes}`;
  const wideRow = (p: number) => `${p * apartDown - padding[0]}${dilation ? ' + firstRow' : ''}`;
  const wgsl = `enable subgroups;
@group(0) @binding(0) var<storage, read> wide: array<f32>;
@group(0) @binding(1) var<storage, read> lanes: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
${numbers.binding(3)}
@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) num: vec3u) {
  ${numbers.locals}
  ${hiddenOne('wide')}
  let group = i32(id.y * num.x + id.x);
  let split = group / ${blocks};
  if (split >= splits) { return; }
  let laneBlock = group % ${laneBlocks}; let wideBlock = group / ${laneBlocks} % ${wideBlocks};${parts > 1 ? ` let part = group / ${laneBlocks * wideBlocks} % ${parts};` : ''}
  let plane = h * w; let lanePlane = lh * lw;
  // Channels beyond the last repeat it and are not stored.
  ${lines(groups, g => `let o${g} = (laneBlock * ${groups} + ${g}) * ${lanes} + i32(lane); let c${g} = min(o${g}, ${lane.channels - 1});`)}
  ${lines(bundles, i => `let w${i} = min(wideBlock * ${inputs} + ${i * shared}${shared > 1 ? ` + i32(lane) / ${segment}` : ''}, ${wide.channels - 1});`)}
  ${lines(groups * inputs * taps, i => `var a${i} = 0.0;`)}
  let end = ${startOfPart('(split + 1)', 'total')};
  for (var strip = ${startOfPart('split', 'total')}; strip < end; strip++) {
    ${place} let column0 = strip % strips * ${columns};
    ${lines(registers, i => `let x${i} = ${wideColumn(i)}; let m${i} = (x${i} >= 0) & (x${i} < w); let f${i} = select(0, x${i}, m${i});`)}
    ${lines(bundles, i => `let p${i} = (image * ${wide.channels} + w${i}) * plane;`)}
    ${lines(groups, g => `var q${g} = (image * ${lane.channels} + c${g}) * lanePlane + ${dilation ? `firstRow * lw + firstColumn + column0 * ${apartAlong}` : 'column0'};`)}
    // The rows above the strip's first one.
    ${lines(kept, p => `let above${p} = clamp(${wideRow(p)}, 0, h - 1) * w; let within${p} = (${wideRow(p)} >= 0) & (${wideRow(p)} < h);`)}
    ${range(bundles)
      .flatMap(i =>
        range(kept).flatMap(p =>
          range(registers).map(
            u => `var ${row(i, p, u)} = select(0.0, wide[p${i} + above${p} + f${u}], m${u} & within${p});`,
          ),
        ),
      )
      .join('\n    ')}
    for (var y = ${dilation ? 'firstRow' : '0'}; y < lh; ${dilation ? `y += ${apartDown}` : 'y++'}) {
      ${range(r)
        .slice(kept)
        .map(
          p =>
            `let below${p} = y * ${down} + ${p * apartDown - padding[0]}; let inside${p} = (below${p} >= 0) & (below${p} < h); let at${p} = clamp(below${p}, 0, h - 1) * w;`,
        )
        .join('\n      ')}
      ${range(bundles)
        .flatMap(i =>
          range(r)
            .slice(kept)
            .flatMap(p =>
              range(registers).map(
                u => `let ${row(i, p, u)} = select(0.0, wide[p${i} + at${p} + f${u}], m${u} & inside${p});`,
              ),
            ),
        )
        .join('\n      ')}
      ${lines(groups * columns, gj => {
        const [g, j] = [Math.floor(gj / columns), gj % columns];
        return needsColumnMask
          ? `let g${gj} = select(0.0, lanes[q${g} + min(${j * apartAlong}, lw - 1 - ${dilation ? `(${columnAt('0')})` : 'column0'})], ${columnAt(`${j}`)} < lw);`
          : `let g${gj} = lanes[q${g} + ${j * apartAlong}];`;
      })}
      ${multiply}
      ${range(bundles)
        .flatMap(i => range(kept).flatMap(p => range(registers).map(u => `${row(i, p, u)} = ${row(i, p + down, u)};`)))
        .join(' ')}
      ${lines(groups, g => `q${g} += lw${by(apartDown)};`)}
    }
  }
  ${lines(
    groups,
    // A loop, because each store in the text costs compile time.
    g => `{
    var all = array<f32, ${inputs * taps}>(${range(inputs * taps)
      .map(i => `a${g * inputs * taps + i}`)
      .join(', ')});
    if (o${g} < ${lane.channels}) {
      for (var i = 0; i < ${inputs * taps} * one; i++) {
        let tap = i % ${taps}; let channel = wideBlock * ${inputs} + i / ${taps};
        if (channel < ${wide.channels}) {
          result[split * ${count} + ${parts > 1 ? `part * ${count / parts} + ` : ''}${swapped ? `(channel * ${c} + o${g}) * ${taps} + ${taps - 1} - tap` : `(o${g} * ${c} + channel) * ${taps} + tap`}] = all[i];
        }
      }
    }
  }`,
  )}
}`;
  const kernel: Kernel = {
    name: `conv2d.weightGradient.broadcast ${describe(problem)}`,
    wgsl,
    bindings: ['read', 'read', 'write'],
    ...(numbers.params.length > 0 && { params: numbers.params }),
    workgroups: grid(blocks * splits),
  };
  const sides = swapped ? [input(1), input(0)] : [input(0), input(1)];
  if (splits === 1) return { steps: [{ kernel, operands: [...sides, output(0)] }], scratch: [] };
  return {
    steps: [{ kernel, operands: [...sides, scratch(0)] }, addParts('conv2d.weightGradient', count, splits, traits)],
    scratch: [count * splits],
  };
}

export const broadcastWeightGradient: Conv2dVariant = {
  name: 'broadcast',
  /** The conditions of the forward pass, and the accumulators of one channel must fit. */
  accepts: ({ stride, r, s, ...problem }, { subgroupSize }) =>
    subgroupSize >= 4 &&
    subgroupSize <= 32 &&
    Math.max(...stride) <= 2 &&
    r * s <= MOST_ACCUMULATORS &&
    isWithinKernel({ r, s, ...problem }),
  lower,
};
