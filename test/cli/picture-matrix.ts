/** One picture as a file of every kind that people have: what `daybreak upscale` must take and give back enlarged. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { crop, type Picture } from '../../image/picture.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { ADOBE_RGB, rgbProfile } from '../image/icc-profile.ts';
import { type PngKind, pngChunk, pngFile } from '../image/png-file.ts';

/** What a result must be like. */
export interface Kind {
  readonly file: string;
  /** Of the upright picture. */
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly sixteen: boolean;
  /** "icc", "exif": carried over to the result. */
  readonly carries: readonly ('icc' | 'exif')[];
  /** The very bytes of the profile. */
  readonly icc?: Uint8Array;
  /** What the command says of it. */
  readonly note?: RegExp;
  /** The numbers of the file are those of the picture (no lossy coding): the result can be compared to the sample. */
  readonly exact: boolean;
}

/** In the EXIF of those that have it. */
export const COPYRIGHT = 'nobody in particular';

/** Adobe RGB (1998) under a name of our own. */
export const ADOBE_PROFILE = rgbProfile('Like Adobe RGB (1998)', ADOBE_RGB);

const ADOBE: Expected = {
  carries: ['icc'],
  icc: ADOBE_PROFILE,
  note: /: its colour profile "Like Adobe RGB \(1998\)" is not sRGB: samples are used unconverted$/,
};

const [WIDTH, HEIGHT] = [24, 20];

/** A crop with shapes and colours, its corners unlike each other. */
const original: Picture = crop(syntheticPicture(3, 4, 64), 18, 20, WIDTH, HEIGHT);
const rgbAt = (i: number) => [...original.data.subarray(3 * i, 3 * i + 3)];
const greyAt = (i: number) => Math.round(rgbAt(i).reduce((a, b) => a + b, 0) / 3);
const alphaAt = (i: number) => (i % WIDTH < 4 ? 0 : i % WIDTH < 12 ? 128 : 255);
const pixels = Array.from({ length: WIDTH * HEIGHT }, (_, i) => i);

/** Samples of a kind, in its depth. */
function samplesOf({ depth, type }: PngKind): number[] {
  const most = 2 ** depth - 1;
  const scaled = (value: number) => Math.round((value / 255) * most);
  return pixels.flatMap(i => {
    if (type === 3) return [i % Math.min(2 ** depth, 7)];
    const colours = type === 0 || type === 4 ? [greyAt(i)] : rgbAt(i);
    return [...colours, ...(type >= 4 ? [alphaAt(i)] : [])].map(scaled);
  });
}

const PNG_DEPTHS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] } as const;
const TYPE_NAMES = { 0: 'grey', 2: 'rgb', 3: 'palette', 4: 'grey-alpha', 6: 'rgba' } as const;
const TYPES = [0, 2, 3, 4, 6] as const;
const CHANNELS = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 } as const;

function pngs(folder: string): Kind[] {
  return TYPES.flatMap(type =>
    PNG_DEPTHS[type].flatMap(depth =>
      [false, true].map((interlaced): Kind => {
        const kind = { width: WIDTH, height: HEIGHT, depth, type, interlaced };
        const palette = Array.from({ length: Math.min(2 ** depth, 7) }, (_, i) => rgbAt(i * 67 + 5)).flat();
        const before = type === 3 ? [pngChunk('PLTE', palette)] : [];
        const file = `png-${TYPE_NAMES[type]}-${depth}${interlaced ? '-interlaced' : ''}.png`;
        writeFileSync(join(folder, file), pngFile(kind, samplesOf(kind), before));
        const channels = CHANNELS[type];
        return { file, width: WIDTH, height: HEIGHT, channels, sixteen: depth === 16, carries: [], exact: true };
      }),
    ),
  );
}

type Make = (picture: sharp.Sharp) => sharp.Sharp;
type Expected = Partial<Omit<Kind, 'file'>>;

