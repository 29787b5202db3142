/** Whether this Node is new enough. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The error message if Node is older than package.json requires, else undefined.
 * @param {string} root the folder of package.json
 * @param {string} version as `process.versions.node`
 * @returns {string | undefined}
 */
export function oldNode(root, version = process.versions.node) {
  const floor = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace('>=', '');
  const [major, minor] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = floor.split('.').map(Number);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return undefined;
  return `Daybreak needs Node ${floor} or later; this is ${version}. Node 22 and 24 are recommended.`;
}
