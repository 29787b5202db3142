/**
 * The safetensors format (https://github.com/huggingface/safetensors): 8 bytes of header length (little-endian), a JSON
 * header `{name: {dtype, shape, data_offsets}, __metadata__: {…}}`, then the tensors' bytes without gaps.
 */

import { DaybreakError, quoted } from '../engine/basics/errors.ts';
import { fromBfloat16, fromFloat16, toFloat16 } from './half-floats.ts';

/** A safetensors file that cannot be read, or tensors that cannot be written as one; one line, naming the file. */
export class SafetensorsError extends DaybreakError {
  static override readonly name: string = 'SafetensorsError';
  static override readonly code: string = 'DAYBREAK_SAFETENSORS';
  /** The file as it was named, or a stand-in. */
  readonly file: string;
  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options);
    this.file = file;
  }
}

/** Element types read as numbers. */
export type FloatType = 'F32' | 'F16' | 'BF16' | 'F64';

/** A tensor of floats: `shape` outermost first; `data` is row-major and a copy; `dtype` is the type in the file (F64 is rounded). */
export interface StoredTensor {
  /** The type in the file. */
  readonly dtype: FloatType;
  /** Sizes of the axes, outermost first. */
  readonly shape: readonly number[];
  /** Its elements as float32, outermost axis first. */
  readonly data: Float32Array;
}

/** A tensor of another type (I64 counters, U8 …): a copy of its bytes in the file, little-endian. */
export interface RawTensor {
  /** The type in the file: `I64`. */
  readonly dtype: string;
  /** Sizes of the axes, outermost first. */
  readonly shape: readonly number[];
  /** Its content. */
  readonly bytes: Uint8Array;
}

/** Content of a file. Tensors that are not F32, F16, BF16 or F64 (PyTorch's `num_batches_tracked`) are in `raw`. */
export interface SafetensorsFile {
  /** Tensors of floats, in the order of their names. */
  readonly tensors: Map<string, StoredTensor>;
  /** Other tensors, in the order of their names. */
  readonly raw: Map<string, RawTensor>;
  /** The header's `__metadata__`; empty if there is none. */
  readonly metadata: Record<string, string>;
}

/** A tensor to write. `dtype` is the stored type (BF16 becomes F32, which is lossless, as F64 does). */
export interface WritableTensor {
  /** Sizes of the axes, outermost first. */
  readonly shape: readonly number[];
  /** Its elements, outermost axis first. */
  readonly data: Float32Array;
  /** The type in the file. Default: F32. */
  readonly dtype?: FloatType;
}

/**
 * Maximum header size in bytes: enough for some hundred thousand tensors. (The reference implementation allows ten times as
 * much, which takes JavaScript a minute and gigabytes if every byte is an object.)
 */
export const LARGEST_HEADER = 10_000_000;
/** Maximum nesting of objects and lists. A header has three levels: itself, a tensor, its shape. */
const DEEPEST_HEADER = 16;

/** Bytes per element. */
const ELEMENT_SIZES: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file. Tensors need not be aligned (the format does not require it); they must be contiguous, without
 * gaps or overlaps, and fill the file.
 * @param bytes the whole file
 * @param file its name, for messages
 * @throws SafetensorsError for anything that is not a well-formed file
 */
export function readSafetensors(bytes: Uint8Array, file = 'safetensors data'): SafetensorsFile {
  const { header, start } = readHeader(bytes, file);
  const { __metadata__: metadata, ...rest } = header;
  const entries = Object.entries(rest).map(([name, value]) => readEntry(name, value, file));
  checkLayout(entries, bytes.length - start, file);
  const tensors = new Map<string, StoredTensor>();
  const raw = new Map<string, RawTensor>();
  for (const { name, dtype, shape, begin, end } of entries.sort((a, b) => byName(a.name, b.name))) {
    // Not slice(): a Buffer's would share the file's memory.
    const own = Uint8Array.from(bytes.subarray(start + begin, start + end));
    if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16' || dtype === 'F64') {
      tensors.set(name, { dtype, shape, data: toFloat32(own, dtype) });
    } else raw.set(name, { dtype, shape, bytes: own });
  }
  return { tensors, raw, metadata: readMetadata(metadata, file) };
}

function readHeader(bytes: Uint8Array, file: string): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) {
    throw new SafetensorsError(file, `is ${bytes.length} bytes long, expected at least 8`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > LARGEST_HEADER) {
    throw new SafetensorsError(
      file,
      `is not a safetensors file: expected a header of at most ${LARGEST_HEADER} bytes, got ${length}`,
    );
  }
  const start = 8 + Number(length);
  if (start > bytes.length) {
    throw new SafetensorsError(file, `is truncated: the header ends at byte ${start}, the file at ${bytes.length}`);
  }
  if (isDeep(bytes.subarray(8, start)))
    throw new SafetensorsError(
      file,
      `is not a safetensors file: its header is nested more than ${DEEPEST_HEADER} levels deep`,
    );
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, start));
    header = JSON.parse(text);
  } catch (cause) {
    throw new SafetensorsError(file, 'is not a safetensors file: its header is not JSON in UTF-8', { cause });
  }
  if (!isObject(header)) throw new SafetensorsError(file, 'is not a safetensors file: its header is not a JSON object');
  const twice = repeatedKey(text);
  if (twice !== undefined) throw new SafetensorsError(file, `has ${quoted(twice)} twice in its header`);
  return { header, start };
}

