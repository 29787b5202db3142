/** Reads and writes the metadata chunks of PNG files (PNG specification, third edition, section 11.3). */

import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { readChromaticities, readGamma } from './colours/chromaticities.ts';
import { readCicp, writeCicp } from './colours/cicp.ts';
import type { ColourStatements } from './colours/meaning.ts';
import { rawProfile, rawProfileName } from './metadata/raw-profile.ts';
import { physOf, resolutionOfPhys } from './metadata/resolution.ts';
import { latin } from './metadata/xmp.ts';
import type { Metadata } from './picture-file.ts';

/** Maximum inflated length of profiles and XMP packets. The largest in use are a few megabytes. */
const LONGEST_METADATA = 1 << 24;

const XMP_KEYWORD = 'XML:com.adobe.xmp';

/** Chunks that are read; of `iTXt` only the one with XMP. */
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

/** Text chunks. XMP is stored in an `iTXt`, too. */
export const TEXT_CHUNKS: readonly string[] = ['tEXt', 'zTXt', 'iTXt'];

/**
 * EXIF or XMP in a text chunk written by ImageMagick. Undefined for other or damaged texts.
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

/** The text of a chunk as Latin-1; empty if it is damaged. */
function textOf(type: string, data: Uint8Array): string {
  const start = data.indexOf(0) + 1;
  if (type === 'tEXt') return latin(data.subarray(start));
  // Skips compression flag and method, language and translated keyword.
  const text = type === 'zTXt' ? start + 1 : data.indexOf(0, data.indexOf(0, start + 2) + 1) + 1;
  if (type === 'iTXt' && data[start] === 0) return latin(data.subarray(text));
  try {
    return latin(inflateSync(data.subarray(text), { maxOutputLength: LONGEST_METADATA }));
  } catch {
    return '';
  }
}

/** True for the chunk with XMP. */
export function isXmp(type: string, data: Uint8Array): boolean {
  if (type !== 'iTXt') return false;
  return Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, 18)).toString('latin1') === `${XMP_KEYWORD}\0`;
}

/**
 * Reads the metadata in KEPT_CHUNKS. Adds a warning for each damaged chunk, and for an animation. Dedicated chunks take
 * precedence over ImageMagick's text chunks (`inTexts`).
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
      warnings.push(`dropped a damaged metadata chunk (${type})`);
      return undefined;
    }
  };
  const profile = chunks.get('iCCP');
  const icc = profile && inflated('iCCP', profile.indexOf(0) + 2);
  const itxt = chunks.get('iTXt');
  let xmp: Uint8Array | undefined;
  if (itxt !== undefined) {
    // Keyword, 0, compression flag, method, language, 0, translated keyword, 0, text.
    const language = itxt.indexOf(0, XMP_KEYWORD.length + 3);
    const start = itxt.indexOf(0, language + 1) + 1;
    xmp = itxt[XMP_KEYWORD.length + 1] === 1 ? inflated('iTXt', start) : new Uint8Array(itxt.subarray(start));
  }
  const frames = framesOf(chunks.get('acTL'));
  if (frames > 1) warnings.push(`only the still picture of its animation of ${frames} frames is read`);
  // Copies: `slice` of a Buffer would share memory.
  const exif = chunks.get('eXIf');
  const density = chunks.get('pHYs');
  return {
    icc,
    exif: exif ? new Uint8Array(exif) : inTexts.exif,
    xmp: xmp ?? inTexts.xmp,
    resolution: density && resolutionOfPhys(density),
  };
}

/** Number of frames of an animated PNG; 0 otherwise. */
function framesOf(control: Uint8Array | undefined): number {
  return control?.length === 8 ? Buffer.from(control).readUInt32BE() : 0;
}

/**
 * Reads the colour information in KEPT_CHUNKS, except for the profile. Adds a warning for each relevant damaged chunk.
 * @param profiled Whether there is a profile, which overrides chromaticities and gamma.
 */
export function pngColours(
  chunks: ReadonlyMap<string, Uint8Array>,
  profiled: boolean,
  warnings: string[],
): ColourStatements {
  const read = <T>(type: string, reader: (chunk: Uint8Array) => T | undefined): T | undefined => {
    const found = chunks.get(type);
    const value = found && reader(found);
    if (found && value === undefined) warnings.push(`dropped a damaged metadata chunk (${type})`);
    return value;
  };
  const cicp = read('cICP', readCicp);
  const srgb = chunks.has('sRGB');
  if (cicp || profiled || srgb) return { cicp, srgb };
  return { chromaticities: read('cHRM', readChromaticities), gamma: read('gAMA', readGamma) };
}

/** The bytes of a chunk, in pieces. */
function chunk(type: string, data: Uint8Array): Uint8Array[] {
  const start = Buffer.alloc(8);
  start.writeUInt32BE(data.length, 0);
  start.write(type, 4, 'latin1');
  const end = Buffer.alloc(4);
  end.writeUInt32BE(crc32(data, crc32(start.subarray(4))));
  return [start, data, end];
}

/** The metadata's chunks, in pieces, for right after the header. */
export function metadataChunks({ icc, cicp, exif, xmp, resolution }: Metadata): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  if (cicp) chunks.push(...chunk('cICP', writeCicp(cicp)));
  if (icc) chunks.push(...chunk('iCCP', Buffer.concat([Buffer.from('icc\0\0'), deflateSync(icc)])));
  if (exif) chunks.push(...chunk('eXIf', exif));
  if (resolution) chunks.push(...chunk('pHYs', physOf(resolution)));
  if (xmp) chunks.push(...chunk('iTXt', Buffer.concat([Buffer.from(`${XMP_KEYWORD}\0\0\0\0\0`), xmp])));
  return chunks;
}
