/** What a GPU adapter says about itself, and its name for people. */

/** An adapter's description of itself. `description` names the driver, `device` the GPU; either may be empty. */
export interface AdapterDescription {
  /** Maker of the GPU, in lower case: `nvidia`, `apple`, `mesa`. */
  readonly vendor: string;
  /** Family of the GPU: `ampere`, `metal-3`. */
  readonly architecture: string;
  /** The GPU's name or number. */
  readonly device: string;
  /** The driver's name and version. */
  readonly description: string;
}

/** Copies the description out of WebGPU's object; empty texts where the adapter reports nothing. */
export const describeAdapter = (info: GPUAdapterInfo | undefined): AdapterDescription => ({
  vendor: info?.vendor ?? '',
  architecture: info?.architecture ?? '',
  device: info?.device ?? '',
  description: info?.description ?? '',
});

/**
 * An adapter's name for people: driver and device (lavapipe's device name includes its vector width), else vendor and
 * architecture, else "unknown adapter".
 */
export function adapterName({ description, device, vendor, architecture }: Partial<AdapterDescription>): string {
  // Mesa's software drivers all end with the version 0.0.1.
  const names = [description?.replace(/\s+0\.0\.1$/, ''), device].filter(Boolean).join(', ');
  return names || [vendor, architecture].filter(Boolean).join(' ') || 'unknown adapter';
}

/** True for adapters that compute on the CPU. */
export const isSoftware = ({ architecture, device, description }: AdapterDescription): boolean =>
  /software|swiftshader|llvmpipe|lavapipe/i.test(`${architecture} ${device} ${description}`);

/** The least and most lanes per subgroup; undefined if the adapter does not report them. */
export function subgroupSizes(info: GPUAdapterInfo | undefined): readonly [least: number, most: number] | undefined {
  const { subgroupMinSize: least, subgroupMaxSize: most } = (info ?? {}) as {
    readonly subgroupMinSize?: number;
    readonly subgroupMaxSize?: number;
  };
  return least && most ? [least, most] : undefined;
}
