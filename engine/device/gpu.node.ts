/** WebGPU in Node: Dawn, and waiting for it without busy polling. The browser version is `gpu.browser.ts`. */
import { availableParallelism, totalmem } from 'node:os';
import { AdapterNotFoundError, DaybreakError, quoted } from '../basics/errors.ts';
import { useWideVectors } from './lavapipe.node.ts';
import { chosenDrivers, fetchedDriver, installedDrivers, withFetchedDriver } from './software-driver.node.ts';

export interface GpuRequest {
  /**
   * Part of the adapter's name, e.g. `llvmpipe` or `nvidia`, optionally with the index among the matches, from 0:
   * `nvidia:1`, or `:1` for the second of all. Default: the variable DAYBREAK_ADAPTER, or the fastest.
   */
  readonly adapter?: string;
}

/** Where the driver comes from: the system, an environment variable of the Vulkan loader, or `npm run setup`. */
export type DriverOrigin = 'system' | 'environment' | 'fetched';

/**
 * Dawn instances, one per requested adapter name. They are never freed: once an instance is garbage-collected, its
 * devices crash the process.
 */
const instances = new Map<string, Promise<GPU>>();
const origins = new WeakMap<GPU, DriverOrigin>();

/**
 * Dawn's entry point, whose `requestAdapter()` finds one of the system's adapters, else the software driver that
 * `npm run setup` downloaded. If there is neither, throws AdapterNotFoundError with advice on what to install.
 */
export function requestGpu(request: GpuRequest = {}): Promise<GPU> {
  const wanted = request.adapter ?? process.env.DAYBREAK_ADAPTER ?? '';
  const known = instances.get(wanted);
  if (known) return known;
  // Loading the downloaded driver temporarily changes the process's environment: one search at a time.
  const earlier = Promise.allSettled(instances.values());
  useWideVectors();
  const search = earlier.then(() => findGpu(wanted));
  instances.set(wanted, search);
  // A driver may be installed later: do not cache failures.
  search.catch(() => instances.delete(wanted));
  return search;
}

/** Where the driver of a `GPU` from {@link requestGpu} comes from. */
export const driverOrigin = (gpu: GPU): DriverOrigin => origins.get(gpu) ?? 'system';

/**
 * Bytes of main memory available to this process, which is also the GPU memory of a software driver. A container may have
 * a limit below the machine's memory (0 or a huge number means no limit).
 */
export function systemMemory(): number | undefined {
  const allowed = process.constrainedMemory?.() ?? 0;
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}

/** The kernels that the environment asks for; see `DeviceOptions.kernels`. */
export function defaultKernels(): 'fast' | 'plain' {
  const { DAYBREAK_KERNELS: kernels = 'fast' } = process.env;
  if (kernels === 'fast' || kernels === 'plain') return kernels;
  throw new DaybreakError(`DAYBREAK_KERNELS: expected fast or plain, got ${quoted(kernels)}.`);
}

/** CPU threads, which software drivers use. */
export const systemProcessors = (): number => availableParallelism();

const open = new Set<GPUDevice>();
let hasExitHook = false;

/**
 * Destroys a device when the process exits, which waits for its work: a software driver that is still compiling or
 * computing during exit crashes the process (1 time in 20 when an error ends it at once).
 */
export function destroyOnExit(device: GPUDevice): void {
  if (!hasExitHook)
    process.once('exit', () => {
      for (const one of open) one.destroy();
    });
  hasExitHook = true;
  open.add(device);
  void device.lost.then(() => open.delete(device));
}

const cell = new Int32Array(new SharedArrayBuffer(4));

/**
 * Waits for one of Dawn's promises. While one is pending, Dawn polls from the event loop without pause and takes most of a
 * core, which a software driver needs for its kernels. A short sleep in each turn frees the core.
 */
export async function sleepUntil<T>(promise: Promise<T>): Promise<T> {
  let pending = true;
  const nap = () => {
    if (!pending) return;
    Atomics.wait(cell, 0, 0, 0.2);
    setImmediate(nap);
  };
  setImmediate(nap);
  try {
    return await promise;
  } finally {
    pending = false;
  }
}

/** Without it, laptops with two GPUs return the slow one. */
const POWER: GPUPowerPreference = 'high-performance';

/** Browsers quantize timestamps (65 µs) to protect against timing attacks, which do not apply here. */
const FINE_TIMESTAMPS = 'disable-dawn-features=timestamp_quantization';

