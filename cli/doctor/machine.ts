/** The machine, Node and the packages that Daybreak runs on. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { daybreakVersion, glibcVersion, packageVersion, processorName } from '../../common/machine.node.ts';
import { homeFolder } from '../../files/cache-folder.node.ts';

/** The machine and the software under Daybreak. Sizes in bytes. */
export interface Machine {
  readonly daybreak: string;
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  /** Name and version of the Linux distribution; elsewhere the platform. */
  readonly system: string;
  /** Version of glibc; null on systems without it. */
  readonly glibc: string | null;
  readonly processor: string;
  readonly cores: number;
  readonly memory: number;
  /** Versions of the packages used at run time; null for missing ones. */
  readonly packages: Readonly<Record<string, string | null>>;
}

const PACKAGES = ['webgpu', 'pngjs', 'sharp', 'zod', 'commander'];

/** Describes this machine. */
export function machine(): Machine {
  return {
    daybreak: daybreakVersion(),
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    system: distribution() ?? process.platform,
    glibc: glibcVersion(),
    processor: processorName(),
    cores: availableParallelism(),
    memory: totalmem(),
    packages: Object.fromEntries(PACKAGES.map(name => [name, packageVersion(name)])),
  };
}

/** True if the shader cache of Mesa's drivers can be written. Otherwise each process recompiles its kernels. */
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

function distribution(): string | undefined {
  try {
    return readFileSync('/etc/os-release', 'utf8').match(/^PRETTY_NAME="?([^"\n]*)"?$/m)?.[1];
  } catch {
    return undefined;
  }
}
