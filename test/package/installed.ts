/** The package as `npm pack` makes it, installed in a project of its own. */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { runNpm } from '../../scripts/setup/npm-command.mjs';

export const root = resolve(import.meta.dirname, '../..');

export interface Installed {
  /** The project's folder. */
  readonly folder: string;
  readonly tarball: string;
  /** The package's folder in it. */
  readonly package: string;
}

/** Packs the clone into `folder`. Throws with npm's output if that fails. */
export function pack(folder: string): string {
  const npm = runNpm(['pack', '--silent', '--pack-destination', folder], { cwd: root, encoding: 'utf8' });
  if (npm.status !== 0) throw new Error(`npm pack ended with ${npm.status}:\n${npm.stdout}${npm.stderr}`);
  const [file] = readdirSync(folder).filter(name => name.endsWith('.tgz'));
  return join(folder, file);
}

/**
 * Installs a tarball as npm does, but with the packages that the clone has, so that no registry is needed. `more` are further
 * packages of the clone.
 */
export function install(folder: string, tarball: string, more: readonly string[] = []): Installed {
  const modules = join(folder, 'node_modules');
  const own = join(modules, 'daybreak');
  mkdirSync(own, { recursive: true });
  const tar = spawnSync('tar', ['-xzf', tarball, '-C', own, '--strip-components=1'], { encoding: 'utf8' });
  if (tar.status !== 0) throw new Error(`tar ended with ${tar.status}: ${tar.stderr}`);
  for (const name of [...Object.keys(packageJson.dependencies), ...more]) {
    const link = join(modules, name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  return { folder, tarball, package: own };
}

/** Runs Node in the project. Returns what it printed; throws with all output if it failed. */
export function node({ folder }: Installed, args: readonly string[], options: SpawnSyncOptions = {}): string {
  const child = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 100_000, ...options });
  if (child.status !== 0)
    throw new Error(`node ${args.join(' ')} ended with ${child.status}:\n${child.stdout}${child.stderr}`);
  return String(child.stdout);
}

/** All files of the package, relative to its folder. */
export const filesOf = (installed: Installed): string[] =>
  readdirSync(installed.package, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(installed.package.length + 1));

export const readIn = (installed: Installed, file: string): string =>
  readFileSync(join(installed.package, file), 'utf8');
