/** Colours of other profiles in sRGB, against the definition in float64 and against libvips. */

import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeFile, encodeFile } from '../../image/codec.node.ts';
import { readProfile } from '../../image/colours/icc.ts';
import { curveOf } from '../../image/colours/icc-curve.ts';
import { toSrgb } from '../../image/colours/to-srgb.ts';
import { fitted } from '../../image/losses.ts';
import { type Channels, createPicture, type Picture, peak, type Samples } from '../../image/picture.ts';
import {
  ADOBE_RGB,
  bareProfile,
  greyProfile,
  parametricTag,
  type RgbSpace,
  rgbProfile,
  srgbOf,
  srgbOfLight,
  tableTag,
  WIDE_RGB,
} from './icc-profile.ts';
import { pngChunk } from './png-file.ts';

const sharp = await import('sharp').then(
  module => module.default,
  () => undefined,
);

/** Colours all over the cube, its corners and its greys among them. */
function colours(channels: Channels, depth: 8 | 16, side = 48): Picture<Samples> {
  const white = depth === 8 ? 255 : 65535;
  const data = new (depth === 8 ? Uint8Array : Uint16Array)(side * side * channels);
  for (let at = 0; at < data.length; at++) {
    const [pixel, c] = [Math.floor(at / channels), at % channels];
    const corner = pixel < 8 && c < 3 ? ((pixel >> c) & 1) * white : undefined;
    const grey = pixel < 8 + side ? Math.round(((pixel - 8) / side) * white) : undefined;
    data[at] = corner ?? (c < 3 ? grey : undefined) ?? (Math.imul(at + 7, 2654435761) >>> 8) % (white + 1);
  }
  return createPicture<Samples>(side, side, channels, data);
}

/** The largest distance of a picture's colours from those of the definition, in 255ths. */
function furthest(got: Picture<Samples>, own: Picture<Samples>, space: RgbSpace): number {
  const white = peak(own);
  const { channels, data } = own;
  expect([got.width, got.height, got.channels, peak(got)]).toEqual([own.width, own.height, channels, white]);
  let most = 0;
  for (let at = 0; at < data.length; at += channels) {
    const expected = srgbOf(space, [data[at] / white, data[at + 1] / white, data[at + 2] / white]);
    for (let c = 0; c < 3; c++) most = Math.max(most, Math.abs(got.data[at + c] / white - expected[c]) * 255);
    if (channels === 4 && got.data[at + 3] !== data[at + 3]) return Number.POSITIVE_INFINITY;
  }
  return most;
}

const SPACES = [
  ['Adobe RGB', ADOBE_RGB],
  ['a wide space under another white', WIDE_RGB],
] as const;

describe.each(SPACES)('%s', (name, space) => {
  const icc = rgbProfile(name, space);

  test.each([3, 4] as const)('PNG of %i channels, 8 and 16 bit: rounding alone is between', async channels => {
    for (const depth of [8, 16] as const) {
      const own = colours(channels, depth);
      const file = await decodeFile(await encodeFile(own, 'png', { metadata: { icc } }), 'p', { colours: 'srgb' });
      // Beside rounding to 8 bits the profile's own: primaries and white are written in steps of 2⁻¹⁶.
      expect(furthest(file.picture, own, space), `${depth} bit`).toBeLessThan(depth === 8 ? 0.55 : 0.05);
      expect(file).toMatchObject({ convertedFrom: name, warnings: [], metadata: { icc: undefined } });
    }
  });

  test.skipIf(sharp === undefined)('other formats (skipped without the package sharp)', async () => {
    for (const format of ['jpeg', 'webp', 'avif', 'tiff'] as const) {
      for (const [channels, depth] of [
        [3, 8],
        [4, 8],
        [4, 16],
      ] as const) {
        const bytes = await encodeFile(colours(channels, depth), format, { metadata: { icc }, quality: 100 });
        const own = await decodeFile(bytes, 'p');
        expect(own).toMatchObject({ convertedFrom: undefined, warnings: [expect.stringContaining('is not sRGB')] });
        const file = await decodeFile(bytes, 'p', { colours: 'srgb' });
        expect(furthest(file.picture, own.picture, space), format).toBeLessThan(
          peak(own.picture) === 255 ? 0.55 : 0.05,
        );
        expect(file).toMatchObject({ convertedFrom: name, warnings: [], metadata: { icc: undefined } });
      }
    }
  });

  test.skipIf(sharp === undefined)('libvips agrees in 8 bit (skipped without the package sharp)', async () => {
    const own = colours(3, 8);
    const bytes = await encodeFile(own, 'png', { metadata: { icc } });
    const theirs = await sharp!(bytes).toColourspace('srgb').raw().toBuffer();
    const { data } = toSrgb(own, icc)!;
    expect(theirs.reduce((most, sample, at) => Math.max(most, Math.abs(sample - data[at])), 0)).toBeLessThanOrEqual(1);
    expect(theirs.some((sample, at) => Math.abs(sample - own.data[at]) > 20)).toBe(true);
  });
});

