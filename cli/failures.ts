/** How commands end: an exit code, and one line on stderr for an error. */

import { inspect } from 'node:util';
import { type Command, CommanderError } from 'commander';
import { DaybreakError } from '../common/errors.ts';
import { ForeignFormatError } from '../models/foreign-file.ts';

/** The command line is wrong. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** Signals that stop a command. */
export type StopSignal = keyof typeof SIGNAL_NUMBERS;

/** Stopped by a signal. Exit code 128 plus the signal's number. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;
  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + SIGNAL_NUMBERS[signal];
  }
}

/** 0 for help and version, 2 for bad usage, 129, 130 or 143 after a signal, otherwise 1. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Interrupted) return error.exitCode;
  return error instanceof UsageError ? 2 : 1;
}

/**
 * Runs a command line with the program that `programFor` returns for it, or prints the help if it is empty.
 * @returns the exit code: {@link exitCodeOf} an error, otherwise `process.exitCode`.
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

/** Runs a script's program on the command line, and sets `process.exitCode` for an error (see {@link exitCodeOf}). */
export async function runScript(program: Command): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    report(error, false);
    process.exitCode = exitCodeOf(error);
  }
}

/** Prints an error to stderr: one line, or with `debug` everything. Commander has already printed its own errors. */
export function report(error: unknown, debug: boolean): void {
  if (error instanceof CommanderError) return;
  // Its further lines are a program to copy.
  const text = error instanceof ForeignFormatError ? error.message : lineOf(error);
  process.stderr.write(debug ? `${inspect(error)}\n` : `error: ${text}\n`);
}

/** The first line of an error's message. Unexpected errors also get their class and a hint to --debug. */
export function lineOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const line = error.message.split('\n', 1)[0];
  const expected = [DaybreakError, UsageError, Interrupted].some(known => error instanceof known);
  // The messages of system errors (ENOENT …) are clear enough.
  if (expected || 'code' in error) return line;
  return `${error.name}: ${line} (unexpected: --debug shows where)`;
}
