/** PNG files are written in a thread of their own: the same bytes, while the main thread goes on. */
import { expect, test } from 'vitest';
import { encodePng } from '../../image/codec.node.ts';
import { type Channels, createPicture, type Picture, type Samples } from '../../image/picture.ts';
import { encodePngFile } from '../../image/png.node.ts';

/** A picture that takes a while to deflate. */
function grainy(width: number, height: number, channels: Channels, sixteen: boolean): Picture<Samples> {
  const length = width * height * channels;
  const data = sixteen ? new Uint16Array(length) : new Uint8Array(length);
  for (let i = 0; i < length; i++) data[i] = (Math.sin(i / 300) * 100 + 120 + ((i * 7919) % 13)) * (sixteen ? 257 : 1);
  return createPicture<Samples>(width, height, channels, data);
}

test.each([1, 2, 3, 4] as const)('%i channels: the same bytes as on the main thread', async channels => {
  for (const sixteen of [false, true]) {
    const picture = grainy(900, 700, channels, sixteen);
    expect(Buffer.compare(await encodePng(picture), encodePngFile(picture))).toBe(0);
  }
});

test('samples that lie within a larger buffer', async () => {
  const whole = grainy(1000, 701, 3, true).data as Uint16Array;
  const picture = createPicture(1000, 700, 3, whole.subarray(3000));
  expect(Buffer.compare(await encodePng(picture), encodePngFile(picture))).toBe(0);
  expect(picture.data.length).toBe(2_100_000);
});

test('timers run meanwhile', async () => {
  const picture = grainy(2000, 1500, 3, false);
  const start = performance.now();
  encodePngFile(picture);
  const alone = performance.now() - start;
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  await encodePng(picture);
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(alone / 5 / 10);
});
