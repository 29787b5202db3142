/** What goes with a picture says what is true of the result, and what is left behind is told. */

import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeFile, encodeFile } from '../../image/codec.node.ts';
import type { Format } from '../../image/formats.ts';
import { fitted } from '../../image/losses.ts';
import { extendedPart, splitXmp } from '../../image/metadata/extended-xmp.ts';
import { jpegSegments } from '../../image/metadata/jpeg-segments.ts';
import { type Resolution, resolutionOfTags } from '../../image/metadata/resolution.ts';
import { exifOfTiff } from '../../image/metadata/tiff-exif.ts';
import { numberOf, readTiffStructure } from '../../image/metadata/tiff-tags.ts';
import { withoutCompanions, xmpFor } from '../../image/metadata/xmp.ts';
import { createPicture } from '../../image/picture.ts';
import type { Metadata } from '../../image/picture-file.ts';
import { fixture } from './fixture-pictures.ts';
import { jpegSegment, mpfSegment, withSegments, xmpOf, xmpSegment } from './jpeg-file.ts';
import { pngChunk, pngFile } from './png-file.ts';
import { tiffFile, tiffTags } from './tiff-file.ts';

const sharp = await import('sharp').then(
  module => module.default,
  () => undefined,
);

const FORMATS: readonly Format[] = ['png', 'jpeg', 'webp', 'avif', 'tiff'];
const latin = (text: string) => Buffer.from(text, 'latin1');
const textOf = (bytes: Uint8Array | undefined) => (bytes ? Buffer.from(bytes).toString() : undefined);

/** The file of the picture four times as large, with its metadata, and what its format could not hold. */
async function enlarged(bytes: Uint8Array, format: Format) {
  const { picture, metadata, warnings } = await decodeFile(bytes, 'p');
  const large = createPicture(4 * picture.width, 4 * picture.height, picture.channels);
  const { losses } = fitted(large, format, metadata);
  return { file: await encodeFile(large, format, { metadata }), warnings, losses, metadata };
}

/** The same, read again. */
async function reread(bytes: Uint8Array, format: Format): Promise<Metadata> {
  return (await decodeFile((await enlarged(bytes, format)).file, 'p')).metadata;
}

const inInches = (resolution: Resolution | undefined) => {
  if (resolution === undefined) return undefined;
  const factor = { inch: 1, centimetre: 2.54, metre: 0.0254, none: 1 }[resolution.unit];
  return [resolution.across, resolution.down].map(value => Math.round(value * factor * 10) / 10);
};

const plainTiff = (...others: Parameters<typeof tiffTags>[4][] & object[]) =>
  tiffFile([{ tags: tiffTags(3, 2, [8], 1, others.flat() as never), samples: [1, 2, 3, 4, 5, 6] }]);

