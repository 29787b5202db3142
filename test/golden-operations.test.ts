/** The table from golden operations to functions refuses what it does not know, by name. */
import { expect, test } from 'vitest';
import { tensor, tidy } from '../engine/tensor.ts';
import { sharedDevice, takeOne } from './device.ts';
import { callGolden, type GoldenCase } from './golden-operations.ts';

sharedDevice();

const caseOf = (op: string, attrs: GoldenCase['attrs'] = {}): GoldenCase => ({
  name: `${op}/0`,
  op,
  attrs,
  inputs: ['x'],
  grads: [],
});

test('an operation that it does not know', () => {
  tidy(() => {
    const x = tensor([1, 2]);
    expect(() => callGolden(caseOf('lgamma'), { x })).toThrow(/an operation "lgamma"/);
    expect(() => callGolden(caseOf('toString'), { x })).toThrow(/an operation "toString"/);
  });
});

test('an attribute that it does not know, and one that is missing', () => {
  tidy(() => {
    const x = tensor([1, 2]);
    expect(() => callGolden(caseOf('relu', { dilation: 2 }), { x })).toThrow(/ask relu for dilation/);
    expect(() => callGolden(caseOf('clamp', { min: 0 }), { x })).toThrow(/lacks the attribute max/);
  });
});

test('what it knows, it calls', async () => {
  const call = () => callGolden(caseOf('clamp', { min: 0, max: 1 }), { x: tensor([-1, 0.5, 2]) });
  expect([...(await takeOne(tidy(call)))]).toEqual([0, 0.5, 1]);
});
