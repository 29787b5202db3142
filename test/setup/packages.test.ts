/** When setup installs the packages, and that it does so without running their scripts and only once. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { oldNode } from '../../scripts/setup/node-version.mjs';
import { packagesInstalled } from '../../scripts/setup/packages.mjs';

const root = resolve(import.meta.dirname, '../..');
let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'daybreak-packages-'));
});
afterEach(() => rmSync(clone, { recursive: true }));

interface Entry {
  version: string;
  integrity?: string;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
}

const write = (file: string, content: unknown) => {
  mkdirSync(join(clone, 'node_modules'), { recursive: true });
  writeFileSync(join(clone, file), JSON.stringify(content));
};

describe('packagesInstalled', () => {
  const wanted: Record<string, Entry> = {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/b': { version: '2.0.0', integrity: 'sha512-b' },
    'node_modules/elsewhere': { version: '1.0.0', optional: true, os: ['plan9'], cpu: ['pdp11'] },
    'node_modules/here': { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] },
  };
  const { 'node_modules/a': a, 'node_modules/b': b, 'node_modules/here': here } = wanted;
  const complete = { 'node_modules/a': a, 'node_modules/b': b, 'node_modules/here': here };

  test.each<[name: string, installed: Record<string, unknown> | undefined, expected: boolean]>([
    ['nothing is installed', undefined, false],
    ['all is', complete, true],
    ['a package is missing', { ...complete, 'node_modules/b': undefined }, false],
    ['another version is there', { ...complete, 'node_modules/b': { ...b, version: '2.0.1' } }, false],
    [
      'the same version with another content is there',
      { ...complete, 'node_modules/b': { ...b, integrity: '' } },
      false,
    ],
    ['more is there than in the lock', { ...complete, 'node_modules/c': a }, false],
    ['the build for this platform is missing', { ...complete, 'node_modules/here': undefined }, false],
  ])('when %s', (_, installed, expected) => {
    write('package-lock.json', { packages: wanted });
    if (installed) write('node_modules/.package-lock.json', { packages: installed });
    expect(packagesInstalled(clone)).toBe(expected);
  });

  test('of this very clone', () => {
    expect(packagesInstalled(root)).toBe(true);
  });
});

test.each([
  ['18.20.4', true],
  ['20.18.9', true],
  ['20.19.0', false],
  ['22.0.0', false],
])('Node %s is refused: %s', (version, refused) => {
  const complaint = oldNode(root, version);
  if (refused) expect(complaint).toMatch(new RegExp(`needs Node 20\\.19.*this is ${version.replaceAll('.', '\\.')}`));
  else expect(complaint).toBeUndefined();
});

/** Stands in for npm: notes how it was called, and makes node_modules of links to ours. */
const FAKE_NPM = `
  import { appendFileSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
  const ours = ${JSON.stringify(join(root, 'node_modules'))};
  appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n');
  rmSync('node_modules', { recursive: true, force: true });
  mkdirSync('node_modules');
  for (const name of readdirSync(ours))
    if (name !== '.daybreak-lock') symlinkSync(ours + '/' + name, 'node_modules/' + name);
`;

test.skipIf(process.platform === 'win32')('a clone is set up by npm ci, once for each lock file', () => {
  for (const part of ['scripts', 'common', 'files', 'engine', 'package.json', 'package-lock.json', 'tsconfig.json'])
    cpSync(join(root, part), join(clone, part), { recursive: true });
  const npm = join(clone, 'npm-cli.js');
  writeFileSync(npm, FAKE_NPM);
  const env = { ...process.env, npm_execpath: npm };
  const setUp = () => spawnSync(process.execPath, ['scripts/setup.mjs'], { cwd: clone, encoding: 'utf8', env });

  const first = setUp();
  expect(first.stderr).toBe('');
  expect(first.stdout).toMatch(/^setup: installing .*npm ci --ignore-scripts.*\nsetup: ready \(.+\)\n$/);
  expect(first.status).toBe(0);
  const again = setUp();
  expect(again.stdout).toMatch(/^setup: ready \(.+\)\n$/);
  const lock = join(clone, 'package-lock.json');
  const changed = JSON.parse(readFileSync(lock, 'utf8'));
  changed.packages['node_modules/webgpu'].version = '0.0.0';
  writeFileSync(lock, JSON.stringify(changed));
  expect(setUp().stdout).toMatch(/^setup: installing/);
  const calls = readFileSync(join(clone, 'npm.log'), 'utf8').trim().split('\n');
  expect(calls).toHaveLength(2);
  for (const call of calls) expect(call).toMatch(/^ci --ignore-scripts /);
});
