/** What a picture's numbers mean, told in any way: warned of, carried over and converted; each format's order holds. */

import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { readAvif } from '../../image/avif-boxes.ts';
import { decodeFile, encodeFile } from '../../image/codec.node.ts';
import { readProfile } from '../../image/colours/icc.ts';
import type { Format } from '../../image/formats.ts';
import { fitted } from '../../image/losses.ts';
import { createPicture, type Picture, type Samples } from '../../image/picture.ts';
import type { PictureFile } from '../../image/picture-file.ts';
import { withCodePoints, withReference } from './avif-file.ts';
import { ADOBE_RGB, type RgbSpace, rgbProfile, srgbOf, srgbOfLight } from './icc-profile.ts';
import { pngChunk, pngFile } from './png-file.ts';
import { PRESS, SCANNER, srgbOfTables, tableProfile } from './table-profile.ts';
import { tiffFile, tiffTags } from './tiff-file.ts';

const sharp = await import('sharp').then(
  module => module.default,
  () => undefined,
);

const caseFile = (name: string) => readFileSync(new URL(`../fixtures/pictures/${name}`, import.meta.url));

const pixel = ({ picture: { width, channels, data } }: PictureFile, x = 4, y = 10) => [
  ...data.subarray((y * width + x) * channels, (y * width + x + 1) * channels),
];

function near(got: readonly number[], expected: readonly number[], tolerance: number): void {
  const off = got.map((value, i) => Math.abs(value - expected[i]));
  expect(Math.max(...off), `${got} for ${expected}`).toBeLessThanOrEqual(tolerance);
}

const TAKEN = 'samples are used unconverted';

/** The picture's own pixel and as sRGB, and what is said of its colours. */
const CASES: readonly (readonly [file: string, own: number[], srgb: number[], colours: string])[] = [
  ['avif-nclx-display-p3.avif', [198, 76, 78], [214, 64, 73], 'Display P3 from its nclx box'],
  ['png-cicp-p3-and-iccp-srgb.png', [198, 76, 78], [214, 64, 73], 'Display P3 from its cICP chunk'],
  ['png-gama-chrm-p3.png', [198, 76, 78], [216, 62, 72], 'P3 primaries, gamma 0.45455 from its cHRM and gAMA'],
  ['png-chrm-p3-alone.png', [198, 76, 78], [214, 64, 73], 'P3 primaries from its cHRM'],
  ['jpeg-adobe-rgb-by-exif-r03.jpg', [199, 76, 78], [229, 75, 77], 'Adobe RGB (1998) from its EXIF'],
  ['jpeg-adobe-rgb-by-exif-2.jpg', [199, 76, 78], [229, 75, 77], 'Adobe RGB (1998) from its EXIF'],
];

describe.each(CASES)('%s', (file, own, srgb, colours) => {
  const needsSharp = !file.endsWith('.png') && sharp === undefined;

  test.skipIf(needsSharp)('is told, and converted where metadata go (sharp is needed but for PNG)', async () => {
    const kept = await decodeFile(caseFile(file), 'p');
    near(pixel(kept), own, 2);
    expect(kept.warnings).toEqual([`its colours (${colours}) are not sRGB: ${TAKEN}`]);
    const converted = await decodeFile(caseFile(file), 'p', { colours: 'srgb' });
    near(pixel(converted), srgb, 2);
    const [name] = colours.split(' from ');
    expect(converted).toMatchObject({
      warnings: [],
      convertedFrom: name,
      metadata: { icc: undefined, cicp: undefined },
    });
  });

  test.skipIf(sharp === undefined)('means the same in every format (skipped without sharp)', async () => {
    const { picture, metadata } = await decodeFile(caseFile(file), 'p');
    for (const format of ['png', 'jpeg', 'webp', 'avif', 'tiff'] as const) {
      expect(fitted(picture, format, metadata).losses).toEqual([]);
      const bytes = await encodeFile(picture, format, { metadata, quality: 100 });
      near(pixel(await decodeFile(bytes, 'p', { colours: 'srgb' })), srgb, 4);
      // libvips, Little CMS behind it, reads the profile that was written.
      near([...(await sharp!(bytes).toColourspace('srgb').raw().toBuffer()).subarray(404 * 3, 405 * 3)], srgb, 4);
    }
  });
});

