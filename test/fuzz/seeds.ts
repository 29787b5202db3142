/** Well-formed files, small, of every kind that is fuzzed: what is damaged. */
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { Philox } from '../../engine/basics/philox.ts';
import { writeSafetensors } from '../../models/safetensors.ts';
import { withReference } from '../image/avif-file.ts';
import { fixture } from '../image/fixture-pictures.ts';
import { jpegSegment, mpfSegment, withSegments, xmpOf } from '../image/jpeg-file.ts';
import { pngChunk, pngFile, SAMPLES_PER_PIXEL } from '../image/png-file.ts';

export const KINDS = [
  'png',
  'jpeg',
  'segments',
  'xmp',
  'webp',
  'avif',
  'tiff',
  'gif',
  'safetensors',
  'config',
] as const;
export type Kind = (typeof KINDS)[number];

const random = new Philox(11, 0);
const noise = (length: number) => Uint8Array.from({ length }, () => random.integer(256));

const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

function png(type: number, depth: number, interlaced: boolean, extra: boolean): Uint8Array {
  const kind = { width: 13, height: 9, depth, type, interlaced };
  const count = kind.width * kind.height * SAMPLES_PER_PIXEL[type];
  const samples = Array.from({ length: count }, () => random.integer(2 ** depth));
  const transparent = { 0: 2, 2: 6, 3: 2 }[type];
  return Uint8Array.from(
    pngFile(kind, samples, [
      ...(extra ? [pngChunk('gAMA', [0, 0, 0xb1, 0x8f])] : []),
      ...(type === 3 ? [pngChunk('PLTE', noise(3 * 2 ** depth))] : []),
      ...(extra && transparent ? [pngChunk('tRNS', noise(transparent))] : []),
    ]),
  );
}

const pngs = () =>
  Object.entries(DEPTHS).flatMap(([colour, depths]) =>
    depths.flatMap(depth =>
      [false, true].flatMap(interlaced => [false, true].map(extra => png(Number(colour), depth, interlaced, extra))),
    ),
  );

type Coding = (picture: sharp.Sharp) => sharp.Sharp;

async function coded(codings: readonly Coding[]): Promise<Uint8Array[]> {
  const raw = { width: 23, height: 17, channels: 3 } as const;
  const smooth = Uint8Array.from({ length: 23 * 17 * 3 }, (_, i) => (i * 5 + random.integer(9)) & 0xff);
  return await Promise.all(
    codings.map(async code => Uint8Array.from(await code(sharp(smooth, { raw }).withExif(EXIF)).toBuffer())),
  );
}

const EXIF = { IFD0: { Copyright: 'nobody', Orientation: '6' } };

const caseFile = (name: string) => readFileSync(new URL(`../fixtures/pictures/${name}`, import.meta.url));

/** An SRResNet of 2 channels and 1 block. */
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  'conv_in.weight': [2, 3, 9, 9],
  'conv_in.bias': [2],
  'prelu_in.weight': [2],
  'blocks.0.conv1.weight': [2, 2, 3, 3],
  'blocks.0.prelu.weight': [2],
  'blocks.0.conv2.weight': [2, 2, 3, 3],
  'conv_mid.weight': [2, 2, 3, 3],
  ...Object.fromEntries(
    ['blocks.0.bn1', 'blocks.0.bn2', 'bn_mid'].flatMap(name =>
      ['weight', 'bias', 'running_mean', 'running_var'].map(part => [`${name}.${part}`, [2]] as const),
    ),
  ),
  'up.0.conv.weight': [8, 2, 3, 3],
  'up.0.conv.bias': [8],
  'up.0.prelu.weight': [2],
  'up.1.conv.weight': [8, 2, 3, 3],
  'up.1.conv.bias': [8],
  'up.1.prelu.weight': [2],
  'conv_out.weight': [3, 2, 9, 9],
  'conv_out.bias': [3],
};
const TENSORS = Object.fromEntries(
  Object.entries(SHAPES).map(([name, shape]) => {
    const data = Float32Array.from(noise(shape.reduce((a, b) => a * b, 1)));
    return [name, { shape, data }];
  }),
);

const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value, undefined, 1));

const files = (...names: readonly string[]) => names.map(name => Uint8Array.from(fixture(name)));

/** A packet in two parts of a few hundred bytes, the second in two pieces, and an index of pictures. */
function extendedXmp(): Uint8Array {
  const guid = '0123456789ABCDEF0123456789ABCDEF';
  const second = Buffer.from(xmpOf('xmlns:a="a:"', `<a:b>${'x'.repeat(300)}</a:b>`));
  const pieces = [second.subarray(0, 200), second.subarray(200)].map((piece, i) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(second.length, 0);
    head.writeUInt32BE(200 * i, 4);
    return jpegSegment(0xe1, `http://ns.adobe.com/xmp/extension/\0${guid}`, head, piece);
  });
  const note = `xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="${guid}"`;
  const first = jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', xmpOf(note));
  const others = mpfSegment([0x030000, 0x020002]);
  return Uint8Array.from(withSegments(fixture('jpeg-plain.jpg'), first, ...pieces, others));
}

