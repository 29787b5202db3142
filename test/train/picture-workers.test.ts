import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { ImageError } from '../../image/errors.ts';
import { shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { WorkerError } from '../../train/errors.ts';
import type { PictureOrigin } from '../../train/pictures/training-picture.node.ts';
import { PictureWorkers } from '../../train/pictures/workers.node.ts';

const synthetic = (index: number, size = 32): PictureOrigin => ({
  kind: 'synthetic',
  name: `synthetic-${index}`,
  seed: 1,
  index,
  size,
});

/** Threads that are started from now on; a turn of the event loop after they are. */
const threads: Worker[] = [];
const note = (worker: Worker) => threads.push(worker);
process.on('worker', note);
afterEach(() => threads.splice(0));

describe('threads', () => {
  test('read the requested pictures; there are no more threads than allowed', async () => {
    using workers = new PictureWorkers(2);
    const read = await Promise.all([0, 1, 2, 3].map(i => workers.read({ origin: synthetic(i), least: 16 })));
    for (const [i, { name, hr, lr }] of read.entries()) {
      expect(name).toBe(`synthetic-${i}`);
      expect(hr).toEqual(syntheticPicture(1, i, 32));
      expect(lr).toEqual(shrink(hr));
    }
    expect(threads).toHaveLength(2);
  });

  test('pass on errors of pictures, and continue', async () => {
    using workers = new PictureWorkers(1);
    const missing = workers.read({ origin: { kind: 'file', name: 'a', path: '/none/a.png' }, least: 16 });
    await expect(missing).rejects.toEqual(
      new ImageError('/none/a.png', 'cannot be read: no such file or folder (ENOENT)'),
    );
    const small = workers.read({ origin: synthetic(0), least: 64 });
    await expect(small).rejects.toBeInstanceOf(ImageError);
    const squares = Float64Array.of(0, 48, 0, 12);
    const bytes = new ArrayBuffer(32 + 17 * 48);
    await expect(workers.cut({ descriptor: 2 ** 20, crop: 16, squares, bytes })).rejects.toThrow('EBADF');
    await expect(workers.read({ origin: synthetic(1), least: 16 })).resolves.toMatchObject({ name: 'synthetic-1' });
    expect(threads).toHaveLength(1);
  });

  test('that die fail all current and later tasks with one clear error', async () => {
    using workers = new PictureWorkers(2);
    const reading = [0, 1, 2, 3].map(i => workers.read({ origin: synthetic(i, 512), least: 16 }));
    await setImmediate();
    await threads[0].terminate();
    const errors = await Promise.all(reading.map(each => each.catch(error => error)));
    expect(errors[0]).toBeInstanceOf(WorkerError);
    expect(errors[0].message).toMatch(/^a picture thread stopped while reading synthetic-0 \(exit code \d\)$/);
    expect(new Set(errors)).toEqual(new Set([errors[0]]));
    await expect(workers.read({ origin: synthetic(0), least: 16 })).rejects.toBe(errors[0]);
    await expect.poll(() => threads.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  });

  test('report that they ran out of memory', async () => {
    using workers = new PictureWorkers(1);
    const reading = workers.read({ origin: synthetic(0, 512), least: 16 });
    await setImmediate();
    const error = new Error('Worker terminated due to reaching memory limit: JS heap out of memory');
    threads[0].emit('error', Object.assign(error, { code: 'ERR_WORKER_OUT_OF_MEMORY' }));
    await expect(reading).rejects.toThrow(
      'a picture thread stopped while reading synthetic-0 (ERR_WORKER_OUT_OF_MEMORY: Worker terminated due to ' +
        'reaching memory limit: JS heap out of memory)',
    );
  });

  test('stop when disposed of, with the given reason', async () => {
    const workers = new PictureWorkers(1);
    const reason = new Error('enough');
    const reading = workers.read({ origin: synthetic(0, 512), least: 16 });
    await setImmediate();
    workers.dispose(reason);
    await expect(reading).rejects.toBe(reason);
    await expect.poll(() => threads[0].threadId).toBe(-1);
  });
});

test('idle threads do not keep a process alive, from any working directory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'daybreak-threads-'));
  try {
    const script = join(folder, 'script.mjs');
    const module = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
    await writeFile(
      script,
      `import { register } from ${module('node_modules/tsx/dist/esm/api/index.mjs')};
      register({ tsconfig: false });
      const { PictureWorkers } = await import(${module('train/pictures/workers.node.ts')});
      const workers = new PictureWorkers(1);
      const { hr } = await workers.read({ origin: ${JSON.stringify(synthetic(0))}, least: 16 });
      console.log(hr.width);`,
    );
    // A tsconfig.json there is nobody's business.
    await writeFile(join(folder, 'tsconfig.json'), '{ not JSON');
    const child = spawn(process.execPath, [script], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: process.env,
    });
    let output = '';
    child.stdout.on('data', chunk => {
      output += chunk;
    });
    const [code] = await once(child, 'close');
    expect({ code, output }).toEqual({ code: 0, output: '32\n' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
