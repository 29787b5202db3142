/** The environment of a run, to explain differences in results or speed later. */

import type { AdapterDescription } from '../../engine/device/adapter.ts';

/** The part that the caller provides. */
export interface GivenEnvironment {
  /** The adapter's info: vendor, architecture, device, description. */
  readonly adapter?: Partial<AdapterDescription>;
  readonly features?: readonly string[];
  /** WebGPU limits by name. */
  readonly limits?: Readonly<Record<string, number>>;
  /** The kernel variant for each problem. */
  readonly kernels?: Readonly<Record<string, unknown>>;
}

export interface Environment extends GivenEnvironment {
  readonly daybreak: string;
  readonly node: string;
  /** Version of the package `webgpu`, which contains Dawn; null if it is not installed. */
  readonly webgpu: string | null;
  readonly os: string;
  /** Version of glibc; null on other systems. */
  readonly glibc: string | null;
  readonly cpu: { readonly model: string; readonly cores: number };
  readonly memoryGiB: number;
  /** Commit of the clone; null if this is not a clone. `changed`: there are uncommitted changes. */
  readonly commit: { readonly hash: string; readonly changed: boolean } | null;
  /** When the run was started or resumed, ISO 8601. */
  readonly date: string;
}

/** The content of env.json: the environment at the start, and at each resume with the number of updates so far. */
export type RecordedEnvironment = Environment & { readonly resumed?: readonly (Environment & { step: number })[] };
