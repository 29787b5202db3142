/** AVIF files with a box changed or added, which no encoder here would write. */

interface Place {
  readonly from: number;
  readonly to: number;
}

/** The box of this type among those from `from` to `to`, with its head of 8 bytes. */
function boxIn(bytes: Buffer, type: string, from = 0, to = bytes.length): Place {
  for (let at = from; at + 8 <= to; at += bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === type)
      return { from: at, to: Math.min(to, at + bytes.readUInt32BE(at)) };
  }
  throw new Error(`no box ${type}`);
}

/** With these code points in its first nclx. */
export function withCodePoints(avif: Uint8Array, primaries: number, transfer: number): Buffer {
  const bytes = Buffer.from(avif);
  const at = bytes.indexOf('colrnclx', 0, 'latin1') + 8;
  if (at < 8) throw new Error('no nclx');
  bytes.writeUInt16BE(primaries, at);
  bytes.writeUInt16BE(transfer, at + 2);
  return bytes;
}

/** With a reference of this type from one item to another; what follows moves. */
export function withReference(avif: Uint8Array, type: string, from = 1, to = 2): Buffer {
  const bytes = Buffer.from(avif);
  const meta = boxIn(bytes, 'meta');
  const iref = boxIn(bytes, 'iref', meta.from + 12, meta.to);
  const added = Buffer.alloc(14);
  added.writeUInt32BE(14, 0);
  added.write(type, 4, 'latin1');
  added.writeUInt16BE(from, 8);
  added.writeUInt16BE(1, 10);
  added.writeUInt16BE(to, 12);
  for (const box of [meta, iref]) bytes.writeUInt32BE(bytes.readUInt32BE(box.from) + added.length, box.from);
  moveItems(bytes, boxIn(bytes, 'iloc', meta.from + 12, meta.to).from, added.length);
  return Buffer.concat([bytes.subarray(0, iref.to), added, bytes.subarray(iref.to)]);
}

/** Places of items in an `iloc` box (ISO/IEC 14496-12, 8.11.3), which follow those boxes, moved by so many bytes. */
function moveItems(bytes: Buffer, box: number, by: number): void {
  const version = bytes[box + 8];
  if (version > 1 || bytes[box + 12] >> 4 !== 4) throw new Error('an iloc box of another kind');
  const [lengthSize, baseSize] = [bytes[box + 12] & 15, bytes[box + 13] >> 4];
  const indexSize = version === 1 ? bytes[box + 13] & 15 : 0;
  let at = box + 16;
  for (let items = bytes.readUInt16BE(box + 14); items > 0; items--) {
    at += (version === 1 ? 6 : 4) + baseSize;
    const extents = bytes.readUInt16BE(at);
    at += 2;
    for (let i = 0; i < extents; i++) {
      at += indexSize;
      bytes.writeUInt32BE(bytes.readUInt32BE(at) + by, at);
      at += 4 + lengthSize;
    }
  }
}