function readEntry(name: string, value: unknown, file: string): Entry {
  const fail = (problem: string) => new SafetensorsError(file, `tensor ${quoted(name)} ${problem}`);
  if (!isObject(value)) throw fail('is not described by a JSON object');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(ELEMENT_SIZES, dtype)) {
    throw fail(`expected an element type of ${Object.keys(ELEMENT_SIZES).join(', ')}, got ${quoted(dtype)}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount))
    throw fail(`expected a shape as a list of sizes, got ${quoted(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1]) {
    throw fail(`expected data_offsets as [begin, end], got ${quoted(offsets)}`);
  }
  // A product beyond 2^53 is inexact, but far from any real size, so the comparison still works.
  const expected = shape.reduce((product, size) => product * size, ELEMENT_SIZES[dtype]);
  const [begin, end] = offsets;
  if (end - begin !== expected) {
    throw fail(`expected ${expected} bytes for ${dtype} of shape ${quoted(shape)}, got ${end - begin}`);
  }
  return { name, dtype, shape, begin, end };
}

function checkLayout(entries: readonly Entry[], length: number, file: string): void {
  let position = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== position) {
      const what = begin < position ? 'overlaps another' : 'leaves a gap before it';
      throw new SafetensorsError(file, `tensor ${quoted(name)} ${what}: expected offset ${position}, got ${begin}`);
    }
    if (end > length) {
      throw new SafetensorsError(file, `is truncated: tensor ${quoted(name)} ends at byte ${end} of ${length} of data`);
    }
    position = end;
  }
  if (position !== length) {
    throw new SafetensorsError(file, `expected ${position} bytes of tensor data, got ${length}`);
  }
}

function readMetadata(metadata: unknown, file: string): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isObject(metadata)) throw new SafetensorsError(file, '__metadata__ is not a JSON object');
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') throw new SafetensorsError(file, `__metadata__ ${quoted(key)} is not a string`);
  }
  return metadata as Record<string, string>;
}

function toFloat32(bytes: Uint8Array, dtype: FloatType): Float32Array {
  if (dtype === 'F32') return new Float32Array(bytes.buffer);
  if (dtype === 'F64') return Float32Array.from(new Float64Array(bytes.buffer));
  return Float32Array.from(new Uint16Array(bytes.buffer), dtype === 'F16' ? fromFloat16 : fromBfloat16);
}

/**
 * Writes tensors as a safetensors file that PyTorch's `safetensors.torch.load_file` reads. The bytes depend only on the
 * content: tensors are sorted by name (float32 before float16, so that all are aligned), and the header is padded with
 * spaces to 8 bytes.
 * @param metadata strings; `format: "pt"` is added unless given
 * @param options `dtype`: the stored type of all tensors; by default each tensor's own `dtype`, or F32.
 *   float16 is rounded to nearest, ties to even; values that are too large become infinite
 * @throws SafetensorsError if data does not match its shape, or for a tensor named `__metadata__`
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, WritableTensor> | Readonly<Record<string, WritableTensor>>,
  metadata: Readonly<Record<string, string>> = {},
  options: { readonly dtype?: 'F32' | 'F16'; readonly file?: string } = {},
): Uint8Array<ArrayBuffer> {
  const { file = 'safetensors data' } = options;
  const all = (tensors instanceof Map ? [...tensors] : Object.entries(tensors)).map(
    ([name, tensor]: [string, WritableTensor]) => {
      const dtype = options.dtype ?? (tensor.dtype === 'F16' ? 'F16' : 'F32');
      checkWritable(name, tensor, file);
      return { name, tensor, dtype };
    },
  );
  all.sort((a, b) => ELEMENT_SIZES[b.dtype] - ELEMENT_SIZES[a.dtype] || byName(a.name, b.name));

  const ordered = Object.entries({ format: 'pt', ...metadata }).sort(([a], [b]) => byName(a, b));
  const lines = [`"__metadata__":${JSON.stringify(Object.fromEntries(ordered))}`];
  let length = 0;
  for (const { name, tensor, dtype } of all) {
    const end = length + tensor.data.length * ELEMENT_SIZES[dtype];
    lines.push(
      `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape: tensor.shape, data_offsets: [length, end] })}`,
    );
    length = end;
  }
  const header = new TextEncoder().encode(`{${lines.join(',')}}`);
  const start = 8 + Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(start + length);
  bytes.fill(0x20, 8, start);
  bytes.set(header, 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  let position = start;
  for (const { tensor, dtype } of all) {
    const { data } = tensor;
    if (dtype === 'F32') new Float32Array(bytes.buffer, position, data.length).set(data);
    else new Uint16Array(bytes.buffer, position, data.length).set(Uint16Array.from(data, toFloat16));
    position += data.length * ELEMENT_SIZES[dtype];
  }
  return bytes;
}

function checkWritable(name: string, { shape, data }: WritableTensor, file: string): void {
  if (name === '__metadata__') throw new SafetensorsError(file, 'a tensor cannot be named __metadata__');
  const elements = shape.reduce((product, size) => product * size, 1);
  if (!shape.every(isCount) || elements !== data.length) {
    throw new SafetensorsError(
      file,
      `tensor ${quoted(name)}: expected ${elements} numbers for shape ${quoted(shape)}, got ${data.length}`,
    );
  }
}

/** Whether JSON is nested too deeply. Uses constant stack space. */
function isDeep(json: Uint8Array): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      if (++depth > DEEPEST_HEADER) return true;
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--;
  }
  return false;
}

const [QUOTE, BACKSLASH, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/** The first duplicate key in an object of well-formed JSON (`JSON.parse` silently keeps the last). */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(EMPTY);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const begin = i++;
      for (; json[i] !== '"'; i++) if (json[i] === '\\') i++;
      let next = i + 1;
      while (' \t\n\r'.includes(json[next] ?? '.')) next++;
      if (json[next] !== ':') continue;
      const key = JSON.parse(json.slice(begin, i + 1)) as string;
      const keys = open[open.length - 1];
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

const EMPTY = new Set<string>();

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