test('grey of a gamma, 8 and 16 bit, with and without alpha', () => {
  const icc = greyProfile('a grey', 1.8);
  const gamma = Math.round(1.8 * 256) / 256;
  for (const white of [255, 65535]) {
    for (const channels of [1, 2] as const) {
      const data = new (white === 255 ? Uint8Array : Uint16Array)(channels * (white + 1));
      for (let at = 0; at < data.length; at++) data[at] = at % channels === 0 ? at / channels : (at * 31) % 256;
      const own = createPicture<Samples>(256, (white + 1) / 256, channels, data);
      const converted = toSrgb(own, icc)!;
      expect([converted.channels, peak(converted)]).toEqual([channels, white]);
      const wrong = converted.data.findIndex((sample, at) => {
        if (at % channels === 1) return sample !== data[at];
        return Math.abs(sample - srgbOfLight((data[at] / white) ** gamma) * white) > 0.51;
      });
      expect(wrong).toBe(-1);
    }
  }
});

test('grey that is connected by Lab: its curve gives lightness', () => {
  const icc = greyProfile('lightness', 1);
  Buffer.from(icc.buffer).write('Lab ', 20, 'latin1');
  expect(readProfile(icc)).toMatchObject({ space: 'GRAY', connectsByXyz: false, isSrgb: false });
  const own = createPicture<Samples>(4, 1, 1, Uint8Array.of(0, 10, 128, 255));
  const light = [0, 10, 128, 255].map(v => (v * 100) / 255).map(l => (l > 8 ? ((l + 16) / 116) ** 3 : l / 903.3));
  const expected = light.map(y => Math.round(srgbOfLight(y) * 255));
  expect([...toSrgb(own, icc)!.data]).toEqual(expected);
});

test('curves of every kind, by hand', () => {
  const at = (tag: Buffer, ...numbers: number[]) => {
    const curve = curveOf(new DataView(tag.buffer, tag.byteOffset, tag.byteLength));
    return numbers.map(number => curve!(number));
  };
  expect(at(tableTag([]), 0, 0.3, 1)).toEqual([0, 0.3, 1]);
  expect(at(tableTag([0x0200]), 0, 0.5, 1)).toEqual([0, 0.25, 1]);
  expect(at(tableTag([0, 13107, 65535]), 0, 0.25, 0.5, 1)).toEqual([0, 0.1, 0.2, 1]);
  expect(at(parametricTag(0, [2]), 0.5)).toEqual([0.25]);
  // (2x - 1/2)², from 1/4 on.
  expect(at(parametricTag(1, [2, 2, -0.5]), 0.125, 0.5)).toEqual([0, 0.25]);
  expect(at(parametricTag(2, [2, 2, -0.5, 0.125]), 0.125, 0.5)).toEqual([0.125, 0.375]);
  expect(at(parametricTag(3, [2, 1, 0.5, 0.25, 0.5]), 0.25, 0.5)).toEqual([0.0625, 1]);
  expect(at(parametricTag(4, [2, 1, 0.5, 0.25, 0.5, 0.125, 0.5]), 0.25, 0.5)).toEqual([0.5625, 1.125]);
  for (const tag of [parametricTag(5, [1]), parametricTag(4, [1]), tableTag([1, 2, 3]).subarray(0, 16)]) {
    expect(curveOf(new DataView(tag.buffer, tag.byteOffset, tag.byteLength))).toBeUndefined();
  }
});