test.skipIf(sharp === undefined)('light beyond white is told and stays; PNG alone can say so', async () => {
  for (const file of ['avif-nclx-bt2020-pq.avif', 'png-cicp-pq-and-iccp-srgb.png']) {
    const by = file.startsWith('avif') ? 'nclx box' : 'cICP chunk';
    const kept = await decodeFile(caseFile(file), 'p');
    near(pixel(kept), [198, 76, 78], 2);
    expect(kept.warnings).toEqual([`its colours (BT.2020, PQ from its ${by}) are not sRGB: ${TAKEN}`]);
    const strip = await decodeFile(caseFile(file), 'p', { colours: 'srgb' });
    expect(strip.warnings).toEqual([
      `its colours (BT.2020, PQ from its ${by}) are not sRGB and cannot be converted: ${TAKEN}`,
    ]);
    expect(strip.picture).toEqual(kept.picture);
    const { picture, metadata } = kept;
    const png = Buffer.from(await encodeFile(picture, 'png', { metadata }));
    expect(png.includes(pngChunk('cICP', [9, 16, 0, 1]))).toBe(true);
    expect(png.includes('iCCP')).toBe(false);
    expect(fitted(picture, 'png', metadata).losses).toEqual([]);
    expect(fitted(picture, 'jpeg', metadata).losses).toEqual([
      'its colour space (BT.2020, PQ) is not carried over to JPEG (PNG keeps it)',
    ]);
  }
});

const SMALL = { width: 2, height: 1, depth: 8, type: 2 } as const;
const SAMPLES = [198, 76, 78, 10, 200, 120];
const iccp = (icc: Uint8Array) => pngChunk('iCCP', Buffer.concat([Buffer.from('a\0\0'), deflateSync(icc)]));
const ADOBE = iccp(rgbProfile('Like Adobe RGB', ADOBE_RGB));
const SRGB_SPACE: RgbSpace = {
  primaries: [
    [0.64, 0.33],
    [0.3, 0.6],
    [0.15, 0.06],
  ],
  white: [0.3127, 0.329],
  gamma: 2.2,
};
const P3_PRIMARIES = [31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000];
const SRGB_PRIMARIES = [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000];
const longs = (values: readonly number[]) => values.flatMap(v => [v >>> 24, (v >> 16) & 255, (v >> 8) & 255, v & 255]);
const chrm = (values: readonly number[]) => pngChunk('cHRM', longs(values));
const gama = (value: number) => pngChunk('gAMA', longs([value]));
const SRGB_CHUNK = pngChunk('sRGB', [0]);
const cicp = (...points: number[]) => pngChunk('cICP', points);

const said = async (chunks: Buffer[], samples = SAMPLES, kind: Parameters<typeof pngFile>[0] = SMALL) => {
  const bytes = pngFile(kind, samples, chunks);
  const { warnings, metadata } = await decodeFile(bytes, 'p');
  const { picture, convertedFrom } = await decodeFile(bytes, 'p', { colours: 'srgb' });
  return { warnings, metadata, picture, convertedFrom };
};

