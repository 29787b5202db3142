/** What goes with a picture and cannot be kept is told, a line for each kind; the resolution of a PNG is kept. */

import { expect, test } from 'vitest';
import { decodeFile, encodeFile } from '../../image/codec.node.ts';
import { fitted } from '../../image/losses.ts';
import { createPicture } from '../../image/picture.ts';
import { pngChunk, pngFile } from './png-file.ts';
import { tiffFile, tiffTags } from './tiff-file.ts';

const sharp = await import('sharp').then(
  module => module.default,
  () => undefined,
);

const SMALL = { width: 4, height: 2, depth: 8, type: 0 } as const;
const SAMPLES = [1, 2, 3, 4, 5, 6, 7, 8];
const latin = (text: string) => Buffer.from(text, 'latin1');

async function warningsOf(bytes: Uint8Array, options = {}): Promise<readonly string[]> {
  return (await decodeFile(bytes, 'p', options)).warnings;
}

test('PNG: texts of each kind once, XMP not among them; not told to who takes no metadata', async () => {
  const xmp = latin('XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta/>');
  const plain = pngFile(SMALL, SAMPLES, [pngChunk('iTXt', xmp)]);
  expect(await warningsOf(plain)).toEqual([]);
  const bytes = pngFile(SMALL, SAMPLES, [
    pngChunk('tEXt', latin('Author\0somebody')),
    pngChunk('iTXt', xmp),
    pngChunk('tEXt', latin('Title\0something')),
    pngChunk('iTXt', latin('Comment\0\0\0\0\0hm')),
  ]);
  expect(await warningsOf(bytes)).toEqual(['its text (tEXt, iTXt) is not carried over']);
  expect(await warningsOf(bytes, { colours: 'srgb' })).toEqual([]);
  expect(Buffer.from((await decodeFile(bytes, 'p')).metadata.xmp!).toString()).toBe('<x:xmpmeta/>');
});

test('PNG: the resolution goes with the picture, turned as it is', async () => {
  const density = Uint8Array.of(0, 0, 0x2e, 0x23, 0, 0, 0x17, 0x11, 1);
  const { picture, metadata, warnings } = await decodeFile(pngFile(SMALL, SAMPLES, [pngChunk('pHYs', density)]), 'p');
  expect([metadata.resolution, warnings]).toEqual([{ across: 11811, down: 5905, unit: 'metre' }, []]);
  const written = Buffer.from(await encodeFile(picture, 'png', { metadata }));
  const at = written.indexOf('pHYs');
  expect(written.subarray(at - 4, at + 17)).toEqual(pngChunk('pHYs', density));
  expect(at).toBeLessThan(written.indexOf('IDAT'));
  for (const format of ['jpeg', 'webp', 'avif', 'tiff'] as const) {
    expect(fitted(picture, format, metadata)).toMatchObject({ losses: [], metadata });
  }
  // EXIF of one entry: orientation 6.
  const exif = latin('II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0');
  const lying = pngFile(SMALL, SAMPLES, [pngChunk('eXIf', exif), pngChunk('pHYs', density)]);
  const upright = await decodeFile(lying, 'p');
  expect(upright.picture).toMatchObject({ width: 2, height: 4 });
  expect(upright.metadata.resolution).toEqual({ across: 5905, down: 11811, unit: 'metre' });
  // The file's own bytes stay as they are: read again, they say the same.
  expect(await decodeFile(lying, 'p')).toEqual(upright);
  // Of another length it is none.
  const short = await decodeFile(pngFile(SMALL, SAMPLES, [pngChunk('pHYs', [0, 0, 1])]), 'p');
  expect(short.metadata.resolution).toBeUndefined();
});

test('PNG: of an animation the still picture is read, and that is said', async () => {
  const animated = (frames: number) => pngFile(SMALL, SAMPLES, [pngChunk('acTL', [0, 0, 0, frames, 0, 0, 0, 0])]);
  const { picture, warnings } = await decodeFile(animated(3), 'p');
  expect(picture).toEqual(createPicture(4, 2, 1, Uint8Array.from(SAMPLES)));
  expect(warnings).toEqual(['only the still picture of its animation of 3 frames is read']);
  expect(await warningsOf(animated(1))).toEqual([]);
});

test.skipIf(sharp === undefined)('IPTC data of JPEG and TIFF (skipped without the package sharp)', async () => {
  const lost = 'its IPTC data (captions, keywords) are not carried over';
  const jpeg = await sharp!({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  const withResource = (number: number, data: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const resource = Buffer.concat([latin('Photoshop 3.0\0' + '8BIM'), Buffer.from([4, number, 0, 0]), length, data]);
    const head = Buffer.from([0xff, 0xed, 0, resource.length + 2]);
    return Buffer.concat([jpeg.subarray(0, 2), head, resource, jpeg.subarray(2)]);
  };
  const caption = latin('\x1c\x02\x78\0\x03abc');
  const bytes = withResource(4, caption);
  expect(await warningsOf(bytes)).toEqual([lost]);
  expect(await warningsOf(bytes, { colours: 'srgb' })).toEqual([]);
  // Photoshop writes resources into every file: none of them IPTC, or none in it.
  expect(await warningsOf(withResource(0x22, caption))).toEqual([]);
  expect(await warningsOf(withResource(4, Buffer.alloc(0)))).toEqual([]);
  expect(await warningsOf(jpeg)).toEqual([]);
  const page = (others: Parameters<typeof tiffTags>[4]) => ({ tags: tiffTags(4, 2, [8], 1, others), samples: SAMPLES });
  expect(await warningsOf(tiffFile([page([[33723, 1, [...caption]]])]))).toEqual([lost]);
  expect(await warningsOf(tiffFile([page([])]))).toEqual([]);
});
