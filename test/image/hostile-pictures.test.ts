/** Files that lie: refused in one line, within little memory and time. */

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { deflateSync, inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodeFile } from '../../image/codec.node.ts';
import { ImageError } from '../../image/errors.ts';
import { DEFAULT_MAX_PIXELS } from '../../image/formats.ts';
import { rowsLength } from '../../image/png-rows.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { PNG_SIGNATURE, pngChunk, pngFile, pngHeader, pngOf } from './png-file.ts';
import { tiffFile, tiffTags } from './tiff-file.ts';

const sharp = await import('sharp').then(
  module => module.default,
  () => undefined,
);

/** Of the bombs. */
const SIDE = 4000;

const SMALL = { width: 4, height: 4, depth: 8, type: 0 } as const;
const ROWS = Buffer.alloc(4 * 5);

/** Bytes by which the process grew at most meanwhile, seen every few milliseconds and at the end. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const look = () => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  const timer = setInterval(look, 5);
  try {
    await work();
  } finally {
    clearInterval(timer);
    look();
  }
  return most - before;
}

async function refused(bytes: Uint8Array, problem: RegExp): Promise<void> {
  const start = performance.now();
  const grown = await growth(async () => {
    const error = await decodeFile(bytes, 'hostile').then(
      () => expect.fail('accepted'),
      e => e,
    );
    expect(error).toBeInstanceOf(ImageError);
    expect(error.message).toMatch(/^hostile: [^\n]{1,250}$/);
    expect(error.message).toMatch(problem);
  });
  expect(grown).toBeLessThan(256 << 20);
  expect(performance.now() - start).toBeLessThan(5000);
}

test('a size beyond the limit is refused by the header, and can be allowed', async () => {
  const side = Math.ceil(Math.sqrt(DEFAULT_MAX_PIXELS)) + 1;
  await refused(
    pngOf({ ...SMALL, width: side, height: side }, [], deflateSync(ROWS)),
    /16384x16384 pixels exceed the limit of 268402689/,
  );
  await refused(pngOf({ ...SMALL, width: 0xffffffff, height: 0xffffffff }, [], deflateSync(ROWS)), /limit/);
  const bytes = pngFile({ ...SMALL }, new Array(16).fill(3));
  await expect(decodeFile(bytes, 'p', { maxPixels: 15 })).rejects.toThrow('p: 4x4 pixels exceed the limit of 15');
  expect((await decodeFile(bytes, 'p', { maxPixels: 16 })).picture.data).toEqual(new Uint8Array(16).fill(3));
});

test.each([
  ['8-bit RGB', 8, 2, 6],
  ['8-bit RGB, interlaced', 8, 2, 6],
  ['16-bit RGBA', 16, 6, 16],
] as const)(
  'a bomb within the limit takes what its samples and its rows take: %s',
  async (name, depth, type, each) => {
    const folder = temporaryFolder();
    const kind = { width: SIDE, height: SIDE, depth, type, interlaced: name.endsWith('interlaced') };
    // Rows of all passes are a few bytes more than those of the whole; zeros are rows of filter 0.
    const rows = Buffer.alloc(rowsLength({ ...kind, colourType: type }));
    const bomb = pngOf(kind, [], deflateSync(rows, { level: 9 }));
    expect(bomb.length).toBeLessThan(rows.length / 900);
    const path = join(folder, 'bomb.png');
    writeFileSync(path, bomb);
    const program = fileURLToPath(new URL('peak-memory.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program, path]);
    // And some for the program itself.
    expect(Number(stdout)).toBeLessThan((each + 1) * SIDE * SIDE + (32 << 20));
    expect(Number(stdout)).toBeGreaterThan((each / 2) * SIDE * SIDE);
  },
  30_000,
);

test('a header that promises more than its bytes can hold is refused before any memory is taken', async () => {
  for (const interlaced of [false, true]) {
    const kind = { width: 10_000, height: 10_000, depth: 16, type: 6, interlaced } as const;
    await refused(pngOf({ ...kind, depth: 8 }, [], deflateSync(ROWS)), /bytes are too few for 10000x10000 pixels/);
    await refused(pngOf(kind, [], deflateSync(ROWS)), /bytes are too few for 10000x10000 pixels/);
  }
});

test('pixels that inflate to more than the header promises are left out unread; fewer are refused', async () => {
  const surplus = 'it has more image data than its rows need; the surplus was ignored';
  const rows = Buffer.alloc(20 + (512 << 20));
  // Filter 0 and four samples each.
  for (let y = 0; y < 4; y++) rows.fill(y + 1, 5 * y + 1, 5 * y + 5);
  const bomb = deflateSync(rows, { level: 9 });
  expect(bomb.length).toBeLessThan(1 << 20);
  const start = performance.now();
  const grown = await growth(async () => {
    const { picture, warnings } = await decodeFile(pngOf(SMALL, [], bomb), 'p');
    expect([...picture.data]).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4]);
    expect(warnings).toEqual([surplus]);
  });
  expect(grown).toBeLessThan(64 << 20);
  expect(performance.now() - start).toBeLessThan(1000);
  // One byte is surplus too, and what is damaged behind the rows is never met.
  for (const extra of [1, 70_000]) {
    const stream = deflateSync(Buffer.concat([rows.subarray(0, 20), Buffer.alloc(extra, 7)]), { level: 0 });
    const cut = stream.subarray(0, stream.length - 4);
    for (const deflated of extra === 1 ? [stream] : [stream, cut]) {
      const { picture, warnings } = await decodeFile(pngOf(SMALL, [], deflated), 'p');
      expect(picture.data[15]).toBe(4);
      expect(warnings).toEqual([surplus]);
    }
  }
  const interlaced = { ...SMALL, interlaced: true };
  const zeros = await decodeFile(pngOf(interlaced, [], deflateSync(Buffer.alloc(100))), 'p');
  expect(zeros).toMatchObject({ picture: { data: new Uint8Array(16) }, warnings: [surplus] });
  for (const kind of [SMALL, interlaced]) {
    await refused(pngOf(kind, [], deflateSync(ROWS.subarray(1))), /header needs 2\d/);
    await refused(pngOf(kind, [], Buffer.from('no deflate')), /damaged PNG/);
  }
}, 30_000);

test('profiles and texts that inflate without end are left out with a warning', async () => {
  const bomb = deflateSync(Buffer.alloc(256 << 20), { level: 9 });
  const before = [
    pngChunk('iCCP', Buffer.concat([Buffer.from('icc\0\0'), bomb])),
    pngChunk('iTXt', Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\x01\0\0\0', 'latin1'), bomb])),
    pngChunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), bomb])),
  ];
  const bytes = pngFile(SMALL, new Array(16).fill(9), before);
  let warnings: readonly string[] = [];
  const grown = await growth(async () => {
    ({ warnings } = await decodeFile(bytes, 'p'));
  });
  expect(warnings).toEqual([
    ...['iCCP', 'iTXt'].map(type => `dropped a damaged metadata chunk (${type})`),
    'its text (zTXt) is not carried over',
  ]);
  expect(grown).toBeLessThan(128 << 20);
}, 30_000);

test('chunks: a length beyond the file, checksums, unknown critical ones, none of pixels', async () => {
  const good = pngFile(SMALL, new Array(16).fill(3));
  const long = Buffer.from(good);
  long.writeUInt32BE(0xfffffff0, 33);
  await refused(long, /unexpected end of file/);
  const wrong = Buffer.from(good);
  wrong[29] ^= 1;
  await refused(wrong, /wrong checksum of IHDR/);
  await refused(pngFile(SMALL, new Array(16).fill(3), [pngChunk('EVIL', [])]), /unknown chunk EVIL/);
  await refused(Buffer.concat([PNG_SIGNATURE, pngHeader(SMALL), pngChunk('IEND', [])]), /no pixels/);
  await refused(pngOf({ ...SMALL, depth: 4, type: 2 }, [], deflateSync(ROWS)), /invalid header/);
  await refused(pngFile({ ...SMALL, type: 3 }, new Array(16).fill(1)), /no valid palette/);
  const one = [pngChunk('PLTE', [1, 2, 3])];
  await refused(pngFile({ ...SMALL, type: 3 }, new Array(16).fill(1), one), /palette index 1 is out of range/);
  const filters = Buffer.alloc(ROWS.length);
  filters[5] = 5;
  await refused(pngOf(SMALL, [], deflateSync(filters)), /damaged PNG: unknown row filter 5/);
  // A chunk that the picture can do without is left out.
  const spoilt = pngChunk('eXIf', [1, 2, 3]);
  spoilt[9] ^= 1;
  const { metadata, warnings } = await decodeFile(pngFile(SMALL, new Array(16).fill(3), [spoilt]), 'p');
  expect(metadata.exif).toBeUndefined();
  expect(warnings).toEqual(['dropped a damaged metadata chunk (eXIf)']);
});

test('half a million chunks of nothing cost little', async () => {
  const deflated = deflateSync(ROWS);
  const empty = pngChunk('IDAT', []);
  const chunks: Buffer[] = new Array(500_000).fill(empty);
  const pieces = [...deflated].map(byte => pngChunk('IDAT', [byte]));
  const bytes = Buffer.concat([PNG_SIGNATURE, pngHeader(SMALL), ...chunks, ...pieces, pngChunk('IEND', [])]);
  const start = performance.now();
  const grown = await growth(async () => {
    expect((await decodeFile(bytes, 'p')).picture.data).toEqual(new Uint8Array(16));
  });
  expect(performance.now() - start).toBeLessThan(20_000);
  expect(grown).toBeLessThan(256 << 20);
  expect(inflateSync(deflated).length).toBe(20);
});

test.skipIf(sharp === undefined)(
  'JPEG, WebP and TIFF with lying sizes (skipped without the package sharp)',
  async () => {
    const red = sharp!({ create: { width: 64, height: 64, channels: 3, background: 'red' } });
    const jpeg = await red.clone().jpeg().toBuffer();
    // The frame header: marker C0, length, bits, height, width.
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg.writeUInt32BE(0xffdcffdc, frame + 5);
    await refused(jpeg, /65500x65500 pixels exceed the limit/);
    // Within the limit, but 64 rows of data.
    jpeg.writeUInt16BE(9_000, frame + 5);
    jpeg.writeUInt16BE(9_000, frame + 7);
    await refused(jpeg, /damaged JPEG/);

    const webp = await red.clone().webp({ lossless: true }).toBuffer();
    // VP8L: 14 bits each of width - 1 and height - 1.
    webp.writeUInt32LE((webp.readUInt32LE(21) | 0x0fffffff) >>> 0, 21);
    await refused(webp, /damaged WebP|more than the limit/);

    const tags = (width: number, height: number) => tiffTags(width, height, [8, 8, 8], 2);
    await refused(tiffFile([{ tags: tags(0x7fffffff, 0x7fffffff), samples: [1, 2, 3] }]), /damaged TIFF|limit/);
    await refused(tiffFile([{ tags: tags(9_000, 9_000), samples: [1, 2, 3] }]), /damaged TIFF/);
    const tiled = tags(16, 16).filter(([tag]) => tag !== 278);
    const huge = tiffFile([{ tags: [...tiled, [322, 4, [0x100000]], [323, 4, [0x100000]]], samples: [1, 2, 3] }]);
    await refused(huge, /damaged TIFF/);
  },
  30_000,
);