describe.skipIf(sharp === undefined)('with sharp (skipped where this optional package is not installed)', () => {
  test.each([
    ['jpeg-300dpi-by-exif.jpg', [300, 300]],
    ['jpeg-204x98dpi-by-jfif.jpg', [204, 98]],
  ])('the resolution of %s goes into every format', async (name, inches) => {
    for (const format of FORMATS) {
      const { file, warnings, losses } = await enlarged(fixture(name), format);
      expect([format, warnings, losses]).toEqual([format, [], []]);
      expect([format, inInches((await decodeFile(file, 'p')).metadata.resolution)]).toEqual([format, inches]);
    }
    const { file } = await enlarged(fixture(name), 'png');
    const at = file.findIndex((_, i) => latin('pHYs').equals(file.subarray(i, i + 4)));
    const perMetre = inches.map(value => Math.round(value / 0.0254));
    const view = new DataView(file.buffer, file.byteOffset + at + 4);
    expect([view.getUint32(0), view.getUint32(4), view.getUint8(8)]).toEqual([...perMetre, 1]);
  });

  test('resolutions of PNG and TIFF, of other units and of none, go into every format', async () => {
    const phys = (x: number, y: number, unit: number) => {
      const data = Buffer.alloc(9);
      data.writeUInt32BE(x, 0);
      data.writeUInt32BE(y, 4);
      data[8] = unit;
      return pngFile({ width: 4, height: 2, depth: 8, type: 0 }, [1, 2, 3, 4, 5, 6, 7, 8], [pngChunk('pHYs', data)]);
    };
    for (const format of FORMATS) {
      expect([format, inInches((await reread(phys(11811, 5906, 1), format)).resolution)]).toEqual([format, [300, 150]]);
      // No unit: dots twice as high as they are wide.
      const { resolution } = await reread(phys(2, 1, 0), format);
      expect([format, resolution?.unit, resolution && resolution.across / resolution.down]).toEqual([
        format,
        'none',
        2,
      ]);
    }
  });

  test('without a resolution none is stated, nor anything else that the source did not say', async () => {
    const plain = fixture('jpeg-plain.jpg');
    for (const format of FORMATS) {
      const back = await reread(plain, format);
      expect([format, back]).toEqual([
        format,
        { icc: undefined, exif: undefined, xmp: undefined, resolution: undefined },
      ]);
    }
    const { file } = await enlarged(plain, 'jpeg');
    expect([...jpegSegments(file)].filter(({ marker }) => marker > 0xe0)).toEqual([]);
    const tiff = readTiffStructure((await enlarged(plain, 'tiff')).file);
    expect(tiff && numberOf(tiff, tiff.first.tags.get(296))).toBe(1);
    const seen = await sharp!((await enlarged(plain, 'jpeg')).file).metadata();
    expect([seen.exif, seen.width]).toEqual([undefined, 160]);
  });

  test('EXIF of a JPEG holds the tags of the source and no others', async () => {
    const tagsOf = (exif: Uint8Array | undefined) => [...(readTiffStructure(exif!)?.first.tags.keys() ?? [])];
    const source = await decodeFile(fixture('jpeg-300dpi-by-exif.jpg'), 'p');
    for (const format of ['jpeg', 'webp', 'avif'] as const) {
      expect(tagsOf((await reread(fixture('jpeg-300dpi-by-exif.jpg'), format)).exif)).toEqual(
        tagsOf(source.metadata.exif),
      );
    }
  });

  test('a turned picture has its dots turned too', async () => {
    // Orientation 6, 204 across and 98 down in EXIF.
    const exif = Buffer.alloc(8 + 2 + 48 + 4 + 16);
    exif.write('II*\0\x08\0\0\0\x04\0', 0, 'latin1');
    [
      [0x112, 3, 1, 6],
      [0x11a, 5, 1, 62],
      [0x11b, 5, 1, 70],
      [0x128, 3, 1, 2],
    ].forEach(([tag, type, count, value], i) => {
      exif.writeUInt16LE(tag, 10 + 12 * i);
      exif.writeUInt16LE(type, 12 + 12 * i);
      exif.writeUInt32LE(count, 14 + 12 * i);
      exif.writeUInt32LE(value, 18 + 12 * i);
    });
    [204, 1, 98, 1].forEach((value, i) => {
      exif.writeUInt32LE(value, 62 + 4 * i);
    });
    const file = withSegments(fixture('jpeg-plain.jpg'), jpegSegment(0xe1, 'Exif\0\0', exif));
    for (const format of FORMATS) {
      const { resolution, exif: carried } = await reread(file, format);
      expect([format, inInches(resolution)]).toEqual([format, [98, 204]]);
      const tiff = carried && readTiffStructure(carried);
      if (tiff) expect(inInches(resolutionOfTags(tiff, tiff.first))).toEqual([98, 204]);
    }
  });

  test('companions of a JPEG that stay behind are told, and XMP speaks of them no more', async () => {
    for (const [name, line] of [
      ['jpeg-ultra-hdr-gain-map.jpg', 'its gain map (HDR) is not carried over'],
      ['jpeg-motion-photo.jpg', 'its video (motion photo) is not carried over'],
      ['jpeg-multi-picture.jpg', 'only the first of its 2 pictures is read'],
    ]) {
      const { file, warnings } = await enlarged(fixture(name), 'jpeg');
      expect([name, warnings]).toEqual([name, [line]]);
      expect(latin(textOf(file) ?? '').toString()).not.toMatch(/hdrgm|GainMap|Container|MotionPhoto|MicroVideo|MPF/);
      // Who takes no metadata loses them as well.
      expect((await decodeFile(fixture(name), 'p', { colours: 'srgb' })).warnings).toEqual([line]);
    }
  });

  test('previews in an index of several pictures are no pictures of their own; a gain map is told once', async () => {
    const plain = fixture('jpeg-plain.jpg');
    const warningsOf = async (types: readonly number[], ...more: Buffer[]) =>
      (await decodeFile(Buffer.concat([withSegments(plain, mpfSegment(types), ...more), plain]), 'p')).warnings;
    expect(await warningsOf([0x030000, 0x010001, 0x010002])).toEqual([]);
    expect(await warningsOf([0x030000, 0x020002, 0x020002])).toEqual(['only the first of its 3 pictures is read']);
    const iso = jpegSegment(0xe2, 'urn:iso:std:iso:ts:21496:-1\0', '\0\0\0\0');
    expect(await warningsOf([0x030000, 0], iso)).toEqual(['its gain map (HDR) is not carried over']);
    // The words alone, in a file that another program has stripped, are no gain map.
    const words = xmpSegment(xmpOf('xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"'));
    const { metadata, warnings } = await decodeFile(withSegments(plain, words), 'p');
    expect([warnings, textOf(metadata.xmp)]).toEqual([[], xmpOf('')]);
  });

  test('comments of JPEG go into JPEG, and elsewhere are told of', async () => {
    const { file, losses } = await enlarged(fixture('jpeg-comment.jpg'), 'jpeg');
    const comments = [...jpegSegments(file)].filter(({ marker }) => marker === 0xfe).map(({ data }) => textOf(data));
    expect([comments, losses]).toEqual([['a prompt that made this picture'], []]);
    for (const format of ['png', 'webp', 'avif', 'tiff'] as const) {
      expect((await enlarged(fixture('jpeg-comment.jpg'), format)).losses).toEqual([
        expect.stringMatching(/^its comment \(COM\) is not carried over to \w+ \(JPEG keeps it\)$/),
      ]);
    }
    const two = withSegments(fixture('jpeg-plain.jpg'), jpegSegment(0xfe, 'one'), jpegSegment(0xfe, 'two'));
    expect((await reread(two, 'jpeg')).comments?.map(textOf)).toEqual(['one', 'two']);
  });

  test('XMP of more than 64 kB is read in both its parts, and written in two', async () => {
    const joined = (await decodeFile(fixture('jpeg-extended-xmp.jpg'), 'p')).metadata.xmp;
    expect(textOf(joined)).toMatch(/dc:format="image\/jpeg"[\s\S]*<GPano:x>y{70000}<\/GPano:x>/);
    expect(textOf(joined)).not.toContain('HasExtendedXMP');
    for (const name of ['jpeg-extended-xmp.jpg', 'png-xmp-72kB.png']) {
      const source = (await decodeFile(fixture(name), 'p')).metadata.xmp!;
      const { file, losses } = await enlarged(fixture(name), 'jpeg');
      expect(losses).toEqual([]);
      const segments = [...jpegSegments(file)]
        .filter(({ marker }) => marker === 0xe1)
        .map(({ data }) => latin(textOf(data)!));
      const main = segments[0].toString('latin1');
      const guid = /HasExtendedXMP="([0-9A-F]{32})"/.exec(main)?.[1];
      const parts = [...jpegSegments(file)].filter(({ marker }) => marker === 0xe1).map(({ data }) => data);
      const extended = extendedPart(parts.slice(1), guid!);
      expect(createHash('md5').update(extended!).digest('hex').toUpperCase()).toBe(guid);
      // Nothing is lost on the way.
      const back = textOf((await decodeFile(file, 'p')).metadata.xmp)!;
      for (const [value] of textOf(source)!.matchAll(/>[^<>]+</g)) expect(back).toContain(value);
    }
  });

  test('extended XMP of which a piece is missing is left out, and told of', async () => {
    const file = fixture('jpeg-extended-xmp.jpg');
    const last = [...jpegSegments(file)].filter(({ marker }) => marker === 0xe1)[2];
    const cut = Buffer.concat([file.subarray(0, last.at), file.subarray(last.end)]);
    const { metadata, warnings } = await decodeFile(cut, 'p');
    expect(warnings).toEqual(['the second part of its XMP (extended XMP) is damaged and was dropped']);
    expect(textOf(metadata.xmp)).toContain('dc:format="image/jpeg"');
    expect(textOf(metadata.xmp)).not.toContain('HasExtendedXMP');
  });

  test('sizes in EXIF and XMP are those of the result', async () => {
    for (const format of FORMATS) {
      const { exif, xmp } = await reread(fixture('jpeg-xmp-with-sizes.jpg'), format);
      expect([format, textOf(xmp)]).toEqual([
        format,
        expect.stringContaining(
          'tiff:ImageWidth="160" tiff:ImageLength="96" exif:PixelXDimension="160" exif:PixelYDimension="96"',
        ),
      ]);
      const tiff = exif && readTiffStructure(exif);
      const width = tiff && numberOf(tiff, tiff.first.tags.get(256));
      if (format !== 'tiff') expect([format, width]).toEqual([format, 160]);
    }
  });

  test.each(['jpeg-orientation-6-as-byte.jpg', 'jpeg-two-orientations-6-then-1.jpg', 'png-exif-6-in-ztxt.png'])(
    '%s is turned, and says so in every copy',
    async name => {
      const { picture, metadata, warnings } = await decodeFile(fixture(name), 'p');
      expect([picture.width, picture.height, warnings]).toEqual([24, 40, []]);
      const tiff = readTiffStructure(metadata.exif!)!;
      const copies = tiff.first.all.filter(({ tag }) => tag === 0x112).map(tag => numberOf(tiff, tag));
      expect(copies.every(value => value === 1) && copies.length > 0).toBe(true);
    },
  );

  test('orientation in XMP alone turns nothing and stays; beside one in EXIF it becomes 1', async () => {
    const alone = fixture('jpeg-orientation-6-in-xmp-alone.jpg');
    const { file } = await enlarged(alone, 'png');
    const { picture, metadata } = await decodeFile(file, 'p');
    expect([picture.width, picture.height]).toEqual([160, 96]);
    expect(textOf(metadata.xmp)).toContain('tiff:Orientation="6"');
    const exif = latin('II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0');
    const both = await decodeFile(withSegments(alone, jpegSegment(0xe1, 'Exif\0\0', exif)), 'p');
    expect(both.picture).toMatchObject({ width: 24, height: 40 });
    expect(textOf(both.metadata.xmp)).toContain('tiff:Orientation="1"');
  });

  test('BigTIFF: its texts are kept, and samples that would be taken for others are refused', async () => {
    for (const format of FORMATS) {
      const { file, warnings } = await enlarged(fixture('bigtiff-description-and-artist.tif'), format);
      expect(warnings).toEqual([]);
      const { exif } = (await decodeFile(file, 'p')).metadata;
      const source = exifOfTiff(readTiffStructure(fixture('bigtiff-description-and-artist.tif'))!)!;
      for (const tag of [0x10e, 0x13b]) {
        const valueIn = (block: Uint8Array) => {
          const found = readTiffStructure(block)!.first.tags.get(tag)!;
          return textOf(block.subarray(found.valueAt, found.valueAt + found.length));
        };
        expect([format, valueIn(exif!)]).toEqual([format, valueIn(source)]);
        expect(valueIn(source)?.length).toBeGreaterThan(3);
      }
    }
    for (const name of ['bigtiff-ycbcr.tif', 'tiff-ycbcr-that-is-refused.tif']) {
      await expect(decodeFile(fixture(name), 'p')).rejects.toThrow('p: TIFF of YCbCr samples is not supported');
    }
  });

  test('a resolution of centimetres in TIFF stays one', async () => {
    // XResolution needs a fraction: 118 and 59 dots per centimetre by libvips' own writer.
    const grey = sharp!(Buffer.alloc(6, 7), { raw: { width: 3, height: 2, channels: 1 } });
    const file = await grey.tiff({ xres: 11.8, yres: 5.9, resolutionUnit: 'cm' }).toBuffer();
    expect((await decodeFile(file, 'p')).metadata.resolution).toEqual({ across: 118, down: 59, unit: 'centimetre' });
    for (const format of FORMATS) {
      const { resolution } = await reread(file, format);
      expect([format, inInches(resolution)]).toEqual([format, [299.7, 149.9]]);
    }
    expect((await decodeFile(plainTiff(), 'p')).metadata.resolution).toBeUndefined();
  });
});

