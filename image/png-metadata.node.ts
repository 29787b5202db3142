/** What goes with the picture in the chunks of a PNG file (PNG specification, third edition, section 11.3). */

import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { readChromaticities, readGamma } from './colours/chromaticities.ts';
import { readCicp, writeCicp } from './colours/cicp.ts';
import type { ColourStatements } from './colours/meaning.ts';
import { rawProfile, rawProfileName } from './metadata/raw-profile.ts';
import { physOf, resolutionOfPhys } from './metadata/resolution.ts';
import { latin } from './metadata/xmp.ts';
import type { Metadata } from './picture-file.ts';

/** Profiles and XMP packets are inflated up to this length: the largest in use are a few megabytes. */
const LONGEST_METADATA = 1 << 24;

const XMP_KEYWORD = 'XML:com.adobe.xmp';

/** Chunks that are looked into; of `iTXt` that of XMP. */
export const KEPT_CHUNKS: readonly string[] = [
  'PLTE',
  'tRNS',
  'iCCP',
  'eXIf',
  'iTXt',
  'cHRM',
  'gAMA',
  'sRGB',
  'cICP',
  'pHYs',
  'acTL',
];

/** Texts for people, but for XMP, which is an `iTXt`. */
export const TEXT_CHUNKS: readonly string[] = ['tEXt', 'zTXt', 'iTXt'];

/**
 * EXIF, or its XMP, in a text of ImageMagick; undefined for other texts, and damaged ones.
 * @param type One of TEXT_CHUNKS.
 */
export function profileInText(type: string, data: Uint8Array): { kind: 'exif' | 'xmp'; bytes: Uint8Array } | undefined {
  const name = rawProfileName(data);
  if (name !== 'exif' && name !== 'xmp' && name !== 'app1') return undefined;
  const bytes = rawProfile(textOf(type, data));
  if (bytes === undefined) return undefined;
  const start = latin(bytes.subarray(0, 29));
  if (name === 'xmp') return { kind: 'xmp', bytes };
  if (start === 'http://ns.adobe.com/xap/1.0/\0') return { kind: 'xmp', bytes: bytes.subarray(29) };
  return { kind: 'exif', bytes: start.startsWith('Exif\0\0') ? bytes.subarray(6) : bytes };
}

/** What a chunk of text says, in Latin letters; nothing where it is damaged. */
function textOf(type: string, data: Uint8Array): string {
  const start = data.indexOf(0) + 1;
  if (type === 'tEXt') return latin(data.subarray(start));
  // Compressed or not, and how, language and translated keyword.
  const text = type === 'zTXt' ? start + 1 : data.indexOf(0, data.indexOf(0, start + 2) + 1) + 1;
  if (type === 'iTXt' && data[start] === 0) return latin(data.subarray(text));
  try {
    return latin(inflateSync(data.subarray(text), { maxOutputLength: LONGEST_METADATA }));
  } catch {
    return '';
  }
}

/** True for the chunk that holds XMP. */
export function isXmp(type: string, data: Uint8Array): boolean {
  if (type !== 'iTXt') return false;
  return Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, 18)).toString('latin1') === `${XMP_KEYWORD}\0`;
}

/**
 * What chunks of KEPT_CHUNKS say; `warnings` gets a line for each that is damaged, and for what is done otherwise than they
 * ask. Chunks of their own come before what ImageMagick puts into texts (`inTexts`).
 */
export function pngMetadata(
  chunks: ReadonlyMap<string, Uint8Array>,
  warnings: string[],
  inTexts: Pick<Metadata, 'exif' | 'xmp'> = {},
): Metadata {
  const inflated = (type: string, at: number): Uint8Array | undefined => {
    try {
      return new Uint8Array(inflateSync(chunks.get(type)!.subarray(at), { maxOutputLength: LONGEST_METADATA }));
    } catch {
      warnings.push(`a damaged chunk of metadata (${type}) is left out`);
      return undefined;
    }
  };
  const profile = chunks.get('iCCP');
  const icc = profile && inflated('iCCP', profile.indexOf(0) + 2);
  const itxt = chunks.get('iTXt');
  let xmp: Uint8Array | undefined;
  if (itxt !== undefined) {
    // Keyword, 0, compressed or not, method, language, 0, translated keyword, 0, text.
    const language = itxt.indexOf(0, XMP_KEYWORD.length + 3);
    const start = itxt.indexOf(0, language + 1) + 1;
    xmp = itxt[XMP_KEYWORD.length + 1] === 1 ? inflated('iTXt', start) : new Uint8Array(itxt.subarray(start));
  }
  const frames = framesOf(chunks.get('acTL'));
  if (frames > 1) warnings.push(`only the still picture of its animation of ${frames} frames is read`);
  // Copies, which `slice` of a Buffer are not.
  const exif = chunks.get('eXIf');
  const density = chunks.get('pHYs');
  return {
    icc,
    exif: exif ? new Uint8Array(exif) : inTexts.exif,
    xmp: xmp ?? inTexts.xmp,
    resolution: density && resolutionOfPhys(density),
  };
}

/** Frames of an animated PNG; 0 where it is none. */
function framesOf(control: Uint8Array | undefined): number {
  return control?.length === 8 ? Buffer.from(control).readUInt32BE() : 0;
}

/**
 * What chunks of KEPT_CHUNKS say of colours beside a profile; `warnings` gets a line for each that is damaged and would count.
 * @param profiled Whether there is a profile, which counts before chromaticities and gamma.
 */
export function pngColours(
  chunks: ReadonlyMap<string, Uint8Array>,
  profiled: boolean,
  warnings: string[],
): ColourStatements {
  const read = <T>(type: string, reader: (chunk: Uint8Array) => T | undefined): T | undefined => {
    const found = chunks.get(type);
    const value = found && reader(found);
    if (found && value === undefined) warnings.push(`a damaged chunk of metadata (${type}) is left out`);
    return value;
  };
  const cicp = read('cICP', readCicp);
  const srgb = chunks.has('sRGB');
  if (cicp || profiled || srgb) return { cicp, srgb };
  return { chromaticities: read('cHRM', readChromaticities), gamma: read('gAMA', readGamma) };
}

/** The pieces of a chunk. */
function chunk(type: string, data: Uint8Array): Uint8Array[] {
  const start = Buffer.alloc(8);
  start.writeUInt32BE(data.length, 0);
  start.write(type, 4, 'latin1');
  const end = Buffer.alloc(4);
  end.writeUInt32BE(crc32(data, crc32(start.subarray(4))));
  return [start, data, end];
}

/** The pieces of the chunks that hold this metadata, to stand right after the header. */
export function metadataChunks({ icc, cicp, exif, xmp, resolution }: Metadata): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  if (cicp) chunks.push(...chunk('cICP', writeCicp(cicp)));
  if (icc) chunks.push(...chunk('iCCP', Buffer.concat([Buffer.from('icc\0\0'), deflateSync(icc)])));
  if (exif) chunks.push(...chunk('eXIf', exif));
  if (resolution) chunks.push(...chunk('pHYs', physOf(resolution)));
  if (xmp) chunks.push(...chunk('iTXt', Buffer.concat([Buffer.from(`${XMP_KEYWORD}\0\0\0\0\0`), xmp])));
  return chunks;
}
