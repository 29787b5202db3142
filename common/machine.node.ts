/** The versions of Daybreak and of the software below it, and the machine. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';

/** The folder of Daybreak's package.json, above the sources or the compiled modules. */
export const packageRoot = rootAbove(import.meta.dirname);

/** Daybreak's version from its package.json, "unknown" if that is missing. */
export const daybreakVersion = (): string => versionIn(packageRoot) ?? 'unknown';

/** The version of an installed package, null if it is missing. */
export function packageVersion(name: string): string | null {
  // Many packages do not export their package.json, so we search where Node would.
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of folders) {
    const version = versionIn(join(folder, name));
    if (version !== null) return version;
  }
  return null;
}

let glibc: string | null | undefined;

/** The version of glibc; null on systems without it. */
export function glibcVersion(): string | null {
  if (process.platform !== 'linux') return null;
  // Reports describe the whole process: slow, so once.
  glibc ??=
    (process.report.getReport() as { header?: { glibcVersionRuntime?: string } }).header?.glibcVersionRuntime ?? null;
  return glibc;
}

/** The name of the processor. */
export const processorName = (): string => cpus()[0]?.model.trim() ?? 'unknown';

function rootAbove(folder: string): string {
  const above = dirname(folder);
  return manifestIn(folder)?.name === 'daybreak' || above === folder ? folder : rootAbove(above);
}

const versionIn = (folder: string): string | null => manifestIn(folder)?.version ?? null;

function manifestIn(folder: string): { readonly name?: string; readonly version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return undefined;
  }
}
