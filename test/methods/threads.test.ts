/** Methods compute the same bytes with any number of threads, hear aborts, and tell their progress. */
import { expect, test } from 'vitest';
import type { Plane } from '../../image/plane.ts';
import { ThreadError } from '../../methods/errors.ts';
import { EXAMPLES } from '../../methods/examples.ts';
import { LUMA_METHODS } from '../../methods/list.ts';
import { NEDI } from '../../methods/nedi.ts';
import { LocalRunner, type Pass, type Runner } from '../../methods/passes.ts';
import { DictionaryBuilder } from '../../methods/patch-dictionary.ts';
import { runnerFor, ThreadedRunner } from '../../methods/threads.node.ts';
import { scene } from './planes.ts';

/** Runs every pass in parts of `size` items, the last part first: as unlike one thread as threads can be. */
class ShuffledRunner extends LocalRunner {
  readonly #size: number;
  constructor(size: number) {
    super();
    this.#size = size;
  }
  override async run<T extends object>({ work }: Pass<T>, data: T, items: number): Promise<void> {
    for (let from = Math.floor((items - 1) / this.#size) * this.#size; from >= 0; from -= this.#size) {
      work(data, from, Math.min(items, from + this.#size));
    }
  }
}

const bytesOf = ({ data }: Plane) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');

test.each(LUMA_METHODS)('$name: parts in any order give the same bytes', async method => {
  const given = scene(17, 13);
  const builder = new DictionaryBuilder(300);
  builder.add(scene(60, 40));
  const dictionary = builder.finish();
  expect(dictionary.count).toBe(300);
  const expected = bytesOf(await method.run(given, { dictionary, runner: new LocalRunner() }));
  for (const size of [1, 5, 1000]) {
    expect(bytesOf(await method.run(given, { dictionary, runner: new ShuffledRunner(size) }))).toBe(expected);
  }
});

test('two and three threads give the bytes of one', async () => {
  const given = scene(48, 40);
  const builder = new DictionaryBuilder(3000);
  builder.add(scene(100, 80));
  const dictionary = builder.finish();
  const run = async (runner: Runner) => {
    const control = { runner, dictionary };
    return [bytesOf(await NEDI.run(given, control)), bytesOf(await EXAMPLES.run(scene(12, 10), control))];
  };
  const expected = await run(runnerFor(1));
  for (const threads of [2, 3]) {
    using runner = new ThreadedRunner(threads);
    // At first the others are not started for so little.
    expect(await run(runner)).toEqual(expected);
    await runner.start();
    for (let i = 0; i < 2; i++) expect(await run(runner)).toEqual(expected);
  }
});

test('threads are started for long work, and join it', async () => {
  using runner = new ThreadedRunner(2);
  const large = scene(300, 200);
  const control = new AbortController();
  // Far more work than starting takes; once a thread works here, there is nothing left to see.
  const running = NEDI.run(large, { runner, signal: control.signal });
  await runner.start();
  control.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
});

test.each([1, 2])('with %i threads, an abort is heard and progress rises to the end', async threads => {
  const runner = runnerFor(threads);
  const told: number[] = [];
  const onProgress = (done: number, total: number) => told.push(done / total);
  await NEDI.run(scene(20, 30), { runner, onProgress });
  expect(told.at(-1)).toBeCloseTo(1, 12);
  expect(told.every((share, i) => i === 0 || share >= told[i - 1])).toBe(true);
  const control = new AbortController();
  setTimeout(() => control.abort(new Error('enough')), 60);
  const running = NEDI.run(scene(400, 300), { runner, signal: control.signal });
  await expect(running).rejects.toThrow('enough');
  // The runner still works.
  expect((await NEDI.run(scene(9, 9), { runner })).width).toBe(36);
  if (runner instanceof ThreadedRunner) runner[Symbol.dispose]();
});

test('a thread that dies ends the work with one line', async () => {
  using runner = new ThreadedRunner(2);
  await runner.start();
  const unknown: Pass<object> = { name: 'unknown', work: () => {} };
  const running = runner.run(unknown, {}, 100);
  await expect(running).rejects.toThrow(ThreadError);
  await expect(running).rejects.toThrow('a thread stopped while computing unknown (no pass is called unknown)');
  await expect(NEDI.run(scene(9, 9), { runner })).rejects.toThrow(ThreadError);
});