describe('PNG: cICP, then iCCP, sRGB, and cHRM with gAMA (third edition, 4.3)', () => {
  test.each([
    ['cICP of sRGB', [cicp(1, 13, 0, 1)]],
    ['cICP of sRGB over a profile', [cicp(1, 13, 0, 1), ADOBE]],
    ['cICP of nothing', [cicp(2, 2, 0, 1)]],
    ['sRGB over chromaticities', [SRGB_CHUNK, chrm(P3_PRIMARIES), gama(100_000)]],
    ['usual gamma', [gama(45455)]],
    ['primaries of sRGB', [chrm(SRGB_PRIMARIES)]],
    ['rounded otherwise', [chrm(SRGB_PRIMARIES.map(v => v + 1)), gama(45000)]],
  ])('%s: nothing to say, nothing to carry, nothing to convert', async (_, chunks) => {
    const { warnings, metadata, picture, convertedFrom } = await said(chunks);
    expect([warnings, metadata.icc, metadata.cicp, convertedFrom]).toEqual([[], undefined, undefined, undefined]);
    expect([...picture.data]).toEqual(SAMPLES);
  });

  test.each([
    ['cICP over sRGB', [cicp(12, 13, 0, 1), SRGB_CHUNK], 'Display P3'],
    ['cICP over a profile', [ADOBE, cicp(9, 1, 0, 1)], 'BT.2020, BT.709'],
    ['a profile over sRGB', [SRGB_CHUNK, ADOBE], 'Like Adobe RGB'],
    ['a profile over chromaticities', [chrm(P3_PRIMARIES), gama(100_000), ADOBE], 'Like Adobe RGB'],
    ['cICP of nothing and a profile', [cicp(2, 2, 0, 1), ADOBE], 'Like Adobe RGB'],
    ['one that is not specified', [cicp(12, 2, 0, 1)], 'Display P3'],
    ['gamma alone', [gama(100_000)], 'gamma 1'],
  ])('%s', async (_, chunks, name) => {
    const { warnings, metadata, convertedFrom } = await said(chunks);
    expect(convertedFrom).toBe(name);
    expect(warnings).toEqual([expect.stringContaining(name)]);
    expect(readProfile(metadata.icc!)).toMatchObject({ name, space: 'RGB' });
  });

  test.each([
    ['cHRM of zeros', chrm([0, 0, 0, 0, 0, 0, 0, 0]), 'cHRM'],
    ['cHRM on a line', chrm([31270, 32900, 30000, 30000, 40000, 40000, 50000, 50000]), 'cHRM'],
    ['cHRM cut off', pngChunk('cHRM', longs(P3_PRIMARIES.slice(1))), 'cHRM'],
    ['cHRM beyond all', chrm([31270, 32900, 0xffffffff, 32000, 26500, 69000, 15000, 6000]), 'cHRM'],
    ['gAMA of zero', gama(0), 'gAMA'],
    ['gAMA beyond all', gama(0xffffffff), 'gAMA'],
    ['gAMA cut off', pngChunk('gAMA', [0, 0, 1]), 'gAMA'],
    ['cICP of a matrix', cicp(12, 13, 1, 1), 'cICP'],
    ['cICP cut off', cicp(12, 13, 0), 'cICP'],
  ])('%s is left out with a line', async (_, chunk, type) => {
    const { warnings, metadata, picture } = await said([chunk]);
    expect(warnings).toEqual([`dropped a damaged metadata chunk (${type})`]);
    expect(metadata.icc).toBeUndefined();
    expect([...picture.data]).toEqual(SAMPLES);
    // Beside sRGB, chromaticities and gamma do not count.
    if (type !== 'cICP') expect((await said([chunk, SRGB_CHUNK])).warnings).toEqual([]);
  });

  test('transfers by the definition: BT.709, linear, a gamma, narrow range in 8 and 16 bit', async () => {
    const of = async (chunk: Buffer, light: (v: number) => number) => {
      const { picture } = await said([chunk]);
      near(
        [...picture.data],
        SAMPLES.map(v => srgbOfLight(light(v / 255)) * 255),
        0.6,
      );
    };
    await of(cicp(1, 1, 0, 1), v => (v < 0.081 ? v / 4.5 : ((v + 0.099) / 1.099) ** (1 / 0.45)));
    await of(cicp(1, 8, 0, 1), v => v);
    await of(gama(55556), v => v ** 1.8);
    const narrow = cicp(1, 13, 0, 0);
    const eight = await said([narrow], [16, 235, 126, 0, 255, 200]);
    near([...eight.picture.data], [0, 255, 128.08, 0, 255, 214.25], 0.6);
    expect(eight.warnings).toEqual([`its colours (sRGB, narrow range from its cICP chunk) are not sRGB: ${TAKEN}`]);
    const deep = await said(
      [narrow],
      [16, 235, 126, 0, 255, 200].map(v => v * 256),
      { ...SMALL, depth: 16 },
    );
    near(
      [...deep.picture.data].map(v => v / 257),
      [0, 255, 128.08, 0, 255, 214.25],
      0.06,
    );
  });

  test('any primaries by the definition', async () => {
    const space: RgbSpace = {
      primaries: [
        [0.7347, 0.2653],
        [0.1152, 0.8264],
        [0.1566, 0.0177],
      ],
      white: [0.3457, 0.3585],
      gamma: 2.2,
    };
    const { picture, warnings } = await said([
      chrm([34570, 35850, 73470, 26530, 11520, 82640, 15660, 1770]),
      gama(45455),
    ]);
    const expected = [0, 3].flatMap(at =>
      srgbOf(space, [SAMPLES[at] / 255, SAMPLES[at + 1] / 255, SAMPLES[at + 2] / 255]).map(v => v * 255),
    );
    near([...picture.data], expected, 0.6);
    expect(warnings).toEqual([expect.stringContaining('custom primaries')]);
    // And those of sRGB under a gamma of their own.
    const own = await said([chrm(SRGB_PRIMARIES), gama(100_000)]);
    const linear = { ...SRGB_SPACE, gamma: 1 };
    near(
      [...own.picture.data].slice(0, 3),
      srgbOf(linear, [198 / 255, 76 / 255, 78 / 255]).map(v => v * 255),
      0.6,
    );
  });

  test('grey has no primaries: its curve alone counts', async () => {
    const grey = { ...SMALL, type: 0 };
    for (const chunks of [[cicp(12, 13, 0, 1)], [chrm(P3_PRIMARIES), gama(45455)]])
      expect(await said(chunks, [76, 198], grey)).toMatchObject({ warnings: [], metadata: { icc: undefined } });
    const linear = await said([gama(100_000)], [76, 198], grey);
    near(
      [...linear.picture.data],
      [76, 198].map(v => srgbOfLight(v / 255) * 255),
      0.6,
    );
    expect(readProfile(linear.metadata.icc!)).toMatchObject({ space: 'GRAY' });
  });
});

