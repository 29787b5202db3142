/** JPEG, WebP, AVIF and TIFF, and what goes from format to format beside the pixels. */

import { describe, expect, test } from 'vitest';
import { decodeFile, encodeFile } from '../../image/codec.node.ts';
import type { Format } from '../../image/formats.ts';
import { fitted } from '../../image/losses.ts';
import { orientationOf } from '../../image/metadata/exif.ts';
import { xmpFor } from '../../image/metadata/xmp.ts';
import { upright } from '../../image/orientation.ts';
import { type Channels, createPicture, type Picture, type Samples, toEightBit } from '../../image/picture.ts';
import { DEEP_AVIF } from './deep-avif.ts';
import { formulaPicture } from './fixtures.ts';
import { tiffFile, tiffTags } from './tiff-file.ts';

const sharp = await import('sharp').then(
  module => module.default,
  () => undefined,
);

const FORMATS: readonly Format[] = ['png', 'jpeg', 'webp', 'avif', 'tiff'];

/** Smooth, so that lossy formats stay near it. */
function smooth(channels: Channels, depth: 8 | 16, width = 40, height = 24): Picture<Samples> {
  const length = width * height * channels;
  const values = Array.from({ length }, (_, i) => {
    const [c, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    return (0.2 + 0.1 * c + x / 120 + y / 200) * (depth === 16 ? 65535 : 255);
  });
  return createPicture<Samples>(
    width,
    height,
    channels,
    depth === 16 ? Uint16Array.from(values) : Uint8Array.from(values),
  );
}

function largestDifference(a: Picture<Samples>, b: Picture<Samples>): number {
  expect([a.width, a.height, a.channels, a.data.length]).toEqual([b.width, b.height, b.channels, b.data.length]);
  let largest = 0;
  for (let i = 0; i < a.data.length; i++) largest = Math.max(largest, Math.abs(a.data[i] - b.data[i]));
  return largest;
}

/** A block of EXIF: camera, orientation 6, sizes and a fraction in the directory of details, latitude's reference. */
async function someExif(): Promise<Uint8Array> {
  const bytes = await sharp!({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
    .withExif({
      IFD0: { Make: 'A camera with a name', Copyright: 'Somebody' },
      IFD2: { ExposureTime: '1/30', PixelXDimension: '4' },
      IFD3: { GPSLatitudeRef: 'N' },
    })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
  return new Uint8Array((await sharp!(bytes).metadata()).exif!.subarray(6));
}

async function profile(name: 'p3' | 'srgb'): Promise<Uint8Array> {
  const red = sharp!({ create: { width: 4, height: 4, channels: 3, background: 'red' } });
  const bytes = await red.withIccProfile(name).png().toBuffer();
  return new Uint8Array((await sharp!(bytes).metadata()).icc!);
}

const XMP = new TextEncoder().encode(
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>',
);

describe.skipIf(sharp === undefined)('with sharp (skipped where this optional package is not installed)', () => {
  test.each(FORMATS)('%s: every kind of picture comes back, exactly or nearly', async format => {
    for (const depth of [8, 16] as const) {
      for (const channels of [1, 2, 3, 4] as const) {
        const picture = smooth(channels, depth);
        const { picture: back } = await decodeFile(await encodeFile(picture, format), 'p');
        const { picture: held } = fitted(picture, format);
        if (format === 'png' || format === 'tiff') expect(back, `${depth} bit, ${channels}`).toEqual(picture);
        // WebP and AVIF have no grey.
        else if (format !== 'jpeg' && channels <= 2) expect(back.channels).toBe(channels + 2);
        else expect(largestDifference(back, held), `${depth} bit, ${channels}`).toBeLessThanOrEqual(8);
      }
    }
  });

  test.each(['webp', 'avif'] as const)('%s of quality 100 is lossless', async format => {
    const picture = formulaPicture([20, 13, 3, 4]);
    expect((await decodeFile(await encodeFile(picture, format, { quality: 100 }), 'p')).picture).toEqual(picture);
  });

  test('EXIF, XMP and the profile of another colour space go into every format; the numbers stay', async () => {
    const metadata = { icc: await profile('p3'), exif: await someExif(), xmp: XMP };
    const picture = smooth(3, 8);
    for (const format of FORMATS) {
      const bytes = await encodeFile(picture, format, { metadata });
      const back = await decodeFile(bytes, 'p');
      expect(largestDifference(back.picture, picture), format).toBeLessThanOrEqual(4);
      expect(back.metadata.icc, format).toEqual(metadata.icc);
      expect(Buffer.from(back.metadata.xmp!).toString(), format).toContain('x:xmpmeta');
      const exif = Buffer.from(back.metadata.exif!).toString('latin1');
      expect(exif, format).toContain('A camera with a name');
      expect(exif, format).toContain('Somebody');
      expect(back.warnings, format).toEqual([expect.stringMatching(/profile "[^"]*P3[^"]*" is not sRGB/)]);
      const seen = await sharp!(bytes).metadata();
      expect(Buffer.compare(seen.icc!, metadata.icc), format).toBe(0);
      expect(seen.orientation ?? 1, format).toBe(1);
      // And on into PNG, where a reader of its own sees them.
      const png = await encodeFile(back.picture, 'png', { metadata: back.metadata });
      const last = await sharp!(png).metadata();
      expect(last.exif!.toString('latin1'), format).toContain('A camera with a name');
      expect(Buffer.compare(last.icc!, metadata.icc)).toBe(0);
    }
    const { warnings } = await decodeFile(
      await encodeFile(picture, 'jpeg', { metadata: { icc: await profile('srgb') } }),
      'p',
    );
    expect(warnings).toEqual([]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('orientation %i is applied in every format that has one', async orientation => {
    const stored = smooth(3, 8, 24, 16);
    const seen = upright(stored, orientation);
    // The judge is sharp's own rotation.
    const raw = { raw: { width: 24, height: 16, channels: 3 } } as const;
    const turned = await sharp!(await sharp!(stored.data, raw).png().withMetadata({ orientation }).toBuffer())
      .autoOrient()
      .raw()
      .toBuffer();
    expect([...turned]).toEqual([...seen.data]);
    for (const format of ['png', 'jpeg', 'webp', 'tiff'] as const) {
      const bytes = await sharp!(stored.data, raw).withMetadata({ orientation })[format]({ quality: 100 }).toBuffer();
      const { picture, metadata } = await decodeFile(bytes, 'p');
      expect(largestDifference(picture, seen), format).toBeLessThanOrEqual(8);
      const again = await sharp!(await encodeFile(picture, 'jpeg', { metadata })).metadata();
      expect(again.orientation ?? 1, format).toBe(1);
    }
  });

  test("TIFF's own orientation, and XMP's copy of it, are applied once", async () => {
    const samples = [1, 2, 3, 4, 5, 6];
    for (const [orientation, seen] of [
      [3, [6, 5, 4, 3, 2, 1]],
      [6, [4, 1, 5, 2, 6, 3]],
      [8, [3, 6, 2, 5, 1, 4]],
    ] as const) {
      const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="${orientation}" crs:Look="7"/>`;
      const others = [
        [274, 3, [orientation]],
        [700, 1, [...Buffer.from(xmp)]],
      ] as const;
      const { picture, metadata } = await decodeFile(
        tiffFile([{ tags: tiffTags(3, 2, [8], 1, others), samples }]),
        'p',
      );
      const [width, height] = orientation === 3 ? [3, 2] : [2, 3];
      expect(picture).toEqual(createPicture(width, height, 1, Uint8Array.from(seen)));
      expect(Buffer.from(metadata.xmp!).toString()).toBe(
        xmp.replace(`tiff:Orientation="${orientation}"`, 'tiff:Orientation="1"'),
      );
      expect(orientationOf(metadata.exif)).toBe(1);
      const again = await decodeFile(await encodeFile(picture, 'tiff', { metadata }), 'p');
      expect(again.picture).toEqual(picture);
    }
  });

  test('AVIF of 8 bits is read, deeper ones are refused by what they are, not as damaged', async () => {
    const bytes = (bits: 8 | 10 | 12) => Buffer.from(DEEP_AVIF[bits], 'base64');
    const { picture } = await decodeFile(bytes(8), 'p');
    // 30000 of 65535, as near as the encoder came.
    expect([picture.width, picture.height, new Set(picture.data)]).toEqual([2, 2, new Set([117])]);
    for (const bits of [10, 12] as const) {
      await expect(decodeFile(bytes(bits), 'p')).rejects.toThrow(
        `p: AVIF of ${bits} bits is not supported by this build of sharp: convert it to PNG or TIFF`,
      );
    }
    // As damaged as before: the reason is the decoder's, not what follows from it.
    const cut = decodeFile(bytes(8).subarray(0, 280), 'p');
    await expect(cut).rejects.toThrow(/^p: damaged AVIF: (?!.*bad seek)/);
  });

  test('JPEG of CMYK is converted to sRGB, and says so', async () => {
    const picture = smooth(3, 8);
    const raw = { raw: { width: picture.width, height: picture.height, channels: 3 } } as const;
    const bytes = await sharp!(picture.data, raw).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    const file = await decodeFile(bytes, 'p');
    expect(file.picture).toMatchObject({ width: 40, height: 24, channels: 3 });
    expect(file.metadata.icc).toBeUndefined();
    expect(file.warnings).toEqual([expect.stringContaining('its colours (CMYK) are converted to sRGB')]);
  });

  const page = (bits: readonly number[], photometric: number, samples: readonly number[], others = [] as const) => ({
    tags: tiffTags((samples.length * 8) / bits.reduce((a, b) => a + b), 1, bits, photometric, others),
    samples,
  });
  const EIGHT = [8, 8, 8, 8];

  test.each([
    ['1-bit grey', page([1], 1, [0xa5]), 1, [255, 0, 255, 0, 0, 255, 0, 255]],
    ['1-bit grey, white is 0', page([1], 0, [0xa5]), 1, [0, 255, 0, 255, 255, 0, 255, 0]],
    ['4-bit grey', page([4], 1, [0x3f]), 1, [51, 255]],
    ['RGB', page([8, 8, 8], 2, [1, 2, 3, 4, 5, 6]), 3, [1, 2, 3, 4, 5, 6]],
  ])('TIFF: %s', async (_, one, channels, values) => {
    const { picture } = await decodeFile(tiffFile([one]), 'p.tif');
    expect(picture).toEqual(createPicture(values.length / channels, 1, channels as Channels, Uint8Array.from(values)));
  });

  test('TIFF of Lab is converted to sRGB, and says so', async () => {
    const { picture, warnings } = await decodeFile(tiffFile([page([8, 8, 8], 8, [0, 0, 0, 255, 0, 0])]), 'p');
    // libvips rounds white down.
    expect([...picture.data]).toEqual([0, 0, 0, 254, 254, 254]);
    expect(warnings).toEqual([expect.stringContaining('(Lab) are converted to sRGB')]);
  });

  test('TIFF: palettes, alpha of both kinds, 16-bit grey, several pages', async () => {
    const map = Array.from({ length: 48 }, (_, i) => (i < 16 ? i : i < 32 ? 31 - i : 3) * 4369);
    const palette = { tags: tiffTags(2, 1, [4], 3, [[320, 3, map]]), samples: [0x3f] };
    expect([...(await decodeFile(tiffFile([palette]), 'p')).picture.data]).toEqual([51, 204, 51, 255, 0, 51]);

    const alpha = (kind: number) => ({ tags: tiffTags(1, 1, EIGHT, 2, [[338, 3, [kind]]]), samples: [50, 25, 0, 100] });
    expect([...(await decodeFile(tiffFile([alpha(2)]), 'p')).picture.data]).toEqual([50, 25, 0, 100]);
    // Premultiplied: 50 · 255 / 100 and 25 · 255 / 100, rounded down by libvips.
    expect([...(await decodeFile(tiffFile([alpha(1)]), 'p')).picture.data]).toEqual([127, 63, 0, 100]);

    const deep = { tags: tiffTags(2, 1, [16], 1), samples: [0x34, 0x12, 0xff, 0xff] };
    const { picture } = await decodeFile(tiffFile([deep]), 'p');
    expect(picture).toEqual(createPicture(2, 1, 1, Uint16Array.of(0x1234, 0xffff)));

    const pages = await decodeFile(tiffFile([deep, page([8], 1, [1, 2])]), 'p');
    expect(pages.picture).toEqual(picture);
    expect(pages.warnings).toEqual(['only the first of its 2 pages or frames is read']);
  });

  test('TIFF whose numbers would be taken for others is refused by name', async () => {
    const float = { tags: tiffTags(1, 1, [32], 1, [[339, 3, [3]]]), samples: [0, 0, 128, 63] };
    await expect(decodeFile(tiffFile([float]), 'p')).rejects.toThrow(
      'p: TIFF of samples of type float is not supported',
    );
    const long = { tags: tiffTags(1, 1, [32], 1), samples: [0, 0, 128, 63] };
    await expect(decodeFile(tiffFile([long]), 'p')).rejects.toThrow('TIFF of samples of type uint is not supported');
    const ycbcr = { tags: tiffTags(1, 1, [8, 8, 8], 6, [[530, 3, [1, 1]]]), samples: [128, 128, 128] };
    await expect(decodeFile(tiffFile([ycbcr]), 'p')).rejects.toThrow('TIFF of YCbCr samples is not supported');
    const five = { tags: tiffTags(1, 1, [8, 8, 8, 8, 8], 2, [[338, 3, [2, 0]]]), samples: [1, 2, 3, 4, 5] };
    await expect(decodeFile(tiffFile([five]), 'p')).rejects.toThrow('TIFF of 5 channels is not supported');
  });

  test.each(['jpeg', 'webp', 'avif', 'tiff'] as const)(
    'a damaged %s is one line; a large one is refused unread',
    async format => {
      const bytes = await encodeFile(smooth(3, 8), format);
      await expect(decodeFile(bytes, 'p', { maxPixels: 959 })).rejects.toThrow(
        'p: 40x24 pixels exceed the limit of 959',
      );
      for (const length of [16, bytes.length >> 2, bytes.length >> 1, bytes.length - 10]) {
        const error = await decodeFile(bytes.subarray(0, length), 'cut').catch(e => e);
        if (error instanceof Error) expect(error.message).toMatch(/^cut: [^\n]{1,250}$/);
        else expect(length).toBe(bytes.length - 10);
      }
    },
  );

  test('an animated WebP gives its first frame, and says so', async () => {
    const frames = { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } } as const;
    const data = Buffer.alloc(8 * 16 * 3).fill(200, 8 * 8 * 3);
    const bytes = await sharp!(data, frames).webp({ lossless: true }).toBuffer();
    const { picture, warnings } = await decodeFile(bytes, 'p');
    expect([picture.width, picture.height, picture.data[0]]).toEqual([8, 8, 0]);
    expect(warnings).toEqual(['only the first of its 2 pages or frames is read']);
  });

  test('sides too long for a format are refused before encoding', async () => {
    const wide = createPicture(70_000, 1, 1);
    await expect(encodeFile(wide, 'webp', {}, 'w.webp')).rejects.toThrow(
      /^w\.webp: 70000x1 exceeds the limit of WebP \(16383/,
    );
    await expect(encodeFile(wide, 'jpeg')).rejects.toThrow('exceeds the limit of JPEG');
    expect((await decodeFile(await encodeFile(wide, 'tiff'), 'p')).picture).toEqual(wide);
  });
});

test('what formats cannot hold is said: 16 bits, alpha, a profile of other channels', () => {
  const deep = createPicture<Samples>(1, 1, 4, Uint16Array.of(65535, 0, 32768, 32768));
  const { picture, losses } = fitted(deep, 'jpeg');
  expect(losses).toEqual([
    expect.stringContaining('16-bit samples are rounded'),
    expect.stringContaining('blended with white'),
  ]);
  // Half transparent: the mean of the colour and white.
  expect(picture).toEqual(createPicture(1, 1, 3, Uint8Array.of(255, 127, 191)));
  expect(fitted(deep, 'webp').picture).toEqual(toEightBit(deep));
  expect(fitted(deep, 'tiff').picture).toBe(deep);
  const opaque = createPicture(1, 1, 2, Uint8Array.of(7, 255));
  expect(fitted(opaque, 'jpeg')).toMatchObject({ losses: [], picture: { channels: 1 } });
  expect(fitted(opaque, 'png', { icc: new Uint8Array(3) }).losses).toEqual([
    expect.stringContaining('damaged colour profile'),
  ]);
  expect(fitted(opaque, 'png', { exif: new Uint8Array(3) }).losses).toEqual(['its EXIF is damaged and was dropped']);
});

test('an XMP packet says upright in every spelling, and nothing else changes', () => {
  const turned = (text: string) => Buffer.from(xmpFor(Buffer.from(text), { width: 1, height: 1 }, true)).toString();
  for (const [before, after] of [
    ['<a tiff:Orientation="6" b="6"/>', '<a tiff:Orientation="1" b="6"/>'],
    ["<a tiff:Orientation = '8'/>", "<a tiff:Orientation = '1'/>"],
    ['<tiff:Orientation>3</tiff:Orientation>', '<tiff:Orientation>1</tiff:Orientation>'],
    ['ä <tiff:Orientation>2</tiff:Orientation> 漢', 'ä <tiff:Orientation>1</tiff:Orientation> 漢'],
    ['<a tiff:Orientation="1" exif:Orientation="6"/>', '<a tiff:Orientation="1" exif:Orientation="6"/>'],
    ['<a tiff:Orientation="66"/>', '<a tiff:Orientation="66"/>'],
  ]) {
    expect(turned(before)).toBe(after);
  }
});
