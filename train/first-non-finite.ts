/** Which tensor of an update was the first that is not finite: the update once more, operation by operation. */
import { inspect, type Seen } from '../engine/inspect.ts';
import type { Value, VariableState } from '../engine/operation.ts';
import { formatShape } from '../engine/shape.ts';
import { type Tensor, tidy } from '../engine/tensor.ts';
import { notFinite, sum } from '../kernels/index.ts';
import { count, figure } from './readable.ts';

/** What tensors of an update are called. */
export interface TensorNames {
  /** Of variables: weights and statistics, "generator conv_in.weight". */
  readonly variables: ReadonlyMap<VariableState, string>;
  /** Of weights that the update has changed when it goes on with them, noted while it is traced. */
  readonly updated: WeakMap<Value, string>;
  /** Of losses and gradients, noted while it is traced. */
  readonly results: WeakMap<Value, string>;
}

/**
 * Computes `update` without making it, until a tensor has a number that is not finite. Tells which: what made it, near
 * which weights, how many of its numbers, and the largest that went into it. Undefined where all are finite, which a sum
 * can be that another order of adding lets overflow.
 */
export async function firstNonFinite(
  args: readonly [Tensor, ...Tensor[]],
  update: (...args: Tensor[]) => void,
  names: TensorNames,
): Promise<string | undefined> {
  const places = new Map<Value, Place>();
  const body = (...args: Tensor[]) => {
    update(...args);
    return undefined;
  };
  return await inspect(args, body, async seen => {
    const place = placeOf(seen, names, places);
    places.set(seen.value, place);
    if (seen.content.dtype !== 'f32') return undefined;
    using bad = tidy(() => sum(notFinite(seen.content)));
    return (await bad.item()) === 0 ? undefined : await described(seen, place, names);
  });
}

/** Layers whose weights or statistics a value is made with, or that it comes after. */
interface Place {
  readonly layers: readonly string[];
  readonly direct: boolean;
}

function placeOf({ node }: Seen, names: TensorNames, places: ReadonlyMap<Value, Place>): Place {
  const inputs = node?.inputs ?? [];
  const layers = inputs.flatMap(value => weightName(value, names)?.replace(/\.\w+$/, '') ?? []);
  if (layers.length > 0) return { layers: [...new Set(layers)], direct: true };
  const before = inputs.map(value => places.get(value)).find(place => place && place.layers.length > 0);
  return { layers: before?.layers ?? [], direct: false };
}

const weightName = (value: Value, { variables, updated }: TensorNames): string | undefined =>
  value.source?.kind === 'variable' ? variables.get(value.source.variable) : updated.get(value);

async function described({ value, content, node, inputs }: Seen, place: Place, names: TensorNames): Promise<string> {
  const numbers = await content.data();
  const nan = numbers.filter(Number.isNaN).length;
  const infinite = numbers.filter(x => Math.abs(x) === Number.POSITIVE_INFINITY).length;
  const kinds = [nan > 0 ? `${count(nan)} NaN` : '', infinite > 0 ? `${count(infinite)} infinite` : ''].filter(Boolean);
  const found = `${kinds.join(' and ')} of ${count(numbers.length)} numbers`;
  if (!node) return `${weightName(value, names) ?? 'what it was given'} itself, ${found}`;
  const name = names.results.get(value);
  const near = place.layers.length > 0 ? ` ${place.direct ? 'with' : 'after'} ${place.layers.join(' and ')}` : '';
  const what = `${name ? `${name}, ` : ''}${node.operation.name} ${formatShape(content.shape)}${near}`;
  return `${what}, ${found}; what goes in reaches ${figure(await largest(inputs))}`;
}

async function largest(inputs: readonly Tensor[]): Promise<number> {
  let most = 0;
  for (const input of inputs) {
    if (input.dtype !== 'f32') continue;
    for (const x of await input.data()) most = Math.max(most, Math.abs(x));
  }
  return most;
}
