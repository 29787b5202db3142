/** Finds the first tensor of a computation that is NaN or infinite. */

import { count, figure } from '../common/text.ts';
import { checkOptions } from '../engine/basics/errors.ts';
import { formatShape, isInteger, type Shape } from '../engine/basics/shape.ts';
import type { Value, VariableState } from '../engine/graph/value.ts';
import { inspect, type Seen } from '../engine/inspect.ts';
import { type Tensor, tidy } from '../engine/tensor.ts';
import type { Traced, Tree } from '../engine/traced.ts';
import { notFinite, square, sum } from '../kernels/index.ts';
import type { Module } from './module.ts';

/** A tensor that contains NaN or infinity. */
export interface NonFinite {
  /** The operation that computed it; undefined for an argument, a variable or a constant. */
  readonly operation: string | undefined;
  /** Shape of the tensor. */
  readonly shape: Shape;
  /** Number of elements that are NaN. */
  readonly nan: number;
  /** Number of elements that are infinite. */
  readonly infinite: number;
  /** The largest magnitude among the operation's inputs; undefined if no operation computed it. */
  readonly largestInput: number | undefined;
  /** All of it in one line, with the layers nearby. */
  readonly description: string;
}

/** Options of {@link findNonFinite}. */
export interface FindNonFiniteOptions {
  /** Networks by name: the description then names their layers, e.g. `generator conv_in`. */
  readonly modules?: Readonly<Record<string, Module>>;
  /** Names of the arguments, in order; default `argument 0` and so on. */
  readonly argumentNames?: readonly string[];
  /** Stops the search, which rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of operations computed, and of all operations. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Computes `body` one operation at a time, in order and without fusion, until a tensor contains NaN or infinity, and says which
 * it is: undefined if all are finite. Works on gradients too, if `body` calls `grad`. Assignments are computed but not applied:
 * variables keep their content. As slow as some dozen ordinary calls; values may differ from a compiled function's in rounding.
 *
 * @example
 * const found = await findNonFinite([images, labels], (x, y) => crossEntropy(net.forward(x), y), { modules: { net } });
 * if (found) console.log(found.description); // exp [8, 10] after net fc, 1 infinite of 80 elements; largest input 91
 */
export async function findNonFinite<T extends readonly [Tensor, ...Tensor[]]>(
  args: T,
  body: (...args: Traced<T>) => Tree,
  options: FindNonFiniteOptions = {},
): Promise<NonFinite | undefined> {
  checkOptions('findNonFinite', options, ['modules', 'argumentNames', 'signal', 'onProgress']);
  const { modules = {}, argumentNames = [] } = options;
  const variables = Object.entries(modules).flatMap(([role, module]) =>
    module.namedVariables().map(([name, { state }]) => [state, `${role} ${name}`] as const),
  );
  return await new NonFiniteSearch({ variables: new Map(variables), argumentNames }).run(args, body, options);
}

/** What a search knows about tensors. The maps may be filled while the function is traced. */
export interface KnownTensors {
  /** "generator conv_in.weight", for weights and statistics. */
  readonly variables: ReadonlyMap<VariableState, string>;
  readonly argumentNames: readonly string[];
  /** Weights that the function has assigned and uses afterwards. */
  readonly assigned?: ReadonlyMap<Value, string>;
  /** Names of results. */
  readonly results?: ReadonlyMap<Value, string>;
  /** Results whose squares must be finite, too. */
  readonly squared?: ReadonlySet<Value>;
}

/** Layers whose weights or statistics a value is computed from (`direct`), or whose output it depends on. */
interface Layers {
  readonly names: readonly string[];
  readonly direct: boolean;
  /** The value is a view or a copy of weights. */
  readonly weights: boolean;
}

/** {@link findNonFinite} with names for more than modules' variables. */
export class NonFiniteSearch {
  readonly #known: KnownTensors;
  readonly #layers = new Map<Value, Layers>();

  constructor(known: KnownTensors) {
    this.#known = known;
  }

