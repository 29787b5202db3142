import { describe, expect, test } from 'vitest';
import { sharedDevice } from '../device.ts';
import { SmallTraining } from './small-training.ts';

const device = sharedDevice();

const mean = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

test('the loss falls', async () => {
  using training = new SmallTraining(device());
  const losses = (await training.to(400, 4e-3)).map(({ loss }) => loss);
  expect(losses).toHaveLength(400);
  expect(mean(losses.slice(-20))).toBeLessThan(0.4 * mean(losses.slice(0, 5)));
});

describe('updates', () => {
  test('are in order, each with the learning rate of its step', async () => {
    using training = new SmallTraining(device());
    const asked: number[] = [];
    const results = await training.to(7, step => {
      asked.push(step);
      return 1e-3;
    });
    expect(results.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect((await training.state()).steps).toBe('7');
    // Nothing is left to do.
    expect(await training.to(7)).toEqual([]);
  });

  test('have the same bits in another training, and differ with another seed or rate', async () => {
    const states: Record<string, string>[] = [];
    const losses: number[][] = [];
    for (const [seed, rate] of [
      [1, 1e-3],
      [1, 1e-3],
      [2, 1e-3],
      [1, 2e-3],
    ]) {
      using training = new SmallTraining(device(), seed);
      losses.push((await training.to(6, rate)).map(({ loss }) => loss));
      states.push(await training.state());
    }
    expect(states[1]).toEqual(states[0]);
    expect(losses[1]).toEqual(losses[0]);
    expect(losses[2][0]).not.toBe(losses[0][0]);
    expect(losses[3][0]).toBe(losses[0][0]);
    expect(losses[3][1]).not.toBe(losses[0][1]);
  });

  test('change every weight, moment and running statistic', async () => {
    using training = new SmallTraining(device());
    const before = await training.state();
    await training.to(2);
    const after = await training.state();
    expect(Object.keys(after).filter(name => after[name] === before[name])).toEqual([]);
  });

  test('need no warm-up: the first one is the warm-up', async () => {
    using plain = new SmallTraining(device());
    using warm = new SmallTraining(device());
    expect(warm.trainer.figures).toBeUndefined();
    const kernels: [number, number][] = [];
    const first = await warm.trainer.warmUp(
      () => 1e-3,
      (done, total) => kernels.push([done, total]),
    );
    expect(kernels.map(([done]) => done)).toEqual(kernels.map((_, i) => i + 1));
    expect(new Set(kernels.map(([, total]) => total))).toEqual(new Set([kernels.length]));
    expect(warm.trainer.figures?.dispatches).toBeGreaterThanOrEqual(kernels.length);
    expect([first, ...(await warm.to(4))]).toEqual(await plain.to(4));
    expect(await warm.state()).toEqual(await plain.state());
  });
});

describe('the host', () => {
  test('is never more than two updates ahead of the results', async () => {
    using training = new SmallTraining(device());
    const { trainer } = training;
    const ahead: number[] = [];
    for await (const { step } of trainer.run(8, () => 1e-3)) ahead.push(trainer.step - step);
    expect(ahead).toEqual([2, 2, 2, 2, 2, 2, 1, 0]);
  });

  test('does not wait if results are not used', async () => {
    using training = new SmallTraining(device());
    const run = training.trainer.run(8, () => 1e-3);
    await run.next();
    await device().finished();
    expect(training.trainer.step).toBe(3);
    await run.return();
    // What was under way is made; going on from there gives what an unbroken training gives.
    // No result is lost: those that were pending come first.
    expect((await training.to(8)).map(({ step }) => step)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    using unbroken = new SmallTraining(device());
    await unbroken.to(8);
    expect(await training.state()).toEqual(await unbroken.state());
  });

  test('stops at a signal, after finishing and reporting started updates', async () => {
    using training = new SmallTraining(device());
    const controller = new AbortController();
    const results = await training.to(
      20,
      step => {
        if (step === 5) controller.abort();
        return 1e-3;
      },
      controller.signal,
    );
    expect(results.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(training.trainer.step).toBe(6);
    expect((await training.state()).steps).toBe('6');
    expect(await training.to(20, 1e-3, AbortSignal.abort())).toEqual([]);
  });
});

test('waiting for crops is measured in seconds, and short', async () => {
  using training = new SmallTraining(device());
  await training.to(30);
  expect(training.trainer.waitedForData).toBeGreaterThan(0);
  expect(training.trainer.waitedForData).toBeLessThan(1);
});

describe('memory', () => {
  test('does not grow with the updates', async () => {
    using training = new SmallTraining(device());
    await training.to(20);
    await device().finished();
    const before = device().memory.figures();
    await training.to(120);
    await device().finished();
    expect(device().memory.figures()).toEqual(before);
  });

  test('is all freed, also after an abort', async () => {
    const { live, buffers } = device().memory.figures();
    {
      using training = new SmallTraining(device());
      const run = training.trainer.run(8, () => 1e-3);
      await run.next();
      await run.return();
      await device().finished();
    }
    // The results that nobody waited for arrive.
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(device().memory.figures()).toMatchObject({ live, buffers });
  });
});
