/** Runs the command line: in this process, which is fast, or as a user does, in a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Device } from '../../engine/device/device.ts';
import { currentDevice, setCurrentDevice } from '../../engine/tensor.ts';

/** The program's file. */
export const BIN = fileURLToPath(new URL('../../cli/bin.mjs', import.meta.url));

/** How a command ended: its exit code (null if a signal killed it) and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command ended that wrote a picture. */
export interface EndedPiped extends Ended {
  /** Standard output, byte for byte. */
  readonly bytes: Uint8Array;
}

/** Starts `daybreak` with these arguments as a process, its output piped (no terminal). */
export function start(args: readonly string[], cwd?: string): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const code = new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve).on('error', reject);
  });
  const ended = Promise.all([code, text(child.stdout), text(child.stderr)]).then(([code, stdout, stderr]) => {
    return { code, stdout, stderr };
  });
  return { child, ended };
}

/** Runs `daybreak` with these arguments to its end, as a process. */
export async function daybreakProcess(args: readonly string[], cwd?: string): Promise<Ended> {
  return await start(args, cwd).ended;
}

let earlier: Promise<unknown> = Promise.resolve();

/**
 * Runs `daybreak` with these arguments to its end, in this process: no start-up of Node and no modules to load. Calls wait
 * for each other, because output, folder and default device belong to the process. For signals, exits, real pipes and
 * anything that `bin.mjs` does, use {@link start} or {@link daybreakProcess}.
 */
export async function daybreak(args: readonly string[], cwd?: string): Promise<Ended> {
  const { bytes: _, ...ended } = await daybreakPiped(args, cwd);
  return ended;
}

/** {@link daybreak} with these bytes as standard input (default: the test's own), and its output's bytes. */
export function daybreakPiped(args: readonly string[], cwd?: string, input?: Uint8Array): Promise<EndedPiped> {
  const ended = earlier.then(() => runHere(args, cwd, input));
  earlier = ended.catch(() => undefined);
  return ended;
}

async function runHere(args: readonly string[], cwd = process.cwd(), input?: Uint8Array): Promise<EndedPiped> {
  const { main } = await import('../../cli/main.ts');
  const before = { folder: process.cwd(), code: process.exitCode, device: defaultDevice() };
  const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)];
  using _stdin = input && standardInput(input);
  process.exitCode = undefined;
  try {
    process.chdir(cwd);
    const code = await main(args);
    return { code, stdout: stdout.bytes().toString(), stderr: stderr.bytes().toString(), bytes: stdout.bytes() };
  } finally {
    stdout.restore();
    stderr.restore();
    process.chdir(before.folder);
    process.exitCode = before.code;
    // A command leaves its device to the end of its process.
    const device = defaultDevice();
    if (device !== before.device) device?.dispose();
    setCurrentDevice(before.device);
  }
}

function defaultDevice(): Device | undefined {
  try {
    return currentDevice();
  } catch {
    return undefined;
  }
}

/** Collects what is written to a stream instead of writing it. */
function capture(stream: NodeJS.WriteStream): { bytes: () => Buffer; restore: () => void } {
  const chunks: Uint8Array[] = [];
  const { write } = stream;
  stream.write = (chunk: Uint8Array | string, ...rest: unknown[]) => {
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    const done = rest.at(-1);
    if (typeof done === 'function') done();
    return true;
  };
  return {
    bytes: () => Buffer.concat(chunks),
    restore: () => {
      stream.write = write;
    },
  };
}

/** Makes `process.stdin` a stream of these bytes, until it is disposed. */
function standardInput(bytes: Uint8Array): Disposable {
  const own = Object.getOwnPropertyDescriptor(process, 'stdin');
  const value: Readable = new PassThrough().end(bytes);
  Object.defineProperty(process, 'stdin', { value, configurable: true });
  return { [Symbol.dispose]: () => own && Object.defineProperty(process, 'stdin', own) };
}
