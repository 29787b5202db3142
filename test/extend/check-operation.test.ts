/** `checkOperation` finds what is wrong with an operation. */
import { describe, expect, test } from 'vitest';
import { DaybreakError } from '../../engine/basics/errors.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import {
  apply,
  applyOne,
  assembleElements,
  checkOperation,
  defineElementwise,
  defineOp,
  input,
  like,
  Numbers,
  OperationCheckError,
  output,
  sizeOf,
} from '../../extend/index.ts';
import { conv2d, customGradient, mul, round, square, sum } from '../../kernels/index.ts';
import { sharedDevice } from '../device.ts';

sharedDevice();

const PROBLEM = [[{ shape: [3, 4] }]];

/** An operation with one input and this kernel text; its gradient claims to be 2x · gradient. */
const operation = (name: string, text: (baked: boolean) => string) => {
  const op = defineOp<Record<never, never>>({
    name,
    infer: ([x]) => [like(x, x.shape)],
    lower({ inputs: [{ shape }], baked }, traits) {
      const n = sizeOf(shape);
      const parts = { name, reads: ['x'], numbers: new Numbers(baked, { n }), elements: n, count: 'n' };
      const kernel = assembleElements({ ...parts, body: text(baked) }, traits);
      return { steps: [{ kernel, operands: [input(0), output(0)] }], scratch: [] };
    },
    gradient: ({ grads: [gradient], inputs: [x] }) => [mul(mul(gradient!, x), 2)],
  });
  return (x: Tensor) => apply(op, [x], {})[0];
};

describe('right operations pass', () => {
  test('a kernel, with and without a reference', async () => {
    const call = operation('testSquare', () => 'result[index] = x[index] * x[index];');
    await checkOperation(call, PROBLEM);
    await checkOperation(call, PROBLEM, { reference: ([x]) => [x.map(value => value * value)] });
  });

  test('functions of several tensors and results', async () => {
    const call = (x: Tensor, weight: Tensor) => [conv2d(x, weight), sum(x)];
    await checkOperation(call, [[{ shape: [1, 2, 5, 4] }, { shape: [3, 2, 3, 3] }]], { tolerance: 2e-6 });
  });

  test('words and fixed inputs have no gradient', async () => {
    await checkOperation(x => round(x), [[{ shape: [4], fixed: true, values: [0.5, -0.5, NaN, Infinity] }]], {
      reference: () => [Float64Array.of(0, -0, NaN, Infinity)],
    });
  });
});

describe('wrong ones are found', () => {
  test.each([
    [
      'a result',
      () => square,
      { reference: ([x]: readonly Float64Array[]) => [x.map(Math.abs)] },
      /^on inputs \[3, 4\]: output 0 and the reference differ by .+, expected at most 0\.000001\.$/,
    ],
    [
      'a gradient, with a reference',
      () => (x: Tensor) => customGradient([x], { forward: x => square(x), backward: given => [given] }),
      { reference: ([x]: readonly Float64Array[]) => [x.map(value => value * value)] },
      /the gradient of input 0 gives a slope of .+, finite differences give/,
    ],
    [
      'a gradient, without one',
      () => operation('testCube', () => 'result[index] = x[index] * x[index] * x[index];'),
      {},
      /the gradient of input 0/,
    ],
    [
      'a kernel that depends on how sizes are given',
      () => operation('testBaked', baked => `result[index] = x[index] * ${baked ? '2.0' : '1.0'};`),
      { gradients: false },
      /result 0 compiled with sizes as constants and eager differ/,
    ],
    [
      'a number of outputs',
      () => square,
      { reference: ([x]: readonly Float64Array[]) => [x, x] },
      /expected 2 outputs, as the reference has, got 1/,
    ],
  ] as const)('%s', async (_, make, options, message) => {
    const checked = checkOperation(make() as (x: Tensor) => Tensor, PROBLEM, options);
    await expect(checked).rejects.toThrow(OperationCheckError);
    await expect(checked).rejects.toThrow(message);
  });

  test('NaN where the reference has none', async () => {
    const call = (x: Tensor) => mul(x, tensor([NaN]));
    await expect(checkOperation(call, PROBLEM, { reference: ([x]) => [x], gradients: false })).rejects.toThrow(
      OperationCheckError,
    );
  });
});

test('two operations of one name are refused', () => {
  const make = () => defineElementwise({ name: 'testTwice', arity: 1, expression: ([x]) => `${x}` });
  const first = make();
  expect(make).toThrow(DaybreakError);
  expect(make).toThrow('defineOp: an operation "testTwice" exists already.');
  expect(() => defineElementwise({ name: 'add', arity: 1, expression: ([x]) => `${x}` })).toThrow(/"add" exists/);
  using x = tensor([1]);
  applyOne(first, [x], {}).dispose();
});
