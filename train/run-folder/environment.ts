/** What a run ran on: enough to know, a year later, why its numbers or its speed differ. */

import type { AdapterDescription } from '../../engine/device/adapter.ts';

/** What only the caller knows. */
export interface GivenEnvironment {
  /** What the adapter says of itself: vendor, architecture, device, description. */
  readonly adapter?: Partial<AdapterDescription>;
  readonly features?: readonly string[];
  /** WebGPU's limits by name. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Which kernel variant runs for which problem. */
  readonly kernels?: Readonly<Record<string, unknown>>;
}

export interface Environment extends GivenEnvironment {
  readonly daybreak: string;
  readonly node: string;
  /** Version of the package `webgpu`, which brings Dawn; null where it is not installed. */
  readonly webgpu: string | null;
  readonly os: string;
  /** Version of glibc; null elsewhere. */
  readonly glibc: string | null;
  readonly cpu: { readonly model: string; readonly cores: number };
  readonly memoryGiB: number;
  /** Of the clone that ran; null outside of one. `changed`: with changes that are not committed. */
  readonly commit: { readonly hash: string; readonly changed: boolean } | null;
  /** ISO 8601, when the run was started or resumed. */
  readonly date: string;
}

/** What env.json holds: where the run started, and where it was resumed after how many updates. */
export type RecordedEnvironment = Environment & { readonly resumed?: readonly (Environment & { step: number })[] };
