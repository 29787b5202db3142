/** Whole numbers and conditions: arithmetic that wraps around, exact comparisons, common types, conversions. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgumentError, DTypeError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { currentDevice, type Elements, type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import {
  abs,
  add,
  argmax,
  cast,
  concat,
  crossEntropy,
  div,
  embedding,
  equal,
  gather,
  grad,
  greater,
  indexSelect,
  less,
  logicalAnd,
  logicalNot,
  maximum,
  minimum,
  mul,
  neg,
  notEqual,
  type Operand,
  pad,
  permute,
  sign,
  sub,
  sum,
  where,
} from '../../kernels/index.ts';
import { sharedDevice } from '../device.ts';
import { SEED } from './problems.ts';

sharedDevice();

/** Numbers where float32 would round, and the bounds. */
const anyInteger = fc.oneof(
  fc.integer({ min: -9, max: 9 }),
  fc.integer(),
  fc.constantFrom(2 ** 24 + 1, -(2 ** 24) - 1, 2 ** 31 - 1, -(2 ** 31)),
);

type Wrap = (value: number) => number;
const TYPES = { i32: [Int32Array, (v: number) => v | 0], u32: [Uint32Array, (v: number) => v >>> 0] } as const;

type Binary = readonly [
  name: string,
  call: (a: Operand, b: Operand) => Tensor,
  right: (a: number, b: number, wrap: Wrap) => number,
  result?: 'bool',
];
const BINARIES: readonly Binary[] = [
  ['add', add, (a, b, wrap) => wrap(a + b)],
  ['sub', sub, (a, b, wrap) => wrap(a - b)],
  ['mul', mul, (a, b, wrap) => wrap(Math.imul(a, b))],
  [
    'div trunc',
    (a, b) => div(a, b, { rounding: 'trunc' }),
    (a, b, wrap) => (b === 0 ? 0 : wrap(Math.trunc(a / b)) + 0),
  ],
  [
    'div floor',
    (a, b) => div(a, b, { rounding: 'floor' }),
    (a, b, wrap) => (b === 0 ? 0 : wrap(Math.floor(a / b)) + 0),
  ],
  ['maximum', maximum, (a, b) => Math.max(a, b)],
  ['minimum', minimum, (a, b) => Math.min(a, b)],
  ['equal', equal, (a, b) => Number(a === b), 'bool'],
  ['notEqual', notEqual, (a, b) => Number(a !== b), 'bool'],
  ['less', less, (a, b) => Number(a < b), 'bool'],
  ['greater', greater, (a, b) => Number(a > b), 'bool'],
  ['logicalAnd', logicalAnd, (a, b) => Number(a !== 0 && b !== 0), 'bool'],
];

async function read(result: Tensor): Promise<{ dtype: string; values: number[] }> {
  const { dtype } = result;
  try {
    return { dtype, values: [...(await result.elements())] };
  } finally {
    result.dispose();
  }
}