  async run<T extends readonly [Tensor, ...Tensor[]]>(
    args: T,
    body: (...args: Traced<T>) => Tree,
    { signal, onProgress }: Pick<FindNonFiniteOptions, 'signal' | 'onProgress'>,
  ): Promise<NonFinite | undefined> {
    return await inspect(args, body, async seen => {
      signal?.throwIfAborted();
      onProgress?.(seen.index, seen.count);
      return await this.#look(seen);
    });
  }

  /** Describes a value that is not finite; undefined for others. */
  async #look(seen: Seen): Promise<NonFinite | undefined> {
    const { value, content } = seen;
    const layers = this.#layersOf(seen);
    this.#layers.set(value, layers);
    if (isInteger(content.dtype)) return undefined;
    const isSquared = this.#known.squared?.has(value);
    using bad = tidy(() => sum(notFinite(isSquared ? square(content) : content)));
    return (await bad.item()) === 0 ? undefined : await this.#describe(seen, layers);
  }

  #layersOf({ value, node }: Seen): Layers {
    const weight = this.#weightName(value);
    const inputs = (node?.inputs ?? []).map(input => this.#layers.get(input)!);
    const own = weight === undefined ? [] : [weight.replace(/[. ]\w+$/, '')];
    const names = [...new Set([...own, ...inputs.flatMap(input => (input.weights ? input.names : []))])];
    const weights = weight !== undefined || inputs.every(input => input.weights);
    if (names.length > 0) return { names, direct: true, weights };
    const before = inputs.find(({ names }) => names.length > 0);
    return { names: before?.names ?? [], direct: false, weights: false };
  }

  #weightName(value: Value): string | undefined {
    const { variables, assigned } = this.#known;
    return value.source?.kind === 'variable' ? variables.get(value.source.variable) : assigned?.get(value);
  }

  async #describe({ value, content, node, inputs }: Seen, layers: Layers): Promise<NonFinite> {
    const elements = await content.data();
    const nan = elements.filter(Number.isNaN).length;
    const infinite = elements.filter(x => Math.abs(x) === Number.POSITIVE_INFINITY).length;
    const counts = describeElements(elements, nan, infinite);
    const found = { operation: node?.operation.name, shape: content.shape, nan, infinite };
    const { source } = value;
    if (!node) {
      const argument =
        source?.kind === 'argument'
          ? (this.#known.argumentNames[source.index] ?? `argument ${source.index}`)
          : undefined;
      const name =
        argument ?? this.#weightName(value) ?? (source?.kind === 'variable' ? source.variable.name : 'a constant');
      return { ...found, largestInput: undefined, description: `${name} itself, ${counts}` };
    }
    const name = this.#known.results?.get(value);
    const near = layers.names.length > 0 ? ` ${layers.direct ? 'with' : 'after'} ${layers.names.join(' and ')}` : '';
    const what = `${name ? `${name}, ` : ''}${node.operation.name} ${formatShape(content.shape)}${near}`;
    let largestInput = 0;
    for (const one of inputs)
      if (!isInteger(one.dtype)) largestInput = Math.max(largestInput, largest(await one.data()));
    return { ...found, largestInput, description: `${what}, ${counts}; largest input ${figure(largestInput)}` };
  }
}

/** "1 NaN and 3 infinite of 1,536 elements"; for finite ones, how many cannot be squared. */
function describeElements(elements: Float32Array, nan: number, infinite: number): string {
  const all = `of ${count(elements.length)} elements`;
  const kinds = [nan > 0 ? `${count(nan)} NaN` : '', infinite > 0 ? `${count(infinite)} infinite` : ''].filter(Boolean);
  if (kinds.length > 0) return `${kinds.join(' and ')} ${all}`;
  const large = elements.filter(x => !Number.isFinite(Math.fround(x * x))).length;
  return `${count(large)} ${all} overflow when squared, up to ${figure(largest(elements))}`;
}

/** The largest magnitude. */
const largest = (elements: Float32Array): number => elements.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
