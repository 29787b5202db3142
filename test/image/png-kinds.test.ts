/** Every kind of PNG, pixel by pixel. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode } from '#codec';
import { decodeFile, encodeFile } from '../../image/codec.node.ts';
import { type Channels, createPicture, type Picture, type Samples, toEightBit } from '../../image/picture.ts';
import { anyPicture } from './fixtures.ts';
import { type PngKind, pngChunk, pngFile, SAMPLES_PER_PIXEL } from './png-file.ts';

const SIZES = [
  [1, 1],
  [3, 2],
  [9, 11],
  [2, 17],
] as const;
const KINDS = [
  ...[1, 2, 4, 8, 16].map(depth => ({ depth, type: 0 })),
  ...[8, 16].flatMap(depth => [2, 4, 6].map(type => ({ depth, type }))),
  ...[1, 2, 4, 8].map(depth => ({ depth, type: 3 })),
];

function samplesOf({ width, height, depth, type }: PngKind, salt = 0): number[] {
  const length = width * height * SAMPLES_PER_PIXEL[type];
  return Array.from({ length }, (_, i) => (Math.imul(i + 1 + salt, 2654435761) >>> 12) % 2 ** depth);
}

/** What the specification says: palettes expanded, shallow samples stretched, an alpha channel by `alphaOf`. */
function expected(
  { width, height, depth, type }: PngKind,
  samples: readonly number[],
  palette: readonly number[] = [],
  alphaOf?: (pixel: readonly number[]) => number,
): Picture<Samples> {
  const each = SAMPLES_PER_PIXEL[type];
  const stretch = (v: number) => (depth < 8 && type !== 3 ? (v * 255) / (2 ** depth - 1) : v);
  const out: number[] = [];
  for (let at = 0; at < samples.length; at += each) {
    const pixel = samples.slice(at, at + each);
    out.push(...(type === 3 ? palette.slice(3 * pixel[0], 3 * pixel[0] + 3) : pixel.map(stretch)));
    if (alphaOf) out.push(alphaOf(pixel));
  }
  const channels = (type === 3 ? 3 : each) + (alphaOf ? 1 : 0);
  return createPicture<Samples>(
    width,
    height,
    channels as Channels,
    depth === 16 ? Uint16Array.from(out) : Uint8Array.from(out),
  );
}

const somePalette = (depth: number) => Array.from({ length: 3 * 2 ** depth }, (_, i) => (i * 89 + 7) & 255);

test.each(KINDS)('$depth bit of colour type $type, in rows and interlaced', async ({ depth, type }) => {
  for (const [width, height] of SIZES) {
    for (const interlaced of [false, true]) {
      const kind = { width, height, depth, type, interlaced };
      const samples = samplesOf(kind);
      const palette = type === 3 ? somePalette(depth) : undefined;
      const bytes = pngFile(kind, samples, palette ? [pngChunk('PLTE', palette)] : []);
      const file = await decodeFile(bytes, 'p.png');
      expect(file, JSON.stringify(kind)).toEqual({
        picture: expected(kind, samples, palette),
        format: 'png',
        metadata: {},
        warnings: [],
      });
      expect(await decode(bytes, 'p.png')).toEqual(toEightBit(file.picture));
    }
  }
});

test.each(KINDS.filter(({ type }) => type < 4))('a transparent colour: $depth bit of type $type', async kindOf => {
  for (const interlaced of [false, true]) {
    const kind = { width: 9, height: 5, ...kindOf, interlaced };
    const samples = samplesOf(kind, 5);
    const each = SAMPLES_PER_PIXEL[kind.type];
    if (kind.type === 3) {
      const palette = somePalette(kind.depth);
      // Fewer entries than the palette has: the others are opaque.
      const alphas = [40, 0];
      const bytes = pngFile(kind, samples, [pngChunk('PLTE', palette), pngChunk('tRNS', alphas)]);
      const picture = expected(kind, samples, palette, ([index]) => alphas[index] ?? 255);
      expect((await decodeFile(bytes, 'p.png')).picture).toEqual(picture);
      continue;
    }
    const key = samples.slice(3 * each, 4 * each);
    const bytes = pngFile(kind, samples, [
      pngChunk(
        'tRNS',
        key.flatMap(v => [v >> 8, v & 255]),
      ),
    ]);
    // The colour itself stays: an enlargement mixes it with its neighbours.
    const picture = expected(kind, samples, [], pixel =>
      pixel.every((v, c) => v === key[c]) ? 0 : kind.depth === 16 ? 65535 : 255,
    );
    expect((await decodeFile(bytes, 'p.png')).picture).toEqual(picture);
  }
});

test('a 16-bit colour key is compared in 16 bits: a neighbour in the same 8 bits stays opaque', async () => {
  const bytes = pngFile(
    { width: 2, height: 1, depth: 16, type: 0 },
    [0x1234, 0x1235],
    [pngChunk('tRNS', [0x12, 0x34])],
  );
  const { picture } = await decodeFile(bytes, 'p.png');
  expect(picture).toEqual(createPicture(2, 1, 2, Uint16Array.of(0x1234, 0, 0x1235, 65535)));
});

test('pictures of either depth come back from PNG as they were', async () => {
  const deep = anyPicture(20).map(picture => {
    const data = Uint16Array.from(picture.data, (v, i) => (v * 257) ^ (Math.imul(i, 40503) & 0xff));
    return createPicture<Samples>(picture.width, picture.height, picture.channels, data);
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyPicture(20), deep), async picture => {
      const { picture: back, warnings } = await decodeFile(await encodeFile(picture, 'png'), 'p.png');
      expect(back).toEqual(picture);
      expect(warnings).toEqual([]);
    }),
  );
});

test('a view into a larger buffer of 16-bit samples is encoded alone', async () => {
  const samples = Uint16Array.from({ length: 40 }, (_, i) => i * 1000);
  const picture = createPicture(2, 3, 3, samples.subarray(10, 28));
  expect((await decodeFile(await encodeFile(picture, 'png'), 'p.png')).picture.data).toEqual(picture.data.slice());
});

test('encoding takes at most four times the samples beside them', async () => {
  const program = fileURLToPath(new URL('peak-encode.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program, '3000']);
  const samples = 3000 * 3000 * 6;
  // Filtered, deflated, as a chunk and the file; and some for the program itself.
  expect(Number(stdout)).toBeLessThan(4 * samples + (32 << 20));
  expect(Number(stdout)).toBeGreaterThan(samples);
}, 30_000);