/** Tries the drivers in turn. `wanted` is part of an adapter's name, optionally with a colon and an index, or empty. */
async function findGpu(wanted: string): Promise<GPU> {
  const dawn = await loadDawn();
  const choice = parseChoice(wanted);
  const others: string[] = [];
  const create = (name: string) => dawn.create(name ? [`adapter=${name}`, FINE_TIMESTAMPS] : [FINE_TIMESTAMPS]);

  async function open(origin: DriverOrigin): Promise<GPU | undefined> {
    let gpu = create(choice.name);
    // Dawn matches names case-sensitively and always takes the first match, so it gets the full name.
    if (choice.name || choice.index > 0) {
      const names = await adapterNames(dawn);
      const name = chosenName(names, choice);
      if (name === undefined) {
        others.push(...names);
        return undefined;
      }
      gpu = create(name);
    }
    if (!(await gpu.requestAdapter({ powerPreference: POWER }))) return undefined;
    origins.set(gpu, origin);
    return gpu;
  }

  const variable = chosenDrivers();
  const fetched = process.platform === 'linux' && !variable ? fetchedDriver() : undefined;
  // If nothing is installed the first attempt fails, and Dawn prints to stderr: skip it.
  const direct = fetched && installedDrivers().length === 0;
  const gpu =
    (direct ? undefined : await open(variable ? 'environment' : 'system')) ??
    (fetched ? await withFetchedDriver(fetched, () => open('fetched')) : undefined);
  if (gpu) return gpu;
  if (others.length > 0) throw new AdapterNotFoundError(`${notAmong(choice)} Available: ${others.join(', ')}.`);
  throw new AdapterNotFoundError(`No WebGPU adapter was found. ${adviceWithoutAdapter(variable)}`);
}

/** A requested adapter: part of its name, and the index among the matches. */
export interface AdapterChoice {
  readonly name: string;
  readonly index: number;
}

/** `nvidia:1` is the second adapter with "nvidia" in its name, `:1` the second of all. */
export function parseChoice(wanted: string): AdapterChoice {
  const [, name = wanted, index = '0'] = /^(.*):(\d+)$/.exec(wanted) ?? [];
  return { name, index: Number(index) };
}

/**
 * The full name of the chosen adapter, ignoring case; undefined if there is none. Throws AdapterNotFoundError for the
 * second of two equal names, which Dawn cannot tell apart.
 */
export function chosenName(names: readonly string[], { name, index }: AdapterChoice): string | undefined {
  const fitting = [...names.keys()].filter(i => names[i].toLowerCase().includes(name.toLowerCase()));
  const position = fitting[index];
  if (position === undefined) return undefined;
  const chosen = names[position];
  // Dawn takes the first adapter whose name contains the given one.
  if (names.findIndex(other => other.includes(chosen)) !== position)
    throw new AdapterNotFoundError(
      `Matching adapter ${index} has the same name as an earlier one ("${chosen}"), and Dawn selects adapters by name ` +
        'only. Make the driver list only the one you want (Mesa: the variable MESA_VK_DEVICE_SELECT).',
    );
  return chosen;
}

function notAmong({ name, index }: AdapterChoice): string {
  const matching = name ? ` with "${name}" in the name` : '';
  return index > 0 ? `Fewer than ${index + 1} WebGPU adapters${matching}.` : `No WebGPU adapter${matching}.`;
}

/** The names of all adapters, in Dawn's order: it lists them if none matches. */
async function adapterNames(dawn: Awaited<ReturnType<typeof loadDawn>>): Promise<string[]> {
  try {
    await dawn.create(['adapter=\u0000']).requestAdapter({ powerPreference: POWER });
    return [];
  } catch (error) {
    return [...(error as Error).message.matchAll(/name: '([^']*)'/g)].map(match => match[1]);
  }
}

async function loadDawn(): Promise<typeof import('webgpu')> {
  try {
    const dawn = await import('webgpu');
    Object.assign(globalThis, dawn.globals);
    return dawn;
  } catch (cause) {
    throw new AdapterNotFoundError(
      'Cannot load the webgpu package (Dawn). It supports Linux with glibc 2.34 or later (x64, arm64; not musl), ' +
        `macOS and Windows; this is ${process.platform} ${process.arch}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** What a user can do when no driver offers an adapter. */
function adviceWithoutAdapter(variable: string | undefined): string {
  if (process.platform === 'darwin') return 'macOS needs a GPU that Metal supports.';
  if (process.platform === 'win32') return 'Update the graphics driver: Windows needs Direct3D 12 or Vulkan.';
  if (variable)
    return `${variable} restricts Vulkan to ${process.env[variable]}, and no driver there works: fix or unset it.`;
  return (
    'Install a Vulkan driver: the GPU vendor’s, or a software one with `apt-get install mesa-vulkan-drivers libvulkan1` ' +
    '(Debian 12: from bookworm-backports), `dnf install mesa-vulkan-drivers vulkan-loader` or `pacman -S vulkan-swrast`. ' +
    'In a clone of Daybreak, `npm run setup` does this, even without root.'
  );
}
