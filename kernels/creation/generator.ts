/** The state of random numbers, on the GPU. */

import { apply } from '../../engine/apply.ts';
import { seedInitialWeights } from '../../engine/basics/default-random.ts';
import { ArgumentError, checkOptions, quoted, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, u32 } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import type { Device } from '../../engine/device/device.ts';
import { specify } from '../../engine/specify.ts';
import { currentDevice, upload } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { input, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { Variable } from '../../engine/variable.ts';
import { words } from '../references.ts';
import { STATE } from './philox.ts';

type AdvanceAttributes = { readonly blocks: number };

/** The state after so many blocks. */
export const advanceOp: Declaration<AdvanceAttributes> = /* @__PURE__ */ defineOp<AdvanceAttributes>({
  name: 'advance',
  takes: ['u32'],
  infer: ([state]) => {
    if (state.shape.length !== 1 || state.shape[0] !== STATE)
      throw new ShapeError('advance', `expected the ${STATE} words of a generator, got ${formatShape(state.shape)}.`);
    return [u32([STATE])];
  },
  lower({ attributes: { blocks }, baked }, traits) {
    const kernel = assembleElements(
      {
        name: 'advance',
        reads: ['state: array<u32>'],
        writes: ['result: array<u32>'],
        numbers: new Numbers(baked, { n: STATE, blocks }),
        elements: STATE,
        count: 'n',
        body: `let low = state[2] + u32(blocks);
    let carry = select(0u, 1u, low < u32(blocks));
    result[index] = select(select(state[index], low, index == 2), state[index] + carry, index == 3);`,
      },
      traits,
    );
    return { steps: [{ kernel, operands: [input(0), output(0)] }], scratch: [] };
  },
});

/* @__PURE__ */ specify(advanceOp, () => ({
  summary: 'The state of a generator after some blocks of random words.',
  reference([state], _, { blocks }) {
    const low = state[2] + blocks;
    return [Float64Array.of(state[0], state[1], low % 2 ** 32, (state[3] + Math.floor(low / 2 ** 32)) % 2 ** 32)];
  },
  samples: [
    { inputs: [words([STATE])], attributes: { blocks: 1 } },
    {
      inputs: [{ shape: [STATE], dtype: 'u32', values: [7, 8, 2 ** 32 - 3, 5] }],
      attributes: { blocks: 3 },
    },
  ],
  random: choose => ({ inputs: [words([STATE])], attributes: { blocks: choose.integer(1, 2 ** 30) } }),
}));

const split = (value: number): [number, number] => [value >>> 0, Math.floor(value / 2 ** 32) >>> 0];

function checkSeed(operation: string, seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new ArgumentError(operation, `expected a seed from 0 to 2⁵³ − 1, got ${quoted(seed)}.`);
}

/** Options of {@link Generator}. */
export interface GeneratorOptions {
  /** Default: the one that `init()` made last. */
  readonly device?: Device;
}

/**
 * A source of random numbers: Philox 4×32-10, whose key is the seed and whose counter is on the GPU. Each use draws whole blocks
 * of four words and moves the counter by an assignment, so that every call of a compiled function draws new numbers: the same ones
 * that eager code would draw. {@link state} in a checkpoint continues the sequence.
 */
export class Generator implements Disposable {
  /** u32 [4]: the seed (low, high), and the number of the next block (low, high). */
  readonly state: Variable;

  /** Throws ArgumentError unless the seed is an integer from 0 to 2⁵³ − 1. */
  constructor(seed = 0, options: GeneratorOptions = {}) {
    checkSeed('Generator', seed);
    checkOptions('Generator', options, ['device']);
    const device = options.device ?? currentDevice();
    // Unlike other variables, it may be made while a function is traced: the default generator exists from its first use on.
    this.state = new Variable(device, 'generator', upload(device, 'generator', stateOf(seed), [STATE]));
  }

  /** The device that draws. */
  get device(): Device {
    return this.state.device;
  }

  /** Restarts the generator with `seed`. Throws ArgumentError; TraceError in a compiled function. */
  manualSeed(seed: number): this {
    checkSeed('manualSeed', seed);
    this.state.write(stateOf(seed));
    return this;
  }

  /** The state's words, to continue from by {@link setState}. */
  getState(): Promise<Uint32Array<ArrayBuffer>> {
    return this.state.words();
  }

  /** Continues from a state of {@link getState}. Throws ShapeError and DTypeError. */
  setState(words: Uint32Array): this {
    this.state.write(words);
    return this;
  }

  /** Moves on by as many blocks as so many words need. */
  advance(count: number): void {
    const next = apply(advanceOp, [this.state], { blocks: Math.ceil(count / 4) })[0];
    this.state.assign(next);
    next.dispose();
  }

  /** Frees the state. What was drawn stays. */
  dispose(): void {
    this.state.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

const stateOf = (seed: number): Uint32Array => Uint32Array.of(...split(seed), 0, 0);

const generators = new WeakMap<Device, Generator>();

/** The generator of a device (default: the default device) that is used where none is given. Its first seed is 0. */
export function defaultGenerator(device: Device = currentDevice()): Generator {
  let known = generators.get(device);
  if (!known || known.state.disposed) {
    known = new Generator(0, { device });
    generators.set(device, known);
  }
  return known;
}

/**
 * Restarts the default generator and the source of layers' initial weights with `seed`. PyTorch's `manual_seed`.
 */
export function manualSeed(seed: number, device: Device = currentDevice()): Generator {
  const generator = defaultGenerator(device).manualSeed(seed);
  seedInitialWeights(seed);
  return generator;
}
