/** Checks of operations for the tests of other projects: the same as Daybreak's own tests make. */
import { DaybreakError } from '../engine/basics/errors.ts';
import { Philox } from '../engine/basics/philox.ts';
import { formatShape, isInteger, type Shape } from '../engine/basics/shape.ts';
import { compile } from '../engine/compile.ts';
import type { SampleInput } from '../engine/specify.ts';
import { type Elements, type Tensor, tensor, tidy } from '../engine/tensor.ts';
import { add, grad, mul, neg, sum } from '../kernels/index.ts';
import { elementsOf } from './sample-content.ts';

/** A check of an operation that failed. The message says which check, on which problem, and by how much. */
export class OperationCheckError extends DaybreakError {
  static override readonly name: string = 'OperationCheckError';
  static override readonly code: string = 'DAYBREAK_OPERATION_CHECK';
}

/** Options of {@link checkOperation}. */
export interface CheckOptions {
  /** The definition in float64, over row-major arrays. Without it, results are compared with each other only. */
  readonly reference?: (inputs: readonly Float64Array[], shapes: readonly Shape[]) => readonly Float64Array[];
  /** Largest relative L2 error of results. Default: 1e-6. */
  readonly tolerance?: number;
  /**
   * Largest error of gradients against central differences, relative to the gradient. Default: 1e-4 with a reference, and
   * 1e-2 without, since differences of float32 results are less precise.
   */
  readonly gradientTolerance?: number;
  /** Whether to check gradients; inputs marked `fixed` and u32 ones have none. Default: true. */
  readonly gradients?: boolean;
}

type Call = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/** Half the width of a central difference. */
const STEP = { reference: 2 ** -20, float32: 2 ** -7 };

/** Directions that gradients are compared along. */
const DIRECTIONS = 3;

/**
 * Checks that an operation, or any function of tensors, on each problem
 *
 * - gives what the reference gives;
 * - gives the same bits twice;
 * - gives the same in a compiled function, among neighbours that may be fused with it, whether sizes are constants of its
 *   kernels or arguments; so do its gradients;
 * - has the gradients that finite differences show.
 *
 * @param problems inputs of calls: their shapes, and ranges or values. Random numbers are the same in every run.
 * @throws OperationCheckError if one is wrong.
 */
export async function checkOperation(
  call: Call,
  problems: readonly (readonly SampleInput[])[],
  options: CheckOptions = {},
): Promise<void> {
  for (const problem of problems) await new Check(call, problem, options).run();
}

class Check {
  readonly #call: Call;
  readonly #problem: readonly SampleInput[];
  readonly #options: CheckOptions;
  readonly #content: readonly Elements[];
  readonly #wanted: readonly number[];

  constructor(call: Call, problem: readonly SampleInput[], options: CheckOptions) {
    this.#call = call;
    this.#problem = problem;
    this.#options = options;
    this.#content = problem.map(contentOf);
    this.#wanted = problem.flatMap(({ dtype, fixed }, i) => ((dtype && isInteger(dtype)) || fixed ? [] : [i]));
  }

  async run(): Promise<void> {
    const { reference, tolerance = 1e-6, gradients = true } = this.#options;
    const outputs = await this.#outputs(this.#content);
    if (reference) {
      const expected = reference(this.#content.map(toFloat64), this.#shapes);
      if (expected.length !== outputs.length)
        this.#fail(`expected ${expected.length} outputs, as the reference has, got ${outputs.length}`);
      outputs.forEach((output, i) => {
        this.#expectNear(output, expected[i], tolerance, `output ${i} and the reference`);
      });
    }
    const again = await this.#outputs(this.#content);
    outputs.forEach((output, i) => {
      if (output.some((value, k) => !Object.is(value, again[i][k])))
        this.#fail(`output ${i} differs from call to call`);
    });
    const upstream = outputs.map((output, i) => noise(output.length, 100 + i));
    const eager = await this.#around(upstream, gradients);
    for (const baked of [true, false]) {
      const compiled = await this.#around(upstream, gradients, baked);
      const sizes = baked ? 'constants' : 'arguments';
      compiled.forEach((result, i) => {
        this.#expectNear(
          result,
          toFloat64(eager[i]),
          tolerance,
          `result ${i} compiled with sizes as ${sizes} and eager`,
        );
      });
    }
    if (gradients) await this.#checkGradients(upstream, eager.slice(outputs.length));
  }

