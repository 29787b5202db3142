/** Ways to damage a file, as fast-check makes them: each a pure function of bytes, so that a seed repeats a campaign. */
import { deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { KEYS } from '../../train/config/options.ts';
import { PNG_SIGNATURE, pngChunk } from '../image/png-file.ts';

export type Mutation = (bytes: Uint8Array) => Uint8Array;

/** Numbers on which readers of files stumble: ends of types, signs, off by one. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** A place in a file of any length: anywhere, where fast-check left alone prefers the beginning. */
const place = fc.noBias(fc.integer({ min: 0, max: 2 ** 24 - 1 })).map(value => value / 2 ** 24);
const at = (bytes: Uint8Array, where: number) => Math.floor(where * bytes.length);

const joined = (...parts: readonly Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));

const flip = fc.tuple(place, fc.nat(7)).map(
  ([where, bit]): Mutation =>
    bytes => {
      const out = bytes.slice();
      if (out.length > 0) out[at(out, where)] ^= 1 << bit;
      return out;
    },
);

const overwrite = fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 8 })).map(
  ([where, noise]): Mutation =>
    bytes => {
      const out = bytes.slice();
      out.set(noise.subarray(0, Math.max(0, out.length - at(out, where))), at(out, where));
      return out;
    },
);

const edge = fc.tuple(place, fc.constantFrom(...EDGES), fc.constantFrom(1, 2, 4), fc.boolean()).map(
  ([where, value, size, little]): Mutation =>
    bytes => {
      const out = bytes.slice();
      const start = at(out, where);
      if (start + size > out.length) return out;
      const view = new DataView(out.buffer);
      if (size === 1) view.setUint8(start, value & 0xff);
      else if (size === 2) view.setUint16(start, value & 0xffff, little);
      else view.setUint32(start, value, little);
      return out;
    },
);

const truncate = place.map(
  (where): Mutation =>
    bytes =>
      bytes.slice(0, at(bytes, where)),
);

const insert = fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 40 })).map(
  ([where, noise]): Mutation =>
    bytes => {
      const start = at(bytes, where);
      return joined(bytes.subarray(0, start), noise, bytes.subarray(start));
    },
);

const remove = fc.tuple(place, fc.integer({ min: 1, max: 64 })).map(
  ([where, count]): Mutation =>
    bytes => {
      const start = at(bytes, where);
      return joined(bytes.subarray(0, start), bytes.subarray(start + count));
    },
);

const repeat = fc.tuple(place, place, fc.integer({ min: 1, max: 200 })).map(
  ([from, to, count]): Mutation =>
    bytes => {
      const piece = bytes.subarray(at(bytes, from), at(bytes, from) + count);
      const start = at(bytes, to);
      return joined(bytes.subarray(0, start), piece, bytes.subarray(start));
    },
);

/** What harms a file of any kind. */
export const bytewise: fc.Arbitrary<Mutation> = fc.oneof(flip, overwrite, edge, truncate, insert, remove, repeat);

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

function chunksOf(png: Uint8Array): Chunk[] {
  const chunks: Chunk[] = [];
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let position = 8; position + 12 <= png.length; ) {
    const length = view.getUint32(position);
    const type = String.fromCharCode(...png.subarray(position + 4, position + 8));
    chunks.push({ type, data: png.slice(position + 8, position + 8 + length) });
    position += 12 + length;
  }
  return chunks;
}

/** A PNG file of any chunks, with right lengths and checksums: damage below them gets as far as it can. */
const pngOf = (chunks: readonly Chunk[]): Uint8Array =>
  joined(PNG_SIGNATURE, ...chunks.map(({ type, data }) => pngChunk(type, data)));

const chunkwise = (change: fc.Arbitrary<(chunks: Chunk[], which: number) => Chunk[]>): fc.Arbitrary<Mutation> =>
  fc.tuple(change, place).map(
    ([apply, where]): Mutation =>
      bytes => {
        const chunks = chunksOf(bytes);
        return chunks.length === 0 ? bytes : pngOf(apply(chunks, Math.floor(where * chunks.length)));
      },
  );

const withData = (chunks: Chunk[], which: number, change: Mutation) =>
  chunks.map((chunk, i) => (i === which ? { ...chunk, data: change(chunk.data) } : chunk));

/** Damage inside of a chunk, its checksum right again. */
const inChunk = chunkwise(bytewise.map(change => (chunks, which) => withData(chunks, which, change)));

/** Damage to the filtered rows, compressed again. */
const inRows = chunkwise(
  bytewise.map(change => chunks => {
    const data = joined(...chunks.filter(({ type }) => type === 'IDAT').map(chunk => chunk.data));
    try {
      const rows = deflateSync(change(Uint8Array.from(inflateSync(data))));
      const first = chunks.findIndex(({ type }) => type === 'IDAT');
      return chunks.flatMap((chunk, i) =>
        chunk.type !== 'IDAT' ? [chunk] : i === first ? [{ type: 'IDAT', data: Uint8Array.from(rows) }] : [],
      );
    } catch {
      return chunks; // Damaged before.
    }
  }),
);

