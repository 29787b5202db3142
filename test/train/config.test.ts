import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flagOf, parseConfig, resumeConfig, TRAIN_OPTIONS, TrainConfig } from '../../train/config.ts';
import { readConfigFile } from '../../train/config-file.node.ts';
import { ConfigError } from '../../train/errors.ts';

const needed = { data: 'photos', out: 'run' };

/** The error that parsing these options throws. */
function failure(commandLine: Record<string, unknown>, file?: Record<string, unknown>): ConfigError {
  try {
    parseConfig(commandLine, file && { path: 'my.json', options: file });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).not.toContain('\n');
    return error as ConfigError;
  }
  throw new Error('no error');
}

describe('defaults', () => {
  test("are the paper's where it gives one", () => {
    expect(parseConfig(needed)).toEqual({
      model: 'srresnet',
      data: ['photos'],
      out: 'run',
      steps: 1_000_000,
      batch: 16,
      crop: 96,
      channels: 64,
      blocks: 16,
      lr: 1e-4,
      lrSchedule: 'constant',
      lrFloor: 0,
      lrStepEvery: 100_000,
      lrStepFactor: 0.1,
      beta1: 0.9,
      beta2: 0.999,
      eps: 1e-8,
      flips: false,
      rotations: false,
      seed: 0,
      syntheticCount: 256,
      syntheticSize: 256,
      eval: [],
      evalEvery: 5000,
      sampleEvery: 5000,
      saveEvery: 1000,
      keep: 5,
      logEvery: 10,
    });
  });

  test('a parsed configuration parses to itself, also by way of JSON', () => {
    const config = parseConfig({ ...needed, data: ['a', 'synthetic'], eval: ['b'], lr: '3e-3', flips: true });
    const file = { path: 'config.json', options: JSON.parse(JSON.stringify(config)) };
    expect(parseConfig({}, file)).toEqual(config);
  });
});

describe('the command line', () => {
  test('numbers may come as text, and what was not given is undefined', () => {
    const config = parseConfig({ ...needed, lr: '1e-3', steps: '20', crop: ' 48 ', flips: undefined });
    expect(config).toMatchObject({ lr: 1e-3, steps: 20, crop: 48, flips: false });
  });

  test('stands over the file, the file over the defaults', () => {
    const file = { path: 'my.json', options: { ...needed, steps: 5, batch: 2, lrSchedule: 'cosine' } };
    expect(parseConfig({ steps: '7', out: 'other' }, file)).toMatchObject({
      steps: 7,
      batch: 2,
      out: 'other',
      lrSchedule: 'cosine',
      crop: 96,
    });
  });

  test('every option has its flags and one line of help', () => {
    expect(TRAIN_OPTIONS.map(({ key }) => key)).toEqual(Object.keys(TrainConfig.shape).filter(key => key !== 'model'));
    const flags = new Map(TRAIN_OPTIONS.map(one => [one.key, one]));
    expect(flags.get('lrSchedule')).toMatchObject({ flags: '--lr-schedule <NAME>', default: 'constant' });
    expect(flags.get('flips')).toMatchObject({ flags: '--flips', default: false, repeatable: false });
    expect(flags.get('data')).toMatchObject({ flags: '--data <DIR>', default: undefined, repeatable: true });
    for (const { help } of TRAIN_OPTIONS) expect(help).toMatch(/^[^\n]{10,}$/);
    expect(flagOf('lrStepEvery')).toBe('--lr-step-every');
  });
});

