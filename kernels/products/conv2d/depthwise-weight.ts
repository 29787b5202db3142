/**
 * Weight gradient of depthwise convolutions. A workgroup computes the kernel of one channel, from some of the tiles of gy:
 * each lane multiplies tiles (or strips) with their patches of x, and keeps r · s sums, which are added in the lanes' order. If the tiles
 * are split over workgroups, a second kernel adds the parts in order.
 */
import { assemble, hiddenOne } from '../../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Lowering, output, scratch } from '../../../engine/text/kernel.ts';
import { Numbers } from '../../../engine/text/numbers.ts';
import { lines, range } from '../../../engine/text/repeat.ts';
import { addParts, fewestParts, startOfPart } from '../../reductions/parts.ts';
import {
  forwardReadings,
  isDepthwise,
  offsetsOf,
  patchColumns,
  patchRow,
  type Tile,
  tileOf,
} from './depthwise-tile.ts';
import { type Conv2dProblem, type Conv2dVariant, describe, outputSize } from './problem.ts';

/** 16 KiB of workgroup memory for the sums of 64 lanes. */
const MOST_TAPS = 64;

const tileFor = (problem: Conv2dProblem, traits: AdapterTraits): Tile | undefined =>
  tileOf(forwardReadings(problem), [1, 1], traits);

/** What a lane does at once: some rows and columns of gy, and the statements that add its products with x to the sums `b…`. */
interface Walk {
  readonly rows: number;
  readonly columns: number;
  readonly text: string;
}

const walkOf = (problem: Conv2dProblem, traits: AdapterTraits): Walk =>
  traits.software && Math.max(...problem.stride) === 1 && !problem.dilation
    ? stripWalk(problem)
    : tileWalk(problem, tileFor(problem, traits)!);

/** All of a tile and of its patch. */
function tileWalk({ s }: Conv2dProblem, { rows, columns, down, across }: Tile): Walk {
  const patch = offsetsOf(across);
  const g = (row: number, column: number) => `g${row * columns + column}`;
  const row = (offset: number) => `{
      ${patchRow(offset, patch.length, 'x', 'h', 'w')}
      ${down
        .filter(reading => reading.offset === offset)
        .flatMap(y =>
          across.map(z => {
            const sum = `b${y.tap * s + z.tap}`;
            return `${sum} = fma(v${patch.indexOf(z.offset)}, ${g(y.at, z.at)}, ${sum});`;
          }),
        )
        .join('\n      ')}
    }`;
  const text = `${lines(rows * columns, i => {
    const [y, z] = [`row0 + ${Math.floor(i / columns)}`, `column0 + ${i % columns}`];
    return `let g${i} = select(0.0, gy[first + min(${y}, oh - 1) * ow + min(${z}, ow - 1)], (${y} < oh) & (${z} < ow));`;
  })}
    ${patchColumns(patch, 'w')}
    ${offsetsOf(down).map(row).join('\n    ')}`;
  return { rows, columns, text };
}

/** Rows and columns of a strip: its sums are added in short chains. */
const STRIP = { rows: 16, columns: 4 };

/**
 * Row after row of a strip, with the rows of x that the next one reads again: a text that software drivers compile in a tenth of
 * the time, with fewer numbers than registers.
 */
