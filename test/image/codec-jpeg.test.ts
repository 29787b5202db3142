import { describe, expect, test, vi } from 'vitest';
import { decode } from '#codec';

const sharp = await import('sharp').then(
  module => module.default,
  () => undefined,
);

describe.skipIf(sharp === undefined)('with sharp (skipped where this optional package is not installed)', () => {
  const jpeg = (width: number, height: number) =>
    sharp!({ create: { width, height, channels: 3, background: { r: 200, g: 60, b: 20 } } }).jpeg({ quality: 95 });

  test('JPEG decodes to RGB near the original, grey JPEG to one channel', async () => {
    const picture = await decode(await jpeg(24, 16).toBuffer(), 'a.jpg');
    expect(picture).toMatchObject({ width: 24, height: 16, channels: 3 });
    for (let c = 0; c < 3; c++) expect(Math.abs(picture.data[300 + c] - [200, 60, 20][c])).toBeLessThan(4);
    const grey = await decode(await jpeg(24, 16).toColourspace('b-w').jpeg().toBuffer(), 'g.jpg');
    expect(grey).toMatchObject({ width: 24, height: 16, channels: 1 });
  });

  test("JPEG is turned upright after its EXIF orientation (6: the camera's top is at the right)", async () => {
    const left = { input: await jpeg(8, 16).negate().png().toBuffer(), left: 0, top: 0 };
    const bytes = await sharp!(await jpeg(24, 16).composite([left]).png().toBuffer())
      .jpeg({ quality: 95 })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const picture = await decode(bytes, 'turned.jpg');
    expect(picture).toMatchObject({ width: 16, height: 24 });
    // What was left is now at the top.
    expect(picture.data[0]).toBeLessThan(100);
    expect(picture.data[(20 * 16 + 8) * 3]).toBeGreaterThan(150);
  });

  test('a JPEG cut off or damaged is an error naming the file', async () => {
    const bytes = await jpeg(64, 64).toBuffer();
    for (const length of [3, 20, bytes.length >> 1, bytes.length - 20]) {
      await expect(decode(bytes.subarray(0, length), 'cut.jpg')).rejects.toThrow(/^cut\.jpg: damaged JPEG: [^\n]+$/);
    }
  });
});

test('without sharp a JPEG is an error that says what to install', async () => {
  vi.doMock('sharp', () => {
    throw new Error("Cannot find package 'sharp'");
  });
  try {
    const start = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16);
    await expect(decode(start, 'a.jpg')).rejects.toThrow(
      'a.jpg: JPEG needs the optional package sharp: npm install sharp',
    );
  } finally {
    vi.doUnmock('sharp');
  }
});
