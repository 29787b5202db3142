/** Small TIFF files of any kind: one uncompressed strip a page. */

/** Tag, type (1 byte, 2 text, 3 short, 4 long), values. */
export type TiffTag = readonly [tag: number, type: 1 | 2 | 3 | 4, values: readonly number[]];

/** The tags that every picture needs. */
export function tiffTags(
  width: number,
  height: number,
  bits: readonly number[],
  photometric: number,
  others: readonly TiffTag[] = [],
): TiffTag[] {
  return [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, bits],
    [259, 3, [1]],
    [262, 3, [photometric]],
    [277, 3, [bits.length]],
    [278, 4, [height]],
    ...others,
  ];
}

export interface TiffPage {
  readonly tags: readonly TiffTag[];
  readonly samples: readonly number[];
}

export function tiffFile(pages: readonly TiffPage[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0])];
  let end = 8;
  let pointer: { buffer: Buffer; at: number } = { buffer: parts[0], at: 4 };
  const put = (part: Buffer) => {
    const at = end;
    parts.push(part, Buffer.alloc(part.length % 2));
    end += part.length + (part.length % 2);
    return at;
  };
  for (const { tags, samples } of pages) {
    const strip: TiffTag[] = [
      [273, 4, [put(Buffer.from(samples))]],
      [279, 4, [samples.length]],
    ];
    const all = [...tags, ...strip].sort((a, b) => a[0] - b[0]);
    const directory = Buffer.alloc(2 + 12 * all.length + 4);
    directory.writeUInt16LE(all.length, 0);
    all.forEach(([tag, type, values], i) => {
      const size = type === 3 ? 2 : type === 4 ? 4 : 1;
      const value = Buffer.alloc(size * values.length);
      values.forEach((each, k) => {
        value.writeUIntLE(each, k * size, size);
      });
      const at = 2 + 12 * i;
      directory.writeUInt16LE(tag, at);
      directory.writeUInt16LE(type, at + 2);
      directory.writeUInt32LE(values.length, at + 4);
      if (value.length <= 4) value.copy(directory, at + 8);
      else directory.writeUInt32LE(put(value), at + 8);
    });
    pointer.buffer.writeUInt32LE(put(directory), pointer.at);
    pointer = { buffer: directory, at: directory.length - 4 };
  }
  return Buffer.concat(parts);
}