const XMP_PACKETS = [
  xmpOf(
    'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" tiff:ImageWidth="40"',
    '<exif:PixelYDimension xmlns:exif="http://ns.adobe.com/exif/1.0/">24</exif:PixelYDimension><!-- c -->',
  ),
  xmpOf(
    'xmlns:C="http://ns.google.com/photos/1.0/camera/" xmlns:K="http://ns.google.com/photos/1.0/container/" C:MotionPhoto="1"',
    '<K:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><K:Item K:Semantic="GainMap"/></rdf:li></rdf:Seq></K:Directory>',
  ),
  `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>${xmpOf('xmlns:d="d:" d:e=\'f\'', '<d:g><![CDATA[<]]></d:g><d:h>&lt;</d:h>')}\n  <?xpacket end="w"?>`,
];

/** The seeds of a kind: always the same ones. */
export async function seedsOf(kind: Kind): Promise<Uint8Array[]> {
  switch (kind) {
    case 'png':
      return [...pngs(), files('png-exif-6-in-ztxt.png')[0]];
    case 'jpeg':
      return await coded([
        picture => picture.jpeg(),
        picture => picture.jpeg({ progressive: true }).withIccProfile('p3'),
        picture => picture.grayscale().jpeg(),
        picture => picture.toColourspace('cmyk').jpeg(),
      ]);
    case 'segments':
      // What goes with the picture of a JPEG, whose own data are short.
      return [
        ...files(
          'jpeg-ultra-hdr-gain-map.jpg',
          'jpeg-motion-photo.jpg',
          'jpeg-multi-picture.jpg',
          'jpeg-comment.jpg',
          'jpeg-xmp-with-sizes.jpg',
          'jpeg-two-orientations-6-then-1.jpg',
          'jpeg-no-eoi.jpg',
          'jpeg-stray-bytes-between-segments.jpg',
        ),
        extendedXmp(),
      ];
    case 'xmp':
      return XMP_PACKETS.map(packet => new TextEncoder().encode(packet));
    case 'gif':
      return await coded([
        picture => picture.gif(),
        picture => picture.ensureAlpha(0).gif({ interFrameMaxError: 0, colours: 16 }),
        picture => picture.gif({ progressive: true }),
      ]);
    case 'webp':
      return await coded([picture => picture.webp(), picture => picture.ensureAlpha(0.5).webp({ lossless: true })]);
    case 'avif':
      return await coded([
        picture => picture.avif({ effort: 0 }),
        picture => picture.ensureAlpha(0.5).avif({ effort: 0 }),
      ]).then(([plain, alpha]) => [
        plain,
        alpha,
        Uint8Array.from(caseFile('avif-nclx-display-p3.avif')),
        Uint8Array.from(caseFile('avif-straight-alpha-same-picture.avif')),
        Uint8Array.from(withReference(alpha, 'prem')),
      ]);
    case 'tiff':
      return await coded([
        picture => picture.tiff({ compression: 'none' }),
        picture => picture.tiff({ compression: 'lzw', predictor: 'horizontal' }),
        picture => picture.tiff({ compression: 'deflate', tile: true, tileWidth: 16, tileHeight: 16 }),
        picture => picture.toColourspace('rgb16').tiff({ compression: 'none' }),
        picture => picture.grayscale().tiff({ bitdepth: 1, compression: 'deflate' }),
        picture => picture.tiff({ bigtiff: true }),
      ]).then(coded => [
        ...coded,
        ...files(
          'bigtiff-description-and-artist.tif',
          'tiff-first-page-is-thumbnail.tif',
          'tiff-ascii-without-end.tif',
        ),
      ]);
    case 'safetensors':
      return [
        writeSafetensors(TENSORS, { arch: 'srresnet', config: '{"channels":2,"blocks":1}' }),
        writeSafetensors(TENSORS, { output_activation: 'tanh' }, { dtype: 'F16' }),
      ];
    case 'config':
      return [
        text({ data: 'synthetic', out: 'run' }),
        text({ data: ['a', 'photographs'], out: 'run', lr: 1e-3, 'lr.schedule': 'cosine', steps: 100, flips: true }),
        text({
          model: 'srgan',
          init: 'x',
          vgg: 'z',
          'vgg.input': 'caffe',
          data: 'x',
          out: 'y',
          discriminator: { hidden: 64 },
        }),
      ];
  }
}
