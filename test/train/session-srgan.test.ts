/** Runs of two networks: what they leave, and that a stop in between changes no byte. */
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluate } from '../../eval/evaluate.ts';
import { network } from '../../eval/methods.ts';
import { cropToMultiple } from '../../image/picture.ts';
import { shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { decodeDiscriminator, decodeModel } from '../../models/model-file.ts';
import { readSafetensors } from '../../models/safetensors.ts';
import { NetworkUpscaler } from '../../models/upscaler.ts';
import { VggError } from '../../models/vgg19-error.ts';
import { parseConfig } from '../../train/config/config.ts';
import { ConfigError } from '../../train/errors.ts';
import { stepEntries } from '../../train/report/report-content.ts';
import { type SessionOptions, startSession } from '../../train/run/session.node.ts';
import { readMetrics } from '../../train/run-folder/metrics-log.node.ts';
import { sharedDevice } from '../device.ts';
import { resumeRun } from './resume-run.ts';
import { checkpointsOf, sessionOptions } from './small-training.ts';
import { writeSmallVgg } from './small-vgg.ts';
import { srganMaterials } from './srgan-materials.ts';

const device = sharedDevice();
const optionsOf = (more: Partial<SessionOptions> = {}) => sessionOptions(device(), more);

const configOf = (model: string, out: string, more: Record<string, unknown>) =>
  parseConfig({
    model,
    data: 'synthetic',
    out,
    steps: 12,
    lr: 1e-3,
    batch: 2,
    crop: 16,
    ...(model.startsWith('srgan') && { discriminatorChannels: 4, discriminatorHidden: 8 }),
    saveEvery: 5,
    evalEvery: 4,
    sampleEvery: 4,
    logEvery: 2,
    ...more,
  });

test.each([
  ['srgan-mse', ['mse']],
  ['srgan-vgg22', ['vgg22']],
])('%s: stopped and resumed, gives the bytes of the unbroken run; its log has every term', async (model, content) => {
  const { folder, init, vgg, held } = await srganMaterials(device());
  const more = { init, eval: held, ...(model.includes('vgg') && { vgg }) };
  const [unbroken, run] = [join(folder, 'unbroken'), join(folder, 'run')];
  const lines: string[] = [];
  const result = await startSession(configOf(model, unbroken, more), optionsOf({ onLine: line => lines.push(line) }));
  expect(result).toMatchObject({ step: 12, finished: true });
  const [{ images }] = result.scores;
  for (const figures of [images[0].bicubic, images[0].initial!, images[0].model]) {
    expect(figures.psnr).toBeGreaterThan(5);
    expect(figures.texture).toBeGreaterThan(0);
    expect(figures.vgg_distance === undefined).toBe(!model.includes('vgg'));
  }
  expect(images[0].initial!.psnr).not.toBe(images[0].model.psnr);
  expect(lines.filter(line => line.startsWith('vgg'))).toEqual(
    model.includes('vgg')
      ? [
          "vgg22: features × 1/12.75 / 127.5 (range of the weights' input), squared, mean over all elements; " +
            'input caffe, padding zeros (assumed, the file does not say)',
        ]
      : [],
  );
  expect(await startSession(configOf(model, run, more), optionsOf({ stopAfter: 7 }))).toMatchObject({ step: 7 });
  expect(await resumeRun(run, {}, optionsOf())).toMatchObject({ step: 12, finished: true });
  expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken));

  expect(readdirSync(join(run, 'checkpoints/last'))).toEqual([
    'discriminator-optimizer.safetensors',
    'discriminator.safetensors',
    'manifest.json',
    'model.safetensors',
    'optimizer.safetensors',
    'state.json',
  ]);
  const file = (name: string) => readFileSync(join(run, 'checkpoints/last', name));
  using generator = decodeModel(file('model.safetensors'));
  using adversary = decodeDiscriminator(file('discriminator.safetensors'));
  expect(generator.config).toMatchObject({ channels: 8, blocks: 1 });
  expect(adversary.config).toEqual({ channels: 4, size: 16, hidden: 8 });
  for (const name of ['optimizer.safetensors', 'discriminator-optimizer.safetensors'])
    expect(readSafetensors(file(name)).metadata.steps).toBe('12');

  expect(readdirSync(join(run, 'samples'))).toEqual(
    [4, 8, 12].flatMap(step => ['.part', ''].map(part => `step-${String(step).padStart(7, '0')}-0${part}.png`)),
  );
  const report = readFileSync(join(run, 'report.html'), 'utf8');
  for (const text of ['initial SRResNet', 'Development', 'D(real) and D(fake)', 'Adversarial loss', 'fine texture'])
    expect(report).toContain(text);
  expect(report.includes('padding zeros (assumed, the file does not say)')).toBe(model.includes('vgg'));
  expect(report).toContain(`PSNR on held-out, dB, protocol matlab, over updates 4 to 12`);

  const entries = await readMetrics(join(run, 'metrics.jsonl'));
  const steps = stepEntries(entries);
  expect(steps.map(({ step }) => step)).toEqual([1, 2, 4, 5, 6, 8, 10, 12]);
  for (const { loss, terms } of steps) {
    const { [content[0]]: first, adversarial, dReal, dFake } = terms!;
    expect(Object.keys(terms!)).toEqual([...content, 'adversarial', 'discriminator', 'dReal', 'dFake']);
    // Equation 3.
    expect(loss).toBeCloseTo(first + 1e-3 * adversarial, 5);
    for (const probability of [dReal, dFake]) expect(probability > 0 && probability < 1).toBe(true);
  }
  const means = async (folder: string) => stepEntries(await readMetrics(join(folder, 'metrics.jsonl'))).at(-1)!.terms;
  expect(await means(run)).toEqual(await means(unbroken));
});

