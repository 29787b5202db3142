import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultsOf, flagOf, optionsOf, parseConfig } from '../../train/config/config.ts';
import { readConfigFile } from '../../train/config/config-file.node.ts';
import { KEYS } from '../../train/config/options.ts';
import { resumeConfig } from '../../train/config/resume.ts';
import { ConfigError } from '../../train/errors.ts';
import { VARIANTS, variantOf } from '../../train/variants.ts';

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
  test("are the paper's numbers", () => {
    expect(parseConfig(needed)).toEqual({
      model: 'srresnet-mse',
      data: ['photos'],
      dataBudget: 1024,
      out: 'run',
      steps: 1_000_000,
      batch: 16,
      accumulate: 1,
      crop: 96,
      channels: 64,
      blocks: 16,
      longSkip: 'add',
      pixelLoss: 'mse',
      optimizer: 'adam',
      lr: 1e-4,
      lrWarmup: 0,
      lrSchedule: 'constant',
      lrFloor: 0,
      lrStepEvery: 100_000,
      lrStepFactor: 0.1,
      beta1: 0.9,
      beta2: 0.999,
      eps: 1e-8,
      maxNonFinite: 10,
      clipNorm: 0,
      ema: 0,
      emaWarmup: false,
      recalibrate: 0,
      icnr: false,
      flips: false,
      rotations: false,
      overfitBatch: false,
      seed: 0,
      syntheticCount: 256,
      syntheticSize: 256,
      eval: [],
      degrade: [],
      evalEvery: 5000,
      sampleEvery: 5000,
      saveEvery: 1000,
      keep: 5,
      logEvery: 10,
    });
  });

  test('a parsed configuration parses to itself, also through JSON', () => {
    const config = parseConfig({ ...needed, data: ['a', 'synthetic'], eval: ['b'], lr: '3e-3', flips: true });
    const file = { path: 'config.json', options: JSON.parse(JSON.stringify(config)) };
    expect(parseConfig({}, file)).toEqual(config);
  });
});

describe('the command line', () => {
  test('numbers may be text, and missing options undefined', () => {
    const config = parseConfig({ ...needed, lr: '1e-3', steps: '20', crop: ' 48 ', flips: undefined });
    expect(config).toMatchObject({ lr: 1e-3, steps: 20, crop: 48, flips: false });
  });

  test('overrides the file, which overrides the defaults', () => {
    const file = { path: 'my.json', options: { ...needed, steps: 5, batch: 2, lrSchedule: 'cosine' } };
    expect(parseConfig({ steps: '7', out: 'other' }, file)).toMatchObject({
      steps: 7,
      batch: 2,
      out: 'other',
      lrSchedule: 'cosine',
      crop: 96,
    });
  });

  test('another optimizer than the paper has its own options, and no learning rates of the paper', () => {
    const vdsr = { ...needed, model: 'vdsr' };
    expect(parseConfig(vdsr)).toMatchObject({ optimizer: 'sgd', lr: 0.1, lrSchedule: 'step', momentum: 0.9 });
    const adam = parseConfig({ ...vdsr, optimizer: 'adam', beta1: '0.5' });
    expect(adam).toMatchObject({
      optimizer: 'adam',
      lr: 1e-4,
      lrSchedule: 'constant',
      beta1: 0.5,
      crop: 40,
      batch: 64,
    });
    expect(adam).not.toHaveProperty('momentum');
    expect(parseConfig({ ...needed, optimizer: 'sgd' })).toMatchObject({ momentum: 0.9, lastRate: 1, weightDecay: 0 });
    expect(() => parseConfig({ ...vdsr, beta1: 0.5 })).toThrow('--beta1: needs --optimizer adam');
    expect(() => parseConfig({ ...needed, momentum: 0.5 })).toThrow('--momentum: needs --optimizer sgd');
    expect(() => parseConfig({ ...vdsr, optimizer: 'lion' })).toThrow('--optimizer: expected adam, sgd, got "lion"');
    const flags = optionsOf(variantOf('vdsr')!).map(({ key }) => key);
    expect(flags).toEqual(expect.arrayContaining(['optimizer', 'beta1', 'momentum']));
  });

  test('every option has its flags and one line of help', () => {
    const options = optionsOf(variantOf('srgan')!);
    // Of other networks: sizes, and SGD's options.
    const others = ['hidden', 'kernel', 'layers', 'recursions', 'momentum', 'weightDecay', 'clipValue', 'lastRate'];
    const absent = ['model', 'vggSha256', 'pixelLoss', 'optimizer', 'supervisionSteps', ...others];
    expect(options.map(({ key }) => key)).toEqual(KEYS.filter(key => !absent.includes(key)));
    const flags = new Map(optionsOf(variantOf('srresnet')!).map(one => [one.key, one]));
    expect(flags.get('lrSchedule')).toMatchObject({ flags: '--lr-schedule <NAME>', default: 'constant' });
    expect(flags.get('flips')).toMatchObject({ flags: '--flips', default: false, repeatable: false });
    expect(flags.get('data')).toMatchObject({ flags: '--data <DIR>', default: undefined, repeatable: true });
    for (const { help, group } of options)
      expect([help, group]).toEqual([expect.stringMatching(/^[^\n]{10,}$/), expect.stringMatching(/:$/)]);
    expect(flagOf('lrStepEvery')).toBe('--lr-step-every');
  });
});

