/** The discriminator by PyTorch in float64: one training step's logits, loss, gradients and statistics, and evaluation. */
import { expect, test } from 'vitest';
import { compile } from '../engine/compile.ts';
import type { Tensor } from '../engine/tensor.ts';
import { add, bceWithLogits, fullLike, grad } from '../kernels/index.ts';
import { discriminator, discriminatorConfig } from '../models/discriminator.ts';
import { sharedDevice, take, takeOne } from './device.ts';
import { expectClose, GRADIENT, MODEL, tensorNamed, tensorsUnder, toTensor, withGolden } from './golden-files.ts';

sharedDevice();

/** What the file says of its discriminator. */
interface Info {
  readonly base: number;
  readonly size: number;
  readonly hidden: number;
}

withGolden('models.safetensors', file => {
  const info = (JSON.parse(file.metadata.info ?? '{}') as { discriminator?: Info }).discriminator;
  if (!info) {
    test.skip('skipped: the metadata describe no discriminator', () => {});
    return;
  }
  const { base: channels, size, hidden } = info;
  const config = { channels, size, hidden };
  const weights = tensorsUnder(file, 'discriminator.weights.');
  const network = () => discriminator(config).loadStateDict(weights);
  const image = (name: string) => toTensor(tensorNamed(file, `discriminator.in.${name}`));

  test('its size follows from its weights', () => {
    expect(discriminatorConfig(weights)).toEqual(config);
  });

  test(`${channels} channels on ${size}x${size}: a training step`, async () => {
    using net = network();
    using real = image('real');
    using fake = image('fake');
    const names = net.namedParameters().map(([name]) => name);
    expect(new Set(names)).toEqual(new Set(tensorsUnder(file, 'discriminator.train.grad.').keys()));
    // Real first, then fake: each batch has its own statistics, and the running ones see both.
    using step = compile((real: Tensor, fake: Tensor) => {
      const logits = [net.forward(real), net.forward(fake)] as const;
      const loss = add(
        bceWithLogits(logits[0], fullLike(logits[0], 1)),
        bceWithLogits(logits[1], fullLike(logits[1], 0)),
      );
      return [...logits, loss, ...grad(loss, net.parameters())];
    });
    const [logitsReal, logitsFake, loss, ...gradients] = await take(step(real, fake));
    const golden = (name: string) => tensorNamed(file, `discriminator.train.${name}`);
    expectClose(logitsReal, golden('logits_real'), MODEL, 'logits of real images');
    expectClose(logitsFake, golden('logits_fake'), MODEL, 'logits of fake images');
    expectClose(loss, golden('loss'), MODEL, 'loss');
    names.forEach((name, i) => {
      expectClose(gradients[i], golden(`grad.${name}`), GRADIENT, `gradient of ${name}`);
    });
    const state = await net.stateDict();
    const buffers = tensorsUnder(file, 'discriminator.train.buffers.');
    expect(buffers.size).toBe(14);
    for (const [name, expected] of buffers)
      expectClose(state.get(name)?.data ?? new Float32Array(), expected, MODEL, name);
  });

  test('evaluation', async () => {
    using net = network().eval();
    using real = image('real');
    using forward = compile((real: Tensor) => net.forward(real));
    expectClose(await takeOne(forward(real)), tensorNamed(file, 'discriminator.eval.logits_real'), MODEL, 'logits');
  });
});
