/** A fresh clone, nothing installed, and a driver that needs no root: fetches 200 MB through npm. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Diagnosis } from '../../cli/doctor/diagnosis.ts';

const folder = mkdtempSync(join(tmpdir(), 'daybreak-fresh-'));
afterAll(() => rmSync(folder, { recursive: true }));

const linux = process.platform === 'linux' && process.arch === 'x64';

test.runIf(linux)('sets itself up and computes on SwiftShader, twice as well as once', () => {
  const clone = join(folder, 'clone');
  const environment = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache'), DAYBREAK_ADAPTER: 'swiftshader' };
  const run = (command: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: clone, encoding: 'utf8', env: environment });
    expect(status, `${command} ${args.join(' ')}:\n${stdout}\n${stderr}`).toBe(0);
    return stdout;
  };
  const root = resolve(import.meta.dirname, '../..');
  expect(spawnSync('git', ['clone', '--quiet', root, clone], { encoding: 'utf8' })).toMatchObject({ status: 0 });

  const first = run('npm', 'run', '--silent', 'setup');
  expect(first).toContain('setup: installing the packages');
  expect(first).toContain('setup: downloading the software driver SwiftShader');
  expect(first).toMatch(/setup: ready \(SwiftShader/);
  const start = performance.now();
  expect(run('npm', 'run', '--silent', 'setup')).toMatch(/^setup: ready \(SwiftShader.*\)\n$/);
  expect(performance.now() - start).toBeLessThan(10_000); // Half a second when nothing else runs.

  const diagnosis = JSON.parse(run(process.execPath, 'cli/bin.mjs', 'doctor', '--json')) as Diagnosis;
  expect(diagnosis).toMatchObject({
    ok: true,
    adapter: { architecture: 'swiftshader', driver: { origin: 'fetched' } },
    selfTest: { passed: true },
  });
});
