/** Runs TypeScript files as the documents say: `npx tsx FILE`. */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

export const root = resolve(import.meta.dirname, '../..');

/** What a program printed. Throws, with all of it, where the program failed. */
export async function runTypeScript(
  file: string,
  args: readonly string[] = [],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
  const child = spawn(process.execPath, [tsx, file, ...args], {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const code = new Promise<number | null>((done, fail) => {
    child.on('close', done).on('error', fail);
  });
  const [ended, stdout, stderr] = await Promise.all([code, text(child.stdout), text(child.stderr)]);
  if (ended !== 0) throw new Error(`${file} ended with ${ended}:\n${stdout}${stderr}`);
  return stdout;
}
