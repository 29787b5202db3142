/** Element types: every operation takes what it says, and refuses the rest before anything runs. */
import { describe, expect, test } from 'vitest';
import { DTypeError } from '../../engine/basics/errors.ts';
import type { DType } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import type { Specified } from '../../engine/specify.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import {
  add,
  broadcastTo,
  concat,
  exp,
  fullLike,
  mean,
  pad,
  reshape,
  slice,
  sum,
  transpose,
} from '../../kernels/index.ts';
import { guardAssignments } from '../../train/kernels/guard.ts';
import { sharedDevice, takeElements } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import { describeProblem, type Problem, referenceOf, tensorsOf } from './problems.ts';
import { byName } from './specified.ts';

sharedDevice();

/** What copies elements: it takes all types, and gives what it took. */
const MOVEMENT = [
  'broadcastTo',
  'chunk',
  'concat',
  'flatten',
  'flip',
  'pack',
  'pad',
  'part',
  'permute',
  'pixelShuffle',
  'pixelUnshuffle',
  'reshape',
  'slice',
  'split',
  'squeeze',
  'stack',
  'unsqueeze',
];

/** What takes flags of either type, or indices. */
const EITHER = ['crossEntropy', 'nllLoss', 'oneHot', 'replaceUnless', 'scatterAdd'];

const typeOf = ({ inputs }: Problem, i: number): DType => inputs[i].dtype ?? 'f32';

/** The problem with other types at these positions: words over their whole range, or numbers. */
const exchanged = (problem: Problem, positions: readonly number[]): Problem => ({
  ...problem,
  inputs: problem.inputs.map((input, i) => {
    if (!positions.includes(i)) return input;
    const { shape } = input;
    return typeOf(problem, i) === 'f32' ? { shape, dtype: 'u32', range: [0, 2 ** 32] } : { shape };
  }),
});

/** Each position alone, then all f32 at once, then all. */
function exchanges(problem: Problem): number[][] {
  const all = problem.inputs.map((_, i) => i);
  const floats = all.filter(i => typeOf(problem, i) === 'f32' && !problem.inputs[i].fixed);
  const sets = [...all.map(i => [i]), floats, all].filter(positions => positions.length > 0);
  return [...new Map(sets.map(positions => [positions.join(), positions])).values()];
}

type Way = readonly [string, (operation: Specified, problem: Problem) => readonly Tensor[]];

const compiled =
  (baked: boolean) =>
  (operation: Specified, problem: Problem): readonly Tensor[] => {
    using call = compile((...inputs: Tensor[]) => operation.call(inputs, problem.attributes), { baked });
    return call(...tensorsOf(problem));
  };

const WAYS: readonly Way[] = [
  ['uncompiled', (operation, problem) => operation.call(tensorsOf(problem), problem.attributes)],
  ['compiled', compiled(true)],
  ['compiled, sizes as arguments', compiled(false)],
];

/** Whether the operation took the problem. If it did, its results are right. */
async function isTaken(operation: Specified, problem: Problem, run: Way[1]): Promise<boolean> {
  let results: readonly Tensor[];
  try {
    results = tidy(() => run(operation, problem));
  } catch (error) {
    expect(error).toBeInstanceOf(DTypeError);
    expect((error as Error).message).toMatch(/^\w+: [^\n]*\b(f32|u32)\b[^\n]*\.$/);
    if (operation.operation) expect(error).toMatchObject({ operation: operation.name });
    return false;
  }
  const content = await takeElements(results);
  for (const [i, expected] of referenceOf(operation, problem).entries()) {
    const tolerance = content[i] instanceof Uint32Array ? 0 : (operation.tolerance ?? 1e-6);
    expect(relativeError(content[i], expected), `output ${i} of ${describeProblem(problem)}`).toBeLessThanOrEqual(
      tolerance,
    );
  }
  return true;
}

/** A number that words cannot hold, or be divided by. */
const hasNumber = ({ attributes: { value = 0, divisor = 1 } }: Problem): boolean =>
  !Number.isInteger(value) || divisor !== 1;

/** Operations on numbers and whole numbers alike are in integers.test.ts: whole numbers wrap around, and have no NaN. */
const SELECTION = ['cast', 'embedding', 'gather', 'indexSelect'];
const others = () =>
  byName().filter(([, { name, operation }]) => !SELECTION.includes(name) && !operation?.elementwise?.integers);

