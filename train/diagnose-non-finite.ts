/**
 * Finds the tensor that first became NaN or infinite, after too many skipped updates ended a training. Computes the first
 * of the skipped updates again, one operation at a time. The skipped updates changed nothing, so the state is still the
 * one that this update started from.
 */

import { count, figure } from '../common/text.ts';
import { formatShape } from '../engine/basics/shape.ts';
import { activeTrace } from '../engine/graph/trace.ts';
import type { Value, VariableState } from '../engine/graph/value.ts';
import { inspect, type Seen } from '../engine/inspect.ts';
import { type Tensor, tensor, tidy } from '../engine/tensor.ts';
import { notFinite, square, sum } from '../kernels/index.ts';
import { NonFiniteError } from './errors.ts';
import type { BatchSource } from './pictures/crop-source.ts';
import { foundIn, type Skip } from './skip.ts';
import type { Judged } from './training.ts';
import type { Update } from './update.ts';

export interface DiagnosisOptions {
  /** Stops the search; the error then says that it was interrupted. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of operations computed, and of all operations. May take as long as some dozen updates. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The end of a training: updates so far, the last of them one skipped update too many. */
export interface End {
  readonly step: number;
  readonly skipped: Skip;
}

/**
 * The error to throw at the end of a training, naming the tensor: the operation that computed it, the layers nearby, how
 * many of its elements are NaN or infinite, and the largest magnitude among its inputs. It may find no such tensor, because
 * a sum that overflows in one order of additions may not overflow in another.
 * @throws whatever the search throws if the device was lost.
 */
export async function diagnoseNonFinite(
  update: Update,
  source: BatchSource,
  { step, skipped }: End,
  learningRate: (step: number) => number,
  { signal, onProgress }: DiagnosisOptions = {},
): Promise<NonFiniteError> {
  const failing = step - skipped.inRow;
  const error = (first: string) => new NonFiniteError({ step, inRow: skipped.inRow, found: foundIn(skipped), first });
  try {
    using batch = await source.batch(failing);
    using rate = tensor(learningRate(failing), [], { device: update.device });
    const search = new Search(update);
    const first = await inspect([batch, rate], search.body, async seen => {
      signal?.throwIfAborted();
      onProgress?.(seen.index, seen.count);
      return await search.look(seen);
    });
    return error(first ?? 'none, computed one by one');
  } catch (cause) {
    if (update.device.lost) throw cause;
    const [line] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    return error(signal?.aborted ? 'unknown, the search was interrupted' : `unknown, the search failed (${line})`);
  }
}

/** Layers whose weights or statistics a value is computed from (`direct`), or whose output it depends on. */
interface Layers {
  readonly names: readonly string[];
  readonly direct: boolean;
  /** The value is a view or a copy of weights. */
  readonly weights: boolean;
}

/** The names of an update's tensors, and for each value seen so far the layers nearby. */
class Search {
  readonly #update: Update;
  /** "generator conv_in.weight", for weights and statistics. */
  readonly #variables: ReadonlyMap<VariableState, string>;
  /** Weights that the update has changed and uses afterwards. */
  readonly #updated = new Map<Value, string>();
  readonly #losses = new Map<Value, string>();
  /** Their squares must be finite, too. */
  readonly #gradients = new Map<Value, string>();
  readonly #layers = new Map<Value, Layers>();

  constructor(update: Update) {
    this.#update = update;
    this.#variables = new Map(
      update.trained.flatMap(([role, { net }]) =>
        net.namedVariables().map(([name, { state }]) => [state, `${role} ${name}`] as const),
      ),
    );
  }

  /** The update, for `inspect`: while it is traced, its tensors get their names. */
  readonly body = (batch: Tensor, rate: Tensor): undefined => {
    this.#update.record(batch, rate, judged => this.#name(judged));
    return undefined;
  };

  #name({ losses, gradients }: Judged): void {
    for (const [role, { net }] of this.#update.trained) {
      this.#losses.set(losses[role]!.value, `the ${role}'s loss`);
      for (const [i, [name, { value }]] of net.namedParameters().entries()) {
        this.#gradients.set(gradients[role]![i].value, `the gradient of ${role} ${name}`);
        const current = activeTrace()!.import(value);
        if (current.source?.kind !== 'variable') this.#updated.set(current, `the updated ${role} ${name}`);
      }
    }
  }

  /** Describes a value that is not finite; undefined for others. */
  async look(seen: Seen): Promise<string | undefined> {
    const { value, content } = seen;
    const layers = this.#layersOf(seen);
    this.#layers.set(value, layers);
    if (content.dtype !== 'f32') return undefined;
    const isGradient = this.#gradients.has(value);
    using bad = tidy(() => sum(notFinite(isGradient ? square(content) : content)));
    return (await bad.item()) === 0 ? undefined : await this.#describe(seen, layers);
  }

  #layersOf({ value, node }: Seen): Layers {
    const weight = this.#weightName(value);
    const inputs = (node?.inputs ?? []).map(input => this.#layers.get(input)!);
    const own = weight === undefined ? [] : [weight.replace(/\.\w+$/, '')];
    const names = [...new Set([...own, ...inputs.flatMap(input => (input.weights ? input.names : []))])];
    const weights = weight !== undefined || inputs.every(input => input.weights);
    if (names.length > 0) return { names, direct: true, weights };
    const before = inputs.find(({ names }) => names.length > 0);
    return { names: before?.names ?? [], direct: false, weights: false };
  }

  #weightName(value: Value): string | undefined {
    return value.source?.kind === 'variable' ? this.#variables.get(value.source.variable) : this.#updated.get(value);
  }

  async #describe({ value, content, node, inputs }: Seen, layers: Layers): Promise<string> {
    const elements = describeElements(await content.data());
    const { source } = value;
    if (!node) {
      const argument = source?.kind === 'argument' ? ['the batch', 'the learning rate'][source.index] : undefined;
      return `${argument ?? this.#weightName(value) ?? 'a constant'} itself, ${elements}`;
    }
    const name = this.#losses.get(value) ?? this.#gradients.get(value);
    const near = layers.names.length > 0 ? ` ${layers.direct ? 'with' : 'after'} ${layers.names.join(' and ')}` : '';
    const what = `${name ? `${name}, ` : ''}${node.operation.name} ${formatShape(content.shape)}${near}`;
    let input = 0;
    for (const one of inputs) if (one.dtype === 'f32') input = Math.max(input, largest(await one.data()));
    return `${what}, ${elements}; largest input ${figure(input)}`;
  }
}

/** "1 NaN and 3 infinite of 1,536 elements"; for finite gradients, how many cannot be squared. */
function describeElements(elements: Float32Array): string {
  const all = `of ${count(elements.length)} elements`;
  const nan = elements.filter(Number.isNaN).length;
  const infinite = elements.filter(x => Math.abs(x) === Number.POSITIVE_INFINITY).length;
  const kinds = [nan > 0 ? `${count(nan)} NaN` : '', infinite > 0 ? `${count(infinite)} infinite` : ''].filter(Boolean);
  if (kinds.length > 0) return `${kinds.join(' and ')} ${all}`;
  const large = elements.filter(x => !Number.isFinite(Math.fround(x * x))).length;
  return `${count(large)} ${all} overflow when squared, up to ${figure(largest(elements))}`;
}

/** The largest magnitude. */
const largest = (elements: Float32Array): number => elements.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