function stripWalk({ r, s }: Conv2dProblem): Walk {
  const { rows, columns } = STRIP;
  const patch = range(columns + s - 1);
  const kept = range(r - 1);
  const u = (p: number, i: number) => (p === r - 1 ? `v${i}` : `u${p * patch.length + i}`);
  const text = `${patchColumns(patch, 'w')}
    ${kept
      .map(
        p => `${patch.map(i => `var ${u(p, i)} = 0.0;`).join(' ')}
    {
      ${patchRow(p, patch.length, 'x', 'h', 'w')}
      ${patch.map(i => `${u(p, i)} = v${i};`).join(' ')}
    }`,
      )
      .join('\n    ')}
    for (var i = 0; i < min(${rows}, oh - row0); i++) {
      ${patchRow(`i + ${r - 1}`, patch.length, 'x', 'h', 'w')}
      let own = first + (row0 + i) * ow;
      ${lines(columns, j => `let g${j} = select(0.0, gy[own + min(column0 + ${j}, ow - 1)], column0 + ${j} < ow);`)}
      ${range(r)
        .flatMap(p =>
          range(s).flatMap(q => range(columns).map(j => `b${p * s + q} = fma(${u(p, j + q)}, g${j}, b${p * s + q});`)),
        )
        .join('\n      ')}
      ${kept.flatMap(p => patch.map(i => `${u(p, i)} = ${u(p + 1, i)};`)).join(' ')}
    }`;
  return { rows, columns, text };
}

function lower(problem: Conv2dProblem, traits: AdapterTraits): Lowering {
  const { n, c, h, w, k, r, s, stride, padding, baked } = problem;
  const [oh, ow] = outputSize(problem);
  const { rows, columns, text } = walkOf(problem, traits);
  const [lanes, workgroups] = traits.software ? [Math.max(traits.subgroupSize, 8), 32] : [64, 1024];
  const taps = r * s;
  const [tilesDown, tilesAcross] = [Math.ceil(oh / rows), Math.ceil(ow / columns)];
  const total = n * tilesDown * tilesAcross;
  const wanted = Math.max(Math.ceil(workgroups / k), fewestParts(Math.ceil((n * oh * ow) / lanes), k * taps));
  const splits = Math.max(1, Math.min(wanted, Math.ceil(total / lanes)));
  const numbers = new Numbers(baked, { h, w, oh, ow, down: tilesDown, across: tilesAcross, total, splits });
  const kernel = assemble({
    name: `conv2d.weightGradient.depthwise ${describe(problem)}`,
    reads: ['x', 'gy'],
    numbers,
    declarations: `var<workgroup> sums: array<f32, ${lanes * taps}>;`,
    lanes,
    groups: k * splits,
    body: `${hiddenOne('x')}
  let channel = group % ${k}; let split = group / ${k};
  if (split >= splits) { return; }
  ${lines(taps, i => `var a${i} = 0.0;`)}
  let end = ${startOfPart('(split + 1)', 'total')};
  for (var at = ${startOfPart('split', 'total')} + i32(lane); at < end; at += ${lanes}) {
    let column0 = at % across * ${columns}; let row0 = at / across % down * ${rows}; let image = at / (across * down);
    let top = row0 * ${stride[0]} - ${padding[0]}; let left = column0 * ${stride[1]} - ${padding[1]};
    let first = (image * ${k} + channel) * oh * ow;
    let start = (image * ${c} + channel / ${k / c}) * h * w;
    ${lines(taps, i => `var b${i} = 0.0;`)}
    ${text}
    ${lines(taps, i => `a${i} += b${i};`)}
  }
  ${lines(taps, i => `sums[lane * ${taps} + ${i}] = a${i};`)}
  workgroupBarrier();
  for (var tap = i32(lane); tap < ${taps}; tap += ${lanes}) {
    var sum = 0.0;
    for (var i = 0; i < ${lanes} * one; i++) { sum += sums[i * ${taps} + tap]; }
    result[(split * ${k} + channel) * ${taps} + tap] = sum;
  }`,
  });
  const inputs = [input(0), input(1)];
  if (splits === 1) return { steps: [{ kernel, operands: [...inputs, output(0)] }], scratch: [] };
  const count = k * taps;
  return {
    steps: [{ kernel, operands: [...inputs, scratch(0)] }, addParts('conv2d.weightGradient', count, splits, traits)],
    scratch: [count * splits],
  };
}

export const depthwiseWeightGradient: Conv2dVariant = {
  name: 'depthwise',
  accepts: (problem, traits) =>
    isDepthwise(problem) && problem.r * problem.s <= MOST_TAPS && tileFor(problem, traits) !== undefined,
  lower,
};