test('primaries of sRGB with another curve are converted, with its own curve they are left alone', async () => {
  const primaries: RgbSpace['primaries'] = [
    [0.64, 0.33],
    [0.3, 0.6],
    [0.15, 0.06],
  ];
  const space = { primaries, white: ADOBE_RGB.white, gamma: 1 };
  const own = colours(3, 8);
  // Light 0…1 by samples: number 55 of 255 means (55/255)², nothing like sRGB's curve, and comes out as that of its light.
  const square = rgbProfile('squares', space, tableTag(Array.from({ length: 256 }, (_, i) => (i / 255) ** 2 * 65535)));
  const converted = toSrgb(own, square)!;
  const most = (a: Picture<Samples>, to: (sample: number) => number) =>
    Math.max(...Array.from(a.data, (sample, at) => Math.abs(sample - to(own.data[at]))));
  expect(most(converted, sample => srgbOfLight((sample / 255) ** 2) * 255)).toBeLessThan(0.6);
  const curve = parametricTag(3, [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]);
  const same = rgbProfile('sRGB by another name', space, curve);
  expect(readProfile(same)).toMatchObject({ isSrgb: true });
  expect(most(toSrgb(own, same)!, sample => sample)).toBeLessThanOrEqual(1);
  const bytes = await encodeFile(own, 'png', { metadata: { icc: same } });
  const file = await decodeFile(bytes, 'p', { colours: 'srgb' });
  expect(file).toMatchObject({ picture: own, convertedFrom: undefined, warnings: [] });
});

test('what cannot be converted from is told of and stays: tables, another kind of picture, impossible curves', async () => {
  const own = colours(3, 8);
  const spoilt = rgbProfile('spoilt', ADOBE_RGB, parametricTag(0, [-1]));
  const short = rgbProfile('short', ADOBE_RGB).slice(0, 300);
  for (const icc of [bareProfile('bare'), greyProfile('grey', 1.8), spoilt, short]) {
    expect(toSrgb(own, icc)).toBeUndefined();
    // `encodeFile` would leave out what does not suit.
    const plain = Buffer.from(await encodeFile(own, 'png'));
    const chunk = pngChunk('iCCP', Buffer.concat([Buffer.from('a\0\0'), deflateSync(icc)]));
    const bytes = Buffer.concat([plain.subarray(0, 33), chunk, plain.subarray(33)]);
    const file = await decodeFile(bytes, 'p', { colours: 'srgb' });
    expect(file.picture).toEqual(own);
    expect(file.metadata.icc).toEqual(icc);
    expect(file.warnings).toEqual([
      `its colour profile "${readProfile(icc)!.name}" is not sRGB and cannot be converted: samples are used unconverted`,
    ]);
    // Kept in its own numbers, one line alone tells of the profile: that it means them, or that it is left out.
    const kept = await decodeFile(bytes, 'p');
    const told = [...kept.warnings, ...fitted(kept.picture, 'png', kept.metadata).losses];
    const suits = readProfile(icc)!.space === 'RGB';
    expect(told).toEqual([
      suits
        ? `its colour profile "${readProfile(icc)!.name}" is not sRGB: samples are used unconverted`
        : expect.stringMatching(/^its colour profile ".*" \(\w+\) does not fit an RGB file and was dropped$/),
    ]);
  }
  expect(toSrgb(own, new Uint8Array(200))).toBeUndefined();
  expect(toSrgb(colours(1, 8), rgbProfile('RGB', ADOBE_RGB))).toBeUndefined();
});

test('damaged profiles give a picture or nothing, and end', () => {
  const own = colours(3, 8, 12);
  const icc = rgbProfile('damaged', ADOBE_RGB, parametricTag(3, [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]));
  const damage = fc.array(fc.tuple(fc.nat(icc.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
  let converted = 0;
  fc.assert(
    fc.property(damage, fc.integer({ min: 100, max: icc.length }), (places, length) => {
      const bytes = icc.slice();
      for (const [at, value] of places) bytes[at] = value;
      const out = toSrgb(own, bytes.subarray(0, length));
      if (out) expect(out).toMatchObject({ width: 12, height: 12, channels: 3, data: expect.any(Uint8Array) });
      if (out) converted++;
    }),
    { numRuns: 2000, seed: 5 },
  );
  expect(converted).toBeGreaterThan(10);
});
