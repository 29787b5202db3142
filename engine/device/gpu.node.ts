/** WebGPU under Node: Dawn, and waiting for it without burning a core. The browser twin is `gpu.browser.ts`. */
import { availableParallelism, totalmem } from 'node:os';
import { AdapterNotFoundError } from '../basics/errors.ts';
import { useWideVectors } from './lavapipe.node.ts';
import { chosenDrivers, fetchedDriver, installedDrivers, withFetchedDriver } from './software-driver.node.ts';

export interface GpuRequest {
  /**
   * Part of the wanted adapter's name, e.g. `llvmpipe` or `nvidia`, and perhaps which one of those that fit, from 0: `nvidia:1`,
   * or `:1` of all. Default: the variable DAYBREAK_ADAPTER, or the fastest.
   */
  readonly adapter?: string;
}

/** Who provided the driver: the system, a variable of the Vulkan loader's, or `npm run setup`. */
export type DriverOrigin = 'system' | 'environment' | 'fetched';

/**
 * What `create()` returned, kept alive for good: once it is collected, devices made from it crash the process.
 * One for each wanted adapter.
 */
const instances = new Map<string, Promise<GPU>>();
const origins = new WeakMap<GPU, DriverOrigin>();

/**
 * Dawn's entry point, on which `requestAdapter()` finds an adapter: one of the system's, else the software driver that
 * `npm run setup` fetched. Throws AdapterNotFoundError if there is neither, saying what to install.
 */
export function requestGpu(request: GpuRequest = {}): Promise<GPU> {
  const wanted = request.adapter ?? process.env.DAYBREAK_ADAPTER ?? '';
  const known = instances.get(wanted);
  if (known) return known;
  // Bringing in the fetched driver changes the process's environment for a moment: one search at a time.
  const earlier = Promise.allSettled(instances.values());
  useWideVectors();
  const search = earlier.then(() => findGpu(wanted));
  instances.set(wanted, search);
  // A driver may be installed later: a failure is not remembered.
  search.catch(() => instances.delete(wanted));
  return search;
}

/** Who provided the driver behind a `GPU` that {@link requestGpu} returned. */
export const driverOrigin = (gpu: GPU): DriverOrigin => origins.get(gpu) ?? 'system';

/**
 * Bytes of main memory that this process may have, which is the GPU's on a software driver. A container may have less than
 * the machine (0 or a huge number means that it has not).
 */
export function systemMemory(): number | undefined {
  const allowed = process.constrainedMemory?.() ?? 0;
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}

/** CPU threads: what a software driver computes with. */
export const systemProcessors = (): number => availableParallelism();

const open = new Set<GPUDevice>();
let hasExitHook = false;

/**
 * Destroys a device at the latest when the process ends, which waits for its work: a software driver that compiles or
 * computes while the process is taken down crashes it (1 in 20 where an error ends it at once).
 */
export function endWithProcess(device: GPUDevice): void {
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
 * Waits for one of Dawn's promises. While one is pending, Dawn polls from the event loop without a pause and takes most
 * of a core, which a software driver needs for its kernels; sleeping a little in each turn gives it back.
 */
export async function quietly<T>(promise: Promise<T>): Promise<T> {
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

/** A laptop with two GPUs gives the slow one to whoever does not ask. */
const POWER: GPUPowerPreference = 'high-performance';

/** Browsers make timestamps coarse (65 µs) to hide what other sites compute; here is nobody to hide from. */
const FINE_TIMESTAMPS = 'disable-dawn-features=timestamp_quantization';

/** Tries the drivers in turn. `wanted` is part of an adapter's name, a colon and a number, or empty. */
async function findGpu(wanted: string): Promise<GPU> {
  const dawn = await loadDawn();
  const choice = parseChoice(wanted);
  const others: string[] = [];
  const create = (name: string) => dawn.create(name ? [`adapter=${name}`, FINE_TIMESTAMPS] : [FINE_TIMESTAMPS]);

  async function open(origin: DriverOrigin): Promise<GPU | undefined> {
    let gpu = create(choice.name);
    // Which name it is, Dawn must be told whole and in its own letters; of one name it knows the first adapter only.
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
  // Where nothing is installed the first attempt must fail, and Dawn complains on stderr: spare us both.
  const direct = fetched && installedDrivers().length === 0;
  const gpu =
    (direct ? undefined : await open(variable ? 'environment' : 'system')) ??
    (fetched ? await withFetchedDriver(fetched, () => open('fetched')) : undefined);
  if (gpu) return gpu;
  if (others.length > 0) throw new AdapterNotFoundError(`${notAmong(choice)} There is: ${others.join(', ')}.`);
  throw new AdapterNotFoundError(`No WebGPU adapter was found. ${adviceWithoutAdapter(variable)}`);
}

/** What a user asked for: part of a name, and which of the adapters that fit. */
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
 * The whole name of the chosen adapter among all, upper and lower case alike; undefined where there is none. Throws
 * AdapterNotFoundError for the second of two equal names, which Dawn cannot tell apart.
 */
export function chosenName(names: readonly string[], { name, index }: AdapterChoice): string | undefined {
  const fitting = [...names.keys()].filter(i => names[i].toLowerCase().includes(name.toLowerCase()));
  const position = fitting[index];
  if (position === undefined) return undefined;
  const chosen = names[position];
  // Dawn takes the first adapter whose name contains what it is given.
  if (names.findIndex(other => other.includes(chosen)) !== position)
    throw new AdapterNotFoundError(
      `Adapter ${index} of those that fit is named "${chosen}", as one before it is, and Dawn finds adapters by name ` +
        'alone. Let the driver show the wanted one only (Mesa: the variable MESA_VK_DEVICE_SELECT).',
    );
  return chosen;
}

const notAmong = ({ name, index }: AdapterChoice): string =>
  `No WebGPU adapter's name contains "${name}"${index > 0 ? `, or not ${index + 1} of them do` : ''}.`;

/** The names of all adapters, in Dawn's order: it lists them where none fits. */
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
      'The webgpu package (Dawn) does not load here. It has builds for Linux with glibc 2.34 or later (x64, arm64; ' +
        `not musl), macOS and Windows; this is ${process.platform} ${process.arch}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** What a user can do when no driver offers an adapter. */
function adviceWithoutAdapter(variable: string | undefined): string {
  if (process.platform === 'darwin') return 'macOS needs a GPU that Metal supports.';
  if (process.platform === 'win32') return 'Update the graphics driver: Windows needs Direct3D 12 or Vulkan.';
  if (variable)
    return `${variable} names the drivers that Vulkan may use (${process.env[variable]}), and none works: correct or unset it.`;
  return (
    'Install a Vulkan driver: the GPU vendor’s, or a software one with `apt-get install mesa-vulkan-drivers libvulkan1` ' +
    '(Debian 12: from bookworm-backports), `dnf install mesa-vulkan-drivers vulkan-loader` or `pacman -S vulkan-swrast`. ' +
    'In a clone of Daybreak, `npm run setup` does it, also without root.'
  );
}
