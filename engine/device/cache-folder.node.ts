/** Where a user's files lie that can be made again, by each platform's conventions. */
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** The user's home folder; undefined where there is none, as in containers whose user has no name and no HOME. */
export function homeFolder(environment: Environment = process.env): string | undefined {
  if (environment.HOME) return environment.HOME;
  try {
    return homedir() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Daybreak's folder for caches: $XDG_CACHE_HOME/daybreak or ~/.cache/daybreak (XDG base directory specification), on Windows
 * and macOS among the user's local data. Undefined where nobody says whose.
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
