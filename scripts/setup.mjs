/**
 * Sets up a clone: installs the packages of the lock file and a WebGPU driver. Run by `npm start`, `npm test` and
 * `npm run setup`; does nothing if everything is installed. Plain JavaScript without packages, since none are installed yet.
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oldNode } from './setup/node-version.mjs';
import { installPackages, packagesInstalled } from './setup/packages.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string} script a TypeScript file of scripts/setup @param {import('node:child_process').StdioOptions} stdio */
const run = (script, stdio) =>
  spawnSync(process.execPath, ['--import', 'tsx', `scripts/setup/${script}`], { cwd: root, stdio, encoding: 'utf8' });

function setUp() {
  const complaint = oldNode(root);
  if (complaint) {
    console.error(`setup: ${complaint}`);
    return 1;
  }
  if (!packagesInstalled(root)) {
    console.log('setup: installing the packages of package-lock.json (npm ci --ignore-scripts)');
    if (!installPackages(root)) {
      console.error(
        'setup: npm ci failed, see above. It needs the package registry; try again when the registry is available.',
      );
      return 1;
    }
  }
  // In a separate process: a broken driver may crash, and a process caches the Vulkan drivers that it has seen.
  const probe = run('probe.ts', ['ignore', 'pipe', 'ignore']);
  if (probe.status === 0) {
    console.log(`setup: ready (${probe.stdout.trim()})`);
    return 0;
  }
  return run('driver.ts', 'inherit').status ?? 1;
}

process.exitCode = setUp();
