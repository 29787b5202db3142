/** Einstein summation of one or two tensors, by products of matrices. */
import { ArgumentError, nameOf, quoted, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { requireTensors } from '../../engine/require.ts';
import { specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { mul } from '../elementwise/arithmetic.ts';
import { reshape } from '../movement/reshape.ts';
import { slice } from '../movement/slice.ts';
import { permute } from '../movement/strided.ts';
import { broadcastTo, sum } from '../reductions/sum.ts';
import { mapIndices } from '../references.ts';
import { multiply } from './matmul/index.ts';

/** The letters of each operand's axes, and of the result's. */
interface Equation {
  readonly operands: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/** Throws ArgumentError. */
function parse(text: string): Equation {
  const fail = (message: string) => new ArgumentError('einsum', `${message}, got ${quoted(text)}.`);
  if (typeof text !== 'string')
    throw new ArgumentError('einsum', `expected an equation such as "ij,jk->ik", got ${nameOf(text)}.`);
  const plain = text.replaceAll(' ', '');
  if (plain.includes('.')) throw fail('expected a letter for each axis (an ellipsis is not supported)');
  if (!/^[a-zA-Z]*(,[a-zA-Z]*)*(->[a-zA-Z]*)?$/.test(plain)) throw fail('expected an equation such as "ij,jk->ik"');
  const [left, right] = plain.split('->');
  const operands = left.split(',').map(part => [...part]);
  const all = operands.flat();
  // Without an arrow: what occurs once, in alphabetical order.
  const once = [...new Set(all)].filter(letter => all.indexOf(letter) === all.lastIndexOf(letter)).sort();
  const output = right === undefined ? once : [...right];
  if (new Set(output).size !== output.length) throw fail('expected distinct letters after the arrow');
  const unknown = output.find(letter => !all.includes(letter));
  if (unknown) throw fail(`expected "${unknown}" before the arrow too`);
  return { operands, output };
}

/** The size of each letter. Throws ShapeError unless axes of one letter have one size, or 1. */
function sizesOf({ operands }: Equation, shapes: readonly Shape[]): Map<string, number> {
  const sizes = new Map<string, number>();
  operands.forEach((letters, i) => {
    if (letters.length !== shapes[i].length)
      throw new ShapeError(
        'einsum',
        `expected ${letters.length} axes for "${letters.join('')}", got ${formatShape(shapes[i])}.`,
      );
    letters.forEach((letter, axis) => {
      const [known, size] = [sizes.get(letter) ?? 1, shapes[i][axis]];
      if (known !== 1 && size !== 1 && known !== size)
        throw new ShapeError(
          'einsum',
          `expected one size for "${letter}", got ${known} and ${size} (${shapes.map(formatShape).join(', ')}).`,
        );
      sizes.set(letter, Math.max(known, size));
    });
  });
  return sizes;
}

/** A tensor whose axes have letters, each a different one. */
interface Named {
  readonly x: Tensor;
  readonly letters: readonly string[];
}

const isSame = (a: readonly string[], b: readonly string[]) => a.join() === b.join();

/** With the axes in another order. */
const ordered = ({ x, letters }: Named, order: readonly string[]): Tensor =>
  isSame(letters, order)
    ? x
    : permute(
        x,
        order.map(letter => letters.indexOf(letter)),
      );

/** The elements at which all axes of one letter have the same index. */
function diagonal(x: Tensor, letters: readonly string[]): Named {
  const twice = letters.find((letter, axis) => letters.indexOf(letter) !== axis);
  if (!twice) return { x, letters };
  const [first, second] = [letters.indexOf(twice), letters.indexOf(twice, letters.indexOf(twice) + 1)];
  const others = letters.map((_, axis) => axis).filter(axis => axis !== first && axis !== second);
  const size = x.shape[first];
  const pairs = reshape(permute(x, [...others, first, second]), [...others.map(axis => x.shape[axis]), size * size]);
  const steps = pairs.shape.map((_, axis) => (axis === others.length ? size + 1 : 1));
  const chosen = slice(
    pairs,
    pairs.shape.map(() => 0),
    pairs.shape,
    steps,
  );
  return diagonal(chosen, [...others.map(axis => letters[axis]), twice]);
}

/** An operand with distinct axes of full size, summed over those that nothing else has. */
function prepared(x: Tensor, letters: readonly string[], sizes: Map<string, number>, kept: readonly string[]): Named {
  const full = broadcastTo(
    x,
    letters.map(letter => sizes.get(letter)!),
  );
  const { x: distinct, letters: names } = diagonal(full, letters);
  const axes = names.flatMap((letter, axis) => (kept.includes(letter) ? [] : [axis]));
  return {
    x: axes.length > 0 ? sum(distinct, { axes }) : distinct,
    letters: names.filter(letter => kept.includes(letter)),
  };
}

/** The product of two, summed over the letters that the output lacks; its axes are in some order. */
function product(a: Named, b: Named, output: readonly string[]): Named {
  const both = a.letters.filter(letter => b.letters.includes(letter));
  const contracted = both.filter(letter => !output.includes(letter));
  const batch = output.filter(letter => both.includes(letter));
  const left = a.letters.filter(letter => !both.includes(letter));
  const right = b.letters.filter(letter => !both.includes(letter));
  const shapeOf = ({ x, letters }: Named, some: readonly string[]) =>
    some.map(letter => x.shape[letters.indexOf(letter)]);
  const sizeIn = (one: Named, some: readonly string[]) => sizeOf(shapeOf(one, some));
  const [batchShape, leftShape, rightShape] = [shapeOf(a, batch), shapeOf(a, left), shapeOf(b, right)];
  const letters = [...batch, ...left, ...right];
  if (contracted.length === 0 || (left.length === 0 && right.length === 0)) {
    // No sum, or nothing else: elementwise, with axes of size 1 for the other's.
    const ones = (some: readonly string[]) => some.map(() => 1);
    const inner = shapeOf(a, contracted);
    const terms = mul(
      reshape(ordered(a, [...batch, ...left, ...contracted]), [...batchShape, ...leftShape, ...ones(right), ...inner]),
      reshape(ordered(b, [...batch, ...right, ...contracted]), [...batchShape, ...ones(left), ...rightShape, ...inner]),
    );
    const axes = contracted.map((_, i) => letters.length + i);
    return { x: axes.length > 0 ? sum(terms, { axes }) : terms, letters };
  }
  // Matrices that are read transposed need no other order.
  const transposeA = isSame(a.letters, [...batch, ...contracted, ...left]);
  const transposeB = isSame(b.letters, [...batch, ...right, ...contracted]);
  const [m, k, n] = [sizeIn(a, left), sizeIn(a, contracted), sizeIn(b, right)];
  const count = batch.length > 0 ? [sizeOf(batchShape)] : [];
  const p = transposeA
    ? reshape(a.x, [...count, k, m])
    : reshape(ordered(a, [...batch, ...left, ...contracted]), [...count, m, k]);
  const q = transposeB
    ? reshape(b.x, [...count, n, k])
    : reshape(ordered(b, [...batch, ...contracted, ...right]), [...count, k, n]);
  return {
    x: reshape(multiply(p, q, { transposeA, transposeB }), [...batchShape, ...leftShape, ...rightShape]),
    letters,
  };
}

/**
 * Products of the elements of one or two tensors, summed over the letters that are not in the result: "ij,jk->ik" is a product of
 * matrices, "bij->bji" a transposition, "ii" a trace. Each axis has a letter; without an arrow, the result has those that occur
 * once, in alphabetical order. Axes of size 1 broadcast. Throws ArgumentError for an equation and ShapeError for shapes that do not
 * fit. PyTorch's `einsum`, without ellipses.
 */
export function einsum(equation: string, ...tensors: Tensor[]): Tensor {
  const parsed = parse(equation);
  requireTensors('einsum', ...tensors);
  const { operands, output } = parsed;
  if (operands.length > 2 || operands.length !== tensors.length)
    throw new ArgumentError(
      'einsum',
      `expected one or two tensors, as many as ${quoted(equation)} has, got ${tensors.length}.`,
    );
  const sizes = sizesOf(
    parsed,
    tensors.map(({ shape }) => shape),
  );
  return tidy(() => {
    const [a, b] = operands.map((letters, i) =>
      prepared(tensors[i], letters, sizes, [...output, ...(operands[1 - i] ?? [])]),
    );
    const result = b ? product(a, b, output) : a;
    return ordered(result, output);
  });
}

/* @__PURE__ */ specifyFunction<{ readonly equation: string }>(() => ({
  name: 'einsum',
  summary: 'Einstein summation of one or two tensors.',
  call: (inputs, { equation }) => [einsum(equation, ...inputs)],
  reference(inputs, shapes, { equation }) {
    const parsed = parse(equation);
    const sizes = sizesOf(parsed, shapes);
    const letters = [...sizes.keys()];
    const strideOf = (names: readonly string[], shape: Shape) =>
      letters.map(letter =>
        names.reduce((total, name, axis) => {
          const stride = shape[axis] === 1 ? 0 : sizeOf(shape.slice(axis + 1));
          return name === letter ? total + stride : total;
        }, 0),
      );
    const target = parsed.output.map(letter => sizes.get(letter)!);
    const y = new Float64Array(sizeOf(target));
    const strides = [...parsed.operands.map((names, i) => strideOf(names, shapes[i])), strideOf(parsed.output, target)];
    mapIndices([...sizes.values()], strides, at => {
      y[at.at(-1)!] += inputs.reduce((all, x, i) => all * x[at[i]], 1);
      return 0;
    });
    return [y];
  },
  samples: [
    { inputs: [{ shape: [3, 4] }, { shape: [4, 5] }], attributes: { equation: 'ij,jk->ik' } },
    { inputs: [{ shape: [2, 3, 4] }, { shape: [2, 5, 4] }], attributes: { equation: 'bij,bkj->bki' } },
    { inputs: [{ shape: [3, 2, 3] }], attributes: { equation: 'iji' } },
  ],
  random(choose) {
    const size = { i: choose.integer(1, 4), j: choose.integer(1, 4), k: choose.integer(1, 4), b: choose.integer(1, 3) };
    const equation = choose.pick([
      'bij,bjk->bik',
      'ijb,kb->kij',
      'ij,ij',
      'ij,kj->i',
      'i,j',
      'bij,b->ji',
      'bi,ib->bi',
      'ii,ij->j',
      'kji->ijk',
      'ij->',
    ]);
    const operands = equation.split('->')[0].split(',');
    return {
      inputs: operands.map(names => ({ shape: [...names].map(name => size[name as keyof typeof size]) })),
      attributes: { equation },
    };
  },
  tolerance: 2e-6,
}));
