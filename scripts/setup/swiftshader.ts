/**
 * Installs SwiftShader, a software Vulkan driver, without root: from the npm package `@sparticuz/chromium`, which contains
 * Chromium's build for Linux x64 (a driver, its manifest and a loader; Apache 2.0).
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import {
  DRIVER_FILES,
  fetchedDriver,
  ORIGIN_FILE,
  softwareDriverFolder,
} from '../../engine/device/software-driver.node.ts';
import { makeFolder } from '../../files/make-folder.node.ts';
import { runNpm } from './npm-command.mjs';
import { tarFiles } from './tar.ts';

/** The package, pinned by hash, because it loads native code into the process. */
export const PACKAGE = {
  name: '@sparticuz/chromium',
  version: '153.0.0',
  integrity: 'sha512-jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==',
} as const;

const ARCHIVE = 'package/bin/swiftshader.tar.br';

/** Why the package does not work here, or undefined if it does. */
export const swiftShaderUnavailable = (): string | undefined =>
  process.platform === 'linux' && process.arch === 'x64'
    ? undefined
    : `the SwiftShader on npm is built for Linux x64, not ${process.platform} ${process.arch}`;

/** Downloads the package with npm and unpacks the driver into the user's cache folder. Throws on failure. */
export async function fetchSwiftShader(): Promise<void> {
  const target = softwareDriverFolder();
  if (target === undefined) throw new Error('no home folder to keep it in: set HOME or XDG_CACHE_HOME');
  const workplace = await makeFolderBeside(target); // In the same parent folder, so that a rename moves the complete driver.
  try {
    const tarball = download(workplace);
    const files = join(workplace, 'files');
    mkdirSync(files);
    unpackDriver(tarball, files);
    const { name, version } = PACKAGE;
    writeFileSync(join(files, ORIGIN_FILE), `${JSON.stringify({ package: name, version })}\n`);
    rmSync(target, { recursive: true, force: true });
    try {
      renameSync(files, target);
    } catch (error) {
      if (!fetchedDriver()) throw error; // Otherwise a concurrent setup was faster.
    }
  } finally {
    rmSync(workplace, { recursive: true, force: true });
  }
}

async function makeFolderBeside(target: string): Promise<string> {
  try {
    await makeFolder(dirname(target));
    return mkdtempSync(`${target}-`);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new Error(`${reason}: set XDG_CACHE_HOME to a writable folder`, { cause });
  }
}

/** Downloads the package's tarball and checks its hash. */
function download(folder: string): Uint8Array {
  const spec = `${PACKAGE.name}@${PACKAGE.version}`;
  const args = ['pack', spec, '--json', '--pack-destination', folder, '--ignore-scripts', '--loglevel=error'];
  const npm = runNpm(args, { cwd: folder, encoding: 'utf8' });
  if (npm.status !== 0) throw new Error(`npm pack ${spec}: ${reasonOf(String(npm.stderr)) || npm.error?.message}`);
  const [{ filename }] = JSON.parse(String(npm.stdout));
  const tarball = readFileSync(join(folder, basename(filename)));
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  if (integrity !== PACKAGE.integrity)
    throw new Error(`${spec}: expected hash ${PACKAGE.integrity}, got ${integrity}.`);
  return tarball;
}

/** npm's error message, without stack traces and hints. */
const reasonOf = (complaint: string): string =>
  complaint.match(/^npm error (?:\w*Error: )?(.*(?:failed|not found|denied).*)$/im)?.[1] ?? complaint.trim();

/** Extracts the driver's files from a package tarball into `folder`. */
export function unpackDriver(tarball: Uint8Array, folder: string): void {
  const archive = [...tarFiles(gunzipSync(tarball))].find(file => file.name === ARCHIVE);
  if (!archive) throw new Error(`The package has no ${ARCHIVE}.`);
  const wanted = new Set<string>(Object.values(DRIVER_FILES));
  for (const { name, content } of tarFiles(brotliDecompressSync(archive.content))) {
    // Only known names are written: an archive cannot write outside of the folder.
    if (wanted.delete(basename(name))) writeFileSync(join(folder, basename(name)), content, { mode: 0o755 });
  }
  if (wanted.size > 0) throw new Error(`${ARCHIVE} lacks ${[...wanted].join(', ')}.`);
}