describe('variants', () => {
  const srgan = { ...needed, model: 'srgan', init: 'runs/first', vgg: 'vgg19.safetensors' };

  test('are selected by name or alias, and stored by name', () => {
    expect(parseConfig({ ...needed, model: 'srresnet' }).model).toBe('srresnet-mse');
    expect(parseConfig(srgan).model).toBe('srgan-vgg54');
  });

  test("have the paper's numbers: SRGAN 10⁵ updates at 10⁻⁴ and 10⁵ at 10⁻⁵", () => {
    expect(parseConfig(srgan)).toMatchObject({
      steps: 200_000,
      lr: 1e-4,
      lrSchedule: 'step',
      lrStepEvery: 100_000,
      lrStepFactor: 0.1,
      adversarialWeight: 1e-3,
      vggRescale: 1 / 12.75,
      vggDivisor: 'mean',
      tvWeight: 0,
      discriminatorChannels: 64,
      discriminatorHidden: 1024,
    });
    expect(parseConfig({ ...needed, model: 'srresnet-vgg22', vgg: 'x' })).toMatchObject({ steps: 1e6, tvWeight: 2e-8 });
    expect(parseConfig({ ...needed, model: 'srresnet-vgg34', vgg: 'x' }).tvWeight).toBe(0);
    expect(parseConfig({ ...srgan, model: 'srgan-slides' }).vggRescale).toBe(1);
  });

  test('the learning rate of an SRGAN falls after half of its steps by default', () => {
    expect(parseConfig({ ...srgan, steps: '500' }).lrStepEvery).toBe(250);
    expect(parseConfig({ ...srgan, steps: 500, lrStepEvery: 400 }).lrStepEvery).toBe(400);
    expect(parseConfig(srgan, { path: 'x', options: { steps: 31 } }).lrStepEvery).toBe(15);
  });

  test('channels and blocks come from the initial weights, if given', () => {
    expect(parseConfig(srgan)).not.toHaveProperty('channels');
    expect(parseConfig({ ...srgan, init: 'none' })).toMatchObject({ channels: 64, blocks: 16 });
    expect(parseConfig({ ...srgan, blocks: 3 })).toMatchObject({ blocks: 3 });
  });

  test.each(VARIANTS)('$name parses to itself through JSON, without options that do not apply', ({ name }) => {
    const config = parseConfig({
      ...needed,
      model: name,
      ...(name.includes('srgan') && { init: 'none' }),
      ...(/vgg|slides/.test(name) && { vgg: 'x' }),
    });
    const file = { path: 'config.json', options: JSON.parse(JSON.stringify(config)) };
    expect(parseConfig({}, file)).toEqual(config);
    expect(resumeConfig(config, { model: name })).toEqual(config);
    for (const [key, value] of Object.entries(defaultsOf(variantOf(name)!, { init: 'none' })))
      expect([key, config[key as keyof typeof config]]).toEqual([key, value]);
  });

  const refused: [Record<string, unknown>, RegExp][] = [
    [
      { model: 'srgan-mse' },
      /^--init: missing; srgan-mse starts from a trained SRResNet: first run npx daybreak train srresnet .*--init none/,
    ],
    [{ model: 'srgan', init: 'x' }, /^--vgg: missing; srgan-vgg54 compares features of VGG19.*torchvision.*--vgg FILE/],
    [{ vgg: 'x' }, /^--vgg: does not apply to srresnet-mse, which has no VGG loss$/],
    [{ adversarialWeight: '1' }, /^--adversarial-weight: does not apply to srresnet-mse, which has no discriminator$/],
    [
      { model: 'srgan-mse', init: 'x', vggScale: 2 },
      /^--vgg-scale: does not apply to srgan-mse, which has no VGG loss$/,
    ],
    [{ model: 'srgan-mse', init: 'x', crop: 40 }, /^--crop: expected a multiple of 16 for srgan-mse.*, got 40$/],
    [{ model: 'srgan-mse', init: 'x', crop: 16, batch: 1 }, /^--batch: expected at least 2 with crops of 16.*, got 1$/],
    [{ model: 'srresnet-vgg54', vgg: 'x', crop: 12 }, /^--crop: expected at least 16 for srresnet-vgg54.*, got 12$/],
    [
      { model: 'srgan', init: 'x', vgg: 'x', vggInput: 'bgr' },
      /^--vgg-input: expected caffe, imagenet, unit, signed, got "bgr"$/,
    ],
    [{ model: 'srgan', init: 'x', vgg: 'x', vggDivisor: 'sum' }, /^--vgg-divisor: expected mean, area, got "sum"$/],
  ];
  test.each(refused)('rejects %j', (options, message) => {
    expect(failure({ ...needed, ...options }).message).toMatch(message);
  });

  test('cannot change on resuming, but the file of VGG weights may have moved', () => {
    const stored = { ...parseConfig(srgan), vggSha256: 'abc' };
    expect(() => resumeConfig(stored, { model: 'srgan-mse' })).toThrow(
      /^srgan-mse: this run trains srgan-vgg54, which/,
    );
    expect(resumeConfig(stored, { model: 'srgan', vgg: 'elsewhere' })).toEqual({ ...stored, vgg: 'elsewhere' });
    expect(() => resumeConfig(stored, { init: 'other' })).toThrow(
      /^--init: expected "runs\/first" as in the run, got "other"/,
    );
  });
});