describe.each(['i32', 'u32'] as const)('%s', type => {
  const [Kind, wrap] = TYPES[type];
  const elements = (values: readonly number[]): Elements => Kind.from(values.map(wrap));

  test.each(BINARIES.map(binary => ({ name: binary[0], binary })))(
    '$name, compiled and not, with tensors and numbers',
    async ({ binary: [, call, right, result] }) => {
      using baked = compile((a: Tensor, b: Tensor) => call(call(a, b), b), { baked: true });
      using general = compile((a: Tensor, b: Tensor) => call(call(a, b), b));
      await fc.assert(
        fc.asyncProperty(fc.array(anyInteger, { minLength: 7, maxLength: 7 }), anyInteger, async (values, other) => {
          const [a, b] = [elements(values), elements([other])];
          const once = [...a].map(value => right(value, b[0], wrap));
          const twice = once.map(value => right(value, b[0], wrap));
          const dtype = result ?? type;
          expect(await read(tidy(() => call(tensor(a), tensor(b))))).toEqual({ dtype, values: once });
          expect(await read(tidy(() => call(tensor(a), b[0])))).toEqual({ dtype, values: once });
          expect(await read(tidy(() => call(b[0], tensor(a))))).toEqual({
            dtype,
            values: [...a].map(value => right(b[0], value, wrap)),
          });
          // A condition beside whole numbers counts as 0 or 1.
          for (const compiled of [baked, general])
            expect(await read(tidy(() => compiled(tensor(a), tensor(b))))).toEqual({ dtype, values: twice });
        }),
        { seed: SEED, numRuns: 3 },
      );
    },
  );

  test('unary operations', async () => {
    const values = elements([0, 1, -1, 2 ** 31, 2 ** 31 - 1]);
    expect((await read(tidy(() => neg(tensor(values))))).values).toEqual([...values].map(value => wrap(-value)));
    const positive = (value: number) => (type === 'u32' ? value : wrap(Math.abs(value)));
    expect((await read(tidy(() => abs(tensor(values))))).values).toEqual([...values].map(positive));
    expect((await read(tidy(() => sign(tensor(values))))).values).toEqual([...values].map(Math.sign));
    expect(await read(tidy(() => logicalNot(tensor(values))))).toEqual({
      dtype: 'bool',
      values: [1, 0, 0, 0, 0],
    });
  });

  test('a quotient, and an operand that is not whole, are f32', async () => {
    const values = elements([1, 3]);
    expect(await read(tidy(() => div(tensor(values), 2)))).toEqual({ dtype: 'f32', values: [0.5, 1.5] });
    expect(await read(tidy(() => add(tensor(values), 0.5)))).toEqual({ dtype: 'f32', values: [1.5, 3.5] });
    expect(await read(tidy(() => mul(tensor(values), tensor([0.5, 2]))))).toEqual({ dtype: 'f32', values: [0.5, 6] });
  });

  test('a number beyond the range is refused', () => {
    const call = () => tidy(() => add(tensor(elements([1])), 2 ** 32));
    expect(call).toThrow(new ArgumentError('add', `expected a number in the range of ${type}, got 4294967296.`));
  });

  test('selection by a condition of any type', async () => {
    const [a, b] = [elements([1, 2, 2 ** 31 - 1]), elements([9, 8, 7])];
    const expected = { dtype: type, values: [1, 8, 2 ** 31 - 1] };
    for (const condition of [
      tensor([true, false, true]),
      tensor([2, 0, Number.NaN]),
      tensor(Int32Array.of(-(2 ** 31), 0, 1)),
    ]) {
      expect(await read(tidy(() => where(condition, tensor(a), tensor(b))))).toEqual(expected);
      condition.dispose();
    }
    expect((await read(tidy(() => where(tensor([true, false]), tensor(elements([1, 2])), 5)))).values).toEqual([1, 5]);
  });

  test('movement keeps values and type', async () => {
    const values = elements([2 ** 31 - 1, 5, 2 ** 24 + 1, 7, 8, 9]);
    const result = await read(
      tidy(() => concat([permute(tensor(values, [2, 3]), [1, 0]), tensor(elements([3, 4]), [1, 2])], 0)),
    );
    expect(result).toEqual({ dtype: type, values: [2 ** 31 - 1, 7, 5, 8, 2 ** 24 + 1, 9, 3, 4] });
  });

  test('are gathered; what is outside becomes the number farthest away', async () => {
    const values = elements([2 ** 31 - 1, 5, 2 ** 24 + 1]);
    const outside = type === 'i32' ? -(2 ** 31) : 2 ** 32 - 1;
    const index = () => tensor(Int32Array.of(2, 0, 3, -1));
    for (const one of [() => gather(tensor(values), 0, index()), () => indexSelect(tensor(values), 0, index())])
      expect(await read(tidy(one))).toEqual({ dtype: type, values: [2 ** 24 + 1, 2 ** 31 - 1, outside, outside] });
  });

  test('indices of this type select as f32 ones do', async () => {
    const weight = [1, 2, 3, 4, 5, 6];
    const rows = (index: Tensor) => embedding(tensor(weight, [3, 2]), index);
    expect((await read(tidy(() => rows(tensor(elements([2, 0])))))).values).toEqual([5, 6, 1, 2]);
    const loss = (target: Tensor) => crossEntropy(tensor([1, 2, 3, 0, 0, 1], [2, 3]), target);
    const [wanted, got] = [
      await read(tidy(() => loss(tensor([0, 2])))),
      await read(tidy(() => loss(tensor(elements([0, 2]))))),
    ];
    expect(got).toEqual(wanted);
  });
});

