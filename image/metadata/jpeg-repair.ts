/** Repairs JPEG faults that affect no pixel, so that a strict decoder accepts the file (ITU-T T.81, annex B). */

import { concat } from './bytes.ts';
import { hasAllBlocks } from './jpeg-blocks.ts';
import { EOI, isFrame, type JpegSegment, jpegSegments, SOS } from './jpeg-segments.ts';

export interface Repaired {
  readonly bytes: Uint8Array;
  /** The faults, a few words each. */
  readonly faults: readonly string[];
}

/** SOF0 and SOF1: baseline and extended sequential; SOF2: progressive. */
const SEQUENTIAL: readonly number[] = [0xc0, 0xc1];
const PROGRESSIVE = 0xc2;

/**
 * Removes stray bytes between segments, corrects the scan parameters of sequential pictures, and adds a missing end
 * marker. Undefined if there is nothing to repair or a part of the picture is missing.
 */
export function repairedJpeg(bytes: Uint8Array): Repaired | undefined {
  const segments = [...jpegSegments(bytes)];
  const frame = segments.find(({ marker }) => isFrame(marker));
  if (frame === undefined) return undefined;
  const faults: string[] = [];
  const stray = segments.reduce((sum, segment) => sum + segment.stray, 0);
  if (stray > 0) faults.push(`${stray} stray ${stray === 1 ? 'byte' : 'bytes'} between its segments`);
  const pieces: Uint8Array[] = [bytes.subarray(0, 2)];
  let wrongScans = 0;
  for (const segment of segments) {
    const piece = bytes.subarray(segment.at, segment.end);
    const mended = segment.marker === SOS && SEQUENTIAL.includes(frame.marker) ? mendedScan(segment, piece) : undefined;
    if (mended) wrongScans++;
    pieces.push(mended ?? piece);
  }
  if (wrongScans > 0) faults.push('wrong scan parameters (SOS)');
  const last = segments[segments.length - 1];
  if (last.marker !== EOI) {
    // A file that ends within a segment is truncated.
    if (last.marker !== SOS || last.end !== bytes.length || !isComplete(frame, bytes, segments)) return undefined;
    faults.push('no end-of-image marker (EOI)');
    pieces.push(Uint8Array.of(0xff, EOI));
  }
  return faults.length > 0 ? { bytes: concat(pieces), faults } : undefined;
}

/** Removes `count` surplus bytes, as reported by a decoder, between the coded data and the end marker. */
export function withoutSurplus(bytes: Uint8Array, count: number): Repaired | undefined {
  const segments = [...jpegSegments(bytes)];
  const end = segments[segments.length - 1];
  const scan = segments[segments.length - 2];
  const frame = segments.find(({ marker }) => isFrame(marker));
  if (end?.marker !== EOI || scan?.marker !== SOS || scan.end - count <= scan.at) return undefined;
  const whole = { ...scan, end: scan.end - count };
  if (frame === undefined || !isComplete(frame, bytes, [...segments.slice(0, -2), whole])) return undefined;
  const bytesKept = concat([bytes.subarray(0, scan.end - count), bytes.subarray(end.at)]);
  return { bytes: bytesKept, faults: ['stray bytes after its image data'] };
}

/** The scan with the parameters 0, 63, 0, 0; undefined if it already has them. */
function mendedScan({ data }: JpegSegment, piece: Uint8Array): Uint8Array | undefined {
  const at = 1 + 2 * data[0];
  if (data.length < at + 3 || (data[at] === 0 && data[at + 1] === 63 && data[at + 2] === 0)) return undefined;
  // A copy, which `slice` of a Buffer is not.
  const out = new Uint8Array(piece);
  // Marker and length come before the data.
  out.set([0, 63, 0], 4 + at);
  return out;
}

/**
 * True if the scans define every coefficient of every component to its last bit. For sequential pictures, all blocks
 * must be present, too; for progressive ones, the strict decoder checks that.
 */
function isComplete(frame: JpegSegment, bytes: Uint8Array, segments: readonly JpegSegment[]): boolean {
  const components = frame.data[5] ?? 0;
  const missing = new Map<number, Set<number>>();
  for (let i = 0; i < components; i++) {
    missing.set(frame.data[6 + 3 * i], new Set(Array.from({ length: 64 }, (_, coefficient) => coefficient)));
  }
  for (const { marker, data } of segments) {
    if (marker !== SOS) continue;
    const at = 1 + 2 * data[0];
    const progressive = frame.marker === PROGRESSIVE;
    const [first, last, low] = progressive ? [data[at], data[at + 1], data[at + 2] & 15] : [0, 63, 0];
    if (low !== 0) continue;
    for (let i = 0; i < data[0]; i++) {
      for (let k = first; k <= Math.min(last, 63); k++) missing.get(data[1 + 2 * i])?.delete(k);
    }
  }
  const told = components > 0 && [...missing.values()].every(({ size }) => size === 0);
  return told && (!SEQUENTIAL.includes(frame.marker) || hasAllBlocks(bytes, segments));
}
