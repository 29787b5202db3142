/** Whole steps of SRGAN by PyTorch in float64: the discriminator's, then the generator's, losses, gradients and updates. */
import { expect, test } from 'vitest';
import { compile } from '../engine/compile.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { notFinite, reshape, sum } from '../kernels/index.ts';
import { pack } from '../kernels/movement/pack.ts';
import { discriminator, discriminatorConfig } from '../models/discriminator.ts';
import type { SafetensorsFile } from '../models/safetensors.ts';
import { srresnet, srresnetConfig } from '../models/srresnet.ts';
import { vgg19FromTensors } from '../models/vgg19-file.ts';
import { type ContentTerm, contentMse, vggTerm } from '../train/loss-terms.ts';
import { SrganTraining } from '../train/srgan.ts';
import { sharedDevice, take } from './device.ts';
import { expectClose, GRADIENT, MODEL, tensorNamed, tensorsUnder, toTensor, withGolden } from './golden-files.ts';

sharedDevice();

interface Info {
  readonly lr: number;
  readonly steps: number;
}

/** Some 150 kernels are compiled for the two networks and their gradients. Milliseconds. */
const PATIENCE = 600_000;

/** Columns of the losses in the files: those of D, of the content, and of the adversarial term. */
const COLUMNS = 3;

/** Runs the steps of a file and holds them against its losses; the first one's gradients are returned by name. */
async function runSteps(
  file: SafetensorsFile,
  { prefix, info, content }: { prefix: string; info: Info; content: readonly ContentTerm[] },
): Promise<Map<string, Float32Array>> {
  const weights = (network: string) => tensorsUnder(file, `${prefix}.weights.${network}.`);
  using g = srresnet(srresnetConfig(weights('g'))).loadStateDict(weights('g'));
  using d = discriminator(discriminatorConfig(weights('d'))).loadStateDict(weights('d'));
  using training = new SrganTraining(g, d, { content });
  using lr = toTensor(tensorNamed(file, `${prefix}.in.lr`));
  using hr = toTensor(tensorNamed(file, `${prefix}.in.hr`));
  const parameters = [...d.namedParameters(), ...g.namedParameters()];
  const names = [
    ...d.namedParameters().map(([name]) => `d.${name}`),
    ...g.namedParameters().map(([name]) => `g.${name}`),
  ];
  using step = compile((lr: Tensor, hr: Tensor, rate: Tensor) => {
    const seen: Tensor[] = [];
    const terms = training.record([{ lr, hr }], {
      rate,
      failed: ({ gradients: { generator = [], discriminator = [] } }) => {
        seen.push(...discriminator, ...generator);
        return reshape(sum(notFinite(pack(seen))), [1]);
      },
    });
    return [...terms, ...seen];
  });
  using rate = tensor([info.lr], [1]);
  const losses: number[] = [];
  const first = new Map<string, Float32Array>();
  for (let i = 0; i < info.steps; i++) {
    const results = await take(step(lr, hr, rate));
    const terms = Object.fromEntries(training.terms.map((name, k) => [name, results[k][0]]));
    losses.push(terms.discriminator, terms[content[0].name], terms.adversarial);
    expect(terms.loss).toBeCloseTo(terms[content[0].name] * content[0].weight + 1e-3 * terms.adversarial, 5);
    expect(results.length - training.terms.length).toBe(parameters.length);
    if (i === 0) for (const [k, name] of names.entries()) first.set(name, results[training.terms.length + k]);
  }
  const golden = tensorNamed(file, `${prefix}.losses`);
  expect(golden.shape).toEqual([info.steps, COLUMNS]);
  expectClose(Float32Array.from(losses), golden, MODEL, 'losses of all steps');
  // The means hide a small term beside a large one.
  for (let column = 0; column < COLUMNS; column++) {
    const of = (all: ArrayLike<number>) => Float32Array.from(Array.from(all).filter((_, k) => k % COLUMNS === column));
    const expected = { ...golden, shape: [info.steps], data: of(golden.data) };
    expectClose(of(losses), expected, MODEL, `losses, column ${column}`);
  }
  return first;
}

withGolden('models.safetensors', file => {
  const info = (JSON.parse(file.metadata.info ?? '{}') as { srgan?: Info }).srgan;
  if (!info) {
    test.skip('skipped: the metadata describe no srgan', () => {});
    return;
  }
  test(
    `${info.steps} steps of SRGAN-MSE`,
    async () => {
      const gradients = await runSteps(file, { prefix: 'srgan', info, content: [contentMse()] });
      const golden = tensorsUnder(file, 'srgan.step0.grad.');
      expect(golden.size).toBeGreaterThan(0);
      for (const [name, expected] of golden)
        expectClose(gradients.get(name) ?? new Float32Array(), expected, GRADIENT, `gradient of ${name}`);
    },
    PATIENCE,
  );
});

withGolden('vgg.safetensors', file => {
  const info = (JSON.parse(file.metadata.info ?? '{}') as { step?: Info }).step;
  if (!info) {
    test.skip('skipped: the metadata describe no step', () => {});
    return;
  }
  test(
    `${info.steps} steps of SRGAN-VGG54`,
    async () => {
      using vgg = vgg19FromTensors(tensorsUnder(file, 'vgg.weights.'), { input: 'signed' });
      const content = [vggTerm(vgg, { i: 5, j: 4 })];
      const gradients = await runSteps(file, { prefix: 'step', info, content });
      const golden = tensorsUnder(file, 'step.grad.');
      expect(new Set(golden.keys())).toEqual(new Set(gradients.keys()));
      for (const [name, expected] of golden)
        expectClose(gradients.get(name) ?? new Float32Array(), expected, GRADIENT, `gradient of ${name}`);
    },
    PATIENCE,
  );
});
