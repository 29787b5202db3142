/** The user's folder for files that can be created again, by each platform's conventions. */

import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** The user's home folder; undefined without one, as in containers whose user has no name and no HOME. */
export function homeFolder(environment: Environment = process.env): string | undefined {
  if (environment.HOME) return environment.HOME;
  try {
    return homedir() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Daybreak's cache folder: $XDG_CACHE_HOME/daybreak or ~/.cache/daybreak (XDG base directory specification), on Windows
 * and macOS in the user's local data. Undefined without a home folder.
 */
export function cacheFolder(
  environment: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string | undefined = homeFolder(environment),
): string | undefined {
  const below = (...names: string[]) => (home === undefined ? undefined : join(home, ...names));
  if (platform === 'darwin') return below('Library', 'Caches', 'daybreak');
  if (platform === 'win32') {
    const local = environment.LOCALAPPDATA || below('AppData', 'Local');
    return local && join(local, 'daybreak', 'Cache');
  }
  const caches = environment.XDG_CACHE_HOME || below('.cache');
  return caches && join(caches, 'daybreak');
}
