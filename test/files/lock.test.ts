/** One writer in a run folder, whichever host or container each runs in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { takeLock } from '../../files/lock.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';

/** Ten times as fast as usual. */
const TIMES = { every: 100, dead: 1500 };

const lockIn = (folder: string) => join(folder, 'run.lock');

/** What a lock of another host says. */
const elsewhere = (more: object = {}) =>
  JSON.stringify({
    process: process.pid,
    system: 'elsewhere boot pid',
    started: '1',
    host: 'elsewhere',
    since: 'then',
    ...more,
  });

/** A process of its own that holds the lock until it is killed; `as` runs before it: other names, other namespaces. */
async function holder(path: string, as: readonly string[] = []) {
  const url = JSON.stringify(new URL('../../files/lock.node.ts', import.meta.url).href);
  const program = `import { takeLock } from ${url};
    await takeLock(${JSON.stringify(path)}, 'run folder', ${JSON.stringify(TIMES)}).then(() => console.log('held'), error => console.log(error.message));
    setInterval(() => {}, 1000);`;
  const words = [...as, process.execPath, '--import', 'tsx', '--input-type=module', '-e', program];
  const child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(child.stdout, 'data');
  return { child, said: String(said).trim() };
}

test('a lock of another host without a heartbeat is taken over, at once if it is old', async () => {
  const path = lockIn(temporaryFolder());
  writeFileSync(path, elsewhere());
  const start = performance.now();
  (await takeLock(path, 'run folder', TIMES)).release();
  expect(performance.now() - start).toBeGreaterThan(1000);
  writeFileSync(path, elsewhere());
  utimesSync(path, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
  const again = performance.now();
  (await takeLock(path, 'run folder', TIMES)).release();
  expect(performance.now() - again).toBeLessThan(1000);
  expect(readdirSync(join(path, '..'))).toEqual([]);
});

test('a lock of another host with a heartbeat is respected, whatever its process id and clock', async () => {
  const path = lockIn(temporaryFolder());
  writeFileSync(path, elsewhere());
  const beat = setInterval(() => writeFileSync(path, elsewhere()), 200);
  try {
    await expect(takeLock(path, 'run folder', TIMES)).rejects.toThrow(
      `run.lock: process ${process.pid} on elsewhere since then is writing to this run folder; stop it first`,
    );
  } finally {
    clearInterval(beat);
  }
});

test('the heartbeat continues while the main thread is busy, and does not change the content', async () => {
  const path = lockIn(temporaryFolder());
  const lock = await takeLock(path, 'run folder', TIMES);
  const [content, time] = [readFileSync(path, 'utf8'), statSync(path).mtimeMs];
  await wait(300); // The thread starts.
  const until = performance.now() + 1000;
  while (performance.now() < until);
  const later = statSync(path).mtimeMs;
  expect(later - time).toBeGreaterThan(600);
  expect(readFileSync(path, 'utf8')).toBe(content);
  lock.check();
  // Another took over: nothing of it is overwritten or removed, and who lost the lock is told.

  rmSync(path);
  writeFileSync(path, elsewhere());
  await wait(300);
  expect(() => lock.check()).toThrow('another process has taken over this run folder');
  lock.release();
  expect(readFileSync(path, 'utf8')).toBe(elsewhere());
});

test('only one of several processes takes over a dead lock', async () => {
  const path = lockIn(temporaryFolder());
  const { pid, system, started } = { pid: 2 ** 22 - 1, system: '', started: '' };
  writeFileSync(path, elsewhere({ process: pid, system, started }));
  utimesSync(path, new Date(0), new Date(0));
  const holders = await Promise.all(Array.from({ length: 4 }, () => holder(path)));
  try {
    expect(holders.filter(({ said }) => said === 'held')).toHaveLength(1);
    for (const { said } of holders) expect(said).toMatch(/^held$|is writing to this run folder/);
  } finally {
    for (const { child } of holders) child.kill('SIGKILL');
  }
});

/** Whether this user may make namespaces, as containers do. */
const mayUnshare = await once(
  spawn('unshare', ['--pid', '--uts', '--fork', 'true']).on('error', () => {}),
  'exit',
).then(
  ([code]) => code === 0,
  () => false,
);

test.skipIf(!mayUnshare)('two hosts, or two containers with process id 1, have one writer', async () => {
  const path = lockIn(temporaryFolder());
  const container = (host: string) => [
    'unshare',
    '--pid',
    '--uts',
    '--fork',
    '--kill-child',
    'sh',
    '-c',
    `hostname ${host}; exec "$@"`,
    'sh',
  ];
  const first = await holder(path, container('one'));
  const others: Awaited<ReturnType<typeof holder>>[] = [];
  try {
    expect(first.said).toBe('held');
    for (const host of ['one', 'two']) others.push(await holder(path, container(host)));
    for (const { said } of others) expect(said).toMatch(/process 1 on one since .+ is writing to this run folder/);
    await expect(takeLock(path, 'run folder', TIMES)).rejects.toThrow('process 1 on one since');
  } finally {
    for (const { child } of [first, ...others]) child.kill('SIGKILL');
  }
  (await takeLock(path, 'run folder', TIMES)).release();
});