const exifOf = (colourSpace: number, index: string) => {
  const bytes = Buffer.alloc(8 + 18 + 30 + 18);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(8, 4);
  const entry = (at: number, tag: number, type: number, count: number, value: number) => {
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  };
  bytes.writeUInt16LE(1, 8);
  entry(10, 0x8769, 4, 1, 26);
  bytes.writeUInt16LE(2, 26);
  entry(28, 0xa001, 3, 1, colourSpace);
  entry(40, 0xa005, 4, 1, 56);
  bytes.writeUInt16LE(1, 56);
  entry(58, 1, 2, 4, 0);
  bytes.write(`${index}\0`, 66, 'latin1');
  return bytes;
};

describe('EXIF', () => {
  const exif = (space: number, index: string) => pngChunk('eXIf', exifOf(space, index));

  test.each([
    ['sRGB', 1, 'R03'],
    ['uncalibrated, of sRGB', 0xffff, 'R98'],
    ['uncalibrated, of thumbnails', 0xffff, 'THM'],
  ])('%s says nothing', async (_, space, index) => {
    expect(await said([exif(space, index)])).toMatchObject({ warnings: [], convertedFrom: undefined });
  });

  test('Adobe RGB comes last, and is not said of pictures that are sRGB', async () => {
    const adobe = exif(0xffff, 'R03');
    const { metadata, convertedFrom } = await said([adobe]);
    expect(convertedFrom).toBe('Adobe RGB (1998)');
    expect(Buffer.from(metadata.exif!).equals(exifOf(0xffff, 'R03'))).toBe(true);
    expect((await said([adobe, gama(100_000)])).convertedFrom).toBe('gamma 1');
    // Another reader would believe EXIF once the chunk is gone.
    const overruled = await said([adobe, cicp(1, 13, 0, 1)]);
    expect(overruled.warnings).toEqual([]);
    expect(Buffer.from(overruled.metadata.exif!).equals(exifOf(1, 'R03'))).toBe(true);
    const stripped = await decodeFile(pngFile(SMALL, SAMPLES, [adobe]), 'p', { colours: 'srgb' });
    const again = await encodeFile(stripped.picture, 'png', { metadata: stripped.metadata });
    expect(await decodeFile(again, 'p')).toMatchObject({ warnings: [], picture: stripped.picture });
  });

  test.skipIf(sharp === undefined)(
    'a profile overrules it, in JPEG too; TIFF says it by its own directories',
    async () => {
      const picture = createPicture(2, 1, 3, Uint8Array.from(SAMPLES));
      const icc = rgbProfile('Like Adobe RGB', ADOBE_RGB);
      const metadata = { icc, exif: new Uint8Array(exifOf(1, 'R98')) };
      for (const format of ['jpeg', 'webp', 'tiff'] as const) {
        const file = await decodeFile(await encodeFile(picture, format, { metadata }), 'p');
        expect(file.warnings).toEqual([`its colour profile "Like Adobe RGB" is not sRGB: ${TAKEN}`]);
      }
      const tiff = tiffFile([{ tags: tiffTags(2, 1, [8, 8, 8], 2, [[0x8769, 4, [0]]]), samples: SAMPLES }]);
      // Its directories: EXIF of ColorSpace and interoperability, put at the end.
      const start = tiff.length;
      const own = exifOf(0xffff, 'R03').subarray(26);
      own.writeUInt32LE(start + 30, 22);
      const pointer = tiff.indexOf(Buffer.from([0x69, 0x87, 4, 0, 1, 0, 0, 0]));
      tiff.writeUInt32LE(start, pointer + 8);
      const file = await decodeFile(Buffer.concat([tiff, own]), 'p', { colours: 'srgb' });
      expect(file.convertedFrom).toBe('Adobe RGB (1998)');
    },
  );

  test('white and primaries of TIFF and EXIF, and a gamma; sRGB of ColorSpace before them', async () => {
    const of = (primaries: readonly number[], white: number, space?: number) => {
      const fractions = [31270, white, ...primaries].flatMap(value => [value, 100_000]);
      const bytes = Buffer.alloc(8 + 42 + 64 + 30 + 8);
      bytes.write('II*\0', 'latin1');
      bytes.writeUInt32LE(8, 4);
      const entries = (at: number, all: readonly (readonly number[])[]) => {
        bytes.writeUInt16LE(all.length, at);
        for (const [i, [tag, type, count, value]] of all.entries()) {
          bytes.writeUInt16LE(tag, at + 2 + 12 * i);
          bytes.writeUInt16LE(type, at + 4 + 12 * i);
          bytes.writeUInt32LE(count, at + 6 + 12 * i);
          bytes.writeUInt32LE(value, at + 10 + 12 * i);
        }
      };
      entries(8, [
        [0x13e, 5, 2, 50],
        [0x13f, 5, 6, 66],
        [0x8769, 4, 1, 114],
      ]);
      for (const [i, value] of fractions.entries()) bytes.writeUInt32LE(value, 50 + 4 * i);
      entries(114, [
        [0xa001, 3, 1, space ?? 0xffff],
        [0xa500, 5, 1, 144],
      ]);
      bytes.writeUInt32LE(22, 144);
      bytes.writeUInt32LE(10, 148);
      return pngChunk('eXIf', bytes);
    };
    const p3 = P3_PRIMARIES.slice(2);
    const told = await said([of(p3, 32900)]);
    expect(told.warnings).toEqual([`its colours (P3 primaries, gamma 0.45455 from its EXIF) are not sRGB: ${TAKEN}`]);
    near([...told.picture.data].slice(0, 3), [216, 62, 72], 2);
    for (const exif of [of(p3, 32900, 1), of(SRGB_PRIMARIES.slice(2), 32900), of(p3, 0), of([0, 0, 0, 0, 0, 0], 32900)])
      expect((await said([exif])).warnings).toEqual([]);
  });

  test.skipIf(sharp === undefined)('a TIFF made of it says the same', async () => {
    const { picture, metadata } = await decodeFile(caseFile('jpeg-adobe-rgb-by-exif-r03.jpg'), 'p');
    const tiff = await encodeFile(picture, 'tiff', { metadata });
    expect(readProfile(new Uint8Array((await sharp!(tiff).metadata()).icc!))?.name).toBe('Adobe RGB (1998)');
  });
});

