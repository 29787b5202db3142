/** Files of other programs: names with a wrapper's prefix, and formats that are not safetensors. */
import { quoted } from '../engine/basics/errors.ts';
import type { HostTensor } from '../nn/module.ts';
import { SafetensorsError } from './safetensors.ts';

/** Groups of weights in one file, of which one is the network: the first that is there. */
const GROUPS = ['params_ema.', 'params.', 'generator.', 'netG.'];
/** What data parallelism and compilation put before every name. */
const WRAPPERS = ['module.', '_orig_mod.'];
/** More prefixes than that are no wrappers. */
const DEEPEST = 8;

/**
 * Tensors without the prefixes of wrappers, however nested: `module.` (DataParallel), `_orig_mod.` (torch.compile),
 * `params.` and `params_ema.` (BasicSR; the average is used if there are both), `netG.` and `generator.` (of which the rest of
 * the file is left out). Names of our own networks begin with none of these.
 * @param onNote called once with a line, if there were prefixes
 */
export function unwrapped<T extends HostTensor>(
  tensors: ReadonlyMap<string, T>,
  file: string,
  onNote: (note: string) => void = () => {},
): ReadonlyMap<string, T> {
  const taken: string[] = [];
  const left: string[] = [];
  let current = tensors;
  for (let depth = 0; depth < DEEPEST; depth++) {
    const prefix = outermost(current);
    if (prefix === undefined) break;
    const [inside, outside] = [new Map<string, T>(), [] as string[]];
    for (const [name, tensor] of current) {
      if (name.startsWith(prefix)) inside.set(name.slice(prefix.length), tensor);
      else outside.push(taken.join('') + name);
    }
    taken.push(prefix);
    left.push(...outside);
    current = inside;
  }
  if (taken.length > 0) {
    const others =
      left.length === 0 ? '' : `, and without ${left.length} other tensors (${left[0]}${left.length > 1 ? ' …' : ''})`;
    onNote(`${file}: weights are read without the prefix ${quoted(taken.join(''))} of their names${others}`);
  }
  return current;
}

/** The prefix to take off next. A wrapper's must be before every name: otherwise it is part of the network. */
function outermost(tensors: ReadonlyMap<string, HostTensor>): string | undefined {
  const names = [...tensors.keys()];
  return (
    WRAPPERS.find(prefix => names.length > 0 && names.every(name => name.startsWith(prefix))) ??
    GROUPS.find(prefix => names.some(name => name.startsWith(prefix)))
  );
}

/** A file of another format. The lines after the message's first are Python that converts it. */
export class ForeignFormatError extends SafetensorsError {
  static override readonly name: string = 'ForeignFormatError';
  static override readonly code: string = 'DAYBREAK_FOREIGN_FORMAT';
  constructor(file: string, format: string, conversion: readonly string[]) {
    super(file, [`is ${format}, not safetensors; this Python converts it:`, ...conversion].join('\n'));
  }
}

const ZIP = [0x50, 0x4b, 0x03, 0x04];
/** A pickle's opcode PROTO with version 2, which PyTorch wrote. */
const PICKLE = [0x80, 0x02];

/**
 * Refuses PyTorch's files (a ZIP archive, or a pickle before 1.6) by their first bytes, and `.onnx` by its name.
 * @throws ForeignFormatError
 */
export function refuseForeignFormat(bytes: Uint8Array, file: string): void {
  const startsWith = (magic: readonly number[]) => magic.every((byte, i) => bytes[i] === byte);
  const [from, to] = [file, file.replace(/(\.[^./\\]*)?$/, '.safetensors')].map(name => JSON.stringify(name));
  // A safetensors file begins with its header's length, whose last bytes are zeros: a number of bytes far below 2^32.
  const isSafetensors = bytes.subarray(4, 8).every(byte => byte === 0);
  if (!isSafetensors && (startsWith(ZIP) || startsWith(PICKLE)))
    throw new ForeignFormatError(file, 'a PyTorch file', [
      'import torch, safetensors.torch as safe; names = ["params_ema", "params", "state_dict", "model"]',
      `state = torch.load(${from}, map_location="cpu", weights_only=True); state = next((state[n] for n in names if n in state), state)`,
      `safe.save_file({k: v.clone().contiguous() for k, v in state.items() if torch.is_tensor(v)}, ${to})`,
    ]);
  if (/\.onnx$/i.test(file))
    throw new ForeignFormatError(file, 'an ONNX model', [
      'import onnx, onnx.numpy_helper as helper, safetensors.numpy as safe',
      `graph = onnx.load(${from}).graph`,
      `safe.save_file({t.name: helper.to_array(t).copy() for t in graph.initializer}, ${to})`,
    ]);
}

/**
 * What a file has, nearest to what was expected: "conv_first.weight [64, 3, 3, 3], … and 40 more". Near are equal shapes, where
 * letters stand for any size, and similar names.
 */
export function nearest(
  tensors: ReadonlyMap<string, HostTensor>,
  name: string,
  shape: readonly (number | string)[],
  most = 3,
): string {
  if (tensors.size === 0) return 'no tensors of floats';
  const likeness = (other: string, { shape: sizes }: HostTensor) => {
    const sameRank = sizes.length === shape.length;
    const sameShape = sameRank && shape.every((size, i) => typeof size === 'string' || size === sizes[i]);
    return Number(sameRank) + Number(sameShape) + 2 * similarity(name, other);
  };
  const ranked = [...tensors]
    .map(([other, tensor]) => ({ other, tensor, score: likeness(other, tensor) }))
    .sort((a, b) => b.score - a.score);
  const shown = ranked.slice(0, most).map(({ other, tensor }) => `${other} [${tensor.shape.join(', ')}]`);
  return shown.join(', ') + (ranked.length > most ? ` and ${ranked.length - most} more` : '');
}

/** Dice's coefficient of the pairs of letters, from 0 to 1. */
function similarity(a: string, b: string): number {
  const pairs = (text: string) =>
    new Set(Array.from({ length: Math.max(text.length - 1, 0) }, (_, i) => text.slice(i, i + 2)));
  const [ours, theirs] = [pairs(a), pairs(b)];
  const common = [...ours].filter(pair => theirs.has(pair)).length;
  return (2 * common) / Math.max(ours.size + theirs.size, 1);
}
