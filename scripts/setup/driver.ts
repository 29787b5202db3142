/**
 * Installs a software Vulkan driver if no WebGPU adapter was found: Mesa's with apt if we are root on Debian or Ubuntu, else
 * SwiftShader from npm, which needs no root. Exits 0 if an adapter is then found.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { aptUnavailable, installWithApt } from './apt.ts';
import { fetchSwiftShader, PACKAGE, swiftShaderUnavailable } from './swiftshader.ts';

interface Source {
  /** Start of its adapter's name, which DAYBREAK_ADAPTER may match. */
  readonly adapter: string;
  readonly announcement: string;
  readonly unavailable: () => string | undefined;
  readonly provide: () => void | Promise<void>;
}

const SOURCES: readonly Source[] = [
  {
    adapter: 'llvmpipe (LLVM',
    announcement: "installing Mesa's software driver with apt (download about 55 MB)",
    unavailable: aptUnavailable,
    provide: installWithApt,
  },
  {
    adapter: 'SwiftShader Device',
    announcement: `downloading the software driver SwiftShader from npm (${PACKAGE.name} ${PACKAGE.version}, 70 MB)`,
    unavailable: swiftShaderUnavailable,
    provide: fetchSwiftShader,
  },
];

const here = import.meta.dirname;

/** The adapter that the engine finds, or why it finds none. */
function probe(): { found: string } | { missing: string; hopeless: boolean } {
  const child = spawnSync(process.execPath, ['--import', 'tsx', join(here, 'probe.ts')], { encoding: 'utf8' });
  if (child.status === 0) return { found: child.stdout.trim() };
  const reason = child.stderr.replace(/^(Warning:.*\n|\s+at .*\n|\n)+/gm, '').trim();
  return { missing: reason || `the probe ended with ${child.signal ?? child.status}`, hopeless: child.status === 2 };
}

async function provideDriver(): Promise<number> {
  const wanted = process.env.DAYBREAK_ADAPTER?.toLowerCase() ?? '';
  const before = probe();
  if ('found' in before) {
    console.log(`setup: ready (${before.found})`);
    return 0;
  }
  const sources = SOURCES.filter(source => source.adapter.toLowerCase().includes(wanted));
  if (before.hopeless || process.platform !== 'linux' || sources.length === 0) {
    console.error(`setup: ${before.missing}`);
    return 1;
  }
  console.log(`setup: no WebGPU adapter ${wanted ? `matching "${wanted}" ` : ''}found; a Vulkan driver is needed`);
  const failures: string[] = [];
  for (const source of sources) {
    const reason = source.unavailable();
    if (reason) {
      failures.push(reason);
      continue;
    }
    console.log(`setup: ${source.announcement}`);
    const start = performance.now();
    try {
      await source.provide();
    } catch (error) {
      console.log(`setup: that failed: ${(error as Error).message}`);
      failures.push((error as Error).message);
      continue;
    }
    const after = probe();
    if ('found' in after) {
      console.log(`setup: ready (${after.found}; ${((performance.now() - start) / 1000).toFixed(0)} s)`);
      // For users who can become root.
      if (failures.includes('not root'))
        console.log(`setup: Mesa's driver is about four times faster; to install it: ${AS_ROOT}`);
      return 0;
    }
    console.log(`setup: still no adapter: ${after.missing}`);
    failures.push(after.missing);
  }
  console.error(`setup: could not install a driver (${failures.join('; ')})`);
  console.error(`setup: install a Vulkan driver and run this again: ${OTHER_WAYS}`);
  return 1;
}

const AS_ROOT = `sudo env DAYBREAK_ADAPTER=llvmpipe ${process.execPath} ${join(here, '..', 'setup.mjs')}`;

const OTHER_WAYS =
  `on Debian and Ubuntu \`${AS_ROOT}\`, on Fedora \`sudo dnf install mesa-vulkan-drivers vulkan-loader\`, ` +
  'on Arch `sudo pacman -S vulkan-swrast vulkan-icd-loader`, or the GPU vendor’s driver';

process.exitCode = await provideDriver();
