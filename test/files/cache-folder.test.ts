/** Where caches lie, and that nothing is asked of a user without a home. */

import { expect, test, vi } from 'vitest';
import { installedDrivers, softwareDriverFolder } from '../../engine/device/software-driver.node.ts';
import { cacheFolder, homeFolder } from '../../files/cache-folder.node.ts';
import { tunedPath } from '../../tune/tuned-file.node.ts';

vi.mock('node:os', async original => ({
  ...(await original<typeof import('node:os')>()),
  // As where a user has no entry in the list of users.
  homedir: () => {
    throw new Error('uv_os_homedir returned ENOENT');
  },
}));

test('each platform has its own place', () => {
  expect(cacheFolder({ HOME: '/home/a' }, 'linux')).toBe('/home/a/.cache/daybreak');
  expect(cacheFolder({ HOME: '/home/a', XDG_CACHE_HOME: '/c' }, 'linux')).toBe('/c/daybreak');
  expect(cacheFolder({ HOME: '/Users/a' }, 'darwin')).toBe('/Users/a/Library/Caches/daybreak');
  expect(cacheFolder({ LOCALAPPDATA: '/l' }, 'win32')).toBe('/l/daybreak/Cache');
});

test('without a home folder there is no place, and no error', () => {
  expect(homeFolder({})).toBeUndefined();
  for (const platform of ['linux', 'darwin', 'win32'] as const) expect(cacheFolder({}, platform)).toBeUndefined();
  expect(cacheFolder({ XDG_CACHE_HOME: '/c' }, 'linux')).toBe('/c/daybreak');
  expect(Array.isArray(installedDrivers({}))).toBe(true);
  for (const name of ['HOME', 'XDG_CACHE_HOME', 'DAYBREAK_TUNED']) vi.stubEnv(name, undefined);
  expect(softwareDriverFolder()).toBeUndefined();
  expect(tunedPath({ vendor: 'v', device: 'd', description: '', architecture: '' } as never)).toBeUndefined();
  vi.unstubAllEnvs();
});
