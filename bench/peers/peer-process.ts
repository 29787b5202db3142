/** The benchmark's side of the protocol: a peer in its own process, idle between requests. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { DaybreakError } from '../../engine/basics/errors.ts';
import { failureSchema, type Greeting, greetingSchema, REPLY, type Request } from './protocol.ts';

/** A peer that is not available or failed. The message is one line with the peer's name and the reason. */
export class PeerError extends DaybreakError {
  static override readonly name: string = 'PeerError';
  static override readonly code: string = 'DAYBREAK_PEER';
  readonly peer: string;

  constructor(peer: string, why: string) {
    super(`${peer}: ${why}`);
    this.peer = peer;
  }
}

/** Lines of a peer's other output that are kept for error messages. */
const KEPT = 5;

export class PeerProcess implements AsyncDisposable {
  readonly name: string;
  /** Its greeting. */
  readonly greeting: Greeting;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #replies: Replies;

  private constructor(name: string, greeting: Greeting, child: ChildProcessWithoutNullStreams, replies: Replies) {
    this.name = name;
    this.greeting = greeting;
    this.#child = child;
    this.#replies = replies;
  }

  /** Starts `command` and waits for its greeting. Throws PeerError if none arrives. */
  static async start(
    name: string,
    [program, ...args]: readonly [string, ...string[]],
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<PeerProcess> {
    const child = spawn(program, args, { env, stdio: 'pipe' });
    const replies = new Replies(name, child);
    try {
      return new PeerProcess(name, greetingSchema.parse(await replies.next()), child, replies);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** Sends a request and waits for the reply. Throws PeerError if the peer fails or ends. */
  async ask(request: Request): Promise<void>;
  async ask<T>(request: Request, schema: z.ZodType<T>): Promise<T>;
  async ask<T>(request: Request, schema?: z.ZodType<T>): Promise<T | undefined> {
    // A broken pipe is reported by the end of the process.
    this.#child.stdin.write(`${JSON.stringify(request)}\n`, () => {});
    const answer = await this.#replies.next();
    const failure = failureSchema.safeParse(answer);
    if (failure.success) throw new PeerError(this.name, failure.data.error.split('\n')[0]);
    return schema?.parse(answer);
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    await this.#replies.ended(2000);
  }
}

/** Collects the replies from a process's output, in order. */
class Replies {
  readonly #name: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #chatter: string[] = [];
  readonly #arrived: unknown[] = [];
  #waiting: { resolve(reply: unknown): void; reject(end: PeerError): void } | undefined;
  #end: PeerError | undefined;
  readonly #closed: Promise<void>;

  constructor(name: string, child: ChildProcessWithoutNullStreams) {
    this.#name = name;
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', line => {
      if (line.startsWith(REPLY)) this.#arrive(JSON.parse(line.slice(REPLY.length)));
      else this.#keep(line);
    });
    createInterface({ input: child.stderr }).on('line', line => this.#keep(line));
    child.stdin.on('error', () => {});
    this.#closed = new Promise(resolve => {
      child.on('error', error => {
        this.#finish(error.message);
        if (child.pid === undefined) resolve();
      });
      child.on('close', (code, signal) => {
        this.#finish(`ended with ${signal ?? `exit code ${code}`}`);
        resolve();
      });
    });
  }

  /** The next reply. Throws PeerError if the process has ended. */
  async next(): Promise<unknown> {
    if (this.#arrived.length > 0) return this.#arrived.shift();
    if (this.#end) throw this.#end;
    return await new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Resolves when the process has ended. Kills it after `ms` milliseconds. */
  async ended(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ms);
    await this.#closed;
    clearTimeout(timer);
  }

  #keep(line: string): void {
    this.#chatter.push(line.trim());
    if (this.#chatter.length > KEPT) this.#chatter.shift();
  }

  #arrive(reply: unknown): void {
    if (!this.#waiting) {
      this.#arrived.push(reply);
      return;
    }
    this.#waiting.resolve(reply);
    this.#waiting = undefined;
  }

  #finish(how: string): void {
    const said = this.#chatter.filter(Boolean).join(' / ');
    this.#end ??= new PeerError(this.#name, `${how}${said ? `: ${said}` : ''}`);
    this.#waiting?.reject(this.#end);
    this.#waiting = undefined;
  }
}