const CHUNKS = [
  ...['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'iCCP', 'eXIf', 'zTXt', 'iTXt', 'gAMA', 'cHRM', 'cICP', 'sRGB'],
  ...['acTL', 'fdAT', 'quUx'],
];

const chunkOrder = chunkwise(
  fc.oneof(
    fc.constant((chunks: Chunk[], which: number) => chunks.toSpliced(which, 1)),
    fc.constant((chunks: Chunk[], which: number) => chunks.toSpliced(which, 0, chunks[which])),
    fc.constant((chunks: Chunk[], which: number) => [...chunks.toSpliced(which, 1), chunks[which]]),
    fc
      .constantFrom(...CHUNKS)
      .map(
        type => (chunks: Chunk[], which: number) =>
          chunks.map((chunk, i) => (i === which ? { ...chunk, type } : chunk)),
      ),
    fc.tuple(fc.constantFrom(...CHUNKS), fc.uint8Array({ maxLength: 300 })).map(
      ([type, data]) =>
        (chunks: Chunk[], which: number) =>
          chunks.toSpliced(which + 1, 0, { type, data }),
    ),
  ),
);

/** Sides, depths and colour types that the rows do not have. */
const header = chunkwise(
  fc.tuple(fc.constantFrom(0, 4, 8, 9, 10, 11, 12), fc.constantFrom(...EDGES, 3, 4, 5, 6, 16, 100_000)).map(
    ([offset, value]) =>
      (chunks: Chunk[]) =>
        withData(chunks, 0, data => {
          const out = data.slice();
          if (offset < 8 && out.length >= 8) new DataView(out.buffer).setUint32(offset, value);
          else if (offset < out.length) out[offset] = value & 0xff;
          return out;
        }),
  ),
);

/** A stream that inflates to `2 ** power` zeros, where rows or a profile are expected. */
const bomb = chunkwise(
  fc
    .tuple(fc.constantFrom('IDAT', 'iCCP', 'zTXt', 'iTXt'), fc.integer({ min: 16, max: 26 }))
    .map(([type, power]) => (chunks: Chunk[]) => {
      const zeros = Uint8Array.from(deflateSync(Buffer.alloc(2 ** power), { level: 9 }));
      const data =
        type === 'IDAT' ? zeros : joined(Buffer.from(type === 'iTXt' ? 'k\0\x01\0\0\0' : 'k\0\0', 'latin1'), zeros);
      return type === 'IDAT'
        ? chunks.map(chunk => (chunk.type === 'IDAT' ? { type, data } : chunk))
        : chunks.toSpliced(1, 0, { type, data });
    }),
);

/** What colours are told by, of right lengths, with numbers on which readers stumble. */
const colourChunk = chunkwise(
  fc
    .tuple(
      fc.constantFrom(['cICP', 4, 1] as const, ['cHRM', 32, 4] as const, ['gAMA', 4, 4] as const),
      fc.array(fc.oneof(fc.constantFrom(...EDGES, 12, 13, 16, 22), fc.integer({ min: 0, max: 100_000 })), {
        minLength: 8,
        maxLength: 8,
      }),
    )
    .map(([[type, length, each], values]) => (chunks: Chunk[]) => {
      const data = new Uint8Array(length);
      const view = new DataView(data.buffer);
      for (let i = 0; i * each < length; i++) {
        if (each === 4) view.setUint32(4 * i, values[i]);
        else data[i] = i === 2 ? 0 : values[i];
      }
      return chunks.toSpliced(1, 0, { type, data });
    }),
);

/** What harms a PNG file. */
export const pngwise: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 4, arbitrary: bytewise },
  { weight: 4, arbitrary: inChunk },
  { weight: 3, arbitrary: inRows },
  { weight: 3, arbitrary: chunkOrder },
  { weight: 3, arbitrary: header },
  { weight: 2, arbitrary: colourChunk },
  { weight: 1, arbitrary: bomb },
);

/** Boxes of an AVIF file's description that the decoder of its pictures hardly looks at, and its own. */
const BOXES = ['meta', 'pitm', 'iinf', 'iref', 'iprp', 'ipco', 'ipma', 'colr', 'ispe', 'pixi', 'auxl', 'auxC'];

/** Damage within a box and near its head, where lengths, counts and numbers of items stand; the pictures stay whole. */
const inBox = fc.tuple(fc.constantFrom(...BOXES), fc.nat(40), fc.constantFrom(1, 2, 4), fc.constantFrom(...EDGES)).map(
  ([type, offset, size, value]): Mutation =>
    bytes => {
      const out = bytes.slice();
      const found = Buffer.from(out.buffer).indexOf(type, 0, 'latin1');
      // From its length, which stands before its type.
      const start = found - 4 + offset;
      if (found < 4 || start + size > out.length) return out;
      const view = new DataView(out.buffer);
      if (size === 1) view.setUint8(start, value & 0xff);
      else if (size === 2) view.setUint16(start, value & 0xffff);
      else view.setUint32(start, value);
      return out;
    },
);

