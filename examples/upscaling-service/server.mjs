// Upscales uploaded pictures, one at a time. See README.md.
import { readFile } from 'node:fs/promises';
import { serve } from '@hono/node-server';
import { init } from 'daybreak';
import { upscalePicture } from 'daybreak/eval';
import { decode, encodePng, ImageError } from 'daybreak/image';
import { decodeModel, NetworkUpscaler } from 'daybreak/models';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';

const number = (name, otherwise) => Number(process.env[name] ?? otherwise);
const MAX_BYTES = number('MAX_BYTES', 20 * 2 ** 20);
const MAX_PIXELS = number('MAX_PIXELS', 4e6);
const MAX_QUEUE = number('MAX_QUEUE', 16);

const device = await init();
const file = new URL(import.meta.resolve('daybreak/pretrained/srresnet.safetensors'));
const upscaler = new NetworkUpscaler(decodeModel(await readFile(file)), 'srresnet');

/** Jobs wait for each other: the GPU does one at a time anyway, and memory stays that of one picture. */
let waiting = 0;
let last = Promise.resolve();
function enqueue(job) {
  waiting++;
  const done = last.then(job).finally(() => waiting--);
  last = done.catch(() => {});
  return done;
}

const app = new Hono();

app.get('/health', context => context.json({ adapter: device.adapterName, waiting }));

app.post(
  '/upscale',
  bodyLimit({ maxSize: MAX_BYTES, onError: context => context.text(`more than ${MAX_BYTES} bytes\n`, 413) }),
  async context => {
    if (waiting >= MAX_QUEUE) return context.text('the queue is full, try again later\n', 503, { 'retry-after': '10' });
    const { signal } = context.req.raw;
    let picture;
    try {
      picture = await decode(new Uint8Array(await context.req.arrayBuffer()), 'upload');
    } catch (error) {
      if (error instanceof ImageError) return context.text(`${error.message}\n`, 415);
      throw error;
    }
    const pixels = picture.width * picture.height;
    if (pixels > MAX_PIXELS) return context.text(`${pixels} pixels, at most ${MAX_PIXELS}\n`, 413);
    const large = await enqueue(async () => {
      signal.throwIfAborted();
      return await upscalePicture(picture, upscaler, { signal });
    });
    return context.body(await encodePng(large), 200, { 'content-type': 'image/png' });
  },
);

app.onError((error, context) => {
  // The client has gone; nobody reads this.
  if (error.name === 'AbortError') return context.body(null, 499);
  console.error(error);
  return context.text('failed\n', 500);
});

const server = serve({ fetch: app.fetch, port: number('PORT', 8080), hostname: process.env.HOST ?? '127.0.0.1' }, at =>
  console.log(`http://${at.address}:${at.port}`),
);

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    server.close();
    void last.then(() => {
      upscaler.dispose();
      device.dispose();
    });
  });
