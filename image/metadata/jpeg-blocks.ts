/**
 * Checks that a sequential JPEG has all its blocks (ITU-T T.81, annex F.2.2). libvips ignores libjpeg's warnings about
 * the last eight rows, so a picture truncated there, with an end marker added, would pass as complete.
 */

import { isFrame, type JpegSegment, SOS } from './jpeg-segments.ts';

const DHT = 0xc4;
const DRI = 0xdd;

/** For each 16-bit prefix, code length · 256 + symbol; 0 if no code matches. */
type Codes = Uint16Array;

interface Component {
  readonly id: number;
  readonly across: number;
  readonly down: number;
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly components: readonly Component[];
}

/** True if every scan has all the blocks that the frame's size requires. */
export function hasAllBlocks(bytes: Uint8Array, segments: readonly JpegSegment[]): boolean {
  const codes = new Map<number, Codes>();
  let frame: Frame | undefined;
  let interval = 0;
  for (const { marker, at, end, data } of segments) {
    if (isFrame(marker)) frame = frameOf(data);
    if (marker === DHT && !readCodes(data, codes)) return false;
    if (marker === DRI && data.length >= 2) interval = (data[0] << 8) | data[1];
    if (marker !== SOS) continue;
    const blocks = frame && blocksOf(frame, data, codes);
    const coded = bytes.subarray(at + 4 + data.length, end);
    if (blocks === undefined || !hasBlocks(coded, blocks, interval)) return false;
  }
  return true;
}

function frameOf(data: Uint8Array): Frame | undefined {
  const count = data[5] ?? 0;
  if (data.length < 6 + 3 * count) return undefined;
  const components = Array.from({ length: count }, (_, i) => {
    const sampling = data[7 + 3 * i];
    return { id: data[6 + 3 * i], across: sampling >> 4, down: sampling & 15 };
  });
  if (components.some(({ across, down }) => across < 1 || across > 4 || down < 1 || down > 4)) return undefined;
  return { height: (data[1] << 8) | data[2], width: (data[3] << 8) | data[4], components };
}

/** Reads the tables of a segment. False if they are invalid. */
function readCodes(data: Uint8Array, codes: Map<number, Codes>): boolean {
  for (let at = 0; at + 17 <= data.length; ) {
    const table = new Uint16Array(1 << 16);
    let [code, symbol] = [0, at + 17];
    for (let length = 1; length <= 16; length++) {
      for (let i = 0; i < data[at + length]; i++, symbol++) {
        const step = 1 << (16 - length);
        if (symbol >= data.length || code + step > table.length) return false;
        table.fill((length << 8) | data[symbol], code, code + step);
        code += step;
      }
    }
    codes.set(data[at], table);
    at = symbol;
  }
  return true;
}

interface Blocks {
  /** The tables (DC and AC) for each block of an MCU. */
  readonly unit: readonly (readonly [Codes, Codes])[];
  readonly units: number;
}

/** The blocks of a scan. Undefined if they cannot be determined. */
function blocksOf({ width, height, components }: Frame, scan: Uint8Array, codes: ReadonlyMap<number, Codes>) {
  const [mostAcross, mostDown] = [
    Math.max(...components.map(({ across }) => across)),
    Math.max(...components.map(({ down }) => down)),
  ];
  const unit: [Codes, Codes][] = [];
  let units = Math.ceil(width / (8 * mostAcross)) * Math.ceil(height / (8 * mostDown));
  for (let i = 0; i < scan[0]; i++) {
    const component = components.find(({ id }) => id === scan[1 + 2 * i]);
    const tables = scan[2 + 2 * i];
    const [first, others] = [codes.get(tables >> 4), codes.get(0x10 | (tables & 15))];
    if (component === undefined || first === undefined || others === undefined) return undefined;
    const { across, down } = component;
    // A scan of one component has one block per MCU, and none beyond the component's edge.
    const alone = scan[0] === 1;
    if (alone) {
      units =
        Math.ceil(Math.ceil((width * across) / mostAcross) / 8) * Math.ceil(Math.ceil((height * down) / mostDown) / 8);
    }
    for (let block = 0; block < (alone ? 1 : across * down); block++) unit.push([first, others]);
  }
  return unit.length > 0 && units > 0 ? { unit, units } : undefined;
}

/** A restart marker follows every `interval` MCUs, unless that is 0. */
function hasBlocks(coded: Uint8Array, { unit, units }: Blocks, interval: number): boolean {
  let at = 0;
  let [buffer, held] = [0, 0];
  const fill = () => {
    while (held <= 16 && at < coded.length) {
      const byte = coded[at];
      if (byte === 0xff && coded[at + 1] !== 0) return;
      at += byte === 0xff ? 2 : 1;
      buffer = ((buffer << 8) | byte) & 0xffffff;
      held += 8;
    }
  };
  /** Reads the next symbol and skips its extra bits; -1 at the end of the data. */
  const next = (codes: Codes): number => {
    fill();
    const code = codes[(held >= 16 ? buffer >> (held - 16) : buffer << (16 - held)) & 0xffff];
    const length = code >> 8;
    if (length === 0 || length > held) return -1;
    held -= length;
    fill();
    const symbol = code & 0xff;
    if ((symbol & 15) > held) return -1;
    held -= symbol & 15;
    return symbol;
  };
  for (let done = 0; done < units; done++) {
    if (interval > 0 && done > 0 && done % interval === 0) {
      while (coded[at] === 0xff && coded[at + 1] === 0xff) at++;
      if (coded[at] !== 0xff || (coded[at + 1] & 0xf8) !== 0xd0) return false;
      [at, buffer, held] = [at + 2, 0, 0];
    }
    for (const [first, others] of unit) {
      if (next(first) < 0) return false;
      for (let k = 1; k < 64; k++) {
        const symbol = next(others);
        if (symbol < 0) return false;
        if ((symbol & 15) === 0 && symbol !== 0xf0) break;
        k += symbol >> 4;
      }
    }
  }
  return true;
}
