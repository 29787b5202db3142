/**
 * Writes protocol buffers (https://protobuf.dev/programming-guides/encoding/): fields by number, without a schema. Numbers
 * are not negative.
 */

/** A message in pieces, so that a large tensor is copied once, by {@link joined}. */
export type Pieces = readonly Uint8Array[];

/** Wire types: a number of up to 64 bits, length-prefixed bytes, and 4 bytes. */
const [VARINT, BYTES, FOUR] = [0, 2, 5];

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  // No shifts: they cut numbers to 32 bits.
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return [...bytes, left];
}

const piece = (...numbers: readonly number[]): Uint8Array => Uint8Array.from(numbers);

const lengthOf = (pieces: Pieces): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** A whole number, an enum or a flag. */
export const numberField = (field: number, value: number): Pieces => [
  piece(...varint(field * 8 + VARINT), ...varint(value)),
];

/** A float32. */
export function floatField(field: number, value: number): Pieces {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [piece(...varint(field * 8 + FOUR)), bytes];
}

/** A nested message, or with one piece, bytes. */
export function messageField(field: number, ...parts: readonly Pieces[]): Pieces {
  const content = parts.flat();
  return [piece(...varint(field * 8 + BYTES), ...varint(lengthOf(content))), ...content];
}

export const bytesField = (field: number, content: Uint8Array): Pieces => messageField(field, [content]);

export const textField = (field: number, content: string): Pieces =>
  bytesField(field, new TextEncoder().encode(content));

/** The whole message. */
export function joined(pieces: Pieces): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(pieces));
  let position = 0;
  for (const one of pieces) {
    bytes.set(one, position);
    position += one.length;
  }
  return bytes;
}
