/** The distance by real weights of VGG19 is that of PyTorch. Long: their kernels take a software driver minutes to compile. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { interpolation } from '../../eval/methods.ts';
import { vggDistance } from '../../eval/vgg-distance.ts';
import { loadVgg19 } from '../../models/vgg19.node.ts';
import { sharedDevice } from '../device.ts';
import { DATA } from '../image/fixtures.ts';

sharedDevice();

const FILE = 'vgg19_conv3_4_f16.safetensors';
const WEIGHTS = join(process.env.DAYBREAK_WEIGHTS ?? '', FILE);

function whatIsMissing(): string | undefined {
  if (DATA === undefined) return 'DAYBREAK_DATA is not set: no benchmark pictures';
  return existsSync(WEIGHTS) ? undefined : `no ${FILE}: set DAYBREAK_WEIGHTS to the folder that holds it`;
}

/** Mean over Set5 of bicubic, by PyTorch, to the digits that were published with the weights. */
test.for([
  [2, 2, 0.314],
  [3, 4, 0.296],
] as const)('bicubic on Set5 by φ%i%i', async ([i, j, published], context) => {
  const missing = whatIsMissing();
  if (missing) return context.skip(missing);
  using vgg = await loadVgg19(WEIGHTS);
  const distance = vggDistance(vgg, i, j);
  const distances: number[] = [];
  for await (const { hr, lr } of readPairs(await openDataSet(join(DATA ?? '', 'Set5'))))
    distances.push(await distance(await interpolation('bicubic')(lr), hr));
  expect(distances).toHaveLength(5);
  expect(distances.reduce((sum, one) => sum + one, 0) / 5).toBeCloseTo(published, 3);
});
