/** Dropout. */
import { apply } from '../../engine/apply.ts';
import { ArgumentError, nameOf, quoted } from '../../engine/basics/errors.ts';
import { sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { requireTensors } from '../../engine/require.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { input, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { oddShape } from '../references.ts';
import { defaultGenerator } from './generator.ts';
import { PHILOX, STATE_TEXT } from './philox.ts';
import { checkGenerator, type RandomOptions, sampleState, uniformOf, wordsAfter } from './random.ts';

type DropoutAttributes = { readonly p: number };

/** x · mask / (1 − p). The mask depends on the generator's state alone: the gradient makes it again instead of keeping it. */
export const dropoutOp: Declaration<DropoutAttributes> = /* @__PURE__ */ defineOp<DropoutAttributes>({
  name: 'dropout',
  takes: ['f32', 'u32'],
  infer: ([x]) => [x],
  lower({ inputs: [{ shape }], attributes: { p } }, traits) {
    const elements = sizeOf(shape);
    const blocks = Math.ceil(elements / 4);
    // Always arguments, as for other random numbers.
    const numbers = new Numbers(false, { n: elements, blocks });
    const [limit, scale] = [numbers.float(p), numbers.float(p < 1 ? 1 / (1 - p) : 0)];
    const kernel = assembleElements(
      {
        name: 'dropout',
        reads: ['x', 'state: array<u32>'],
        declarations: PHILOX.join('\n'),
        numbers,
        elements: blocks,
        count: 'blocks',
        before: `let start = ${STATE_TEXT};`,
        // A product, so that NaN and infinity are not hidden.
        body: `let words = philoxBlock(start, u32(index));
    for (var lane = 0; lane < min(4, n - index * 4); lane++) {
      let at = index * 4 + lane;
      result[at] = x[at] * select(0.0, ${scale}, philoxUniform(words[lane]) >= ${limit});
    }`,
      },
      traits,
    );
    return { steps: [{ kernel, operands: [input(0), input(1), output(0)] }], scratch: [] };
  },
  gradient: ({ inputs: [, state], grads, attributes }) => [apply(dropoutOp, [grads[0]!, state], attributes)[0], null],
});

/* @__PURE__ */ specify(dropoutOp, () => ({
  summary: 'Zero with probability p, else x / (1 − p).',
  reference([x, state], _, { p }) {
    const words = wordsAfter(state, x.length);
    const scale = p < 1 ? 1 / (1 - p) : 0;
    return [x.map((value, i) => value * (uniformOf(words[i]) >= Math.fround(p) ? scale : 0))];
  },
  samples: [
    { inputs: [{ shape: [3, 5] }, sampleState], attributes: { p: 0.4 } },
    {
      inputs: [{ shape: [6], values: [1, -2, Number.NaN, Number.POSITIVE_INFINITY, 0, 3] }, sampleState],
      attributes: { p: 1 },
      kink: 'NaN',
    },
    { inputs: [{ shape: [6] }, sampleState], attributes: { p: 0 } },
  ],
  random: choose => ({
    inputs: [{ shape: oddShape(choose) }, { shape: [4], dtype: 'u32', range: [0, 2 ** 32] }],
    attributes: { p: choose.pick([0.1, 0.5, 0.9]) },
  }),
}));

/** Options of {@link dropout}. */
export interface DropoutOptions extends RandomOptions {
  /** The probability of zero, from 0 to 1; default 0.5. */
  readonly p?: number;
  /** Without training (default true), or with p = 0, the result is x, and no random numbers are drawn. */
  readonly training?: boolean;
}

/**
 * Each element of x zero with probability `p`, independently, else divided by 1 − p, in training (Srivastava et al. 2014). The
 * gradient has the same mask. Each call draws new numbers from the generator, in compiled code too. PyTorch's `dropout`.
 */
export function dropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  requireTensors('dropout', x);
  checkGenerator('dropout', options, ['p', 'training']);
  const { p = 0.5, training = true } = options;
  if (!(p >= 0 && p <= 1)) throw new ArgumentError('dropout', `expected p from 0 to 1, got ${quoted(p)}.`);
  if (typeof training !== 'boolean')
    throw new ArgumentError('dropout', `expected training to be true or false, got ${nameOf(training)}.`);
  if (!training || p === 0) return x.alias();
  const { generator = defaultGenerator(x.device) } = options;
  const [made] = apply(dropoutOp, [x, generator.state], { p });
  generator.advance(x.size);
  return made;
}