describe('errors name the option, what was expected and what was given', () => {
  const cases: readonly [Record<string, unknown>, string][] = [
    [{ steps: 2 ** 24 + 1 }, '--steps: expected an integer from 1 to 16777216 … got 16777217'],
    [{ steps: 0 }, '--steps: expected an integer from 1 … got 0'],
    [{ steps: '12.5' }, '--steps: expected an integer from 1 … got 12.5'],
    [{ steps: 'many' }, '--steps: expected an integer from 1 … got "many"'],
    [{ steps: '' }, '--steps: expected an integer from 1 … got ""'],
    [{ crop: 50 }, '--crop: expected a multiple of 4 from 4 to 4096 … got 50'],
    [{ lr: '-1' }, '--lr: expected a number above 0 … got -1'],
    [{ lr: 'NaN' }, '--lr: expected a number above 0 … got "NaN"'],
    [{ beta1: 1 }, '--beta1: expected a number from 0 and below 1 … got 1'],
    [{ lrSchedule: 'linear' }, '--lr-schedule: expected constant, cosine, step … got "linear"'],
    [{ flips: 'yes' }, '--flips: expected true or false … got "yes"'],
    [{ seed: -1 }, '--seed: expected an integer from 0 … got -1'],
    [{ data: [] }, "--data: expected folders of pictures, or the words 'synthetic' and 'photographs' … got []"],
    [{ data: ['a', 3] }, '--data: expected folders of … got ["a",3]'],
    [{ out: undefined }, '--out: missing; expected a folder'],
    [{ lrSchedule: 'cosine', lrFloor: 1 }, '--lr-floor: expected at most lr, 0.0001 … got 1'],
    [{ data: 'synthetic', crop: 384 }, '--synthetic-size: expected at least crop, 384 … got 256'],
    [{ batch: 1, crop: 4 }, '--batch: expected at least 2 with crops of 4 … got 1'],
    [{ eps: '1e-50' }, '--eps: expected a number that float32 holds, from 1.18e-38 to 3.4e38 … got 1e-50'],
    [{ lr: '1e-60' }, '--lr: expected a number that float32 holds … got 1e-60'],
    [{ lr: '1e39' }, '--lr: expected a number that float32 holds … got 1e+39'],
    [{ lr: '1e-39' }, '--lr: expected a number that float32 holds … got 1e-39'],
    [{ lr: '1e-400' }, '--lr: expected a number above 0 … got 0'],
    [{ lrSchedule: 'cosine', lrFloor: 1e-45 }, '--lr-floor: expected 0 or a number that float32 holds … got 1e-45'],
    [
      { beta2: '0.99999999' },
      '--beta2: expected 0 or a number that float32 holds, from 1.18e-38 to 0.99999994 … got 0.99999999',
    ],
    [{ ema: '0.999999999' }, '--ema: expected 0 or a number that float32 holds … got 0.999999999'],
    [
      { model: 'srgan-mse', init: 'none', adversarialWeight: 1e-50 },
      '--adversarial-weight: expected 0 or a number that float32 holds … got 1e-50',
    ],
    [{ batch: '5000000000' }, '--batch: expected an integer from 1 to 65536 … got 5000000000'],
    [{ accumulate: 1e9 }, '--accumulate: expected an integer from 1 to 65536 … got 1000000000'],
    [
      { batch: 60_000 },
      '--batch: expected at most 38836 crops of 96 per update (--batch times --accumulate) … got 60000',
    ],
    [{ batch: 400, accumulate: 100 }, '--batch: expected at most 38836 crops of 96 per update … got 400'],
    [{ channels: 1e6 }, '--channels: expected an integer from 1 to 4096 … got 1000000'],
    [{ channels: 4096, blocks: 1000 }, '--channels: expected fewer, or fewer --blocks: 1000 blocks of 4096 … got 4096'],
    [{ blocks: 5e9 }, '--blocks: expected an integer from 1 to 1024 … got 5000000000'],
    [
      { model: 'srgan-mse', init: 'none', discriminatorChannels: 4096 },
      '--discriminator-channels: expected fewer, or fewer --discriminator-hidden … got 4096',
    ],
    [{ model: 'vgg' }, '--model: expected srresnet-mse (or srresnet), srresnet-vgg22, srgan-mse … got "vgg"'],
  ];
  test.each(cases)('%j', (options, message) => {
    const error = failure({ ...needed, ...options });
    const pattern = message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(' … ', '.*, ');
    expect(error.message).toMatch(new RegExp(`^${pattern}`));
    expect(KEYS).toContain(error.option);
  });

  test('accepts numbers that float32 holds', () => {
    const given = { eps: 1.2e-38, lr: 3e38, lrFloor: 0, beta1: 0, beta2: 0.9999999, ema: 0, batch: 30_000, crop: 96 };
    expect(parseConfig({ ...needed, ...given })).toMatchObject(given);
  });

  test('errors name the file of an option', () => {
    expect(failure({}, { ...needed, batch: 'two' }).message).toBe(
      'my.json: batch: expected an integer from 1 to 65536, got "two"',
    );
    expect(failure({ batch: 'two' }, { ...needed, batch: 3 }).message).toMatch(
      /^--batch: expected an integer .*, got "two"$/,
    );
  });

  test('a file may not write numbers as text', () => {
    expect(failure({}, { ...needed, batch: '2' }).message).toBe(
      'my.json: batch: expected an integer from 1 to 65536, got "2"',
    );
  });

  test('several problems are one line', () => {
    expect(failure({ ...needed, steps: 0, lr: 0 }).message).toBe(
      '--steps: expected an integer from 1 to 16777216, got 0; --lr: expected a number above 0, got 0',
    );
  });

  test('an unknown option is named, with the known ones', () => {
    expect(failure({}, { ...needed, batchSize: 3 }).message).toMatch(
      /^my\.json: batchSize: unknown option; the options are .*batch, /,
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

  test('is read as JSON, with its path', async () => {
    const path = await written('{"data": "x", "out": "y", "steps": 3}');
    const file = await readConfigFile(path);
    expect(file).toEqual({ path, options: { data: 'x', out: 'y', steps: 3 } });
    expect(parseConfig({}, file)).toMatchObject({ data: ['x'], steps: 3 });
  });

  test('that is missing or not a JSON object is an error with its path', async () => {
    await expect(readConfigFile(join(folder, 'none.json'))).rejects.toThrow(
      /none\.json: cannot be read: no such file or folder \(ENOENT\)$/,
    );
    await expect(readConfigFile(await written('{"steps": '))).rejects.toThrow(/my\.json: not JSON \(.+\)$/);
    await expect(readConfigFile(await written('[1]'))).rejects.toThrow(/my\.json: expected a JSON object/);
    await expect(readConfigFile(await written('null'))).rejects.toThrow(ConfigError);
  });
});

describe('resuming', () => {
  const stored = parseConfig({ ...needed, steps: 100, lr: 2e-3 });

  test('keeps the options of the run', () => {
    expect(resumeConfig(stored, {})).toEqual(stored);
    expect(resumeConfig(stored, { lr: '0.002', data: ['photos'] })).toEqual(stored);
  });

  test('may change options that do not affect the training', () => {
    const changes = { saveEvery: '7', evalEvery: 3, sampleEvery: 2, keep: 0, logEvery: 1, eval: ['set'], out: 'moved' };
    expect(resumeConfig(stored, changes)).toEqual({ ...stored, ...changes, saveEvery: 7 });
    expect(resumeConfig(stored, { maxNonFinite: '3' })).toEqual({ ...stored, maxNonFinite: 3 });
  });

  test('may change folders, whose pictures are compared later, but not words', () => {
    expect(resumeConfig(stored, { data: ['moved'] }).data).toEqual(['moved']);
    expect(resumeConfig(stored, { data: ['one', 'two'] }).data).toEqual(['one', 'two']);
    for (const data of [['moved', 'synthetic'], ['photographs'], ['photographs', 'moved']])
      expect(() => resumeConfig(stored, { data })).toThrow(/^--data: expected .* as in the run, got/);
    const words = parseConfig({ ...needed, data: ['synthetic', 'photographs'] });
    for (const data of [['photographs', 'synthetic'], ['synthetic'], ['synthetic', 'photographs', 'a']])
      expect(() => resumeConfig(words, { data })).toThrow(/^--data: expected .* as in the run, got/);
  });

  test('may change steps, unless the learning rate depends on them', () => {
    expect(resumeConfig(stored, { steps: 200 }).steps).toBe(200);
    const cosine = parseConfig({ ...needed, lrSchedule: 'cosine', steps: 100 });
    expect(() => resumeConfig(cosine, { steps: 200 })).toThrow(
      /^--steps: expected 100 as in the run \(a cosine schedule depends on it\), got 200; a resumed run keeps its options/,
    );
  });

  test('rejects any other change and names it', () => {
    for (const change of [
      { lr: 1 },
      { seed: 4 },
      { data: 'synthetic' },
      { flips: true },
      { channels: 8 },
      { crop: 48 },
    ]) {
      expect(() => resumeConfig(stored, change)).toThrow(/^--\w+: expected .+ as in the run, got .+; a resumed run/);
    }
    expect(() => resumeConfig(stored, { lr: 'x' })).toThrow(/^--lr: expected a number above 0, got "x"$/);
  });

  test('names all rejected options at once, and what may change', () => {
    const change = { lr: 1, steps: 500, crop: '48', saveEvery: 3, data: ['other', 'synthetic'] };
    expect(() => resumeConfig(stored, change)).toThrow(
      '--data: expected ["photos"] as in the run, got ["other","synthetic"]; --crop: expected 96 as in the run, got 48; ' +
        '--lr: expected 0.002 as in the run, got 1; a resumed run keeps its options: leave these out, or start a new run ' +
        'with another --out (may change: --data-budget, --vgg, --steps, --max-non-finite, --eval, --eval-every, ' +
        '--sample-every, --save-every, --keep, --log-every, and --data if the same pictures have moved)',
    );
  });
});
