/** Diagnoses the GPU adapter: its properties, a self-test, and how to fix problems. */
import { basename, dirname } from 'node:path';
import { messageOf } from '../../common/errors.ts';
import { counted } from '../../common/text.ts';
import { type AdapterDescription, describeAdapter, isSoftware, subgroupSizes } from '../../engine/device/adapter.ts';
import { type DriverOrigin, driverOrigin, requestGpu } from '../../engine/device/gpu.node.ts';
import {
  chosenDrivers,
  fetchedDriver,
  fetchedDriverOrigin,
  installedDrivers,
} from '../../engine/device/software-driver.node.ts';
import { findTuned, type TunedState } from '../../tune/tuned-file.node.ts';
import { type Machine, machine, shaderCacheWritable } from './machine.ts';
import { type SelfTest, selfTest } from './self-test.ts';

/** An adapter, as it describes itself. */
export interface AdapterReport extends AdapterDescription {
  /** Whether it computes on the CPU. */
  readonly software: boolean;
  /** Minimum and maximum subgroup size; null if the adapter does not report it. */
  readonly subgroupSizes: readonly [number, number] | null;
  readonly driver: { readonly origin: DriverOrigin; readonly from: string };
  readonly features: readonly string[];
  readonly languageFeatures: readonly string[];
  /** The adapter's limits, which a device gets when it asks. Sizes in bytes. */
  readonly limits: Readonly<Record<string, number>>;
}

/** The result of `daybreak doctor`. */
export interface Diagnosis extends Machine {
  readonly ok: boolean;
  readonly adapter: AdapterReport | null;
  readonly selfTest: SelfTest | null;
  /** Whether `daybreak tune` has chosen kernels for the adapter, and in which file; null without an adapter. */
  readonly tuned: { readonly state: TunedState['state']; readonly path: string | null; readonly text: string } | null;
  /** Why it does not work and how to fix it; null if it works. */
  readonly problem: string | null;
  /** Advice about things that work, but could work better. */
  readonly notes: readonly string[];
}

/** Runs all checks. Never throws: errors are in the result. */
export async function diagnose(): Promise<Diagnosis> {
  const here = machine();
  let adapter: AdapterReport | null = null;
  let test: SelfTest | null = null;
  let tuned: Diagnosis['tuned'] = null;
  let problem: string | null = null;
  try {
    const gpu = await requestGpu();
    const found = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (!found) throw new Error('The adapter has disappeared: try again.');
    adapter = describe(found, gpu);
    tuned = tunedReport(await findTuned(adapter));
    const device = await found.requestDevice();
    test = await selfTest(device);
    device.destroy();
    if (!test.passed)
      problem = `The adapter computes wrong results (${test.problem}): update its driver, or choose another with DAYBREAK_ADAPTER.`;
  } catch (error) {
    problem = messageOf(error);
  }
  return { ...here, ok: problem === null, adapter, selfTest: test, tuned, problem, notes: notes(here, adapter) };
}

function tunedReport(found: TunedState): NonNullable<Diagnosis['tuned']> {
  const { state, path = null } = found;
  if (found.state === 'in use') {
    const text = `${counted(found.choices.entries.length, 'problem')}, last measured ${found.date.slice(0, 10)}: ${found.path}`;
    return { state, path, text };
  }
  if (found.state === 'none') {
    const text = path === null ? 'no: DAYBREAK_TUNED is empty' : 'no: kernels are chosen by rule; see daybreak tune';
    return { state, path, text };
  }
  return { state, path, text: `no: ${found.problem}` };
}

function describe(adapter: GPUAdapter, gpu: GPU): AdapterReport {
  const description = describeAdapter(adapter.info);
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') limits[name] = value;
  }
  return {
    ...description,
    software: adapter.info.isFallbackAdapter || isSoftware(description),
    subgroupSizes: subgroupSizes(adapter.info) ?? null,
    driver: { origin: driverOrigin(gpu), from: driverPlace(driverOrigin(gpu)) },
    features: [...adapter.features].sort(),
    languageFeatures: [...gpu.wgslLanguageFeatures].sort(),
    limits,
  };
}

/** Where the driver was found. The Vulkan loader does not report which of several it chose. */
function driverPlace(origin: DriverOrigin): string {
  if (process.platform !== 'linux') return process.platform === 'darwin' ? 'Metal' : 'Direct3D 12 or Vulkan';
  const variable = chosenDrivers();
  if (origin === 'environment' && variable) return `${variable}=${process.env[variable]}`;
  const folder = fetchedDriver();
  if (origin === 'fetched' && folder) return `${fetchedDriverOrigin(folder)} in ${folder}`;
  const manifests = installedDrivers();
  const folders = [...new Set(manifests.map(dirname))];
  const within = (folder: string) => manifests.filter(file => dirname(file) === folder).map(file => basename(file));
  const texts = folders.map(folder => `${folder} (${within(folder).join(', ')})`);
  return texts.join(', ') || 'the default folders of the Vulkan loader';
}

function notes(here: Machine, adapter: AdapterReport | null): string[] {
  const found: string[] = [];
  if (adapter?.software)
    found.push('This adapter computes on the CPU. If the machine has a GPU, install the Vulkan driver of its vendor.');
  if (/swiftshader/i.test(adapter?.architecture ?? ''))
    found.push(
      'Mesa’s software driver is about four times as fast as SwiftShader: mesa-vulkan-drivers on Debian and Ubuntu.',
    );
  if (adapter?.vendor === 'mesa' && !shaderCacheWritable())
    found.push(
      'Mesa’s shader cache cannot be written, so every run recompiles its kernels: set MESA_SHADER_CACHE_DIR.',
    );
  if (!here.packages.sharp) found.push('Without the package sharp, only PNG files can be read: npm install sharp.');
  if (here.node.startsWith('20.')) found.push('Node 20 no longer receives security fixes: use Node 22 or 24.');
  if (process.env.DAYBREAK_KERNELS === 'plain') found.push('DAYBREAK_KERNELS asks for plain kernels, which are slow.');
  if (process.env.DAYBREAK_ADAPTER) found.push(`DAYBREAK_ADAPTER asks for "${process.env.DAYBREAK_ADAPTER}".`);
  return found;
}
