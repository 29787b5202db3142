/** Which formats are read, by what names, which page of a file is its picture, and what is refused by what it is. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findPictures } from '../../eval/find-pictures.node.ts';
import { namesFile, planBatch } from '../../eval/plan-batch.node.ts';
import { decodeFile, encodeFile } from '../../image/codec.node.ts';
import { openPicture, savePicture } from '../../image/files.node.ts';
import { formatForName, formatOf } from '../../image/formats.ts';
import { createPicture } from '../../image/picture.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { fixture } from './fixture-pictures.ts';
import { type TiffPage, tiffFile, tiffTags } from './tiff-file.ts';

const sharp = await import('sharp').then(
  module => module.default,
  () => undefined,
);

const JPEG_NAMES = ['a.jpg', 'b.jpeg', 'c.jfif', 'd.jpe', 'e.jif', 'f.pjpeg', 'g.JFIF'];

test('names of JPEG files, found in folders and written', async () => {
  const folder = temporaryFolder();
  for (const name of [...JPEG_NAMES, 'h.gif', 'i.bmp']) writeFileSync(join(folder, name), fixture('jpeg-plain.jpg'));
  const found = await findPictures(folder, { recursive: false });
  expect([found.pictures, found.unread]).toEqual([[...JPEG_NAMES, 'h.gif'], ['.bmp']]);
  for (const name of JPEG_NAMES) {
    expect([name, formatForName(name), await namesFile(join(folder, 'new', name))]).toEqual([name, 'jpeg', true]);
  }
  // No GIF is written: its result is a PNG.
  expect(() => formatForName('x.gif')).toThrow('pictures are written as .png');
  const request = { inputs: [folder], out: join(folder, 'out'), ending: 'same', scale: 4, model: 'm', name: '{name}' };
  const { jobs } = await planBatch(request);
  const results = jobs.map(({ output }) => output.slice(folder.length + 5));
  expect(results).toEqual(['a.jpg', 'b.jpeg', 'c.jfif', 'd.jpe', 'e.jif', 'f.pjpeg', 'g.jfif', 'h.png']);
});

test('what is no damage is not called so', async () => {
  await expect(decodeFile(fixture('png-ios-optimised.png'), 'p')).rejects.toThrow(
    /^p: Apple's PNG variant for iOS \(CgBI\) is not supported: convert it, for example with pngcrush/,
  );
  for (const start of ['GIF87a', 'GIF89a']) expect(formatOf(Buffer.from(start), 'p')).toBe('gif');
  expect(() => formatOf(Buffer.from('GIF90a'), 'p')).toThrow('not a picture');
});

describe.skipIf(sharp === undefined)('with sharp (skipped where this optional package is not installed)', () => {
  test('a JPEG of any name is written and read', async () => {
    const path = join(temporaryFolder(), 'result.jfif');
    expect(await savePicture(path, createPicture(8, 8, 1, new Uint8Array(64).fill(90)))).toEqual([]);
    expect(await openPicture(path)).toMatchObject({ format: 'jpeg', picture: { width: 8, channels: 1 } });
  });

  test('JPEG of 12 bits, TIFF of rare compressions', async () => {
    await expect(decodeFile(fixture('jpeg-12-bit-header.jpg'), 'p')).rejects.toThrow(
      'p: JPEG of 12 bits is not supported: convert it to 8-bit JPEG, PNG or TIFF',
    );
    await expect(decodeFile(fixture('tiff-zstd.tif'), 'p')).rejects.toThrow(
      /^p: TIFF compressed by ZSTD is not supported: convert it/,
    );
    const page = (compression: number) => {
      const tags = tiffTags(3, 2, [8], 1).map(tag => (tag[0] === 259 ? ([259, 3, [compression]] as const) : tag));
      return tiffFile([{ tags, samples: [1, 2, 3, 4, 5, 6] }]);
    };
    for (const [compression, name] of [
      [34925, 'LZMA'],
      [50000, 'ZSTD'],
      [34661, 'JBIG'],
    ] as const) {
      await expect(decodeFile(page(compression), 'p')).rejects.toThrow(
        `p: TIFF compressed by ${name} is not supported`,
      );
    }
    // Deflate of no deflated data is damage.
    await expect(decodeFile(page(8), 'p')).rejects.toThrow('p: damaged TIFF');
    // Lossless JPEG: SOF3.
    const lossless = Buffer.from(fixture('jpeg-plain.jpg'));
    lossless[lossless.indexOf(Buffer.from([0xff, 0xc0])) + 1] = 0xc3;
    await expect(decodeFile(lossless, 'p')).rejects.toThrow(
      /^p: (JPEG with a rare coding process .* is not supported|damaged JPEG)/,
    );
  });

  test('TIFF: the page that is no smaller version or mask of another', async () => {
    const page = (value: number, type?: number): TiffPage => ({
      tags: tiffTags(2, 1, [8], 1, type === undefined ? [] : [[254, 4, [type]]]),
      samples: [value, value],
    });
    const read = async (...pages: TiffPage[]) => {
      const { picture, warnings } = await decodeFile(tiffFile(pages), 'p');
      return [picture.data[0], ...warnings];
    };
    expect(await read(page(1, 1), page(2, 0))).toEqual([
      2,
      'page 2 of its 2 is read: the others are thumbnails or masks',
    ]);
    expect(await read(page(1, 4), page(2, 1), page(3))).toEqual([3, expect.stringMatching(/^page 3 of its 3 is read/)]);
    expect(await read(page(1, 1), page(2, 2), page(3, 2))).toEqual([2, 'only page 2 of its 3 pages is read']);
    // A picture with smaller versions behind it has nothing that is missed.
    expect(await read(page(1), page(2, 1), page(3, 1))).toEqual([1]);
    expect(await read(page(1, 1))).toEqual([1]);
    expect(await read(page(1, 1), page(2, 1))).toEqual([1]);
    const { picture, warnings } = await decodeFile(fixture('tiff-first-page-is-thumbnail.tif'), 'p');
    expect([picture.width, picture.height, warnings.length]).toEqual([40, 24, 1]);
  });

  test('TIFF: pages in a circle come to an end', async () => {
    const file = tiffFile([{ tags: tiffTags(2, 1, [8], 1), samples: [7, 7] }]);
    const directory = file.readUInt32LE(4);
    file.writeUInt32LE(directory, directory + 2 + 12 * file.readUInt16LE(directory));
    const outcome = await decodeFile(file, 'p').catch(error => error);
    if (outcome instanceof Error) expect(outcome.message).toMatch(/^p: damaged TIFF: /);
    else expect(outcome.picture.data[0]).toBe(7);
  });

  test('GIF: the first frame, said so; a transparent colour becomes alpha; a still one needs no word', async () => {
    const frames = (count: number, channels: 3 | 4) => {
      const data = Buffer.alloc(4 * 3 * count * channels);
      for (let i = 0; i < 12 * count; i++)
        data.set([i < 12 ? 200 : 0, 100, 50, i % 2 ? 255 : 0].slice(0, channels), i * channels);
      return sharp!(data, { raw: { width: 4, height: 3 * count, channels, pageHeight: 3 } })
        .gif()
        .toBuffer();
    };
    const still = await decodeFile(await frames(1, 3), 'p');
    expect([still.format, still.warnings, [...still.picture.data.subarray(0, 3)]]).toEqual(['gif', [], [200, 100, 50]]);
    const moving = await decodeFile(await frames(2, 4), 'p');
    expect(moving.picture).toMatchObject({ width: 4, height: 3, channels: 4 });
    expect([...moving.picture.data.subarray(4, 8)]).toEqual([200, 100, 50, 255]);
    expect([moving.picture.data[3], moving.picture.data[11]]).toEqual([0, 0]);
    expect(moving.warnings).toEqual(['only the first of its 2 pages or frames is read']);
    expect(await decodeFile(await encodeFile(moving.picture, 'png'), 'p')).toMatchObject({ picture: moving.picture });
    const bytes = await frames(1, 3);
    for (const length of [6, 13, 30, bytes.length >> 1]) {
      await expect(decodeFile(bytes.subarray(0, length), 'cut')).rejects.toThrow(/^cut: damaged GIF: [^\n]+$/);
    }
  });
});
