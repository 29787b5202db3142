/**
 * Forward pass and input gradient of depthwise convolutions on software drivers. An invocation walks down a strip of a few columns of
 * one channel: it loads each row once, adds it to the sums of all results that read it, and stores the row of results that is
 * complete. The text is short, so it takes a tenth of the time to compile that tiles take, and its sums fit in registers.
 */
import { assembleElements } from '../../../engine/text/assemble.ts';
import { epilogueText } from '../../../engine/text/epilogue.ts';
import { type AdapterTraits, input, type Lowering, output } from '../../../engine/text/kernel.ts';
import { Numbers } from '../../../engine/text/numbers.ts';
import { lines, range } from '../../../engine/text/repeat.ts';
import { isDepthwise, patchColumns, patchRow } from './depthwise-tile.ts';
import { type Conv2dProblem, type Conv2dVariant, describe, isWithinKernel, outputSize } from './problem.ts';

/** Columns of a strip. */
const COLUMNS = 4;
/** Strips are cut if there are fewer than this, but not into pieces of fewer rows than this. */
const STRIPS = 512;
const LEAST_ROWS = 8;
/** Maximum sums, of which each takes a register or two. */
const MOST_SUMS = 32;

type Pass = 'forward' | 'inputGradient';

function lower(pass: Pass, problem: Conv2dProblem, traits: AdapterTraits): Lowering {
  const { n, c, h, w, k, r, s, padding, bias, baked } = problem;
  const [oh, ow] = outputSize(problem);
  const forward = pass === 'forward';
  const [x, y] = [
    { channels: c, h, w },
    { channels: k, h: oh, w: ow },
  ];
  const [from, to] = forward ? [x, y] : [y, x];
  // The gradient is a convolution with the kernel turned around.
  const [top, left] = forward ? padding : [r - 1 - padding[0], s - 1 - padding[1]];
  const tap = (p: number, q: number) => (forward ? p * s + q : (r - 1 - p) * s + s - 1 - q);
  const epilogue = epilogueText(forward ? problem.epilogue : undefined);
  const hasBias = forward && bias;
  const reads = [forward ? 'x' : 'gy', 'weight', ...(hasBias ? ['bias'] : []), ...epilogue.reads];
  const across = Math.ceil(to.w / COLUMNS);
  const strips = n * to.channels * across;
  const pieces = Math.max(1, Math.min(Math.ceil(STRIPS / strips), Math.floor(to.h / LEAST_ROWS)));
  const each = Math.ceil(to.h / pieces);
  const numbers = new Numbers(baked, { n, h: from.h, w: from.w, th: to.h, tw: to.w, across, pieces, each });
  const sizes = [to.channels, 'th', 'tw'] as const;
  const position = { image: 'image', channel: 'channel', row: 'row', column: 'column', sizes } as const;
  const sum = (p: number, j: number) => `a${p * COLUMNS + j}`;
  const store = (j: number) => {
    const { statements, result } = epilogue.perElement(`(${sum(r - 1, j)}${hasBias ? ' + b' : ''})`, position);
    return `{
        let column = column0 + ${j};
        if (column < tw) { ${[...statements, `result[place] = ${result};`].join(' ')} }
      }`;
  };
  const columns = range(COLUMNS + s - 1);
  const body = `let column0 = index % across * ${COLUMNS}; let piece = index / across % pieces;
  let channel = index / (across * pieces) % ${to.channels}; let image = index / (across * pieces * ${to.channels});
  let start = (image * ${from.channels} + ${forward ? `channel / ${k / c}` : 'channel'}) * h * w;
  let row0 = piece * each; let top = row0 - ${top}; let left = column0 - ${left};
  ${patchColumns(columns, 'w')}
  ${lines(r * s, i => `let k${i} = weight[channel * ${r * s} + ${i}];`)}
  ${[...(hasBias ? ['let b = bias[channel];'] : []), ...epilogue.perChannel('channel')].join('\n  ')}
  ${lines(r * COLUMNS, i => `var a${i} = 0.0;`)}
  for (var i = 0; i < min(each, th - row0) + ${r - 1}; i++) {
    ${patchRow('i', columns.length, reads[0], 'h', 'w')}
    // The sums number p are of the row of results for which this row is the kernel's row p.
    ${range(r)
      .flatMap(p =>
        range(s).flatMap(q => range(COLUMNS).map(j => `${sum(p, j)} = fma(v${j + q}, k${tap(p, q)}, ${sum(p, j)});`)),
      )
      .join('\n    ')}
    let row = row0 + i - ${r - 1};
    if (row >= row0) {
      ${lines(COLUMNS, store)}
    }
    ${range(r - 1)
      .flatMap(p => range(COLUMNS).map(j => `${sum(r - 1 - p, j)} = ${sum(r - 2 - p, j)};`))
      .join(' ')}
    ${lines(COLUMNS, j => `${sum(0, j)} = 0.0;`)}
  }`;
  const kernel = assembleElements(
    {
      name: `conv2d.${pass}.strip ${describe(problem)}`,
      reads,
      declarations: epilogue.declarations,
      numbers,
      elements: strips * pieces,
      count: `n * ${to.channels} * across * pieces`,
      heavy: true,
      body,
    },
    traits,
  );
  return { steps: [{ kernel, operands: [...reads.map((_, i) => input(i)), output(0)] }], scratch: [] };
}

const variantOf = (pass: Pass): Conv2dVariant => ({
  name: 'strip',
  accepts: problem => {
    const { c, k, r, stride, dilation } = problem;
    const isPlain = Math.max(...stride) === 1 && !dilation && isWithinKernel(problem) && r * COLUMNS <= MOST_SUMS;
    return isDepthwise(problem) && isPlain && (pass === 'forward' || k === c);
  },
  lower: (problem, traits) => lower(pass, problem, traits),
});

export const stripForward = variantOf('forward');
export const stripInputGradient = variantOf('inputGradient');
