/** Error classes. A message is one line that names the operation, what was expected and got, and how to fix it. */

import { DaybreakError } from '../../common/errors.ts';
import { mebibytes } from '../../common/text.ts';

export { DaybreakError };

/** A value for an error message: JSON on one line, truncated to 80 characters. */
export function quoted(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? 'nothing';
  } catch {
    return 'a value that is not JSON'; // E.g. nested deeper than the stack allows.
  }
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** The kind of a value, for messages about arguments of the wrong type: "a string", "null", "an array", "a Map". */
export function nameOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'number') return String(value);
  const name = Array.isArray(value)
    ? 'array'
    : typeof value === 'object'
      ? (value.constructor?.name ?? 'object')
      : typeof value;
  return `${/^[aeio]/i.test(name) ? 'an' : 'a'} ${name}`;
}

/** No WebGPU adapter was found: no driver, or none that was requested. The message says what to install. */
export class AdapterNotFoundError extends DaybreakError {
  static override readonly name: string = 'AdapterNotFoundError';
  static override readonly code: string = 'DAYBREAK_ADAPTER_NOT_FOUND';
}

/** The GPU device is gone (driver reset, unplugged, destroyed). `reason` is WebGPU's. */
export class DeviceLostError extends DaybreakError {
  static override readonly name: string = 'DeviceLostError';
  static override readonly code: string = 'DAYBREAK_DEVICE_LOST';
  /** `destroyed` after {@link Device.dispose}, else `unknown`. */
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(`GPU device lost (${reason}): ${message}`, options);
    this.reason = reason;
  }
}

/** An allocation would exceed the memory budget, or the driver refused it. Sizes in bytes. */
export class OutOfMemoryError extends DaybreakError {
  static override readonly name: string = 'OutOfMemoryError';
  static override readonly code: string = 'DAYBREAK_OUT_OF_MEMORY';
  /** Bytes asked for. */
  readonly requested: number;
  /** Bytes in use at the time. */
  readonly live: number;
  /** Most bytes that were in use at once. */
  readonly peak: number;
  /** Most bytes allowed; infinite without a budget. */
  readonly budget: number;
  constructor(sizes: { requested: number; live: number; peak: number; budget: number }, options?: ErrorOptions) {
    const mib = (bytes: number) => (Number.isFinite(bytes) ? mebibytes(bytes, 1) : 'none');
    super(
      `Out of GPU memory: asked for ${mib(sizes.requested)} with ${mib(sizes.live)} live (peak ${mib(sizes.peak)}, ` +
        `budget ${mib(sizes.budget)}). Use smaller batches, crops or tiles, dispose of tensors, or raise memoryBudget.`,
      options,
    );
    this.requested = sizes.requested;
    this.live = sizes.live;
    this.peak = sizes.peak;
    this.budget = sizes.budget;
  }
}

/** A request beyond a limit of the adapter. */
export class LimitError extends DaybreakError {
  static override readonly name: string = 'LimitError';
  static override readonly code: string = 'DAYBREAK_LIMIT';
  /** WebGPU's name of the limit. */
  readonly limit: string;
  /** What would have been needed. */
  readonly asked: number;
  /** The adapter's limit. */
  readonly allowed: number;
  constructor(what: string, limit: string, asked: number, allowed: number) {
    super(`${what}: needs ${limit} of ${asked}, the adapter allows ${allowed}.`);
    this.limit = limit;
    this.asked = asked;
    this.allowed = allowed;
  }
}

/** An argument of the wrong type, from code that TypeScript did not check. */
export class ArgumentError extends DaybreakError {
  static override readonly name: string = 'ArgumentError';
  static override readonly code: string = 'DAYBREAK_ARGUMENT';
  /** The function or operation that was called. */
  readonly operation: string;
  constructor(operation: string, message: string) {
    super(`${operation}: ${message}`);
    this.operation = operation;
  }
}

/** Throws ArgumentError unless `options` is an object with no properties other than `known`. */
export function checkOptions(operation: string, options: unknown, known: readonly string[]): void {
  const list = known.join(', ');
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new ArgumentError(operation, `expected an options object with ${list}, got ${nameOf(options)}.`);
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw new ArgumentError(operation, `unknown option "${name}", expected one of ${list}.`);
}

/** Shapes that do not match the operation; the message names the operation and the shapes. */
export class ShapeError extends DaybreakError {
  static override readonly name: string = 'ShapeError';
  static override readonly code: string = 'DAYBREAK_SHAPE';
  /** The function or operation that was called. */
  readonly operation: string;
  constructor(operation: string, message: string) {
    super(`${operation}: ${message}`);
    this.operation = operation;
  }
}

/** An element type that an operation does not support; the message names the operation and the types. */
export class DTypeError extends DaybreakError {
  static override readonly name: string = 'DTypeError';
  static override readonly code: string = 'DAYBREAK_DTYPE';
  /** The function or operation that was called. */
  readonly operation: string;
  constructor(operation: string, message: string) {
    super(`${operation}: ${message}`);
    this.operation = operation;
  }
}

/** A gradient that does not exist: the computation was not recorded, or an operation has no gradient. */
export class GradientError extends DaybreakError {
  static override readonly name: string = 'GradientError';
  static override readonly code: string = 'DAYBREAK_GRADIENT';
}

/** A tensor was used after it was disposed. */
export class DisposedError extends DaybreakError {
  static override readonly name: string = 'DisposedError';
  static override readonly code: string = 'DAYBREAK_DISPOSED';
}

/** Something that is not allowed while a function is traced, or with a tensor of a finished trace. */
export class TraceError extends DaybreakError {
  static override readonly name: string = 'TraceError';
  static override readonly code: string = 'DAYBREAK_TRACE';
}

/** WebGPU rejected a shader, a pipeline or a command: a bug in Daybreak or in the driver. */
export class ValidationError extends DaybreakError {
  static override readonly name: string = 'ValidationError';
  static override readonly code: string = 'DAYBREAK_VALIDATION';
}
