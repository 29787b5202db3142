/** What Daybreak stands on here: the machine, Node, the packages. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { homeFolder } from '../../common/files/cache-folder.node.ts';

/** The machine and the software under Daybreak. Sizes in bytes. */
export interface Machine {
  readonly daybreak: string;
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  /** Name and version of a Linux distribution, else the kind of system. */
  readonly system: string;
  /** Version of the C library on Linux; null elsewhere or where it is another one than glibc. */
  readonly glibc: string | null;
  readonly processor: string;
  readonly cores: number;
  readonly memory: number;
  /** Versions of the packages that work at run time; null for those that are missing. */
  readonly packages: Readonly<Record<string, string | null>>;
}

const PACKAGES = ['webgpu', 'pngjs', 'sharp', 'zod', 'commander'];

export function machine(): Machine {
  return {
    daybreak: ownVersion(),
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    system: distribution() ?? process.platform,
    glibc: glibcVersion(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: totalmem(),
    packages: Object.fromEntries(PACKAGES.map(name => [name, packageVersion(name)])),
  };
}

/** Whether the shader cache of Mesa's drivers can be written: otherwise each process recompiles its kernels. */
export function shaderCacheWritable(): boolean {
  const { MESA_SHADER_CACHE_DIR, XDG_CACHE_HOME, MESA_SHADER_CACHE_DISABLE } = process.env;
  if (/^(1|true|yes)$/i.test(MESA_SHADER_CACHE_DISABLE ?? '')) return false;
  const home = homeFolder();
  let folder = MESA_SHADER_CACHE_DIR || XDG_CACHE_HOME || (home && join(home, '.cache'));
  if (folder === undefined) return false;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** From package.json, which lies above the sources and, one folder higher, above the compiled modules. */
function ownVersion(): string {
  for (let folder = import.meta.dirname; dirname(folder) !== folder; folder = dirname(folder)) {
    const own = readManifest(folder);
    if (own?.name === 'daybreak') return own.version ?? 'unknown';
  }
  return 'unknown';
}

/** Version of an installed package. Reads its files: many packages do not let their package.json be imported. */
function packageVersion(name: string): string | null {
  const places = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const place of places) {
    const version = readManifest(join(place, name))?.version;
    if (version) return version;
  }
  return null;
}

function readManifest(folder: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

function distribution(): string | undefined {
  try {
    return readFileSync('/etc/os-release', 'utf8').match(/^PRETTY_NAME="?([^"\n]*)"?$/m)?.[1];
  } catch {
    return undefined;
  }
}

function glibcVersion(): string | null {
  if (process.platform !== 'linux') return null;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime ?? null;
}