test('EXIF and XMP in texts of PNG: of each kind of chunk, with and without a mark; damaged ones are told of', async () => {
  const SMALL = { width: 4, height: 2, depth: 8, type: 0 } as const;
  const exif = latin('II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0');
  const raw = (kind: string, bytes: Buffer) =>
    latin(`\n${kind}\n${String(bytes.length).padStart(8)}\n${bytes.toString('hex').replace(/(.{72})/g, '$1\n')}\n`);
  const read = async (type: string, keyword: string, text: Buffer, between: string) =>
    await decodeFile(
      pngFile(SMALL, [1, 2, 3, 4, 5, 6, 7, 8], [pngChunk(type, Buffer.concat([latin(keyword + between), text]))]),
      'p',
    );
  for (const [type, text, between] of [
    ['tEXt', raw('exif', exif), '\0'],
    ['zTXt', deflateSync(raw('exif', Buffer.concat([latin('Exif\0\0'), exif]))), '\0\0'],
    ['iTXt', raw('exif', exif), '\0\0\0en\0\0'],
    ['iTXt', deflateSync(raw('exif', exif)), '\0\x01\0\0\0'],
  ] as const) {
    const { picture, warnings } = await read(type, 'Raw profile type exif', text, between);
    expect([type, picture.width, picture.height, warnings]).toEqual([type, 2, 4, []]);
  }
  const xmp = Buffer.from(xmpOf('xmlns:dc="d" dc:format="x"'));
  const { metadata } = await read('tEXt', 'Raw profile type xmp', raw('xmp', xmp), '\0');
  expect(textOf(metadata.xmp)).toBe(xmp.toString());
  for (const text of [latin('\nexif\n 400\n4949'), latin('\nexif\n 2\nxyzt'), latin('')]) {
    const { warnings } = await read('tEXt', 'Raw profile type exif', text, '\0');
    expect(warnings).toEqual(['its text (tEXt) is not carried over']);
  }
});

