/** Every failure that a user of the engine can cause has a class here and one clear line: what, given, expected, what to do. */

/** Base of all errors thrown by Daybreak; `cause` carries the underlying error where there is one. */
export class DaybreakError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A value that a message names: JSON on one line, cut to a length that leaves the message readable. */
export function quoted(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? 'nothing';
  } catch {
    return 'what cannot be written as JSON'; // Nested deeper than the stack is high.
  }
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** What a value is, for messages about arguments of the wrong kind: "a string", "null", "an array", "a Map". */
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

/** No WebGPU adapter answered: no driver, or none of the wanted kind. The message says what to install. */
export class AdapterNotFoundError extends DaybreakError {}

/** The GPU device is gone (driver reset, unplugged, destroyed). `reason` is WebGPU's. */
export class DeviceLostError extends DaybreakError {
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(`GPU device lost (${reason}): ${message}`, options);
    this.reason = reason;
  }
}

/** An allocation would exceed the memory budget, or the driver refused it. Sizes in bytes. */
export class OutOfMemoryError extends DaybreakError {
  readonly requested: number;
  readonly live: number;
  readonly peak: number;
  readonly budget: number;
  constructor(sizes: { requested: number; live: number; peak: number; budget: number }, options?: ErrorOptions) {
    const mib = (bytes: number) => (Number.isFinite(bytes) ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : 'none');
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
  readonly limit: string;
  readonly asked: number;
  readonly allowed: number;
  constructor(what: string, limit: string, asked: number, allowed: number) {
    super(`${what}: needs ${limit} of ${asked}, the adapter allows ${allowed}.`);
    this.limit = limit;
    this.asked = asked;
    this.allowed = allowed;
  }
}

/** An argument that is not of the kind that the function takes; types say so, but JavaScript does not ask them. */
export class ArgumentError extends DaybreakError {
  readonly operation: string;
  constructor(operation: string, message: string) {
    super(`${operation}: ${message}`);
    this.operation = operation;
  }
}

/** Throws ArgumentError unless `options` is an object that has no other properties than `known`. */
export function checkOptions(operation: string, options: unknown, known: readonly string[]): void {
  const list = known.join(', ');
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new ArgumentError(operation, `options are an object of ${list}; got ${nameOf(options)}.`);
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw new ArgumentError(operation, `there is no option "${name}"; there are ${list}.`);
}

/** Shapes that do not fit the operation; the message names the operation and the shapes. */
export class ShapeError extends DaybreakError {
  readonly operation: string;
  constructor(operation: string, message: string) {
    super(`${operation}: ${message}`);
    this.operation = operation;
  }
}

/** An element type that an operation does not take; the message names the operation and the types. */
export class DTypeError extends DaybreakError {
  readonly operation: string;
  constructor(operation: string, message: string) {
    super(`${operation}: ${message}`);
    this.operation = operation;
  }
}

/** A gradient that does not exist: of something that was not recorded, or of an operation that has none. */
export class GradientError extends DaybreakError {}

/** A tensor was used after its memory was given back. */
export class DisposedError extends DaybreakError {}

/** Something that cannot be done while a function is traced, or with what a trace left behind. */
export class TraceError extends DaybreakError {}

/** WebGPU refused a shader, a pipeline or a command: a defect of Daybreak or of the driver, never silent. */
export class ValidationError extends DaybreakError {}
