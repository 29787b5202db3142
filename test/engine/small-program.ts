/** A program that uses the engine and then simply ends, in the way that its argument says; `exit.test.ts` runs it. */
import { compile, grad, init, mean, mul, square, sub, type Tensor, tensor, tidy, variable } from '../../index.ts';

const [, , way] = process.argv;
const device = await init();

const weight = variable([0], [1]);
const step = compile((x: Tensor, y: Tensor) => {
  const loss = mean(square(sub(mul(x, weight), y)));
  weight.assign(sub(weight, mul(grad(loss, [weight])[0], 0.1)));
  return loss;
});
const x = tensor([1, 2, 3]);
const y = tensor([2, 4, 6]);
for (let i = 0; i < 50; i++) step(x, y).dispose();

if (way === 'unfinished') {
  // Neither waits for the GPU nor gives anything back.
  void tidy(() => mul(x, weight)).data();
} else if (way === 'throws') {
  const { gpu } = device;
  const destroy = gpu.destroy.bind(gpu);
  gpu.destroy = () => {
    console.log('destroyed');
    destroy();
  };
  throw new Error('on purpose');
} else {
  console.log((await weight.item()).toFixed(3));
  if (way === 'disposes') {
    step.dispose();
    for (const t of [x, y, weight]) t.dispose();
    device.dispose();
  }
}