describe.each(WAYS)('%s', (_, run) => {
  test.each(others())('%s takes a type or refuses it', async (name, operation) => {
    for (const sample of operation.samples)
      for (const positions of exchanges(sample)) {
        const problem = exchanged(sample, positions);
        const taken = await isTaken(operation, problem, run);
        const types = new Set(problem.inputs.map((_, i) => typeOf(problem, i)));
        if (EITHER.includes(name)) continue;
        const shouldTake = MOVEMENT.includes(name) && types.size === 1 && !hasNumber(sample);
        expect(taken, describeProblem(problem)).toBe(shouldTake);
      }
  });
});

test('what it takes, and what it got', () => {
  const [words, numbers, integers] = [tensor(Uint32Array.of(1, 2)), tensor([1, 2]), tensor(Int32Array.of(1, 2))];
  const refused: readonly (readonly [() => unknown, string])[] = [
    [() => add(words, integers), 'add: expected tensors of one type of whole numbers, got i32 and u32: use cast().'],
    [() => exp(words), "exp: expected f32 for input 0, got u32. Use cast(x, 'f32')."],
    [() => sum(integers), "sum: expected f32 for input 0, got i32. Use cast(x, 'f32')."],
    [() => mean(words), "sum: expected f32 for input 0, got u32. Use cast(x, 'f32')."],
    [() => fullLike(words, 1), "fullLike: expected f32 for input 0, got u32. Use cast(x, 'f32')."],
    [() => concat([words, numbers]), 'concat: expected tensors of one type, got u32 and f32.'],
  ];
  for (const [call, message] of refused) {
    expect(() => tidy(call)).toThrow(new DTypeError(message.split(':')[0], message.replace(/^\w+: /, '')));
    using function_ = compile(() => {
      call();
      return undefined;
    });
    expect(() => function_()).toThrow(message);
  }
  words.dispose();
  integers.dispose();
  numbers.dispose();
});

describe('words', () => {
  const words = () => tensor(Uint32Array.of(0, 1, 0x7f800001, 2 ** 32 - 1));

  test.each([0, 1, 0x7fc00001, 2 ** 32 - 1])('are padded with %d', async value => {
    const [result] = await takeElements([tidy(() => pad(words(), [[1, 0]], { value }))]);
    expect([...result]).toEqual([value, 0, 1, 0x7f800001, 2 ** 32 - 1]);
  });

  test.each([-1, 0.5, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY])('are not padded with %d', value => {
    expect(() => tidy(() => pad(words(), [[1, 0]], { value }))).toThrow(DTypeError);
  });

  test('are not assigned to numbers', () => {
    using state = variable([1, 2, 3, 4], [4], { name: 'state' });
    using given = words();
    expect(() => state.assign(given)).toThrow(DTypeError);
  });

  test('keep their bits on a long way, compiled or not', async () => {
    const content = Uint32Array.of(0, 1, 0x7fc00001, 0xffc12345, 0x80000000, 0xffffffff);
    const body = (x: Tensor) => {
      const turned = transpose(reshape(x, [2, 3]));
      const padded = pad(
        turned,
        [
          [1, 0],
          [0, 1],
        ],
        { value: 7 },
      );
      const joined = concat([padded, slice(padded, [0, 0], [2, 3])]);
      return broadcastTo(reshape(joined, [6, 3, 1]), [2, 6, 3, 2]);
    };
    using call = compile(body);
    const [expected, got] = await takeElements(tidy(() => [body(tensor(content)), call(tensor(content))]));
    const [first, second, third] = [0, 1, 2].map(i => [content[i], content[i + 3], 7]);
    const rows = [[7, 7, 7], first, second, third, [7, 7, 7], first].flat();
    const once = rows.flatMap(word => [word, word]);
    expect([...expected]).toEqual([...once, ...once]);
    expect(got).toEqual(expected);
  });

  test('stay what they are where broadcasts are fused', async () => {
    using stretch = compile((x: Tensor) => broadcastTo(broadcastTo(reshape(x, [1, 4]), [3, 4]), [2, 3, 4]));
    const [result] = await takeElements([tidy(() => stretch(words()))]);
    expect([...result]).toEqual(Array.from({ length: 6 }, () => [0, 1, 0x7f800001, 2 ** 32 - 1]).flat());
  });

  test('are kept or replaced by a guard', async () => {
    using state = variable(Uint32Array.of(1, 2, 3), [3], { name: 'state' });
    using step = compile((next: Tensor, bad: Tensor) => {
      state.assign(next);
      guardAssignments(bad);
      return undefined;
    });
    tidy(() => void step(tensor(Uint32Array.of(4, 5, 2 ** 31)), tensor([1])));
    expect([...(await state.words())]).toEqual([1, 2, 3]);
    tidy(() => void step(tensor(Uint32Array.of(4, 5, 2 ** 31)), tensor([0])));
    expect([...(await state.words())]).toEqual([4, 5, 2 ** 31]);
  });
});
