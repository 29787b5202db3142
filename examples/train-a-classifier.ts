/**
 * Trains a small convolutional network to tell drawn circles, squares and crosses apart, and counts how many new drawings it
 * gets right.
 *
 *     npx tsx examples/train-a-classifier.ts [steps]
 */
import { argmax, compile, crossEntropy, init, manualSeed, Philox, type Tensor, tensor, tidy } from 'daybreak';
import { AdamW, Conv2d, cosine, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential } from 'daybreak/nn';

const steps = Number(process.argv[2] ?? 150);
const SIDE = 16;
const BATCH = 32;

using device = await init();
console.log(`on ${device.adapterName}`);
// The same weights and the same dropout in every run.
manualSeed(1);

using net = new Sequential(
  new Conv2d(1, 8, 3, { padding: 1 }),
  new ReLU(),
  new MaxPool2d(2),
  new Conv2d(8, 16, 3, { padding: 1 }),
  new ReLU(),
  new MaxPool2d(2),
  new Flatten(),
  new Dropout(0.2),
  new Linear(16 * (SIDE / 4) ** 2, 3),
);
using optimizer = new AdamW(net.parameters(), { lr: 0.01 });
const rateAt = cosine({ lr: 0.01, steps });

/** Whether the pixel (x, y), as seen from the middle of a shape of this radius, belongs to shape `kind`. */
function isInk(kind: number, x: number, y: number, radius: number): boolean {
  const [ax, ay] = [Math.abs(x), Math.abs(y)];
  if (kind === 0) return Math.abs(Math.hypot(x, y) - radius) < 0.8;
  if (kind === 1) return Math.abs(Math.max(ax, ay) - radius) < 0.8;
  return Math.abs(ax - ay) < 1 && Math.max(ax, ay) <= radius;
}

/** Noisy drawings [BATCH, 1, SIDE, SIDE] of random kinds, sizes and places, and their kinds [BATCH]. */
function draw(random: Philox): { pictures: Tensor; kinds: Tensor } {
  const pixels = new Float32Array(BATCH * SIDE ** 2);
  const kinds = Array.from({ length: BATCH }, (_, i) => {
    const kind = random.integer(3);
    const [cx, cy, radius] = [5 + 6 * random.uniform(), 5 + 6 * random.uniform(), 3 + 2 * random.uniform()];
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++)
        pixels[(i * SIDE + y) * SIDE + x] = (isInk(kind, x - cx, y - cy, radius) ? 1 : 0) + 0.2 * random.normal();
    return kind;
  });
  return { pictures: tensor(pixels, [BATCH, 1, SIDE, SIDE]), kinds: tensor(kinds) };
}

// Both are traced once. Dropout depends on the mode, so each mode has a program of its own.
using step = compile((pictures: Tensor, kinds: Tensor) => {
  const loss = crossEntropy(net.forward(pictures), kinds);
  optimizer.minimize(loss);
  return loss;
});
using classify = compile((pictures: Tensor) => argmax(net.forward(pictures), { axis: 1 }));

const random = new Philox(7);
net.train();
for (let i = 0; i < steps; i++) {
  optimizer.lr = rateAt(i);
  const loss = tidy(() => {
    const { pictures, kinds } = draw(random);
    return step(pictures, kinds);
  });
  if ((i + 1) % 50 === 0) console.log(`step ${i + 1}: loss ${(await loss.item()).toFixed(3)}`);
  loss.dispose();
}

net.eval();
let right = 0;
for (let i = 0; i < 4; i++) {
  const { pictures, kinds } = draw(random);
  using found = classify(pictures);
  const [expected, got] = [await kinds.data(), await found.integers()];
  right += got.filter((kind, k) => kind === expected[k]).length;
  pictures.dispose();
  kinds.dispose();
}
console.log(`${right} of ${4 * BATCH} new drawings recognized`);
