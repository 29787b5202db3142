/** The command lines of `daybreak mos`: what they print, and how they refuse. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PAIRS, setFolder } from '../eval/set-folder.ts';
import { daybreak, start } from './daybreak.ts';

const PREPARE = ['mos', 'prepare', '--data', '.', '--method', 'bicubic', '--calibration-count', '1', '-o', 'study'];

/** A folder with a set, and in it `study`: two pictures in two versions. */
async function prepared(): Promise<string> {
  const folder = setFolder(PAIRS);
  expect(await daybreak(PREPARE, folder)).toMatchObject({ code: 0 });
  return folder;
}

const failing = async (args: readonly string[], folder?: string) => {
  const { code, stdout, stderr } = await daybreak(['mos', ...args], folder);
  expect([stdout, stderr.match(/\n/g)?.length]).toEqual(['', 1]);
  return `${code} ${stderr.trimEnd()}`;
};

test('from a set to a report, with simulated raters', async () => {
  const folder = setFolder(PAIRS);
  const { code, stdout } = await daybreak(PREPARE, folder);
  expect([code, stdout]).toEqual([
    0,
    'study: 2 versions (bicubic, original) of 2 pictures, 4 to rate\n' +
      'each rater sees 2 examples and gives 5 ratings, 1 of them repeats\n',
  ]);
  const demo = ['mos', 'demo', 'study', '--raters', '3'];
  expect(await daybreak(demo, folder)).toEqual({
    code: 0,
    stdout: 'study: 15 ratings of 3 simulated raters\n',
    stderr: '',
  });

  const report = await daybreak(['mos', 'report', 'study/'], folder);
  expect(report.code).toBe(0);
  expect(report.stdout).toMatch(/^All 3 raters are simulated\. These figures are not opinions of people\.\n/);
  expect(report.stdout.trimEnd().split('\n').at(-1)).toBe('study/report/report.html');
  expect(readFileSync(join(folder, 'study/report/report.html'), 'utf8')).toContain('Mean opinion scores');
  const fewer = await daybreak(['mos', 'report', 'study', '--exclude', '1', '--exclude', '3', '--json'], folder);
  expect(JSON.parse(fewer.stdout)).toMatchObject({ excluded: [1, 3] });

  expect(await failing(['demo', 'study'], folder)).toBe(
    '1 error: study: has raters already; simulated raters go into a study of their own',
  );
  expect(await failing(['report', 'study', '--exclude', '9'], folder)).toMatch(/^1 error: .*\b9\b/);
});

describe('refuses', () => {
  test.each<[string, string[], string]>([
    ['no set', ['prepare', '-o', 'x'], "2 error: required option '--data <dir>' not specified"],
    ['no folder', ['prepare', '--data', 'x'], "2 error: required option '-o, --out <dir>' not specified"],
    [
      'a part of a repeat',
      ['prepare', '--data', 'x', '-o', 'y', '--repeats', '1.5'],
      "2 error: option '--repeats <n>' argument '1.5' is invalid. expected a whole number, 0 or more.",
    ],
    ['a study that is none', ['serve'], "2 error: missing required argument 'study'"],
    [
      'a port that is a word',
      ['serve', 'x', '--port', 'http'],
      "2 error: option '--port <n>' argument 'http' is invalid. expected a whole number, 0 or more.",
    ],
    ['a port that is none', ['serve', 'x', '--port', '65536'], '2 error: --port: expected 0 to 65535, got 65536'],
    [
      'rater 0',
      ['report', 'x', '--exclude', '0'],
      "2 error: option '--exclude <rater>' argument '0' is invalid. expected a whole number, 1 or more.",
    ],
    [
      'more random raters than raters',
      ['demo', 'x', '--raters', '2', '--random', '3'],
      '2 error: --random: expected at most 2, the number of raters, got 3',
    ],
    ['a subcommand that is none', ['prepair'], "2 error: unknown command 'prepair' (Did you mean prepare?)"],
  ])('%s', async (_, args, line) => {
    expect(await failing(args)).toBe(line);
  });

  test('what is not there, or is in the way', async () => {
    const folder = await prepared();
    const prepare = PREPARE.slice(1);
    expect(await failing([...prepare, '-o', 'other', '--method', 'bicubik'], folder)).toMatch(
      /^1 error: bicubik: no such model file, nor one of /,
    );
    expect(await failing([...prepare, '-o', 'other', '--results', '=here'], folder)).toBe(
      '2 error: --results: expected LABEL=DIR or DIR, got =here',
    );
    expect(await failing([...prepare, '-o', 'other', '--results', 'x=nowhere'], folder)).toMatch(/^1 error: nowhere: /);
    expect(readdirSync(join(folder, 'other'))).toEqual([]);
    expect(await failing(prepare, folder)).toMatch(/^1 error: study: /);
    for (const command of ['serve', 'report', 'demo']) {
      expect(await failing([command, 'nowhere'], folder)).toBe(
        '1 error: nowhere: cannot be read: no such file or folder (ENOENT)',
      );
      expect(await failing([command, 'HR'], folder)).toBe(
        '1 error: HR: holds no study (no study.json); create one with daybreak mos prepare',
      );
    }
    const [picture] = readdirSync(join(folder, 'study/pictures'));
    writeFileSync(join(folder, 'study/pictures', picture), 'other');
    expect(await failing(['report', 'study'], folder)).toBe(
      `1 error: study/pictures/${picture}: changed since the study was prepared; restore it, or prepare another study`,
    );
  });
});

describe('serve', () => {
  test('a port in use, or an address of another machine, is one line', async () => {
    const folder = await prepared();
    const other = createServer();
    await new Promise<void>(done => other.listen(0, '127.0.0.1', done));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    expect(await failing(['serve', 'study', '--port', `${port}`], folder)).toBe(
      `1 error: 127.0.0.1:${port}: cannot listen: another program uses this port`,
    );
    expect(await failing(['serve', 'study', '--host', '192.0.2.1', '--port', '0'], folder)).toMatch(
      /^1 error: 192\.0\.2\.1:0: cannot listen: /,
    );
  });

  test('where others can connect, only who has the link gets in; Ctrl-C ends it', async () => {
    const folder = await prepared();
    const { child, ended } = start(['mos', 'serve', 'study', '--host', '0.0.0.0', '--port', '0'], folder);
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    const link = await new Promise<string>((found, fail) => {
      child.stdout?.on('data', chunk => {
        said += chunk;
        const [url] = /^http:\S+$/m.exec(said) ?? [];
        if (url !== undefined) found(url);
      });
      ended.then(({ stderr }) => fail(new Error(stderr)), fail);
    });
    expect(said).toContain(
      'study: 0 raters, 0 ratings so far\nanyone with this link can take part; it is shown only now',
    );
    const url = new URL(link);
    expect(url.searchParams.get('token')).toMatch(/^[\w-]{24}$/);
    url.hostname = '127.0.0.1';
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(303);
    for (const token of ['', `?token=${'x'.repeat(24)}`])
      expect((await fetch(new URL(`/${token}`, url), { redirect: 'manual' })).status).toBe(403);
    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
  });
});
