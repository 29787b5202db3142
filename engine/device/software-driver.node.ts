/**
 * The software Vulkan driver that `npm run setup` downloads if the system has none: where it is stored, and how to load it
 * into this process. It is Chromium's build of SwiftShader: a driver, its manifest, and a loader for systems without one.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, homeFolder } from '../../files/cache-folder.node.ts';

/** The driver's files, all in one folder. */
export const DRIVER_FILES = {
  manifest: 'vk_swiftshader_icd.json',
  driver: 'libvk_swiftshader.so',
  loader: 'libvulkan.so.1',
} as const;

/** Records the package that the driver came from. */
export const ORIGIN_FILE = 'origin.json';

/** Variables with which users select drivers for the Vulkan loader. If one is set, we do not interfere. */
const LOADER_VARIABLES = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'] as const;

/** The folder of the downloaded driver, in the user's cache folder; undefined if there is none. */
export function softwareDriverFolder(): string | undefined {
  const caches = cacheFolder();
  return caches && join(caches, 'drivers', 'swiftshader');
}

/** The folder of the downloaded driver if all its files are there. */
export function fetchedDriver(): string | undefined {
  const folder = softwareDriverFolder();
  if (folder === undefined) return undefined;
  return Object.values(DRIVER_FILES).every(file => existsSync(join(folder, file))) ? folder : undefined;
}

/** `name@version` of the package that the downloaded driver came from. */
export function fetchedDriverOrigin(folder: string): string {
  try {
    const { package: name, version } = JSON.parse(readFileSync(join(folder, ORIGIN_FILE), 'utf8'));
    return `${name}@${version}`;
  } catch {
    return 'of unknown origin';
  }
}

/** The variable with which the user selected drivers, if any. */
export const chosenDrivers = (): string | undefined => LOADER_VARIABLES.find(name => process.env[name]);

/**
 * Manifests of the Vulkan drivers installed on this system, in the order of the loader's search path (described in the
 * loader's LoaderDriverInterface document for Linux), and NixOS's folder.
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
      return []; // No such folder.
    }
  });
}

/**
 * Runs `discover` (which must create a Vulkan instance) while the loader sees only the driver in `folder`.
 * Uses the loader that came with the driver if the system has none.
 */
export async function withFetchedDriver<T>(folder: string, discover: () => Promise<T>): Promise<T> {
  if (!load(DRIVER_FILES.loader)) load(join(folder, DRIVER_FILES.loader));
  // Loaders before 1.3.207 (Ubuntu 22.04) only know the second name. Both are read when an instance is created, so they
  // are restored afterwards, and child processes do not inherit them.
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
 * Loads a shared library permanently. When Dawn later opens the Vulkan loader by its bare name, the system's linker returns
 * the one already in the process. Returns whether the file could be loaded.
 */
function load(library: string): boolean {
  const RTLD_NODELETE = 0x1000; // The library stays loaded although it is not a Node addon.
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
    return true;
  } catch (error) {
    // It is not an addon, so Node always throws; the message shows whether the linker found it.
    return (error as Error).message.includes('self-register');
  }
}
