/** Describes the machine and the software. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  daybreakVersion,
  glibcVersion,
  packageRoot,
  packageVersion,
  processorName,
} from '../../common/machine.node.ts';
import type { Environment, GivenEnvironment } from './environment.ts';

/** Describes this machine and program, without names of persons, hosts or folders. */
export async function describeEnvironment(given: GivenEnvironment = {}): Promise<Environment> {
  return {
    daybreak: daybreakVersion(),
    node: process.version,
    webgpu: packageVersion('webgpu'),
    os: `${process.platform} ${release()} ${process.arch}`,
    glibc: glibcVersion(),
    cpu: { model: processorName(), cores: cpus().length },
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    commit: await commitOf(packageRoot),
    date: new Date().toISOString(),
    ...given,
  };
}

let commit: Promise<Environment['commit']> | undefined;

/**
 * The commit, if this is a clone of Daybreak. As a dependency, it would be inside another project's repository. Read once:
 * the code of a process does not change with its clone, and starting git takes 0.1 s in a large process.
 */
function commitOf(root: string): Promise<Environment['commit']> {
  commit ??= readCommit(root);
  return commit;
}

async function readCommit(root: string): Promise<Environment['commit']> {
  if (!existsSync(join(root, '.git'))) return null;
  const git = async (...command: string[]) => (await promisify(execFile)('git', command, { cwd: root })).stdout.trim();
  try {
    return { hash: await git('rev-parse', 'HEAD'), changed: (await git('status', '--porcelain')) !== '' };
  } catch {
    return null; // No git, or the clone belongs to another user.
  }
}