describe.skipIf(sharp === undefined)('AVIF (skipped without the package sharp)', () => {
  const P3 = 'avif-nclx-display-p3.avif';

  test.each([
    ['sRGB', 1, 13, []],
    ['nothing', 2, 2, []],
    ['BT.709', 1, 1, [expect.stringContaining('(BT.709 from its nclx box)')]],
    ['HLG', 9, 18, [expect.stringContaining('(BT.2020, HLG from its nclx box)')]],
    ['what nobody knows', 200, 13, [expect.stringContaining('(primaries 200, sRGB from its nclx box)')]],
  ])('nclx of %s', async (_, primaries, transfer, warnings) => {
    const file = await decodeFile(withCodePoints(caseFile(P3), primaries, transfer), 'p');
    expect(file.warnings).toEqual(warnings);
    near(pixel(file), [198, 76, 78], 2);
  });

  test('a profile overrules nclx', async () => {
    const picture = createPicture(16, 16, 3, new Uint8Array(768).fill(90));
    const bytes = await encodeFile(picture, 'avif', { metadata: { icc: rgbProfile('Like Adobe RGB', ADOBE_RGB) } });
    const file = await decodeFile(bytes, 'p', { colours: 'srgb' });
    expect(file.convertedFrom).toBe('Like Adobe RGB');
  });

  test('boxes that are cut off or lie say nothing, or the file is refused; neither hangs', async () => {
    const bytes = caseFile(P3);
    const at = bytes.indexOf('colrnclx', 0, 'latin1') - 4;
    for (const size of [0, 1, 7, 11, 0x7fffffff, 0xffffffff]) {
      const lying = Buffer.from(bytes);
      lying.writeUInt32BE(size, at);
      const file = await decodeFile(lying, 'p').catch((error: Error) => error.message);
      if (typeof file === 'string') expect(file).toMatch(/^p: damaged AVIF: /);
      else expect(file.convertedFrom).toBeUndefined();
    }
  });

  /** 16 by 16 pixels of one colour, which is already multiplied by alpha, or is not. */
  const flat = async (rgba: readonly number[]): Promise<Buffer> => {
    const data = Uint8Array.from({ length: 1024 }, (_, i) => rgba[i % 4]);
    const raw = { width: 16, height: 16, channels: 4 } as const;
    return await sharp!(data, { raw }).avif({ quality: 100, lossless: true }).toBuffer();
  };

  test('premultiplied colours are divided by alpha', async () => {
    const bytes = await flat([101, 38, 39, 128]);
    near(pixel(await decodeFile(bytes, 'p')), [101, 38, 39, 128], 0);
    near(pixel(await decodeFile(withReference(bytes, 'prem'), 'p')), [201, 76, 78, 128], 1);
    // From another item, or of another kind, it says nothing of the picture.
    near(pixel(await decodeFile(withReference(bytes, 'prem', 2, 1), 'p')), [101, 38, 39, 128], 0);
    near(pixel(await decodeFile(withReference(bytes, 'cdsc'), 'p')), [101, 38, 39, 128], 0);
    // Brighter than its alpha can be: white; and nothing is divided by nothing.
    near(pixel(await decodeFile(withReference(await flat([200, 20, 0, 100]), 'prem'), 'p')), [255, 51, 0, 100], 1);
    near(pixel(await decodeFile(withReference(await flat([0, 0, 0, 0]), 'prem'), 'p')), [0, 0, 0, 0], 0);
  });

  test('also in a file of libavif', async () => {
    const straight = caseFile('avif-straight-alpha-same-picture.avif');
    near(pixel(await decodeFile(straight, 'p')), [199, 76, 78, 128], 0);
    const [r, g, b] = [199, 76, 78].map(v => Math.min(255, (v * 255) / 128));
    near(pixel(await decodeFile(withReference(straight, 'prem'), 'p')), [r, g, b, 128], 1);
  });
});

