/** Keys of caches: the same text for the same operation and attributes, and for nothing else. */
import { expect, test } from 'vitest';
import { apply } from '../../engine/apply.ts';
import { compile } from '../../engine/compile.ts';
import { keyOf } from '../../engine/graph/key.ts';
import type { Attributes, Operation } from '../../engine/graph/operation.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { lowerElementwise } from '../../engine/text/elementwise.ts';
import { single } from '../../engine/text/expression.ts';
import { sharedDevice, takeOne } from '../device.ts';

sharedDevice();

const operation = { name: 'same' };

const different: readonly Attributes[] = [
  {},
  { value: 0 },
  { value: -0 },
  { value: Number.NaN },
  { value: null },
  { value: Number.POSITIVE_INFINITY },
  { value: Number.NEGATIVE_INFINITY },
  { value: undefined },
  { value: 'undefined' },
  { value: 'NaN' },
  { value: '0' },
  { value: 0.1 + 0.2 },
  { value: 0.3 },
  { value: true },
  { value: 0n },
  { value: [] },
  { value: {} },
  { value: [1, 2] },
  { value: ['1,2'] },
  { value: ['1', '2'] },
  { value: [[1], 2] },
  { value: [[1, 2]] },
  { value: [undefined] },
  { value: { a: 1 } },
  { value: { 'a":1,"b': 1 } },
  { value: { a: 1, b: 1 } },
  { value: new Date(0) },
  { value: new Date(0) },
  { value: () => 1 },
  { other: 0 },
];

test('attributes that differ have different keys', () => {
  const keys = different.map(attributes => keyOf(operation, attributes));
  expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
});

test('attributes that are the same have the same key', () => {
  const one = () => ({ shape: [1, [2, 3]], mode: 'x', value: Number.NaN, none: undefined, nested: { a: -0 } });
  expect(keyOf(operation, one())).toBe(keyOf(operation, one()));
  const given = new Date(1);
  expect(keyOf(operation, { given })).toBe(keyOf(operation, { given }));
});

test('operations are told apart by what they are, not by their name', () => {
  expect(keyOf(operation, {})).toBe(keyOf(operation, {}));
  expect(keyOf({ ...operation }, {})).not.toBe(keyOf(operation, {}));
});

/** x · value + `added`, where an attribute that is not given counts as 10. */
const scaled = (added: number): Operation<{ readonly value: number | undefined }> => ({
  name: 'test.scaled',
  infer: ([x]) => [x],
  lower: ({ inputs: [x], outputs: [y], attributes, baked }, traits) =>
    lowerElementwise(
      {
        name: 'scaled',
        expression: single(
          { expression: ([x], { value }, number) => `${x} * ${number((value as number) ?? 10)} + ${number(added)}` },
          attributes,
          1,
        ),
        inputs: [x],
        output: y,
        baked,
      },
      traits,
    ),
});

test('programs and graphs mix up neither operations of one name nor attributes', async () => {
  const [one, other] = [scaled(0), scaled(1)];
  const { POSITIVE_INFINITY: infinity, NaN: nan } = Number;
  const sum = (x: Tensor) => [
    ...[0, -0, nan, infinity, -infinity, undefined].flatMap(value => apply(one, [x], { value })),
    ...apply(other, [x], { value: infinity }),
    ...apply(other, [x], { value: undefined }),
    ...apply(one, [x], {} as { value: undefined }),
  ];
  const expected = [0, 0, nan, infinity, -infinity, 20, infinity, 21, 20];
  using compiled = compile(sum);
  for (const run of [sum, compiled]) {
    const results = tidy(() => run(tensor([2])));
    const got: number[] = [];
    for (const result of results) got.push((await takeOne(result))[0]);
    expect(got).toEqual(expected);
  }
});
