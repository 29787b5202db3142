/** How a command that did not succeed ends: one line on stderr and an exit code. */

import { inspect } from 'node:util';
import { type Command, CommanderError } from 'commander';
import { DaybreakError } from '../common/errors.ts';

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** Signals that stop a command. */
export type StopSignal = keyof typeof SIGNAL_NUMBERS;

/** Stopped by a signal: exit code 128 and its number. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;
  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + SIGNAL_NUMBERS[signal];
  }
}

/** 0 where the error is none (help, version), else 1 failed, 2 bad usage, 129, 130 or 143 interrupted. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Interrupted) return error.exitCode;
  return error instanceof UsageError ? 2 : 1;
}

/**
 * Runs a command line by the program that `programFor` makes of it; without words it prints its help. Returns the exit code:
 * {@link exitCodeOf} an error, else `process.exitCode`.
 */
export async function runProgram(
  args: readonly string[],
  programFor: (args: readonly string[]) => Promise<Command>,
): Promise<number> {
  try {
    const program = await programFor(args);
    if (args.length === 0) program.help({ error: true });
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    report(error, args.includes('--debug'));
    return exitCodeOf(error);
  }
}

/** Prints an error to stderr: one line, or with `debug` all there is. Commander has printed its own already. */
export function report(error: unknown, debug: boolean): void {
  if (error instanceof CommanderError) return;
  process.stderr.write(debug ? `${inspect(error)}\n` : `error: ${lineOf(error)}\n`);
}

/** The first line of what an error says; of errors that nobody foresaw also what they are and how to learn more. */
export function lineOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const line = error.message.split('\n', 1)[0];
  const foreseen = [DaybreakError, UsageError, Interrupted].some(known => error instanceof known);
  // System errors (ENOENT …) explain themselves.
  if (foreseen || 'code' in error) return line;
  return `${error.name}: ${line} (unexpected: --debug shows where)`;
}
