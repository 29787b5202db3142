/**
 * Reference kernel: each invocation computes one output element. Any kernel size, stride, padding, dilation, groups and image
 * size; slow (about 1 GFLOP/s per core on lavapipe), because each multiply-add waits for two loads.
 */
import { ACCUMULATION, BLOCK, emptySum } from '../../../engine/text/accumulate.ts';
import { assembleElements, hiddenOne } from '../../../engine/text/assemble.ts';
import { epilogueText } from '../../../engine/text/epilogue.ts';
import { type AdapterTraits, input, type Lowering, output } from '../../../engine/text/kernel.ts';
import { Numbers } from '../../../engine/text/numbers.ts';
import { type Conv2dProblem, type Conv2dVariant, describe, outputSize } from './problem.ts';

/** `body` adds to `total` for the element `index` of `count`; the epilogue computes the stored value. */
function elementwise(
  name: string,
  problem: Conv2dProblem,
  own: readonly string[],
  count: number,
  body: string,
  traits: AdapterTraits,
): Lowering {
  const epilogue = epilogueText(name === 'forward' ? problem.epilogue : undefined);
  const inputs = [...own, ...epilogue.reads];
  const [oh, ow] = outputSize(problem);
  const numbers = new Numbers(problem.baked, { n: problem.n, h: problem.h, w: problem.w, oh, ow });
  const { k, r, s, stride, padding } = problem;
  const position = { image: 'image', channel: 'out', row: 'i', column: 'j', sizes: [k, 'oh', 'ow'] } as const;
  const { statements, result } = epilogue.perElement('sum', position, 'index');
  const kernel = assembleElements(
    {
      name: `conv2d.${name}.plain ${describe(problem)}`,
      reads: inputs,
      numbers,
      declarations: `const c: i32 = ${groupsOf(problem).channels}; const k: i32 = ${k}; const r: i32 = ${r}; const s: i32 = ${s};
const strideY: i32 = ${stride[0]}; const strideX: i32 = ${stride[1]};
const padY: i32 = ${padding[0]}; const padX: i32 = ${padding[1]};
${ACCUMULATION}
${epilogue.declarations}`,
      elements: count,
      count: countExpression(name, problem),
      heavy: true,
      before: hiddenOne(inputs[0]),
      body: `var total = ${emptySum(inputs[0])};
  ${body}
  let sum = totalOf(total);
  ${[...epilogue.perChannel('out'), ...statements].join('\n  ')}
  result[place] = ${result};`,
    },
    traits,
  );
  return { steps: [{ kernel, operands: [...inputs.map((_, i) => input(i)), output(0)] }], scratch: [] };
}

const countExpression = (name: string, problem: Conv2dProblem): string =>
  ({
    forward: 'n * k * oh * ow',
    inputGradient: `n * ${groupsOf(problem).all} * h * w`,
    weightGradient: 'k * c * r * s',
  })[name]!;

/** Channels in the text: `c` are those of a group, which the weight has. */
function groupsOf({ c, k, groups = 1, dilation = [1, 1] }: Conv2dProblem) {
  const one = groups === 1;
  const by = (distance: number) => (distance === 1 ? '' : ` * ${distance}`);
  return {
    channels: c / groups,
    /** All channels of x. */
    all: one ? 'c' : `${c}`,
    /** The channel of x that `channel` of the group of output channel `out` is, in the plane of an image. */
    plane: one ? 'image * c + channel' : `image * ${c} + out / ${k / groups} * c + channel`,
    /** Output channels that read `channel` of x. */
    outs: one
      ? 'var out = 0; out < k * one'
      : `var out = channel / c * ${k / groups}; out < (channel / c + one) * ${k / groups}`,
    /** `channel` of x as one of the weight. */
    own: one ? 'channel' : 'channel % c',
    /** Distances between taps, as factors. */
    down: by(dilation[0]),
    across: by(dilation[1]),
  };
}

export const plainForward: Conv2dVariant = {
  name: 'plain',
  accepts: () => true,
  lower(problem, traits) {
    const [oh, ow] = outputSize(problem);
    const { plane, down, across } = groupsOf(problem);
    return elementwise(
      'forward',
      problem,
      problem.bias ? ['x', 'weight', 'bias'] : ['x', 'weight'],
      problem.n * problem.k * oh * ow,
      `let j = index % ow; let i = index / ow % oh; let out = index / (ow * oh) % k; let image = index / (ow * oh * k);
  for (var channel = 0; channel < c * one; channel++) {
    var sum = 0.0;
    for (var p = 0; p < r; p++) {
      let row = i * strideY + p${down} - padY;
      if (row < 0 || row >= h) { continue; }
      for (var q = 0; q < s; q++) {
        let column = j * strideX + q${across} - padX;
        if (column < 0 || column >= w) { continue; }
        sum = fma(x[((${plane}) * h + row) * w + column], weight[((out * c + channel) * r + p) * s + q], sum);
      }
    }
    addTo(&total, sum);
  }
  ${problem.bias ? 'addTo(&total, bias[out]);' : ''}`,
      traits,
    );
  },
};

export const plainInputGradient: Conv2dVariant = {
  name: 'plain',
  accepts: () => true,
  lower(problem, traits) {
    const { all, outs, own, down, across } = groupsOf(problem);
    return elementwise(
      'inputGradient',
      problem,
      ['gy', 'weight'],
      problem.n * problem.c * problem.h * problem.w,
      `let column = index % w; let row = index / w % h; let channel = index / (w * h) % ${all}; let image = index / (w * h * ${all});
  for (${outs}; out++) {
    var sum = 0.0;
    for (var p = r - 1; p >= 0; p--) {
      let y = row + padY - p${down}; let i = y / strideY;
      if (y < 0 || y % strideY != 0 || i >= oh) { continue; }
      for (var q = s - 1; q >= 0; q--) {
        let z = column + padX - q${across}; let j = z / strideX;
        if (z < 0 || z % strideX != 0 || j >= ow) { continue; }
        sum = fma(gy[((image * k + out) * oh + i) * ow + j], weight[((out * c + ${own}) * r + p) * s + q], sum);
      }
    }
    addTo(&total, sum);
  }`,
      traits,
    );
  },
};

export const plainWeightGradient: Conv2dVariant = {
  name: 'plain',
  accepts: () => true,
  lower(problem, traits) {
    const { plane, down, across } = groupsOf(problem);
    return elementwise(
      'weightGradient',
      problem,
      ['x', 'gy'],
      problem.k * problem.c * problem.r * problem.s,
      `let q = index % s; let p = index / s % r; let channel = index / (s * r) % c; let out = index / (s * r * c);
  for (var image = 0; image < n * one; image++) {
    for (var i = 0; i < oh * one; i++) {
      let row = i * strideY + p${down} - padY;
      if (row < 0 || row >= h) { continue; }
      var line = 0.0;
      for (var j = 0; j < ow * one; j++) {
        let column = j * strideX + q${across} - padX;
        if (column < 0 || column >= w) { continue; }
        line = fma(x[((${plane}) * h + row) * w + column], gy[((image * k + out) * oh + i) * ow + j], line);
        if (j % ${BLOCK} == ${BLOCK - 1}) { addTo(&total, line); line = 0.0; }
      }
      addTo(&total, line);
    }
  }`,
      traits,
    );
  },
};