test('boxes of every version: long numbers of items, wide indices, colours that belong to the tiles, large sizes', () => {
  const box = (type: string, ...parts: (Buffer | number[])[]) => {
    const body = Buffer.concat(parts.map(part => Buffer.from(part)));
    return Buffer.concat([Buffer.from(longs([body.length + 8])), Buffer.from(type, 'latin1'), body]);
  };
  const large = (type: string, body: Buffer) =>
    Buffer.concat([
      Buffer.from([0, 0, 0, 1]),
      Buffer.from(type, 'latin1'),
      Buffer.from(longs([0, body.length + 16])),
      body,
    ]);
  const colr = (primaries: number) => box('colr', Buffer.from('nclx'), [0, primaries, 0, 13, 0, 6, 0x80]);
  const file = (primary: number, associations: readonly (readonly [item: number, property: number])[]) => {
    const ipma = box(
      'ipma',
      [1, 0, 0, 1],
      longs([associations.length]),
      ...associations.map(([item, property]) => [...longs([item]), 1, 0x80 | (property >> 8), property & 255]),
    );
    const properties = box('iprp', large('ipco', Buffer.concat([colr(12), box('free'), colr(9)])), ipma);
    const iref = box(
      'iref',
      [1, 0, 0, 0],
      box('dimg', longs([70_000]), [0, 2], longs([5, 6])),
      box('prem', longs([5]), [0, 1], longs([7])),
    );
    const meta = box('meta', [0, 0, 0, 0], box('pitm', [1, 0, 0, 0], longs([primary])), iref, properties);
    return Buffer.concat([box('ftyp', Buffer.from('avif\0\0\0\0avifmif1')), meta]);
  };
  const primaries = (...args: Parameters<typeof file>) => readAvif(file(...args)).cicp?.primaries;
  expect(
    primaries(70_000, [
      [5, 1],
      [6, 3],
    ]),
  ).toBe(12);
  expect(
    primaries(70_000, [
      [5, 1],
      [70_000, 3],
    ]),
  ).toBe(9);
  expect(
    primaries(6, [
      [5, 1],
      [6, 3],
    ]),
  ).toBe(9);
  expect(primaries(6, [[6, 2]])).toBeUndefined();
  expect(
    primaries(6, [
      [6, 0],
      [6, 900],
    ]),
  ).toBeUndefined();
  expect(readAvif(file(5, [])).premultiplied).toBe(true);
  expect(readAvif(file(70_000, [])).premultiplied).toBe(false);
});