test.each([
  ['a moving average', { ema: 0.9 }],
  ['statistics of its own', { recalibrate: 2 }],
])('a run with %s scores and saves that network; stopped and resumed, it gives the same bytes', async (_, option) => {
  const { folder, init, held } = await srganMaterials(device());
  const [unbroken, run] = [join(folder, 'unbroken'), join(folder, 'run')];
  const more = { init, eval: held, ...option };
  await startSession(configOf('srgan-mse', unbroken, more), optionsOf());
  await startSession(configOf('srgan-mse', run, more), optionsOf({ stopAfter: 7 }));
  const { scores, model } = await resumeRun(run, {}, optionsOf());
  expect(model).toBe(join(run, 'checkpoints/last/model-scored.safetensors'));
  expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken));
  const file = (name: string) => join(run, 'checkpoints/last', name);
  const [last, scored] = ['model.safetensors', 'model-scored.safetensors'].map(name =>
    readSafetensors(readFileSync(file(name))),
  );
  for (const [name, { data }] of scored.tensors)
    expect([name, data.every((x, i) => x === last.tensors.get(name)!.data[i])]).toEqual([
      name,
      name.includes('running') === 'ema' in option,
    ]);
  using net = decodeModel(readFileSync(file('model-scored.safetensors')));
  using upscaler = new NetworkUpscaler(net, 'scored');
  const picture = cropToMultiple(syntheticPicture(9, 0, 24), 4);
  const { images } = await evaluate(network(upscaler), [{ name: '0', hr: picture, lr: shrink(picture) }]);
  expect(scores[0].images[0].model.psnr).toBe(images[0].psnr);
});

test('a resumed run rejects another loss network; the same file may have moved', async () => {
  const { folder, init, vgg } = await srganMaterials(device());
  const run = join(folder, 'run');
  await startSession(configOf('srresnet-vgg22', run, { init, vgg }), optionsOf({ stopAfter: 1 }));
  const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'));
  expect(config).toMatchObject({ model: 'srresnet-vgg22', vgg, init, tvWeight: 2e-8, channels: 8 });
  expect(config.vggSha256).toMatch(/^[0-9a-f]{64}$/);
  const moved = join(folder, 'moved.safetensors');
  renameSync(vgg, moved);
  await expect(resumeRun(run, {}, optionsOf())).rejects.toThrow(VggError);
  await writeSmallVgg(vgg, 2);
  const other = resumeRun(run, {}, optionsOf());
  await expect(other).rejects.toThrow(ConfigError);
  await expect(other).rejects.toThrow(
    /^--vgg: expected the file that this run was started with, SHA-256 \w+, got .*vgg\.safetensors, SHA-256 \w+$/,
  );
  expect(await resumeRun(run, { vgg: moved }, optionsOf({ stopAfter: 2 }))).toMatchObject({ step: 2 });
  const deep = startSession(configOf('srgan-vgg54', join(folder, 'deep'), { init, vgg }), optionsOf());
  await expect(deep).rejects.toThrow(/φ54 needs conv5_4, but these VGG19 weights only have conv1_1 to conv2_2/);
  expect(readdirSync(folder)).not.toContain('deep');
});
