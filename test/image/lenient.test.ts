/** Files that every viewer shows though they have faults: read, with a warning; what lacks pixels stays refused. */

import { describe, expect, test } from 'vitest';
import { decodeFile, encodeFile } from '../../image/codec.node.ts';
import { createPicture } from '../../image/picture.ts';
import { fixture } from './fixture-pictures.ts';
import { jpegSegment, withSegments } from './jpeg-file.ts';
import { type TiffTag, tiffFile, tiffTags } from './tiff-file.ts';

const sharp = await import('sharp').then(
  module => module.default,
  () => undefined,
);

const latin = (text: string) => Buffer.from(text, 'latin1');
const FAULTS = 'repaired a harmless fault: ';

async function read(bytes: Uint8Array) {
  const { picture, warnings } = await decodeFile(bytes, 'p');
  return { data: Buffer.from(picture.data), warnings };
}

/** Noise has long coded data: a cut is never at the end of them by chance. */
async function noisy(options: object = {}): Promise<Buffer> {
  const data = Uint8Array.from({ length: 48 * 32 * 3 }, (_, i) => Math.imul(i + 7, 2654435761) >>> 24);
  return await sharp!(data, { raw: { width: 48, height: 32, channels: 3 } })
    .jpeg(options)
    .toBuffer();
}

describe.skipIf(sharp === undefined)('with sharp (skipped where this optional package is not installed)', () => {
  test.each([
    ['jpeg-sos-al-1.jpg', 'wrong scan parameters (SOS)'],
    ['jpeg-stray-bytes-between-segments.jpg', '3 stray bytes between its segments'],
    ['jpeg-no-eoi.jpg', 'no end-of-image marker (EOI)'],
  ])('%s has the pixels of the plain file', async (name, fault) => {
    const plain = await read(fixture('jpeg-plain.jpg'));
    expect(plain.warnings).toEqual([]);
    const bytes = fixture(name);
    expect(await read(bytes)).toEqual({ data: plain.data, warnings: [FAULTS + fault] });
    // The caller's bytes are as they were.
    expect(bytes.equals(fixture(name))).toBe(true);
  });

  test('JPEG: faults of every kind at once, in a progressive one, and bytes between the pixels and the end', async () => {
    for (const options of [{}, { progressive: true }]) {
      const jpeg = await noisy(options);
      const { data } = await read(jpeg);
      const quantizers = jpeg.indexOf(Buffer.from([0xff, 'progressive' in options ? 0xc2 : 0xc0]));
      const strayAndNoEnd = Buffer.concat([jpeg.subarray(0, quantizers), latin('\0\0'), jpeg.subarray(quantizers, -2)]);
      const faults = '2 stray bytes between its segments, no end-of-image marker (EOI)';
      expect(await read(strayAndNoEnd)).toEqual({ data, warnings: [`repaired harmless faults: ${faults}`] });
      // Half of the end's marker is there, too.
      expect((await read(jpeg.subarray(0, -1))).data).toEqual(data);
      const surplus = Buffer.concat([jpeg.subarray(0, -2), latin('\x12\x34\x56\x78'), jpeg.subarray(-2)]);
      // Of a picture in one scan nobody reads on to its end.
      const told = 'progressive' in options ? [`${FAULTS}stray bytes after its image data`] : [];
      expect(await read(surplus)).toEqual({ data, warnings: told });
      // What follows the end is nobody's business, and fill bytes are no fault.
      expect(await read(Buffer.concat([jpeg, latin('behind\xff\xd8\0')]))).toEqual({ data, warnings: [] });
      const filled = Buffer.concat([jpeg.subarray(0, quantizers), latin('\xff\xff'), jpeg.subarray(quantizers)]);
      expect(await read(filled)).toEqual({ data, warnings: [] });
    }
  });

  test('JPEG: truncated data stay refused, wherever they end', async () => {
    for (const options of [{}, { progressive: true }, { chromaSubsampling: '4:4:4', optimizeCoding: false }]) {
      const jpeg = await noisy(options);
      for (let cut = 3; cut < jpeg.length - 3; cut += 1 + (jpeg.length >> 6)) {
        await expect(decodeFile(jpeg.subarray(0, jpeg.length - cut), 'cut'), `${cut}`).rejects.toThrow(/^cut: /);
      }
      // At the end of every scan but the last.
      for (let at = jpeg.indexOf(latin('\xff\xc4'), 400); at > 0; at = jpeg.indexOf(latin('\xff\xc4'), at + 1)) {
        await expect(decodeFile(jpeg.subarray(0, at), 'cut')).rejects.toThrow(/^cut: /);
      }
    }
  });

  test.each(['tiff-ascii-with-nul-inside.tif', 'tiff-ascii-without-end.tif'])('%s is read', async name => {
    // Classic and BigTIFF of the same picture are not turned alike.
    const { data, warnings } = await read(fixture(name));
    expect(warnings).toEqual([expect.stringMatching(/^repaired a harmless fault: its tags \(ASCII[^\n]+\)$/)]);
    expect([...data.subarray((10 * 40 + 4) * 3, (10 * 40 + 4) * 3 + 3)]).toEqual([198, 76, 78]);
  });

  test('TIFF: tags out of order, and a text without an end among them; its words are kept, and ended', async () => {
    const ordered = tiffTags(3, 2, [8], 1, [[315, 2, [...latin('nobody')]]]);
    const file = tiffFile([{ tags: ordered, samples: [1, 2, 3, 4, 5, 6] }]);
    const at = file.readUInt32LE(4);
    const count = file.readUInt16LE(at);
    const entries = Array.from({ length: count }, (_, i) =>
      Buffer.from(file.subarray(at + 2 + 12 * i, at + 14 + 12 * i)),
    );
    Buffer.concat(entries.reverse()).copy(file, at + 2);
    const { picture, metadata, warnings } = await decodeFile(file, 'p');
    expect(picture).toEqual(createPicture(3, 2, 1, Uint8Array.of(1, 2, 3, 4, 5, 6)));
    expect(warnings).toEqual([expect.stringContaining(`${FAULTS}its tags (`)]);
    expect(latin('nobody\0').equals(metadata.exif!.subarray(-8, -1))).toBe(true);
    // And what is written of it has no fault.
    expect((await decodeFile(await encodeFile(picture, 'tiff', { metadata }), 'p')).warnings).toEqual([]);
  });

  test('TIFF: a truncated strip stays refused, whatever its tags say', async () => {
    const tags: TiffTag[] = tiffTags(40, 40, [8], 1, [[315, 2, [...latin('no end')]]]);
    const file = tiffFile([{ tags, samples: new Array(1600).fill(9) }]);
    const short = Buffer.from(file);
    const at = short.readUInt32LE(4);
    for (let entry = at + 2; entry < at + 2 + 12 * short.readUInt16LE(at); entry += 12) {
      // The strip begins where too few bytes follow.
      if (short.readUInt16LE(entry) === 273) short.writeUInt32LE(short.length - 800, entry + 8);
    }
    expect((await read(file)).data.length).toBe(1600);
    await expect(decodeFile(short, 'cut')).rejects.toThrow(/^cut: damaged TIFF: /);
  });

  test('a fault in a segment that nobody needs hides no other', async () => {
    const jpeg = await noisy();
    const noisyComment = withSegments(jpeg, jpegSegment(0xfe, 'x'.repeat(60_000)));
    await expect(decodeFile(noisyComment.subarray(0, 50_000), 'cut')).rejects.toThrow(/^cut: damaged JPEG/);
  });
});
