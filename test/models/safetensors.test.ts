import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBfloat16, fromFloat16, toFloat16 } from '../../models/half-floats.ts';
import { LARGEST_HEADER, readSafetensors, SafetensorsError, writeSafetensors } from '../../models/safetensors.ts';

/** A file with any header text or bytes and `data` zeros after it. */
function fileOf(header: string | Uint8Array, data = 0, length?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const tensor = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).chain(shape =>
  fc.record({
    shape: fc.constant(shape),
    data: fc.float32Array({
      minLength: shape.reduce((a, b) => a * b, 1),
      maxLength: shape.reduce((a, b) => a * b, 1),
    }),
  }),
);
const name = fc.string({ unit: 'grapheme', maxLength: 12 }).filter(text => text !== '__metadata__');
const tensors = fc.array(fc.tuple(name, tensor), { maxLength: 6 }).map(pairs => new Map(pairs));
const metadata = fc.dictionary(fc.string({ maxLength: 6 }), fc.string({ unit: 'grapheme', maxLength: 12 }));

describe('half floats', () => {
  it('round every float16 and every value halfway between two as IEEE 754 says', () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const value = fromFloat16(bits);
      expect(toFloat16(value)).toBe(bits);
      expect(toFloat16(-value)).toBe(bits | 0x8000);
      const next = bits === 0x7bff ? 65536 : fromFloat16(bits + 1);
      const middle = (value + next) / 2;
      expect(toFloat16(middle)).toBe(bits + (bits & 1));
      const epsilon = Math.fround(middle) * 2 ** -23;
      if (bits > 0) expect(toFloat16(middle - epsilon)).toBe(bits);
      if (bits > 0) expect(toFloat16(middle + epsilon)).toBe(bits + 1);
    }
  });

  it('keep infinities and NaN, and overflow to infinity', () => {
    expect([65520, 1e30, Number.POSITIVE_INFINITY].map(toFloat16)).toEqual([0x7c00, 0x7c00, 0x7c00]);
    expect([-65520, 65519, 1e-40].map(toFloat16)).toEqual([0xfc00, 0x7bff, 0]);
    expect(fromFloat16(toFloat16(Number.NaN))).toBeNaN();
    expect([fromBfloat16(0x3f80), fromBfloat16(0xc049)]).toEqual([1, -3.140625]);
  });
});