describe('errors name the option, what was given and what was expected', () => {
  const cases: readonly [Record<string, unknown>, string][] = [
    [{ steps: 0 }, '--steps: given 0, expected an integer from 1'],
    [{ steps: '12.5' }, '--steps: given 12.5, expected an integer from 1'],
    [{ steps: 'many' }, '--steps: given "many", expected an integer from 1'],
    [{ steps: '' }, '--steps: given "", expected an integer from 1'],
    [{ crop: 50 }, '--crop: given 50, expected a multiple of 4 from 4 to 4096'],
    [{ lr: '-1' }, '--lr: given -1, expected a number above 0'],
    [{ lr: 'NaN' }, '--lr: given "NaN", expected a number above 0'],
    [{ beta1: 1 }, '--beta1: given 1, expected a number from 0 and below 1'],
    [{ lrSchedule: 'linear' }, '--lr-schedule: given "linear", expected constant, cosine, step'],
    [{ flips: 'yes' }, '--flips: given "yes", expected true or false'],
    [{ seed: -1 }, '--seed: given -1, expected an integer from 0'],
    [{ data: [] }, "--data: given [], expected folders of pictures, or the words 'synthetic' and 'photographs'"],
    [{ data: ['a', 3] }, '--data: given ["a",3], expected folders of'],
    [{ out: undefined }, '--out: missing; expected a folder'],
    [{ lrSchedule: 'cosine', lrFloor: 1 }, '--lr-floor: given 1, expected at most lr, 0.0001'],
    [{ data: 'synthetic', crop: 384 }, '--synthetic-size: given 256, expected at least crop, 384'],
    [{ batch: 1, crop: 4 }, '--batch: given 1, expected at least 2 with crops of 4'],
    [{ model: 'vgg' }, '--model: given "vgg", expected srresnet'],
  ];
  test.each(cases)('%j', (options, message) => {
    const error = failure({ ...needed, ...options });
    expect(error.message).toMatch(new RegExp(`^${message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`));
    expect(Object.keys(TrainConfig.shape)).toContain(error.option);
  });

  test('and the file where it came from there', () => {
    expect(failure({}, { ...needed, batch: 'two' }).message).toBe(
      'my.json: batch: given "two", expected an integer from 1',
    );
    expect(failure({ batch: 'two' }, { ...needed, batch: 3 }).message).toMatch(/^--batch: given "two"/);
  });

  test('a file may not write numbers as text', () => {
    expect(failure({}, { ...needed, batch: '2' }).message).toBe(
      'my.json: batch: given "2", expected an integer from 1',
    );
  });

  test('several problems stand in one line', () => {
    expect(failure({ ...needed, steps: 0, lr: 0 }).message).toBe(
      '--steps: given 0, expected an integer from 1; --lr: given 0, expected a number above 0',
    );
  });

  test('an unknown option is named, with those there are', () => {
    expect(failure({}, { ...needed, batchSize: 3 }).message).toMatch(
      /^my\.json: batchSize: unknown option; there are .*batch, /,
    );
  });
});

describe('a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'daybreak-config-'));
  });
  afterAll(async () => rm(folder, { recursive: true }));

  const written = async (text: string) => {
    const path = join(folder, 'my.json');
    await writeFile(path, text);
    return path;
  };

  test('is read as JSON and parsed with its name', async () => {
    const path = await written('{"data": "x", "out": "y", "steps": 3}');
    const file = await readConfigFile(path);
    expect(file).toEqual({ path, options: { data: 'x', out: 'y', steps: 3 } });
    expect(parseConfig({}, file)).toMatchObject({ data: ['x'], steps: 3 });
  });

  test('that is missing or no JSON object is an error naming it', async () => {
    await expect(readConfigFile(join(folder, 'none.json'))).rejects.toThrow(/none\.json: cannot be read \(ENOENT\)$/);
    await expect(readConfigFile(await written('{"steps": '))).rejects.toThrow(/my\.json: not JSON \(.+\)$/);
    await expect(readConfigFile(await written('[1]'))).rejects.toThrow(/my\.json: expected a JSON object/);
    await expect(readConfigFile(await written('null'))).rejects.toThrow(ConfigError);
  });
});

describe('resuming', () => {
  const stored = parseConfig({ ...needed, steps: 100, lr: 2e-3 });

  test('takes the run as it was', () => {
    expect(resumeConfig(stored, {})).toEqual(stored);
    expect(resumeConfig(stored, { lr: '0.002', data: ['photos'] })).toEqual(stored);
  });

  test('what does not touch the training may change', () => {
    const changes = { saveEvery: '7', evalEvery: 3, sampleEvery: 2, keep: 0, logEvery: 1, eval: ['set'], out: 'moved' };
    expect(resumeConfig(stored, changes)).toEqual({ ...stored, ...changes, saveEvery: 7 });
  });

  test('steps may change unless the learning rate depends on them', () => {
    expect(resumeConfig(stored, { steps: 200 }).steps).toBe(200);
    const cosine = parseConfig({ ...needed, lrSchedule: 'cosine', steps: 100 });
    expect(() => resumeConfig(cosine, { steps: 200 })).toThrow(
      /^--steps: given 200, but this run was started with 100/,
    );
  });

  test('anything else is refused, naming it', () => {
    for (const change of [{ lr: 1 }, { seed: 4 }, { data: 'other' }, { flips: true }, { channels: 8 }, { crop: 48 }]) {
      expect(() => resumeConfig(stored, change)).toThrow(/^--\w+: given .+, but this run was started with .+/);
    }
    expect(() => resumeConfig(stored, { lr: 'x' })).toThrow(/^--lr: given "x", expected a number above 0$/);
  });
});
