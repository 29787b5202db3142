/** Arguments of compiled functions: memory for numbers, and copies of tensors that the program itself changes. */
import { DaybreakError } from './basics/errors.ts';
import type { Device } from './device/device.ts';
import type { Storage } from './device/memory.ts';
import type { VariableState } from './graph/value.ts';
import { currentDevice, Tensor } from './tensor.ts';
import type { Argument } from './traced.ts';

/** The device of the tensors among `args`, or the current one. */
export function deviceOf(args: readonly Argument[]): Device {
  const devices = new Set(args.flatMap(argument => (argument instanceof Tensor ? [argument.device] : [])));
  if (devices.size > 1)
    throw new DaybreakError('A compiled function: expected tensors on one device, got several devices.');
  const [device = currentDevice()] = devices;
  return device;
}

/** An argument with a claim on its memory, so that its tensor may be disposed during the call. */
export type ClaimedArgument = number | Storage;

export const claimArguments = (args: readonly Argument[]): ClaimedArgument[] =>
  args.map(argument => (typeof argument === 'number' ? argument : argument.storage.retain()));

export function releaseArguments(args: readonly ClaimedArgument[]): void {
  for (const argument of args) if (typeof argument !== 'number') argument.release();
}

/** Memory for the arguments of one compiled function. */
export class ArgumentMemory {
  readonly #device: Device;
  /** A scalar for each position; the queue orders its writes with the programs. */
  readonly #scalars = new Map<number, Storage>();

  constructor(device: Device) {
    this.#device = device;
  }

  /**
   * Calls `run` with the memory of `args`. Arguments in the memory of a variable that the program assigns are copied first:
   * the argument is the variable's value before the call.
   */
  with<R>(args: readonly ClaimedArgument[], assigned: readonly VariableState[], run: (inputs: Storage[]) => R): R {
    const changing = new Set(assigned.map(({ storage }) => storage.buffer));
    const copies: Storage[] = [];
    try {
      const inputs = args.map((argument, i) => {
        if (typeof argument === 'number') return this.#scalar(i, argument);
        if (!changing.has(argument.buffer)) return argument;
        const copy = this.#device.memory.allocate(argument.bytes, 'argument');
        copies.push(copy);
        this.#device.copy(argument, copy, argument.bytes);
        return copy;
      });
      return run(inputs);
    } finally {
      for (const copy of copies) copy.release();
    }
  }

  #scalar(index: number, value: number): Storage {
    let storage = this.#scalars.get(index);
    if (!storage) {
      storage = this.#device.memory.allocate(4, 'scalar argument');
      this.#scalars.set(index, storage);
    }
    this.#device.write(storage, Float32Array.of(value));
    return storage;
  }

  dispose(): void {
    for (const storage of this.#scalars.values()) storage.release();
    this.#scalars.clear();
  }
}
