/** Medians, alternation, enough repetitions, a limit of time. */
import { describe, expect, test } from 'vitest';
import { alternatingOrder, type Contender, measure, median, timed } from '../../bench/measure.ts';

test('the median', () => {
  expect(median([3])).toBe(3);
  expect(median([5, 1, 3])).toBe(3);
  expect(median([10, 1, 2, 9])).toBe(5.5);
  expect(() => median([])).toThrow(RangeError);
});

test('rounds go forwards and backwards in turn', () => {
  expect([...alternatingOrder(3, 3)]).toEqual([
    [0, 1, 2],
    [2, 1, 0],
    [0, 1, 2],
  ]);
});

test('time passes while work sleeps, CPU time does not', async () => {
  const { ms, cpuMs } = await timed(() => new Promise(done => setTimeout(done, 100)));
  expect(ms).toBeGreaterThan(98);
  expect(cpuMs).toBeLessThan(ms);
});

/** Takes `ms` a repetition by a clock of its own, and notes each call. */
const pretending = (impl: string, ms: number, log: string[]): Contender => ({
  impl,
  run: async repeats => {
    log.push(`${impl}${repeats}`);
    return { ms: ms * repeats, cpuMs: 2 * ms * repeats };
  },
});

describe('measure', () => {
  test('repeats short work until a sample lasts long enough, and divides by the repetitions', async () => {
    const [short, long] = await measure([pretending('a', 1, []), pretending('b', 100, [])]);
    expect(short).toMatchObject({ impl: 'a', ms: 1, cpuMs: 2, samples: 5 });
    expect(short.repeats).toBeGreaterThanOrEqual(60);
    expect(short.repeats).toBeLessThan(120);
    expect(long).toMatchObject({ impl: 'b', ms: 100, cpuMs: 200, samples: 5, repeats: 1 });
  });

  test('takes samples in alternating order', async () => {
    const log: string[] = [];
    await measure([pretending('a', 100, log), pretending('b', 100, log)], { samples: 4 });
    expect(log.slice(4)).toEqual(['a1', 'b1', 'b1', 'a1', 'a1', 'b1', 'b1', 'a1']);
  });

  test('work slower than the budget still has a sample, and is not run for a third time', async () => {
    const log: string[] = [];
    const [slow] = await measure([pretending('a', 5000, log)], { budgetMs: 1000 });
    expect(slow).toMatchObject({ ms: 5000, samples: 1 });
    expect(log).toEqual(['a1', 'a1']);
  });

  test('no round begins that would not end in time', async () => {
    const [measured] = await measure([pretending('a', 30, [])], { samples: 100, sampleMs: 20, budgetMs: 300 });
    // Two of the ten that fit are for warming up and for finding out.
    expect(measured).toMatchObject({ repeats: 1, samples: 8 });
  });

  test('ends where it is told to', async () => {
    const controller = new AbortController();
    const stopping: Contender = {
      impl: 'stop',
      run: async () => {
        controller.abort(new Error('enough'));
        return { ms: 100, cpuMs: 100 };
      },
    };
    await expect(measure([stopping], { signal: controller.signal })).rejects.toThrow('enough');
  });
});