/** Name, how it is made, and what is not as in an 8-bit RGB file without metadata. */
const OTHERS: readonly (readonly [string, Make, Expected])[] = [
  ['jpeg.jpg', picture => picture.jpeg(), {}],
  ['jpeg-grey.jpg', picture => picture.toColourspace('b-w').jpeg(), { channels: 1 }],
  ['jpeg-progressive.jpeg', picture => picture.jpeg({ progressive: true }), {}],
  ['jpeg-cmyk.jpg', picture => picture.toColourspace('cmyk').jpeg(), { note: /CMYK/ }],
  [
    'jpeg-display-p3.jpg',
    picture => picture.withIccProfile('p3', { attach: true }).jpeg(),
    { carries: ['icc'], note: /profile/ },
  ],
  ['webp.webp', picture => picture.webp(), {}],
  ['webp-alpha.webp', picture => picture.ensureAlpha(0.5).webp({ lossless: true }), { channels: 4 }],
  ['avif.avif', picture => picture.avif({ effort: 0 }), {}],
  ['tiff.tiff', picture => picture.tiff({ compression: 'lzw' }), { exact: true }],
  [
    'tiff-16.tif',
    picture => picture.toColourspace('rgb16').tiff({ compression: 'deflate' }),
    { sixteen: true, exact: true },
  ],
  [
    'tiff-grey.tif',
    picture => picture.toColourspace('b-w').tiff({ compression: 'none' }),
    { channels: 1, exact: true },
  ],
  ['tiff-alpha.tif', picture => picture.ensureAlpha(0.5).tiff({ compression: 'lzw' }), { channels: 4, exact: true }],
];

/** A JPEG file with a profile: an APP2 segment (ICC.1:2022, annex B.4) before all others. */
function withProfile(jpeg: Buffer, icc: Uint8Array): Buffer {
  const head = Buffer.from('\xff\xe2\0\0ICC_PROFILE\0\x01\x01', 'latin1');
  head.writeUInt16BE(head.length - 2 + icc.length, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, icc, jpeg.subarray(2)]);
}

/** Makes the files in a folder, and one of each size that is out of the ordinary. */
export async function makeMatrix(folder: string): Promise<Kind[]> {
  mkdirSync(folder, { recursive: true });
  const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
  const plain: Omit<Kind, 'file'> = {
    width: WIDTH,
    height: HEIGHT,
    channels: 3,
    sixteen: false,
    carries: [],
    exact: false,
  };
  const kinds = pngs(folder);
  for (const [file, make, expected] of OTHERS) {
    await make(sharp(original.data, { raw })).toFile(join(folder, file));
    kinds.push({ ...plain, file, ...expected });
  }
  const plainJpeg = await sharp(original.data, { raw }).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
  writeFileSync(join(folder, 'jpeg-adobe-rgb.jpg'), withProfile(plainJpeg, ADOBE_PROFILE));
  kinds.push({ ...plain, file: 'jpeg-adobe-rgb.jpg', ...ADOBE });
  const deep = { width: WIDTH, height: HEIGHT, depth: 16, type: 2 };
  const iccp = pngChunk('iCCP', Buffer.concat([Buffer.from('a\0\0'), deflateSync(ADOBE_PROFILE)]));
  writeFileSync(join(folder, 'png-adobe-rgb-16.png'), pngFile(deep, samplesOf(deep), [iccp]));
  kinds.push({ ...plain, file: 'png-adobe-rgb-16.png', sixteen: true, exact: true, ...ADOBE });
  for (let orientation = 1; orientation <= 8; orientation++) {
    const file = `jpeg-orientation-${orientation}.jpg`;
    const exif = { IFD0: { Copyright: COPYRIGHT } };
    await sharp(original.data, { raw })
      .jpeg({ quality: 95 })
      .withExif(exif)
      .withMetadata({ orientation })
      .toFile(join(folder, file));
    const sides = orientation > 4 ? { width: HEIGHT, height: WIDTH } : {};
    kinds.push({ ...plain, file, ...sides, carries: ['exif'] });
  }
  for (const [width, height] of [
    [1, 1],
    [20_000, 10],
  ] as const) {
    const file = `png-${width}x${height}.png`;
    const kind = { width, height, depth: 8, type: 2 };
    const samples = Array.from({ length: width * height * 3 }, (_, i) => (i * 7) % 251);
    writeFileSync(join(folder, file), pngFile(kind, samples));
    kinds.push({ ...plain, file, width, height, exact: true });
  }
  return kinds;
}