describe('safetensors', () => {
  it('comes back as it was written, whatever names, shapes and numbers', () => {
    fc.assert(
      fc.property(tensors, metadata, (tensors, metadata) => {
        const read = readSafetensors(writeSafetensors(tensors, metadata));
        expect([...read.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
        for (const [key, { shape, data }] of tensors)
          expect(read.tensors.get(key)).toEqual({ dtype: 'F32', shape, data });
        expect(read.metadata).toEqual({ format: 'pt', ...metadata });
      }),
    );
  });

  it('gives the same bytes whatever the order of insertion, and aligned ones', () => {
    const one = { shape: [1], data: Float32Array.of(1) };
    const two = { shape: [2], data: Float32Array.of(2, 3), dtype: 'F16' as const };
    const bytes = writeSafetensors({ b: two, a: one, c: one }, { z: '1', a: '2' });
    expect(bytes).toEqual(writeSafetensors(new Map(Object.entries({ c: one, a: one, b: two })), { a: '2', z: '1' }));
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + length)).trimEnd()).toBe(
      '{"__metadata__":{"a":"2","format":"pt","z":"1"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
        '"c":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"b":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}}',
    );
  });

  it('writes float16 on request', () => {
    const data = Float32Array.of(1 / 3, 65504, 1e9, -0);
    const { tensors } = readSafetensors(writeSafetensors({ x: { shape: [4], data } }, {}, { dtype: 'F16' }));
    expect(tensors.get('x')).toEqual({
      dtype: 'F16',
      shape: [4],
      data: Float32Array.of(0.333251953125, 65504, Number.POSITIVE_INFINITY, -0),
    });
  });

  it('reads bfloat16 and hands other types over as bytes, at any alignment', () => {
    const header =
      '{"n":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"BF16","shape":[],"data_offsets":[1,3]},' +
      '"i":{"dtype":"I64","shape":[1],"data_offsets":[3,11]}}';
    const bytes = fileOf(header, 11);
    bytes.set([7, 0x80, 0x3f, 5], 8 + header.length);
    const { tensors, raw, metadata } = readSafetensors(bytes);
    expect(tensors.get('b')).toEqual({ dtype: 'BF16', shape: [], data: Float32Array.of(1) });
    expect(raw.get('n')).toEqual({ dtype: 'U8', shape: [1], bytes: Uint8Array.of(7) });
    expect(raw.get('i')?.bytes).toEqual(Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0));
    expect(metadata).toEqual({});
  });

  const entry = (text: string) => `{"x":${text}}`;
  const f32 = (shape: string, offsets: string) => entry(`{"dtype":"F32","shape":${shape},"data_offsets":${offsets}}`);
  const hostile: [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(0), /0 bytes/],
    ['a header beyond the file', fileOf('{}', 0, 3n), /truncated.*byte 11, the file at 10/],
    ['a header beyond the cap', fileOf('{}', 0, BigInt(LARGEST_HEADER) + 1n), /at most 10000000/],
    ['a header length of 2^64-1', fileOf('{}', 0, 2n ** 64n - 1n), /at most/],
    ['no JSON', fileOf('{'), /not JSON/],
    ['bad UTF-8', fileOf(Uint8Array.of(0x22, 0xff, 0x22)), /UTF-8/],
    ['a list', fileOf('[]'), /not a JSON object/],
    ['null', fileOf('null'), /not a JSON object/],
    ['a deep nest', fileOf('['.repeat(200_000) + ']'.repeat(200_000)), /nested more than 16 levels deep/],
    ['a deep shape', fileOf(f32('['.repeat(10) + ']'.repeat(10), '[0,4]')), /list of sizes, got \[{10}\]{10}/],
    ['brackets in a name alone', fileOf(`{"${'[{\\"'.repeat(50)}":3}`), /is not described/],
    ['a tensor that is a number', fileOf(entry('3')), /"x" is not described/],
    [
      'an unknown type',
      fileOf(entry('{"dtype":"toString","shape":[],"data_offsets":[0,0]}')),
      /element type of .*, got "toString"/,
    ],
    ['a negative size', fileOf(f32('[-1]', '[0,0]')), /shape/],
    ['a fractional size', fileOf(f32('[0.5]', '[0,2]'), 2), /shape/],
    ['a huge shape', fileOf(f32('[4294967296,4294967296,4294967296]', '[0,4]'), 4), /expected 3\.\d+e\+29 bytes/],
    ['an infinite shape', fileOf(f32(`[${'9007199254740991,'.repeat(30)}1]`, '[0,4]'), 4), /expected \S+ bytes/],
    ['another size', fileOf(f32('[2]', '[0,4]'), 4), /expected 8 bytes.*got 4/],
    ['offsets the wrong way round', fileOf(f32('[1]', '[4,0]'), 4), /data_offsets/],
    ['fractional offsets', fileOf(f32('[1]', '[0.5,4.5]'), 5), /data_offsets/],
    ['offsets that are no numbers', fileOf(f32('[1]', '["0","4"]'), 4), /data_offsets/],
    ['a tensor beyond the file', fileOf(f32('[2]', '[0,8]'), 4), /truncated.*byte 8 of 4/],
    ['a hole', fileOf(f32('[1]', '[4,8]'), 8), /gap/],
    ['bytes left over', fileOf(f32('[1]', '[0,4]'), 5), /expected 4 bytes of tensor data, got 5/],
    ['a name twice', fileOf(`{"x":1,"\\u0078" : 2}`), /"x" twice/],
    ['a field twice', fileOf(entry('{"dtype":"F32","shape":[],"shape":[1],"data_offsets":[0,4]}'), 4), /"shape" twice/],
    ['metadata that is no object', fileOf('{"__metadata__":3}'), /__metadata__/],
    ['metadata that is no string', fileOf('{"__metadata__":{"a":{}}}'), /"a" is not a string/],
    [
      'an overlap',
      fileOf(
        '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}',
        6,
      ),
      /"y" overlaps/,
    ],
    ['a name with line breaks', fileOf('{"a\\nb":1}'), /"a\\nb"/],
  ];
  it.each(hostile)('refuses %s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes, 'model.safetensors')).toThrow(SafetensorsError);
    expect(() => readSafetensors(bytes, 'model.safetensors')).toThrow(message);
    expect(() => readSafetensors(bytes, 'model.safetensors')).toThrow(/^model\.safetensors: [^\n]*$/);
  });

  it('meets damage with nothing but SafetensorsError', () => {
    const valid = writeSafetensors(
      { 'a.weight': { shape: [2, 3], data: new Float32Array(6) }, 'a.bias': { shape: [2], data: new Float32Array(2) } },
      { arch: 'srresnet' },
    );
    const damage = fc.array(
      fc.oneof(
        fc.record({ at: fc.nat(valid.length - 1), byte: fc.nat(255) }),
        fc.record({ at: fc.nat(valid.length - 1), byte: fc.constantFrom(...Buffer.from('{}[]":,0123456789-.eE \\')) }),
      ),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(damage, fc.option(fc.nat(valid.length)), (damage, length) => {
        const bytes = valid.slice(0, length ?? valid.length);
        for (const { at, byte } of damage) if (at < bytes.length) bytes[at] = byte;
        try {
          readSafetensors(bytes, 'x');
        } catch (error) {
          expect(error).toBeInstanceOf(SafetensorsError);
          expect((error as Error).message).not.toContain('\n');
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses to write what would not read back', () => {
    const data = new Float32Array(3);
    expect(() => writeSafetensors({ x: { shape: [2], data } })).toThrow(
      /"x": expected 2 numbers for shape \[2\], got 3/,
    );
    expect(() => writeSafetensors({ x: { shape: [-1, -3], data } })).toThrow(SafetensorsError);
    expect(() => writeSafetensors({ __metadata__: { shape: [3], data } })).toThrow(SafetensorsError);
  });
});
