/** Forward pass and input gradient by subgroup broadcast, with the kernel of `broadcast-correlation.ts`. */

import { assembleElements } from '../../../engine/text/assemble.ts';
import { epilogueText } from '../../../engine/text/epilogue.ts';
import { type AdapterTraits, input, type Operand, output, type Step, scratch } from '../../../engine/text/kernel.ts';
import { Numbers } from '../../../engine/text/numbers.ts';
import { lowerCorrelation } from './broadcast-correlation.ts';
import { forwardCorrelation, inputGradientCorrelation, wholePatch } from './correlation.ts';
import {
  type Conv2dProblem,
  type Conv2dVariant,
  describe,
  forwardInputs,
  isWithinKernel,
  outputSize,
} from './problem.ts';

/** A fixed subgroup size of 4 to 32 lanes, strides of 1 and 2, and a kernel of at most 11×11. */
function accepts({ stride, r, s, ...problem }: Conv2dProblem, { subgroupSize }: AdapterTraits): boolean {
  const known = subgroupSize >= 4 && subgroupSize <= 32 && r <= 11 && s <= 11 && isWithinKernel({ r, s, ...problem });
  return known && Math.max(...stride) <= 2;
}

const single = [1, 1] as const;

export const broadcastForward: Conv2dVariant = {
  name: 'broadcast',
  accepts,
  lower: (problem, traits) =>
    lowerCorrelation(forwardCorrelation(problem, `conv2d.forward.broadcast ${describe(problem)}`), traits),
};

export const broadcastInputGradient: Conv2dVariant = {
  name: 'broadcast',
  // The phases of a stride share one iteration, so their patch must be small.
  accepts: (problem, traits) =>
    accepts(problem, traits) && (Math.max(...problem.stride) === 1 || Math.max(problem.r, problem.s) <= 5),
  lower: (problem, traits) =>
    lowerCorrelation(inputGradientCorrelation(problem, `conv2d.inputGradient.broadcast ${describe(problem)}`), traits),
};

/**
 * Forward pass to at most half as many channels as lanes (the last convolution of SRResNet: 3 of 8): pairs of an output
 * channel and a kernel column become the channels of a convolution with one-column kernels, which fills the lanes; a second
 * kernel shifts and adds the columns.
 */
export const narrowForward: Conv2dVariant = {
  name: 'narrow',
  accepts: (problem, traits) =>
    accepts(problem, traits) &&
    Math.max(...problem.stride) === 1 &&
    !problem.dilation &&
    (problem.groups ?? 1) === 1 &&
    problem.s >= 5 &&
    2 * problem.k <= traits.subgroupSize,
  lower(problem, traits) {
    const { n, c, h, w, k, r, s, padding, baked } = problem;
    const [oh, ow] = outputSize(problem);
    const wide = ow + s - 1;
    const base = (channel: string) => `${channel} / ${s} * ${c * r * s} + ${channel} % ${s}`;
    const weight = { base, perInput: r * s, perRow: s, perGroup: 0 };
    const name = `conv2d.forward.narrow ${describe(problem)}`;
    const sizes = { n, c, h, w, k: k * s, oh, ow: wide, r, s: 1, stride: single, padding };
    const phases = { phases: wholePatch(r, 1), spread: single };
    const { steps } = lowerCorrelation({ name, ...sizes, ...phases, bias: false, baked, weight }, traits);
    const [columns] = steps;
    return {
      steps: [
        { kernel: columns.kernel, operands: [input(0), input(1), scratch(0)] },
        addColumns(problem, wide, traits),
      ],
      scratch: [n * k * s * oh * wide],
    };
  },
};

/** The inputs from `first` on: bias and the epilogue's inputs. */
const operandsFrom = (first: number, problem: Conv2dProblem): Operand[] =>
  Array.from({ length: forwardInputs(problem) - first }, (_, i) => input(first + i));

/** y[n, k, i, j] = bias[k] + Σ over q of columns[n, k·s + q, i, j + q]. */
function addColumns(problem: Conv2dProblem, wide: number, traits: AdapterTraits): Step {
  const { n, k, s, bias, baked } = problem;
  const [oh, ow] = outputSize(problem);
  const epilogue = epilogueText(problem.epilogue);
  const [channel, image] = [`plane % ${k}`, `plane / ${k}`];
  const position = { image, channel: `(${channel})`, row: 'i', column: 'j', sizes: [k, 'oh', 'ow'] } as const;
  const { statements, result } = epilogue.perElement('sum', position, 'index');
  const columns = Array.from({ length: s }, (_, q) => `sum += columns[at + ${q} * (oh * wide + 1)];`);
  const kernel = assembleElements(
    {
      name: 'conv2d.forward.narrow columns',
      reads: ['columns', ...(bias ? ['bias'] : []), ...epilogue.reads],
      declarations: epilogue.declarations,
      numbers: new Numbers(baked, { n, oh, ow, wide }),
      elements: n * k * oh * ow,
      count: `n * ${k} * oh * ow`,
      body: `let j = index % ow; let i = index / ow % oh; let plane = index / (ow * oh);
    let at = (plane * ${s} * oh + i) * wide + j;
    var sum = ${bias ? `bias[plane % ${k}]` : '0.0'};
    ${[...columns, ...epilogue.perChannel(`(${channel})`), ...statements].join('\n    ')}
    result[place] = ${result};`,
    },
    traits,
  );
  return { kernel, operands: [scratch(0), ...operandsFrom(2, problem), output(0)] };
}
