/** JPEG files with segments of any kind, put together by the specification alone. */

const latin = (text: string) => Buffer.from(text, 'latin1');

/** A segment: FF, the marker, its length, the data. */
export function jpegSegment(marker: number, ...data: readonly (string | Uint8Array)[]): Buffer {
  const body = Buffer.concat(data.map(each => (typeof each === 'string' ? latin(each) : each)));
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

/** The file with these segments right after its beginning. */
export const withSegments = (jpeg: Uint8Array, ...segments: readonly Uint8Array[]): Buffer =>
  Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);

/** A packet of XMP in one description with these attributes and elements. */
export const xmpOf = (attributes: string, elements = ''): string =>
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
  `<rdf:Description rdf:about=""${attributes && ` ${attributes}`}>${elements}</rdf:Description></rdf:RDF></x:xmpmeta>`;

export const xmpSegment = (xmp: string): Buffer =>
  jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', Buffer.from(xmp));

/** An index of several pictures (CIPA DC-007) with these types, big-endian as cameras write it. */
export function mpfSegment(types: readonly number[]): Buffer {
  const tiff = Buffer.alloc(8 + 2 + 24 + 4 + 16 * types.length);
  tiff.write('MM\0*', 0, 'latin1');
  tiff.writeUInt32BE(8, 4);
  tiff.writeUInt16BE(2, 8);
  const entry = (i: number, numbers: readonly [tag: number, type: number, count: number, value: number]) => {
    tiff.writeUInt16BE(numbers[0], 10 + 12 * i);
    tiff.writeUInt16BE(numbers[1], 12 + 12 * i);
    tiff.writeUInt32BE(numbers[2], 14 + 12 * i);
    tiff.writeUInt32BE(numbers[3], 18 + 12 * i);
  };
  entry(0, [0xb001, 4, 1, types.length]);
  entry(1, [0xb002, 7, 16 * types.length, 38]);
  types.forEach((type, i) => {
    tiff.writeUInt32BE(type, 38 + 16 * i);
  });
  return jpegSegment(0xe2, 'MPF\0', tiff);
}