test('XMP: sizes in elements and under other prefixes; nothing else is touched', () => {
  const changed = (text: string) => textOf(xmpFor(Buffer.from(text), { width: 7, height: 5 }));
  const declared = 'xmlns:t="http://ns.adobe.com/tiff/1.0/" xmlns:e=\'http://ns.adobe.com/exif/1.0/\'';
  expect(changed(xmpOf(declared, '<t:ImageWidth>40</t:ImageWidth><e:PixelYDimension> 24 </e:PixelYDimension>'))).toBe(
    xmpOf(declared, '<t:ImageWidth>7</t:ImageWidth><e:PixelYDimension>5</e:PixelYDimension>'),
  );
  for (const same of [
    xmpOf('xmlns:tiff="http://elsewhere/" tiff:ImageWidth="40"'),
    xmpOf(declared, '<!-- <t:ImageWidth>40</t:ImageWidth> --><t:ImageWidth>wide</t:ImageWidth>'),
    xmpOf('xmlns:d="d"', '<d:a><![CDATA[ tiff:ImageWidth="40" ]]>\u2013 \u{1f305}</d:a>'),
    xmpOf(
      'xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"',
      '<xmpMM:Pantry><rdf:Bag><rdf:li tiff:ImageWidth="40"/></rdf:Bag></xmpMM:Pantry>',
    ),
    '<a tiff:ImageWidth="40">',
    'no XML',
  ]) {
    expect(changed(same)).toBe(same);
  }
});