  get #shapes(): readonly Shape[] {
    return this.#problem.map(({ shape }) => shape);
  }

  #inputs(content: readonly Elements[]): Tensor[] {
    return content.map((numbers, i) => {
      return tensor(numbers, this.#shapes[i], { requiresGrad: this.#wanted.includes(i) });
    });
  }

  #results(...inputs: Tensor[]): readonly Tensor[] {
    const results = this.#call(...inputs);
    return Array.isArray(results) ? results : [results as Tensor];
  }

  #outputs(content: readonly Elements[]): Promise<Elements[]> {
    return numbersOf(tidy(() => [...this.#results(...this.#inputs(content))]));
  }

  /** Results among neighbours to be fused with, and the gradients through all; compiled if `baked` is given. */
  async #around(upstream: readonly Float32Array[], gradients: boolean, baked?: boolean): Promise<Elements[]> {
    const count = this.#problem.length;
    const body = (...args: Tensor[]): Tensor[] => {
      const inputs = args.slice(0, count);
      const before = inputs.map((input, i) => (this.#wanted.includes(i) ? neg(neg(input)) : input));
      const outputs = this.#results(...before);
      const results = outputs.map((y, i) => (isInteger(y.dtype) ? y : mul(add(y, 1), args[count + i])));
      if (!gradients || this.#wanted.length === 0) return results;
      const loss = results.flatMap((y, i) => (isInteger(outputs[i].dtype) ? [] : [sum(y)])).reduce((a, b) => add(a, b));
      const wanted = this.#wanted.map(i => inputs[i]);
      return [...results, ...grad(loss, wanted)];
    };
    const shapes = tidy(() => this.#results(...this.#inputs(this.#content)).map(({ shape }) => shape));
    const everything = () => [...this.#inputs(this.#content), ...upstream.map((data, i) => tensor(data, shapes[i]))];
    if (baked === undefined) return await numbersOf(tidy(() => body(...everything())));
    const compiled = compile(body, { baked });
    try {
      return await numbersOf(tidy(() => compiled(...everything())));
    } finally {
      compiled.dispose();
    }
  }

  async #checkGradients(upstream: readonly Float32Array[], gradients: readonly Elements[]): Promise<void> {
    const { reference } = this.#options;
    const { gradientTolerance = reference ? 1e-4 : 1e-2 } = this.#options;
    const step = reference ? STEP.reference : STEP.float32;
    const lossAt = async (position: number, direction: Float64Array, by: number): Promise<number> => {
      const moved = this.#content.map((data, i) =>
        i === position ? toFloat64(data).map((value, k) => value + by * direction[k]) : toFloat64(data),
      );
      const outputs = reference
        ? reference(moved, this.#shapes)
        : (await this.#outputs(moved.map((data, i) => like(this.#content[i], data)))).map(toFloat64);
      return outputs.reduce((total, output, i) => total + dot(output, upstream[i]), 0);
    };
    for (const [k, position] of this.#wanted.entries()) {
      const gradient = toFloat64(gradients[k]);
      for (let i = 0; i < DIRECTIONS; i++) {
        const direction = toFloat64(noise(gradient.length, 1000 + 10 * position + i));
        const slope =
          ((await lossAt(position, direction, step)) - (await lossAt(position, direction, -step))) / (2 * step);
        const typical = (norm(gradient) * norm(direction)) / Math.sqrt(direction.length);
        const error = Math.abs(dot(gradient, direction) - slope) / Math.max(typical, 1e-2);
        if (!(error <= gradientTolerance))
          this.#fail(
            `the gradient of input ${position} gives a slope of ${dot(gradient, direction)}, finite differences give ${slope}`,
          );
      }
    }
  }

  #expectNear(got: Elements, expected: Float64Array, tolerance: number, what: string): void {
    if (got.length !== expected.length) this.#fail(`${what} have ${got.length} and ${expected.length} elements`);
    let [difference, size] = [0, 0];
    expected.forEach((value, i) => {
      // Equal infinities, and NaN on both sides, are no difference.
      if (got[i] !== value && !Object.is(got[i], value)) difference += (got[i] - value) ** 2;
      if (Number.isFinite(value)) size += value ** 2;
    });
    const error = Math.sqrt(difference) / Math.max(Math.sqrt(size), Number.MIN_VALUE);
    if (difference !== 0 && !(error <= tolerance))
      this.#fail(`${what} differ by ${error.toExponential(2)}, expected at most ${tolerance}`);
  }

  #fail(message: string): never {
    throw new OperationCheckError(`on inputs ${this.#shapes.map(formatShape).join(', ')}: ${message}.`);
  }
}

/** An input's numbers: the same in every run. */
function contentOf(input: SampleInput, position: number): Elements {
  const random = new Philox(1, position + 1);
  return elementsOf(input, () => random.uniform());
}

/** Elements in [-1, 1) that depend on `stream` alone. */
function noise(length: number, stream: number): Float32Array {
  const random = new Philox(1, stream);
  return Float32Array.from({ length }, () => 2 * random.uniform() - 1);
}

const toFloat64 = (data: Elements): Float64Array => Float64Array.from(data);
const like = (kind: Elements, data: Float64Array): Elements =>
  kind instanceof Uint32Array
    ? Uint32Array.from(data)
    : kind instanceof Int32Array
      ? Int32Array.from(data)
      : Float32Array.from(data);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
};
const norm = (a: Float64Array): number => Math.sqrt(dot(a, a));

/** Reads tensors and disposes of them. */
async function numbersOf(tensors: readonly Tensor[]): Promise<Elements[]> {
  try {
    return await Promise.all(tensors.map(one => one.elements()));
  } finally {
    for (const one of tensors) one.dispose();
  }
}
