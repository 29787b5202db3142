/** Which tensor of an update was the first that is not finite: the update once more, operation by operation. */

import { count, figure } from '../common/text.ts';
import { formatShape } from '../engine/basics/shape.ts';
import type { Value, VariableState } from '../engine/graph/value.ts';
import { inspect, type Seen } from '../engine/inspect.ts';
import { type Tensor, tidy } from '../engine/tensor.ts';
import { notFinite, square, sum } from '../kernels/index.ts';

/** What tensors of an update are called. */
export interface TensorNames {
  /** Of what it is given, in this order. */
  readonly given: readonly string[];
  /** Of variables: weights and statistics, "generator conv_in.weight". */
  readonly variables: ReadonlyMap<VariableState, string>;
  /** Of weights that the update has changed when it goes on with them, noted while it is traced. */
  readonly updated: WeakMap<Value, string>;
  readonly losses: WeakMap<Value, string>;
  /** Their squares must be finite, too. */
  readonly gradients: WeakMap<Value, string>;
}

/** While it is looked for what was not finite first, which may take as long as some dozen updates. */
export interface Looking {
  readonly signal?: AbortSignal | undefined;
  /** Operations that were computed, of how many. */
  readonly onLooking?: ((done: number, total: number) => void) | undefined;
}

/**
 * Computes `update` without making it, until a tensor has a number that is not finite. Tells which: what made it, near
 * which layers, how many of its numbers, and the largest that went into it. Undefined where all are finite, which a sum
 * can be that another order of adding lets overflow.
 * @throws the signal's reason where it is aborted.
 */
export async function firstNonFinite(
  args: readonly [Tensor, ...Tensor[]],
  update: (...args: Tensor[]) => void,
  names: TensorNames,
  { signal, onLooking }: Looking = {},
): Promise<string | undefined> {
  const places = new Map<Value, Place>();
  const body = (...args: Tensor[]) => {
    update(...args);
    return undefined;
  };
  return await inspect(args, body, async seen => {
    signal?.throwIfAborted();
    onLooking?.(seen.index, seen.count);
    const place = placeOf(seen, names, places);
    places.set(seen.value, place);
    if (seen.content.dtype !== 'f32') return undefined;
    const isGradient = names.gradients.has(seen.value);
    using bad = tidy(() => sum(notFinite(isGradient ? square(seen.content) : seen.content)));
    return (await bad.item()) === 0 ? undefined : await described(seen, place, names);
  });
}

/** Layers whose weights or statistics a value is made with (`direct`), or that it comes after. */
interface Place {
  readonly layers: readonly string[];
  readonly direct: boolean;
  /** It is nothing but weights in another form. */
  readonly weights: boolean;
}

function placeOf({ value, node }: Seen, names: TensorNames, places: ReadonlyMap<Value, Place>): Place {
  const weight = weightName(value, names);
  const before = (node?.inputs ?? []).map(input => places.get(input)!);
  const own = weight === undefined ? [] : [weight.replace(/\.\w+$/, '')];
  const layers = [...new Set([...own, ...before.flatMap(place => (place.weights ? place.layers : []))])];
  const weights = weight !== undefined || before.every(place => place.weights);
  if (layers.length > 0) return { layers, direct: true, weights };
  const place = before.find(({ layers }) => layers.length > 0);
  return { layers: place?.layers ?? [], direct: false, weights: false };
}

const weightName = (value: Value, { variables, updated }: TensorNames): string | undefined =>
  value.source?.kind === 'variable' ? variables.get(value.source.variable) : updated.get(value);

async function described({ value, content, node, inputs }: Seen, place: Place, names: TensorNames): Promise<string> {
  const found = numbersOf(await content.data());
  const { source } = value;
  if (!node) {
    const given = source?.kind === 'argument' ? names.given[source.index] : weightName(value, names);
    return `${given ?? 'a constant'} itself, ${found}`;
  }
  const name = names.losses.get(value) ?? names.gradients.get(value);
  const near = place.layers.length > 0 ? ` ${place.direct ? 'with' : 'after'} ${place.layers.join(' and ')}` : '';
  const what = `${name ? `${name}, ` : ''}${node.operation.name} ${formatShape(content.shape)}${near}`;
  let into = 0;
  for (const input of inputs) if (input.dtype === 'f32') into = Math.max(into, largest(await input.data()));
  return `${what}, ${found}; what goes in reaches ${figure(into)}`;
}

/** "1 NaN and 3 infinite of 1,536 numbers", or how large they are where they are finite. */
function numbersOf(numbers: Float32Array): string {
  const all = `of ${count(numbers.length)} numbers`;
  const nan = numbers.filter(Number.isNaN).length;
  const infinite = numbers.filter(x => Math.abs(x) === Number.POSITIVE_INFINITY).length;
  const kinds = [nan > 0 ? `${count(nan)} NaN` : '', infinite > 0 ? `${count(infinite)} infinite` : ''].filter(Boolean);
  if (kinds.length > 0) return `${kinds.join(' and ')} ${all}`;
  const large = numbers.filter(x => !Number.isFinite(Math.fround(x * x))).length;
  return `${count(large)} ${all} too large to be squared, up to ${figure(largest(numbers))}`;
}

/** The largest magnitude. */
const largest = (numbers: Float32Array): number => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