test('XMP: what speaks of companions goes, in attributes and elements, and only that', () => {
  const cleaned = (xmp: string) => {
    const { xmp: left, ...said } = withoutCompanions(Buffer.from(xmp));
    return { left: textOf(left), ...said };
  };
  const camera = 'xmlns:C="http://ns.google.com/photos/1.0/camera/"';
  expect(
    cleaned(xmpOf(`${camera} C:MotionPhoto="1" C:BurstID="x"`, '<C:MicroVideoOffset>9</C:MicroVideoOffset>')),
  ).toEqual({
    left: xmpOf(`${camera} C:BurstID="x"`),
    gainMap: false,
    video: true,
  });
  expect(cleaned(xmpOf(`${camera} C:MotionPhoto="0"`))).toEqual({ left: xmpOf(camera), gainMap: false, video: false });
  const apple = 'xmlns:H="http://ns.apple.com/HDRGainMap/1.0/"';
  expect(cleaned(xmpOf(apple, '<H:HDRGainMapVersion>65536</H:HDRGainMapVersion>\u00e9\u2013'))).toEqual({
    left: xmpOf('', '\u00e9\u2013'),
    gainMap: true,
    video: false,
  });
  expect(cleaned(xmpOf('xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="00"')).left).toBe(
    xmpOf('xmlns:n="http://ns.adobe.com/xmp/note/"'),
  );
  // What cannot be read is kept, unless it would say what is false.
  expect(cleaned('<a').left).toBe('<a');
  expect(cleaned('<a MotionPhoto').left).toBeUndefined();
});

test('XMP that JPEG cannot hold in two parts either is told of', () => {
  const xmp = Buffer.from(`<x:xmpmeta xmlns:x="adobe:ns:meta/">${'y'.repeat(70_000)}</x:xmpmeta>`);
  expect(splitXmp(xmp, 60_000)).toBeUndefined();
  const picture = createPicture(1, 1, 1);
  expect(fitted(picture, 'jpeg', { xmp })).toMatchObject({
    losses: [`its XMP of ${xmp.length} bytes does not fit into JPEG and was dropped`],
    metadata: { xmp: undefined },
  });
  const exif = Buffer.concat([latin('II*\0\x08\0\0\0\0\0\0\0\0\0'), Buffer.alloc(70_000)]);
  expect(fitted(picture, 'jpeg', { exif }).losses).toEqual([
    'its EXIF of 70014 bytes does not fit into JPEG and was dropped',
  ]);
  expect(fitted(picture, 'png', { exif, xmp }).losses).toEqual([]);
});
