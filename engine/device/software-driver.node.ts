/**
 * The software Vulkan driver that `npm run setup` fetches where a system has none: where it lies, and how to bring it
 * into this process. Its files are SwiftShader as Chromium builds ship it: a driver, its manifest, and a loader for
 * systems without one.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, homeFolder } from './cache-folder.node.ts';

/** The files of the driver, all in one folder. */
export const DRIVER_FILES = {
  manifest: 'vk_swiftshader_icd.json',
  driver: 'libvk_swiftshader.so',
  loader: 'libvulkan.so.1',
} as const;

/** A record beside the driver of where it came from. */
export const ORIGIN_FILE = 'origin.json';

/** Variables by which a user tells the Vulkan loader which drivers to take: then we do not interfere. */
const LOADER_VARIABLES = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'] as const;

/** Where the fetched driver belongs: in the user's cache folder, which XDG_CACHE_HOME moves; undefined where there is none. */
export function softwareDriverFolder(): string | undefined {
  const caches = cacheFolder();
  return caches && join(caches, 'drivers', 'swiftshader');
}

/** The folder of the fetched driver if it is complete there. */
export function fetchedDriver(): string | undefined {
  const folder = softwareDriverFolder();
  if (folder === undefined) return undefined;
  return Object.values(DRIVER_FILES).every(file => existsSync(join(folder, file))) ? folder : undefined;
}

/** `name@version` of the package that the fetched driver came from. */
export function fetchedDriverOrigin(folder: string): string {
  try {
    const { package: name, version } = JSON.parse(readFileSync(join(folder, ORIGIN_FILE), 'utf8'));
    return `${name}@${version}`;
  } catch {
    return 'of unknown origin';
  }
}

/** The variable with which the user chose the drivers, if any. */
export const chosenDrivers = (): string | undefined => LOADER_VARIABLES.find(name => process.env[name]);

/**
 * Manifests of the Vulkan drivers installed on this system, in the order of the loader's search path (as described in
 * the loader's LoaderDriverInterface document for Linux), and where NixOS keeps them.
 */
export function installedDrivers(environment: NodeJS.ProcessEnv = process.env): string[] {
  const home = homeFolder(environment);
  const atHome = (name: string) => (home === undefined ? [] : [join(home, name)]);
  const list = (value: string | undefined, standard: string) => (value || standard).split(':');
  const roots = [
    ...(environment.XDG_CONFIG_HOME ? [environment.XDG_CONFIG_HOME] : atHome('.config')),
    ...list(environment.XDG_CONFIG_DIRS, '/etc/xdg'),
    '/usr/local/etc',
    '/etc',
    ...(environment.XDG_DATA_HOME ? [environment.XDG_DATA_HOME] : atHome('.local/share')),
    ...list(environment.XDG_DATA_DIRS, '/usr/local/share:/usr/share'),
    '/run/opengl-driver/share',
  ];
  return roots.flatMap(root => {
    const folder = join(root, 'vulkan', 'icd.d');
    try {
      const names = readdirSync(folder).filter(name => name.endsWith('.json'));
      return names.sort().map(name => join(folder, name));
    } catch {
      return []; // No such folder: no drivers there.
    }
  });
}

/**
 * Runs `discover` (which must make a Vulkan instance) while the loader sees the driver in `folder` and no other.
 * Loads the loader that came with the driver if the system has none.
 */
export async function withFetchedDriver<T>(folder: string, discover: () => Promise<T>): Promise<T> {
  if (!load(DRIVER_FILES.loader)) load(join(folder, DRIVER_FILES.loader));
  // Loaders before 1.3.207 (Ubuntu 22.04) only know the second name. Both are read when an instance is made, so they
  // are put back afterwards: processes started from this one look at the system with their own eyes.
  const names = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'];
  const before = names.map(name => process.env[name]);
  for (const name of names) process.env[name] = join(folder, DRIVER_FILES.manifest);
  try {
    return await discover();
  } finally {
    names.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    });
  }
}

/**
 * Loads a shared library for good. Dawn later opens the Vulkan loader by its bare name, and the system's linker then
 * gives it the one that is in the process already. Returns whether the file could be loaded.
 */
function load(library: string): boolean {
  const RTLD_NODELETE = 0x1000; // The library outlives the failed attempt to take it for a Node addon.
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
    return true;
  } catch (error) {
    // It is no addon, so Node always complains; what the complaint says tells whether the linker found it.
    return (error as Error).message.includes('self-register');
  }
}
