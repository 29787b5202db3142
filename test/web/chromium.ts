/** Chromium without a window, where one is installed. */
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser that DAYBREAK_CHROMIUM names, else the first on the PATH. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = process.env.DAYBREAK_CHROMIUM
    ? [process.env.DAYBREAK_CHROMIUM]
    : folders.flatMap(folder => NAMES.map(name => join(folder, name)));
  return candidates.find(path => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A page that is open until it is disposed of; `ended` rejects with what Chromium printed if it ends before. */
export interface OpenPage extends AsyncDisposable {
  readonly ended: Promise<never>;
}

/** Opens a page on Chromium's own software adapter, which is there whatever the machine has. `signal` closes it, too. */
export function openPage(chromium: string, url: string, signal: AbortSignal): OpenPage {
  const profile = mkdtempSync(join(tmpdir(), 'daybreak-chromium-'));
  const child = spawn(
    chromium,
    [
      '--headless',
      '--no-sandbox', // Its sandbox refuses to start as root and in most containers.
      '--enable-unsafe-webgpu', // WebGPU on a software adapter counts as unsafe.
      '--use-webgpu-adapter=swiftshader',
      '--no-first-run',
      `--user-data-dir=${profile}`,
      url,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  let said = '';
  child.stderr.on('data', chunk => {
    said = (said + chunk).slice(-4000);
  });
  const exit = new Promise<string>(resolve => {
    child.on('error', error => resolve(error.message));
    child.on('close', (code, signal) => resolve(`ended by ${signal ?? code}: ${said}`));
  });
  const ended = exit.then(reason => {
    throw new Error(`${chromium} ${reason}`);
  });
  ended.catch(() => {}); // Whoever waits for it hears of it; ending on purpose is no failure.
  const close = () => {
    // The whole group: its helper processes would outlive it.
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL');
  };
  signal.addEventListener('abort', close);
  return {
    ended,
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', close);
      close();
      await exit;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
