/** Checks and installs the packages of the lock file. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNpm } from './npm-command.mjs';

/** File in node_modules that records the installed lock file and the platform. */
const STAMP = '.daybreak-lock';

/**
 * Whether node_modules matches package-lock.json: by our stamp, or else by npm's own record (so that the user's plain
 * `npm install` also counts).
 * @param {string} root the folder of package-lock.json
 * @returns {boolean}
 */
export function packagesInstalled(root) {
  const record = read(join(root, 'node_modules', '.package-lock.json'));
  if (record === undefined) return false;
  if (read(join(root, 'node_modules', STAMP)) === stampOf(root)) return true;
  return sameVersions(
    JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages,
    JSON.parse(record).packages,
  );
}

/**
 * Installs exactly the packages of package-lock.json, without running their scripts. Shows npm's output.
 * @param {string} root the folder of package-lock.json
 * @returns {boolean} whether npm succeeded
 */
export function installPackages(root) {
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const npm = runNpm([...args, '--loglevel=error'], { cwd: root, stdio: 'inherit' });
  if (npm.status !== 0) return false;
  writeFileSync(join(root, 'node_modules', STAMP), stampOf(root));
  return true;
}

/** @param {string} root */
function stampOf(root) {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${hash} ${process.platform} ${process.arch}\n`;
}

/**
 * Whether exactly the packages of the lock file are installed, in the right versions. Optional packages may be missing,
 * unless they are builds for this platform.
 * @param {Record<string, any>} wanted @param {Record<string, any>} installed both map paths to lock file entries
 */
function sameVersions(wanted, installed) {
  const complete = Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true; // The project itself.
    const found = installed[path];
    if (found) return found.version === entry.version && found.integrity === entry.integrity;
    return (entry.optional || entry.devOptional) && !isBuildForHere(entry);
  });
  return complete && Object.keys(installed).every(path => path in wanted);
}

/** @param {{ os?: string[], cpu?: string[], libc?: string[] }} entry */
function isBuildForHere({ os, cpu, libc }) {
  if (!os || !cpu) return false;
  return os.includes(process.platform) && cpu.includes(process.arch) && !(libc && !libc.includes('glibc'));
}

/** @param {string} file @returns {string | undefined} */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
