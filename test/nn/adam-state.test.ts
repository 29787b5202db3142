/** What Adam keeps and gives back, and what it refuses. */
import { describe, expect, test } from 'vitest';
import { DaybreakError, ShapeError } from '../../engine/basics/errors.ts';
import { tensor } from '../../engine/tensor.ts';
import type { Variable } from '../../engine/variable.ts';
import { Adam } from '../../nn/optim/adam.ts';
import { sharedDevice } from '../device.ts';
import { contentOf, disposing, first, gradientsAt, parametersOf, SHAPES, sizeOf, update } from './adam-parameters.ts';

const device = sharedDevice();

describe('state', () => {
  test('has moments for each parameter', async () => {
    const parameters = parametersOf();
    const adam = new Adam(parameters);
    await disposing(parameters, adam, async () => {
      const gradients = SHAPES.map((shape, i) => new Float32Array(sizeOf(shape)).fill(2 ** i));
      update(adam, gradients);
      const { steps, moments } = await adam.state();
      expect(steps).toBe(1);
      expect(moments.map(({ first: m, second: v }) => [m.length, v.length])).toEqual([
        [15, 15],
        [70, 70],
        [64, 64],
        [1, 1],
      ]);
      for (const [i, { first: m, second: v }] of moments.entries()) {
        expect(new Set(m)).toEqual(new Set([Math.fround(Math.fround(1 - 0.9) * 2 ** i)]));
        expect(new Set(v)).toEqual(new Set([Math.fround(Math.fround(1 - 0.999) * 4 ** i)]));
      }
    });
  });

  test('restored in another optimizer, gives the same bits as an unbroken training', async () => {
    const [unbroken, before] = [parametersOf(), parametersOf()];
    const [whole, half] = [new Adam(unbroken), new Adam(before)];
    await disposing(unbroken, whole, () =>
      disposing(before, half, async () => {
        for (let t = 0; t < 8; t++) update(whole, gradientsAt(t));
        for (let t = 0; t < 4; t++) update(half, gradientsAt(t));
        const after = parametersOf(await contentOf(before));
        const rest = new Adam(after);
        await disposing(after, rest, async () => {
          rest.load(await half.state());
          for (let t = 4; t < 8; t++) update(rest, gradientsAt(t));
          expect(await contentOf(after)).toEqual(await contentOf(unbroken));
          expect(await rest.state()).toEqual(await whole.state());
        });
      }),
    );
  });

  test('of other parameters is rejected, and changes nothing', async () => {
    const parameters = parametersOf();
    const adam = new Adam(parameters);
    await disposing(parameters, adam, async () => {
      update(adam, gradientsAt(0));
      const before = await adam.state();
      const [, ...fewer] = before.moments;
      expect(() => adam.load({ steps: 9, moments: fewer })).toThrow('Adam: expected moments of 4 parameters, got 3.');
      const shorter = before.moments.map(moment => ({ ...moment, second: moment.second.slice(1) }));
      expect(() => adam.load({ steps: 9, moments: shorter })).toThrow(
        'Adam: expected moments of 15 elements for parameter 0 of shape [3, 5], got 15 and 14.',
      );
      expect(await adam.state()).toEqual(before);
    });
  });
});

describe('invalid arguments', () => {
  test('no parameters', () => {
    expect(() => new Adam([])).toThrow('Adam: expected at least one parameter, got none.');
  });

  test.each([
    ['a second optimizer', (parameters: readonly Variable[]) => parameters.slice(1)],
    ['a parameter twice', (parameters: readonly Variable[]) => [...parameters, parameters[0]]],
  ])('%s, without using memory', async (what, choose) => {
    const parameters = parametersOf();
    const adam = what === 'a second optimizer' ? new Adam(parameters) : undefined;
    const { live } = device().memory.figures();
    expect(() => new Adam(choose(parameters))).toThrow(/belongs to another optimizer already|got one twice/);
    expect(device().memory.figures().live).toBe(live);
    // Nothing has moved halfway.
    expect(await contentOf(parameters)).toEqual(first());
    adam?.dispose();
    for (const parameter of parameters) parameter.dispose();
  });

  test('too few or too many gradients, or wrong shapes', async () => {
    const parameters = parametersOf();
    const adam = new Adam(parameters);
    await disposing(parameters, adam, async () => {
      const tensors = gradientsAt(0).map((data, i) => tensor(data, SHAPES[i]));
      const flat = tensor(gradientsAt(0)[0]);
      const few = () => adam.update(tensors.slice(1));
      expect(few).toThrow(DaybreakError);
      expect(few).toThrow('Adam: expected 4 gradients, one per parameter, got 3.');
      expect(() => adam.update([...tensors, flat])).toThrow('got 5.');
      // A gradient's place in the packed buffer has room to spare: a wrong one would not be noticed there.
      expect(() => adam.update([flat, ...tensors.slice(1)])).toThrow(ShapeError);
      expect(() => adam.update([flat, ...tensors.slice(1)])).toThrow(
        'expected a gradient of shape [3, 5] for parameter 0, got [15]',
      );
      expect(() => adam.update(tensors, { lr: flat })).toThrow(
        'lr and skip of update() can only be used inside compile()',
      );
      for (const one of [...tensors, flat]) one.dispose();
      expect(await contentOf(parameters)).toEqual(first());
      expect((await adam.state()).steps).toBe(0);
    });
  });
});

test('disposing frees the moments at once, and parameters with their owners', async () => {
  const { live } = device().memory.figures();
  const parameters = parametersOf();
  const adam = new Adam(parameters);
  update(adam, gradientsAt(0));
  await device().finished();
  const held = device().memory.figures().live;
  adam.dispose();
  const kept = device().memory.figures().live;
  expect(kept).toBeLessThan(held);
  expect((await contentOf(parameters)).every(data => data.every(Number.isFinite))).toBe(true);
  for (const parameter of parameters) parameter.dispose();
  expect(device().memory.figures().live).toBe(live);
});