test('conditions are bool, count as 0 and 1, and mask', async () => {
  const x = [-1, 2, Number.NaN];
  expect(await read(tidy(() => greater(tensor(x), 0)))).toEqual({ dtype: 'bool', values: [0, 1, 0] });
  expect(await read(tidy(() => mul(greater(tensor(x), 0), 5)))).toEqual({ dtype: 'f32', values: [0, 5, 0] });
  expect(await read(tidy(() => sum(greater(tensor(x), -2))))).toEqual({ dtype: 'f32', values: [2] });
  expect(await read(tidy(() => add(greater(tensor(x), 0), tensor(Int32Array.of(2 ** 24 + 1)))))).toEqual({
    dtype: 'i32',
    values: [2 ** 24 + 1, 2 ** 24 + 2, 2 ** 24 + 1],
  });
  expect(await read(tidy(() => concat([greater(tensor(x), 0), tensor([7])])))).toMatchObject({ values: [0, 1, 0, 7] });
});

test('a mask can be assigned to numbers, and multiplied with a gradient', async () => {
  using state = variable([5, 5]);
  tidy(() => state.assign(less(tensor([1, 3]), 2)));
  expect([...(await state.data())]).toEqual([1, 0]);
  using x = tensor([1, 3], [2], { requiresGrad: true });
  expect((await read(tidy(() => grad(sum(mul(x, less(x, 2))), [x])[0]))).values).toEqual([1, 0]);
});

test('positions are i32', async () => {
  expect(await read(tidy(() => argmax(tensor([1, 5, 2, 7, 0, 0], [2, 3]), { axis: 1 })))).toEqual({
    dtype: 'i32',
    values: [1, 0],
  });
  expect((await read(tidy(() => equal(argmax(tensor([1, 5])), tensor([1]))))).values).toEqual([1]);
});

test('a negative index is outside', async () => {
  const [index, other] = [tensor(Int32Array.of(-1)), tensor([-1])];
  const [got, wanted] = [index, other].map(one => tidy(() => gather(tensor([1, 2, 3]), 0, one)));
  expect(await read(got)).toEqual(await read(wanted));
  index.dispose();
  other.dispose();
});

describe('cast', () => {
  test('there and back', async () => {
    expect(await read(tidy(() => cast(cast(tensor([1.5, -2.5, 3e9]), 'i32'), 'f32')))).toEqual({
      dtype: 'f32',
      values: [1, -2, 2 ** 31],
    });
    expect(await read(tidy(() => cast(cast(tensor(Int32Array.of(-1, 5)), 'u32'), 'i32')))).toEqual({
      dtype: 'i32',
      values: [-1, 5],
    });
  });

  test('a bool becomes f32 without a kernel, and the same type is an alias', () => {
    using x = tensor([true, false]);
    const before = currentDevice().memory.figures().live;
    using y = cast(x, 'f32');
    using z = cast(x, 'bool');
    expect([y.dtype, z.dtype]).toEqual(['f32', 'bool']);
    expect(currentDevice().memory.figures().live).toBe(before);
  });

  test('no gradient flows', async () => {
    using x = tensor([1.5, 2.5], [2], { requiresGrad: true });
    const [dx] = tidy(() => grad(sum(mul(cast(cast(x, 'i32'), 'f32'), x)), [x]));
    expect((await read(dx)).values).toEqual([1, 2]);
  });

  test('refuses what is no type', () => {
    using x = tensor([1]);
    expect(() => cast(x, 'f64' as 'f32')).toThrow(
      new ArgumentError('cast', 'expected a type of f32, i32, u32, bool, got f64.'),
    );
  });
});

test('padding keeps a condition a condition', async () => {
  expect((await read(tidy(() => pad(tensor([true]), [[1, 1]], { value: 1 })))).values).toEqual([1, 1, 1]);
  expect(() => tidy(() => pad(tensor([true]), [[1, 1]], { value: 5 }))).toThrow(DTypeError);
});

test('whole numbers have no gradient', () => {
  expect(() => tensor(Int32Array.of(1), [1], { requiresGrad: true })).toThrow(
    new DTypeError('tensor', 'requiresGrad: expected an f32 tensor, got i32.'),
  );
  using state = variable(Int32Array.of(1));
  expect(state.requiresGrad).toBe(false);
});

test('content is read by its type', async () => {
  using x = tensor(Int32Array.of(-1));
  await expect(x.data()).rejects.toThrow('data: expected an f32 tensor, got i32: use integers().');
  await expect(x.words()).rejects.toThrow('words: expected a u32 tensor, got i32: use integers().');
  expect([await x.item(), [...(await x.integers())]]).toEqual([-1, [-1]]);
  expect(() => tensor([1, true] as number[])).toThrow('tensor: expected numbers, got a boolean at index 1.');
});
