/** Makes devices, uses and disposes of them; prints how many of their GPU devices the garbage collector has left. */
import { Device } from '../../engine/device/device.ts';
import { compile, grad, mul, sum, type Tensor, tensor, tidy, variable } from '../../index.ts';

const MADE = 8;
const references: WeakRef<object>[] = [];

async function cycle(): Promise<void> {
  using device = await Device.create();
  references.push(new WeakRef(device.gpu));
  const weight = variable([1, 2], [2], { device });
  using step = compile((x: Tensor) => {
    weight.assign(grad(sum(mul(mul(weight, weight), x)), [weight])[0]);
    return undefined;
  });
  for (let i = 0; i < 3; i++) tidy(() => step(tensor([1, 2], undefined, { device })));
  await device.finished();
  weight.dispose();
}

for (let i = 0; i < MADE; i++) await cycle();
for (let i = 0; i < 20; i++) {
  globalThis.gc?.();
  await new Promise(resolve => setTimeout(resolve, 20));
}
console.log(JSON.stringify({ made: MADE, alive: references.filter(one => one.deref() !== undefined).length }));
