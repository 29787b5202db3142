/** What is computed in Node and in a browser, and has to come out the same. */
import { compile, conv2d, grad, init, mean, mseLoss, Philox, square, tensor, tidy } from '../../index.ts';
import { srresnet } from '../../models/index.ts';
import { Adam } from '../../nn/index.ts';

/** Numbers by name, and where they were computed. */
export interface Results {
  readonly adapter: string;
  readonly numbers: Readonly<Record<string, readonly number[]>>;
}

const random = (stream: number, size: number): Float32Array => {
  const source = new Philox(1, stream);
  return Float32Array.from({ length: size }, () => 2 * source.uniform() - 1);
};

/** Convolutions with their gradients, uncompiled, and the losses of three updates of a small SRResNet, compiled. */
export async function compute(): Promise<Results> {
  // Chromium's software adapter takes over a minute to compile the long texts of the fast kernels.
  using device = await init({ kernels: 'plain' });
  const { vendor, architecture, description } = device.description;
  const numbers = { ...(await convolution(1)), ...(await convolution(2)), losses: await training() };
  return { adapter: `${vendor} ${architecture} ${description}`.trim(), numbers };
}

async function convolution(stride: number): Promise<Record<string, number[]>> {
  const tensors = tidy(() => {
    const [x, weight, bias] = [[2, 3, 9, 11], [10, 3, 3, 3], [10]].map((shape, i) =>
      tensor(
        random(
          i,
          shape.reduce((a, b) => a * b),
        ),
        shape,
        { requiresGrad: true },
      ),
    );
    const y = conv2d(x, weight, bias, { stride, padding: 1 });
    const [gx, gw, gb] = grad(mean(square(y)), [x, weight, bias]);
    return { y, gx, gw, gb };
  });
  const all: Record<string, number[]> = {};
  for (const [name, result] of Object.entries(tensors)) {
    all[`${name}, stride ${stride}`] = [...(await result.data())];
    result.dispose();
  }
  return all;
}

async function training(): Promise<number[]> {
  using net = srresnet({ channels: 8, blocks: 1, seed: 5 });
  using adam = new Adam(net.parameters(), { lr: 1e-3 });
  using lr = tensor(random(10, 2 * 3 * 36), [2, 3, 6, 6]);
  using hr = tensor(random(11, 2 * 3 * 576), [2, 3, 24, 24]);
  using step = compile((lr, hr) => {
    const loss = mseLoss(net.forward(lr), hr);
    adam.update(grad(loss, net.parameters()));
    return loss;
  });
  const losses: number[] = [];
  for (let i = 0; i < 3; i++) {
    using loss = step(lr, hr);
    losses.push(await loss.item());
  }
  return losses;
}