test('damaged boxes of AVIF are read to their end, whatever they say', () => {
  const places = fc.array(fc.tuple(fc.nat(420), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0xff))), {
    minLength: 1,
    maxLength: 6,
  });
  const whole = withReference(caseFile('avif-straight-alpha-same-picture.avif'), 'prem');
  expect(readAvif(whole)).toEqual({ cicp: { primaries: 1, transfer: 13, fullRange: true }, premultiplied: true });
  fc.assert(
    fc.property(places, fc.integer({ min: 0, max: whole.length }), (damage, length) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, value] of damage) bytes[at] = value;
      readAvif(bytes.subarray(0, length));
      readAvif(bytes);
    }),
    { numRuns: 3000, seed: 3 },
  );
});

describe.skipIf(sharp === undefined)('profiles made of tables (skipped without the package sharp)', () => {
  const icc = tableProfile('A scanner', SCANNER);
  const colours = (channels: 3 | 4, sixteen: boolean): Picture<Samples> => {
    const white = sixteen ? 65535 : 255;
    const values = Array.from(
      { length: 24 * 24 * channels },
      (_, i) => (Math.imul(i + 7, 2654435761) >>> 8) % (white + 1),
    );
    return createPicture<Samples>(24, 24, channels, sixteen ? Uint16Array.from(values) : Uint8Array.from(values));
  };

  test.each([
    [3, false, 0.8],
    [4, false, 0.8],
    [3, true, 0.3],
    [4, true, 0.3],
  ] as const)('%i channels, 16 bit %s: within %f of 255', async (channels, sixteen, most) => {
    const own = colours(channels, sixteen);
    const formats: readonly Format[] = sixteen || channels === 4 ? ['png', 'tiff'] : ['png', 'tiff', 'webp'];
    for (const format of formats) {
      const bytes = await encodeFile(own, format, { metadata: { icc }, quality: 100 });
      const file = await decodeFile(bytes, 'p', { colours: 'srgb' });
      expect(file).toMatchObject({ convertedFrom: 'A scanner', warnings: [], metadata: { icc: undefined } });
      const white = sixteen ? 65535 : 255;
      for (let at = 0; at < own.data.length; at += channels) {
        const numbers = [0, 1, 2].map(c => own.data[at + c] / white);
        const { srgb } = srgbOfTables(SCANNER, numbers);
        near(
          [0, 1, 2].map(c => (file.picture.data[at + c] / white) * 255),
          srgb.map(v => v * 255),
          most,
        );
        if (channels === 4) expect(file.picture.data[at + 3]).toBe(own.data[at + 3]);
      }
    }
    const kept = await decodeFile(await encodeFile(own, 'png', { metadata: { icc } }), 'p');
    expect(kept.warnings).toEqual([`its colour profile "A scanner" is not sRGB: ${TAKEN}`]);
    expect([kept.picture, kept.metadata.icc]).toEqual([own, icc]);
  });

  test('without sharp a line says what would help', async () => {
    vi.resetModules();
    vi.doMock('sharp', () => {
      throw new Error('not installed');
    });
    try {
      const codec = await import('../../image/codec.node.ts');
      const own = colours(3, false);
      const bytes = await codec.encodeFile(own, 'png', { metadata: { icc } });
      const { warnings, picture, metadata } = await codec.decodeFile(bytes, 'p', { colours: 'srgb' });
      const help = 'can only be converted by the optional package sharp (npm install sharp)';
      expect(warnings).toEqual([`its colour profile "A scanner" is not sRGB and ${help}: ${TAKEN}`]);
      expect([picture, metadata.icc]).toEqual([own, icc]);
    } finally {
      vi.doUnmock('sharp');
      vi.resetModules();
    }
  });

  test('tables that are damaged are told of: the engine would go on without them', async () => {
    const spoilt = Uint8Array.from(icc);
    const at = Buffer.from(spoilt).indexOf('mft2', 0, 'latin1');
    spoilt.fill(0, at, at + 4);
    const own = colours(3, false);
    const bytes = await encodeFile(own, 'png', { metadata: { icc: spoilt } });
    const file = await decodeFile(bytes, 'p', { colours: 'srgb' });
    expect(file.picture).toEqual(own);
    expect(file.warnings).toEqual([expect.stringContaining('cannot be converted')]);
  });

  test('CMYK becomes sRGB by its own profile', async () => {
    const inks = [0, 0, 0, 0, 30, 20, 40, 10, 100, 60, 30, 20, 20, 120, 90, 0, 0, 0, 0, 128, 90, 20, 110, 40];
    const press = tableProfile('A press', PRESS);
    const tags = tiffTags(6, 1, [8, 8, 8, 8], 5, [[34675, 1, [...press]]]);
    const { picture, warnings, metadata } = await decodeFile(tiffFile([{ tags, samples: inks }]), 'p');
    for (let i = 0; i < 6; i++) {
      const { srgb } = srgbOfTables(
        PRESS,
        inks.slice(4 * i, 4 * i + 4).map(ink => ink / 255),
      );
      near(
        [...picture.data.subarray(3 * i, 3 * i + 3)],
        srgb.map(v => v * 255),
        0.8,
      );
    }
    expect(metadata.icc).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('(CMYK) are converted to sRGB')]);
  });
});

test.skipIf(sharp === undefined)(
  'BigTIFF of YCbCr samples is refused as TIFF of these is (skipped where BigTIFF has no reader)',
  async () => {
    await expect(decodeFile(caseFile('bigtiff-ycbcr.tif'), 'p')).rejects.toThrow(
      'p: TIFF of YCbCr samples is not supported',
    );
  },
);
