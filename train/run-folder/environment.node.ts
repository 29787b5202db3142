/** Describes the machine and the software. */

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Environment, GivenEnvironment } from './environment.ts';

/** Describes this machine and program, without names of persons, hosts or folders. */
export async function describeEnvironment(given: GivenEnvironment = {}): Promise<Environment> {
  const root = packageRoot();
  const [processor] = cpus();
  return {
    daybreak: versionIn(join(root, 'package.json')) ?? 'unknown',
    node: process.version,
    webgpu: installedVersion('webgpu'),
    os: `${process.platform} ${release()} ${process.arch}`,
    glibc: glibcVersion(),
    cpu: { model: processor?.model.trim() ?? 'unknown', cores: cpus().length },
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    commit: await commitOf(root),
    date: new Date().toISOString(),
    ...given,
  };
}

/** The folder of Daybreak's package.json, above the sources or the built files. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function versionIn(path: string): string | null {
  try {
    return String(JSON.parse(readFileSync(path, 'utf8')).version);
  } catch {
    return null;
  }
}

function installedVersion(name: string): string | null {
  try {
    // The package's exports may hide its package.json, so search the folders that Node would search.
    const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
    const path = folders.map(folder => join(folder, name, 'package.json')).find(existsSync);
    return path === undefined ? null : versionIn(path);
  } catch {
    return null;
  }
}

function glibcVersion(): string | null {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime ?? null;
}

/** The commit, if this is a clone of Daybreak. As a dependency, it would be inside another project's repository. */
async function commitOf(root: string): Promise<Environment['commit']> {
  if (!existsSync(join(root, '.git'))) return null;
  const git = async (...command: string[]) => (await promisify(execFile)('git', command, { cwd: root })).stdout.trim();
  try {
    return { hash: await git('rev-parse', 'HEAD'), changed: (await git('status', '--porcelain')) !== '' };
  } catch {
    return null; // No git, or the clone belongs to another user.
  }
}
