/**
 * Upscales an image four times with a trained network, with the API that `daybreak upscale` uses.
 *
 *     npx tsx examples/upscale-a-picture.ts MODEL.safetensors IN.png OUT.png
 */
import { readFile, writeFile } from 'node:fs/promises';
import { init } from 'daybreak';
import { upscalePicture } from 'daybreak/eval';
import { decode, encodePng } from 'daybreak/image';
import { decodeModel, NetworkUpscaler } from 'daybreak/models';

const [model, from, to] = process.argv.slice(2);
if (to === undefined) throw new Error('usage: upscale-a-picture.ts MODEL.safetensors IN.png OUT.png');

using _device = await init();
using net = decodeModel(await readFile(model), model);
using upscaler = new NetworkUpscaler(net, model);

const picture = await decode(await readFile(from), from);
// Large images are split into tiles; the result is bit-identical.
const large = await upscalePicture(picture, upscaler, {
  memoryBudget: 512 * 2 ** 20,
  onTile: (done, total) => console.log(`tile ${done} of ${total}`),
});
await writeFile(to, await encodePng(large));
console.log(`${to}: ${large.width}x${large.height}`);