/** A box under another name: references and properties that the picture can do without, or cannot. */
const renamedBox = fc.tuple(fc.constantFrom(...BOXES), fc.constantFrom(...BOXES, 'prem', 'dimg', 'free', 'nclx')).map(
  ([from, to]): Mutation =>
    bytes => {
      const out = bytes.slice();
      const found = Buffer.from(out.buffer).indexOf(from, 0, 'latin1');
      if (found >= 0) out.set(Buffer.from(to, 'latin1'), found);
      return out;
    },
);

/** What harms an AVIF file. */
export const avifwise: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 3, arbitrary: bytewise },
  { weight: 5, arbitrary: inBox },
  { weight: 1, arbitrary: renamedBox },
);

/** What JSON may hold where something else is expected. */
export const jsonValues: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('null', 'true', '-1', '0', '0.5', '1e999', '-1e-999', '9007199254740993', '1e15', '""', '[]', '{}'),
  fc.constantFrom(
    '"F64"',
    '"__proto__"',
    '"synthetic"',
    '[[],[[]]]',
    '{"__proto__":{"lr":1}}',
    '"\\ud800"',
    '"\\u0000"',
  ),
  fc.integer({ min: 1, max: 20_000 }).map(depth => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 1, max: 20_000 }).map(depth => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  fc.integer({ min: 1, max: 100_000 }).map(length => JSON.stringify('x'.repeat(length))),
  fc.integer({ min: 1, max: 20_000 }).map(length => `[${'1,'.repeat(length)}1]`),
  fc.string({ unit: 'binary', maxLength: 20 }).map(text => JSON.stringify(text)),
  fc.json(),
);

/** Puts values and names in the place of others in a JSON text, which stays well-formed where it was. */
export const jsonwise: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.tuple(place, jsonValues).map(
    ([where, value]) =>
      (text: string) =>
        replaceToken(text, where, value),
  ),
  fc.tuple(place, fc.constantFrom('__proto__', 'constructor', 'toString', '', 'lr.', '.', 'a.b.c')).map(
    ([where, name]) =>
      (text: string) =>
        replaceToken(text, where, JSON.stringify(name)),
  ),
  fc.tuple(place, jsonValues, fc.string({ maxLength: 12 })).map(([where, value, name]) => (text: string) => {
    const braces = [...text.matchAll(/\{/g)];
    const brace = braces[Math.floor(where * braces.length)];
    if (!brace) return text;
    const rest = text.slice(brace.index + 1);
    const comma = /^\s*\}/.test(rest) ? '' : ',';
    return `${text.slice(0, brace.index + 1)}${JSON.stringify(name)}:${value}${comma}${rest}`;
  }),
);

/** Replaces one string, number or word. */
function replaceToken(text: string, where: number, value: string): string {
  if (text.length > 1_000_000) return text;
  const tokens = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/g)];
  const token = tokens[Math.floor(where * tokens.length)];
  return token ? text.slice(0, token.index) + value + text.slice(token.index + token[0].length) : text;
}

/** What harms a safetensors file: bytes, and its header with a length that fits or does not. */
export const safetensorswise: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 2, arbitrary: bytewise },
  {
    weight: 5,
    arbitrary: jsonwise.map(
      (change): Mutation =>
        bytes => {
          if (bytes.length < 8) return bytes;
          const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
          if (length > bytes.length - 8) return bytes;
          const header = new TextEncoder().encode(change(new TextDecoder().decode(bytes.subarray(8, 8 + length))));
          const size = new Uint8Array(8);
          new DataView(size.buffer).setBigUint64(0, BigInt(header.length), true);
          return joined(size, header, bytes.subarray(8 + length));
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(
      (length): Mutation =>
        bytes => {
          const out = bytes.slice();
          if (out.length >= 8) new DataView(out.buffer).setBigUint64(0, length, true);
          return out;
        },
    ),
  },
);

/** An option more or another one, of any worth. */
const option = fc
  .tuple(
    fc.constantFrom(...KEYS),
    fc.oneof(fc.constantFrom('1', '2', '32', '0.5', 'true', '"none"', '"x"'), jsonValues),
  )
  .map(
    ([key, value]) =>
      (text: string) =>
        text.replace(/\}\s*$/, `,${JSON.stringify(key)}:${value}}`),
  );

/** What harms a configuration: its JSON, or its bytes. */
export const configwise: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 1, arbitrary: bytewise },
  {
    weight: 6,
    arbitrary: fc.oneof(jsonwise, option).map(
      (change): Mutation =>
        bytes =>
          new TextEncoder().encode(change(new TextDecoder().decode(bytes))),
    ),
  },
);
