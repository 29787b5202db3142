/**
 * The format of TensorBoard's event files: TFRecords (length, masked CRC-32C of the length, data, masked CRC-32C of the
 * data; little-endian) of the protocol buffers `Event` and `Summary`. Scalars need six of their fields.
 */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  // The Castagnoli polynomial with its bits reversed.
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** CRC-32C (Castagnoli; RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** The CRC as TFRecords store it: masked, because the CRC of data that contains its own CRC is constant. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Bytes of a record before and after its data. */
const HEAD = 12;
const FOOT = 4;

/** Encodes data as a record. */
export function encodeRecord(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(HEAD + data.length + FOOT);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, HEAD);
  view.setUint32(HEAD + data.length, maskedCrc(data), true);
  return record;
}

/** Protocol buffer wire types. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

function varint(value: number): number[] {
  const bytes: number[] = [];
  // Steps may exceed 2^31, so no bit operations.
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}

const key = (field: number, wire: number) => varint(field * 8 + wire);

function double(field: number, value: number): number[] {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return [...key(field, FIXED64), ...bytes];
}

function float(field: number, value: number): number[] {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [...key(field, FIXED32), ...bytes];
}

const bytesField = (field: number, bytes: ArrayLike<number>): number[] => [
  ...key(field, BYTES),
  ...varint(bytes.length),
  ...Array.from(bytes),
];
const text = (field: number, value: string) => bytesField(field, new TextEncoder().encode(value));

/** The first event of a file, with its format version. `seconds` since 1970. */
export const versionEvent = (seconds: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([...double(1, seconds), ...text(3, 'brain.Event:2')]);

/** An event with scalars after `step` updates. */
export function scalarEvent(seconds: number, step: number, scalars: Readonly<Record<string, number>>) {
  const values = Object.entries(scalars).flatMap(([tag, value]) =>
    bytesField(1, [...text(1, tag), ...float(2, value)]),
  );
  return Uint8Array.from([...double(1, seconds), ...key(2, VARINT), ...varint(step), ...bytesField(5, values)]);
}

/** The end of the record that starts at `from`, and the step of its event; undefined if it is incomplete or damaged. */
export function recordAt(bytes: Uint8Array, from: number): { readonly end: number; readonly step: number } | undefined {
  if (from + HEAD > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = Number(view.getBigUint64(from, true));
  const end = from + HEAD + length + FOOT;
  if (view.getUint32(from + 8, true) !== maskedCrc(bytes.subarray(from, from + 8)) || end > bytes.length)
    return undefined;
  const data = bytes.subarray(from + HEAD, end - FOOT);
  if (view.getUint32(end - FOOT, true) !== maskedCrc(data)) return undefined;
  return { end, step: stepOf(data) };
}

/** The step of an event that `scalarEvent` wrote: it follows the nine bytes of the time. 0 for a version event. */
function stepOf(event: Uint8Array): number {
  if (event[9] !== key(2, VARINT)[0]) return 0;
  let step = 0;
  for (let i = 10, unit = 1; i < event.length; i++, unit *= 128) {
    step += (event[i] & 127) * unit;
    if (event[i] < 128) break;
  }
  return step;
}
