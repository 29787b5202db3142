/**
 * An independent reader of TensorBoard's event files, written from the formats' descriptions alone: TFRecord, CRC-32C
 * (RFC 3720, by polynomial division bit by bit) and the wire format of protocol buffers. It shares nothing with the writer.
 */
import { readFileSync } from 'node:fs';

export interface ReadEvent {
  /** Seconds since 1970. */
  readonly time: number;
  readonly step: number;
  /** Of the first event; empty in others. */
  readonly version: string;
  readonly scalars: Record<string, number>;
}

/** The remainder of the message, bits reversed, by x³²+x²⁸+x²⁷+x²⁶+x²⁵+x²³+x²²+x²⁰+x¹⁹+x¹⁸+x¹⁴+x¹³+x¹¹+x¹⁰+x⁹+x⁸+x⁶+1. */
export function remainder(bytes: Uint8Array): number {
  const exponents = [28, 27, 26, 25, 23, 22, 20, 19, 18, 14, 13, 11, 10, 9, 8, 6, 0];
  const polynomial = exponents.reduce((sum, exponent) => sum + 2 ** (31 - exponent), 0);
  let rest = 2 ** 32 - 1;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const odd = (rest % 2) ^ ((byte >> bit) & 1);
      rest = Math.floor(rest / 2);
      if (odd) rest = Number(BigInt(rest) ^ BigInt(polynomial));
    }
  }
  return 2 ** 32 - 1 - rest;
}

/** As TFRecords store a checksum: turned right by 15 bits, and a constant added. */
export function masked(checksum: number): number {
  const turned = Math.floor(checksum / 2 ** 15) + (checksum % 2 ** 15) * 2 ** 17;
  return (turned + 0xa282ead8) % 2 ** 32;
}

interface Field {
  readonly number: number;
  readonly value: number | Buffer;
}

/** The fields of a message: varints and fixed numbers as numbers, the rest as bytes. */
function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(message[at++]);
      value |= (byte & 127n) << shift;
      if (byte < 128n) return Number(value);
    }
  };
  while (at < message.length) {
    const key = varint();
    const number = key >> 3;
    switch (key & 7) {
      case 0:
        fields.push({ number, value: varint() });
        break;
      case 1:
        fields.push({ number, value: message.readDoubleLE(at) });
        at += 8;
        break;
      case 2: {
        const length = varint();
        if (at + length > message.length) throw new Error('a field ends beyond its message');
        fields.push({ number, value: message.subarray(at, at + length) });
        at += length;
        break;
      }
      case 5:
        fields.push({ number, value: message.readFloatLE(at) });
        at += 4;
        break;
      default:
        throw new Error(`wire type ${key & 7}`);
    }
  }
  return fields;
}

const one = (message: Buffer, number: number) => fieldsOf(message).find(field => field.number === number)?.value;

/** What an event file holds; throws where a length or a checksum is wrong, or a record is not whole. */
export function readEvents(path: string): ReadEvent[] {
  const bytes = readFileSync(path);
  const events: ReadEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    const data = bytes.subarray(at + 12, at + 12 + length);
    if (bytes.readUInt32LE(at + 8) !== masked(remainder(bytes.subarray(at, at + 8))))
      throw new Error(`${path}: the checksum of the length at byte ${at} is wrong`);
    if (bytes.readUInt32LE(at + 12 + length) !== masked(remainder(data)))
      throw new Error(`${path}: the checksum of the record at byte ${at} is wrong`);
    // Event: 1 wall_time, 2 step, 3 file_version, 5 summary. Summary: 1 value. Value: 1 tag, 2 simple_value.
    const summary = one(data, 5) ?? Buffer.alloc(0);
    const scalars = fieldsOf(summary as Buffer).map(({ number, value }) => {
      if (number !== 1) throw new Error(`${path}: field ${number} in a summary`);
      return [String(one(value as Buffer, 1)), Number(one(value as Buffer, 2))] as const;
    });
    const version = one(data, 3);
    events.push({
      time: Number(one(data, 1)),
      step: Number(one(data, 2) ?? 0),
      version: version === undefined ? '' : String(version),
      scalars: Object.fromEntries(scalars),
    });
    at += length + 16;
  }
  return events;
}
