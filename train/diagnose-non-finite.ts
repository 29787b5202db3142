/**
 * Finds the tensor that first became NaN or infinite, after too many skipped updates ended a training. Computes the first
 * of the skipped updates again, one operation at a time. The skipped updates changed nothing, so the state is still the
 * one that this update started from.
 */

import { activeTrace } from '../engine/graph/trace.ts';
import type { Value } from '../engine/graph/value.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { NonFiniteSearch } from '../nn/find-non-finite.ts';
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
    const first = await search.run([batch, rate], search.body, { signal, onProgress });
    return error(first?.description ?? 'none, computed one by one');
  } catch (cause) {
    if (update.device.lost) throw cause;
    const [line] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    return error(signal?.aborted ? 'unknown, the search was interrupted' : `unknown, the search failed (${line})`);
  }
}

/** A search that knows the names of an update's tensors. */
class Search extends NonFiniteSearch {
  readonly #update: Update;
  readonly #assigned: Map<Value, string>;
  readonly #results: Map<Value, string>;
  readonly #squared: Set<Value>;

  constructor(update: Update) {
    const [assigned, results] = [new Map<Value, string>(), new Map<Value, string>()];
    const squared = new Set<Value>();
    const variables = update.trained.flatMap(([role, { net }]) =>
      net.namedVariables().map(([name, { state }]) => [state, `${role} ${name}`] as const),
    );
    const argumentNames = ['the batch', 'the learning rate'];
    super({ variables: new Map(variables), argumentNames, assigned, results, squared });
    this.#update = update;
    this.#assigned = assigned;
    this.#results = results;
    this.#squared = squared;
  }

  /** The update: while it is traced, its tensors get their names. */
  readonly body = (batch: Tensor, rate: Tensor): undefined => {
    this.#update.record(batch, rate, judged => this.#name(judged));
    return undefined;
  };

  #name({ losses, gradients }: Judged): void {
    for (const [role, { net }] of this.#update.trained) {
      this.#results.set(losses[role]!.value, `the ${role}'s loss`);
      for (const [i, [name, { value }]] of net.namedParameters().entries()) {
        const gradient = gradients[role]![i].value;
        this.#results.set(gradient, `the gradient of ${role} ${name}`);
        this.#squared.add(gradient);
        const current = activeTrace()!.import(value);
        if (current.source?.kind !== 'variable') this.#assigned.set(current, `the updated ${role} ${name}`);
      }
    }
  }
}
