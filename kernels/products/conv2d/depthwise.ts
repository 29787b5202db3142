/** Forward pass and input gradient of depthwise convolutions, in the tiles of `depthwise-tile.ts`. */
import { assembleElements, hiddenOne } from '../../../engine/text/assemble.ts';
import { epilogueText } from '../../../engine/text/epilogue.ts';
import { type AdapterTraits, input, type Lowering, output } from '../../../engine/text/kernel.ts';
import { Numbers } from '../../../engine/text/numbers.ts';
import { lines, range } from '../../../engine/text/repeat.ts';
import type { Pair } from '../../pairs.ts';
import {
  forwardReadings,
  gradientReadings,
  isDepthwise,
  offsetsOf,
  patchColumns,
  patchRow,
  type Readings,
  type Tile,
  tileOf,
} from './depthwise-tile.ts';
import { type Conv2dProblem, type Conv2dVariant, describe, outputSize } from './problem.ts';

interface Pass {
  readonly name: string;
  readonly readings: (problem: Conv2dProblem) => Readings;
  /** Sides of tiles are multiples of these. */
  readonly unit: (problem: Conv2dProblem) => Pair;
  /** Where the patch of a tile starts, from the tile's start. */
  readonly start: (problem: Conv2dProblem, first: string, axis: 0 | 1) => string;
}

const tileFor = (pass: Pass, problem: Conv2dProblem, traits: AdapterTraits): Tile | undefined =>
  tileOf(pass.readings(problem), pass.unit(problem), traits);

/** Multiplies a row of the patch with the kernel, for each row and column of the tile that it is part of. */
function multiply({ down, across, columns }: Tile, offset: number, s: number): string {
  const loaded = offsetsOf(across);
  return down
    .filter(reading => reading.offset === offset)
    .flatMap(row =>
      across.map(column => {
        const sum = `a${row.at * columns + column.at}`;
        return `${sum} = fma(v${loaded.indexOf(column.offset)}, k${row.tap * s + column.tap}, ${sum});`;
      }),
    )
    .join('\n      ');
}

function lower(pass: Pass, problem: Conv2dProblem, traits: AdapterTraits): Lowering {
  const { n, c, h, w, k, r, s, bias, baked } = problem;
  const [oh, ow] = outputSize(problem);
  const forward = pass.name === 'forward';
  const tile = tileFor(pass, problem, traits)!;
  const { rows, columns, down, across } = tile;
  const [from, to] = forward
    ? [
        { channels: c, h, w },
        { channels: k, h: oh, w: ow },
      ]
    : [
        { channels: k, h: oh, w: ow },
        { channels: c, h, w },
      ];
  const epilogue = epilogueText(forward ? problem.epilogue : undefined);
  const reads = [forward ? 'x' : 'gy', 'weight', ...(forward && bias ? ['bias'] : []), ...epilogue.reads];
  const [tilesDown, tilesAcross] = [Math.ceil(to.h / rows), Math.ceil(to.w / columns)];
  const numbers = new Numbers(baked, {
    n,
    h: from.h,
    w: from.w,
    th: to.h,
    tw: to.w,
    down: tilesDown,
    across: tilesAcross,
  });
  // An input channel is read by k / c output channels.
  const each = k / c;
  const [source, kernel] = forward
    ? [`channel / ${each}`, 'channel']
    : [`channel * ${each} + i`, `channel * ${each} + i`];
  const position = {
    image: 'image',
    channel: 'channel',
    row: 'row',
    column: 'column',
    sizes: [to.channels, 'th', 'tw'],
  } as const;
  const { statements, result } = epilogue.perElement(forward && bias ? '(all[i] + b)' : 'all[i]', position);
  const patch = offsetsOf(across);
  const results = range(rows * columns);
  const body = `let column0 = index % across * ${columns}; let row0 = index / across % down * ${rows};
  let channel = index / (across * down) % ${to.channels}; let image = index / (across * down * ${to.channels});
  let top = ${pass.start(problem, 'row0', 0)}; let left = ${pass.start(problem, 'column0', 1)};
  ${patchColumns(patch, 'w')}
  ${lines(results.length, i => `var a${i} = 0.0;`)}
  for (var i = 0; i < ${forward ? 1 : each} * one; i++) {
    let start = (image * ${from.channels} + ${source}) * h * w;
    let weights = (${kernel}) * ${r * s};
    ${lines(r * s, i => `let k${i} = weight[weights + ${i}];`)}
    ${offsetsOf(down)
      .map(
        offset => `{
      ${patchRow(offset, patch.length, reads[0], 'h', 'w')}
      ${multiply(tile, offset, s)}
    }`,
      )
      .join('\n    ')}
  }
  var all = array<f32, ${results.length}>(${results.map(i => `a${i}`).join(', ')});
  ${[...(forward && bias ? ['let b = bias[channel];'] : []), ...epilogue.perChannel('channel')].join('\n  ')}
  for (var i = 0; i < ${results.length}${traits.software ? ' * one' : ''}; i++) {
    let row = row0 + i / ${columns}; let column = column0 + i % ${columns};
    if (row >= th || column >= tw) { continue; }
    ${[...statements, `result[place] = ${result};`].join('\n    ')}
  }`;
  const kernelText = assembleElements(
    {
      name: `conv2d.${pass.name}.depthwise ${describe(problem)}`,
      reads,
      declarations: epilogue.declarations,
      numbers,
      elements: n * to.channels * tilesDown * tilesAcross,
      count: `n * ${to.channels} * down * across`,
      heavy: true,
      before: hiddenOne('weight'),
      body,
    },
    traits,
  );
  return { steps: [{ kernel: kernelText, operands: [...reads.map((_, i) => input(i)), output(0)] }], scratch: [] };
}

const variantOf = (pass: Pass): Conv2dVariant => ({
  name: 'depthwise',
  accepts: (problem, traits) => isDepthwise(problem) && tileFor(pass, problem, traits) !== undefined,
  lower: (problem, traits) => lower(pass, problem, traits),
});

export const depthwiseForward = variantOf({
  name: 'forward',
  readings: forwardReadings,
  unit: () => [1, 1],
  start: ({ stride, padding }, first, axis) => `${first} * ${stride[axis]} - ${padding[axis]}`,
});

export const depthwiseInputGradient = variantOf({
  name: 'inputGradient',
  readings: gradientReadings,
  unit: ({ stride }) => stride,
  start: ({ stride }, first, axis) => `${first} / ${stride[axis]}`,
});
