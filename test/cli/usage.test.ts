import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { DECLARED_METHODS } from '../../methods/list.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { shippedFolder } from '../models/shipped.ts';
import { daybreak, daybreakProcess } from './daybreak.ts';

const COMMANDS = ['doctor', 'train', 'upscale', 'models', 'eval', 'compare', 'mos', 'tune'];

test('--help lists the commands and exits 0', async () => {
  const { code, stdout, stderr } = await daybreakProcess(['--help']);
  expect([code, stderr]).toEqual([0, '']);
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
});

test.each(COMMANDS)('%s: --help and help say the same and exit 0', async command => {
  const [asked, helped] = await Promise.all([daybreak([command, '--help']), daybreak(['help', command])]);
  expect(asked).toMatchObject({ code: 0, stderr: '' });
  expect(asked.stdout).toContain(`Usage: daybreak ${command}`);
  expect(helped).toEqual(asked);
});

test('--version is that of package.json', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(await daybreak(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('a tsconfig.json in the folder that one is in is none of our business', async () => {
  const folder = temporaryFolder();
  const paths = { commander: ['./trap.mjs'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { paths } }));
  writeFileSync(join(folder, 'trap.mjs'), 'throw new Error("trapped")');
  expect(await daybreakProcess(['eval', '--help'], folder)).toMatchObject({ code: 0, stderr: '' });
});

describe('bad usage exits 2, with one line on stderr', () => {
  test.each([
    ['an unknown command', ['evil'], "error: unknown command 'evil' (Did you mean eval?)"],
    [
      'an unknown option',
      ['eval', '--data', 'x', '--model', 'y', '--dta', 'x'],
      "error: unknown option '--dta' (Did you mean --data?)",
    ],
    ['a missing option', ['eval', '--model', 'x'], "error: required option '--data <dir>' not specified"],
    [
      'a layer that VGG19 cannot have',
      ['eval', '--data', 'x', '--vgg', 'y', '--vgg-layer', '60'],
      "error: option '--vgg-layer <IJ>' argument '60' is invalid. expected two digits, from 11 to 54.",
    ],
    [
      'a padding that VGG19 cannot have',
      ['eval', '--data', 'x', '--vgg', 'y', '--vgg-padding', 'mirror'],
      "error: option '--vgg-padding <NAME>' argument 'mirror' is invalid. Allowed choices are zeros, reflect.",
    ],
    ['a missing argument', ['upscale', '-o', 'x', '--model', 'bicubic'], "error: missing required argument 'in'"],
    [
      'a number that is none',
      ['eval', '--data', 'x', '--model', 'y', '--tile', '-3'],
      "error: option '--tile <px>' argument '-3' is invalid. expected a whole number, 0 or more.",
    ],
    [
      'a budget of nothing',
      ['eval', '--data', 'x', '--model', 'y', '--memory-budget', '0'],
      "error: option '--memory-budget <MiB>' argument '0' is invalid. expected a whole number, 1 or more.",
    ],
    [
      'an option of another one that is not there',
      ['train', 'srresnet', '--data', 'synthetic', '--out', 'x', '--profile-steps', '2'],
      'error: --profile-steps needs --profile',
    ],
    [
      'a format that nothing is written in',
      ['upscale', 'x.png', '-o', 'y.gif', '--model', 'bicubic'],
      expect.stringMatching(/^error: -o y\.gif: cannot write this format: expected \.png, /),
    ],
    [
      'a format beside a file that has one',
      ['upscale', 'x.png', '-o', 'y.png', '--model', 'bicubic', '--format', 'jpg'],
      'error: --format cannot be combined with the file -o y.png: its extension is the format',
    ],
    [
      'a quality of what loses none',
      ['upscale', 'x.png', '-o', 'y', '--model', 'bicubic', '--quality', '90'],
      'error: --quality: png files are lossless: choose another --format',
    ],
    [
      'an output without a name',
      ['upscale', 'x.png', '-o', '', '--model', 'bicubic'],
      'error: -o: expected a folder or a file, got an empty path',
    ],
    ...['101', '0', '9.5'].map((quality): [string, string[], string] => [
      `a quality of ${quality}`,
      ['upscale', 'x.png', '-o', 'y.jpg', '--model', 'bicubic', '--quality', quality],
      `error: option '--quality <1-100>' argument '${quality}' is invalid. expected a whole number, 1 to 100.`,
    ]),
    [
      'a name that is a path',
      ['upscale', 'x.png', '-o', 'y', '--model', 'bicubic', '--name', '{name}/x4'],
      'error: --name {name}/x4: is part of a file’s name: no slashes, no control characters',
    ],
  ])('%s', async (_, args, line) => {
    expect(await daybreak(args)).toEqual({
      code: 2,
      stdout: '',
      stderr: typeof line === 'string' ? `${line}\n` : line,
    });
  });

  test('no command: the help', async () => {
    const { code, stdout, stderr } = await daybreakProcess([]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: daybreak');
  });
});

test('a failure is one line and exits 1; --debug adds where', async () => {
  const args = ['eval', '--data', 'nowhere', '--model', 'bicubic'];
  const [short, long] = await Promise.all([daybreakProcess(args), daybreak([...args, '--debug'])]);
  expect(short).toEqual({
    code: 1,
    stdout: '',
    stderr: 'error: nowhere: cannot list this folder: no such file or folder (ENOENT)\n',
  });
  expect(long).toMatchObject({ code: 1, stdout: '' });
  expect(long.stderr).toContain(
    'ImageError: nowhere: cannot list this folder: no such file or folder (ENOENT)\n    at ',
  );
  expect(long.stderr).toContain('[cause]');
});

test('a model that is nowhere is one line that lists all names there are, and exits 1', async () => {
  const root = new URL('../../', import.meta.url).pathname;
  vi.stubEnv('DAYBREAK_PRETRAINED', shippedFolder(['srresnet', 'srgan']));
  const { code, stderr } = await daybreak(['upscale', 'package.json', '-o', 'x', '--model', 'nowhere.file'], root);
  expect([code, stderr]).toEqual([
    1,
    'error: nowhere.file: no such model file, nor one of srresnet, srgan, nearest, bilinear, bicubic, lanczos3, ' +
      `${DECLARED_METHODS.map(({ name }) => name).join(', ')}\n`,
  ]);
});

test('nothing is coloured, whatever the environment asks for', async () => {
  vi.stubEnv('FORCE_COLOR', '1');
  for (const args of [['--help'], ['upscale', '--help'], ['models'], ['nowhere']]) {
    const { stdout, stderr } = await daybreak(args);
    expect(stdout + stderr).not.toContain(String.fromCharCode(27));
  }
});
