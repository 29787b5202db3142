/**
 * Uses only the engine: learns an unknown 3×3 filter from an image and its filtered version.
 *
 *     npx tsx examples/learn-a-filter.ts [steps]
 */
import { compile, conv2d, grad, init, mseLoss, Philox, tensor, variable } from 'daybreak';
import { Adam } from 'daybreak/nn';

const steps = Number(process.argv[2] ?? 400);

using device = await init();
console.log(`on ${device.adapterName}`);

const random = new Philox(0);
const noise = Float32Array.from({ length: 48 * 48 }, () => 2 * random.uniform() - 1);
using picture = tensor(noise, [1, 1, 48, 48]);
using secret = tensor([0, 1, 0, 1, -4, 1, 0, 1, 0], [1, 1, 3, 3]);
using filtered = conv2d(picture, secret, undefined, { padding: 1 });

using filter = variable(new Float32Array(9), [1, 1, 3, 3], { name: 'filter' });
using adam = new Adam([filter], { lr: 0.05 });

// Traced on the first call; later calls replay one list of dispatches.
using step = compile(() => {
  const loss = mseLoss(conv2d(picture, filter, undefined, { padding: 1 }), filtered);
  adam.update(grad(loss, [filter]));
  return loss;
});

for (let i = 1; i <= steps; i++) {
  using loss = step();
  // Reading waits for the GPU, so do it only occasionally.
  if (i % 100 === 0) console.log(`step ${i}: loss ${(await loss.item()).toExponential(2)}`);
}

const learned = await filter.data();
for (let row = 0; row < 3; row++) {
  console.log([...learned.slice(3 * row, 3 * row + 3)].map(value => value.toFixed(2).padStart(6)).join(''));
}
