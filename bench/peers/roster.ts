/** The list of peers, and how to start each. */
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runNpm } from '../../scripts/setup/npm-command.mjs';
import { packagesInstalled } from '../../scripts/setup/packages.mjs';

/** Names on the command line. Daybreak is first and always included, because all are compared with it. */
export const PEER_NAMES = ['daybreak', 'tfjs', 'jax', 'ort', 'torch'] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** How to start a peer. */
export interface Launch {
  /** Its name in the results. */
  readonly impl: string;
  readonly command: readonly [string, ...string[]];
  /** Factor for the allowed difference of its results: larger for half precision. */
  readonly tolerance?: number;
}

export interface Roster {
  readonly launches: readonly Launch[];
  /** Peers that are not available, one line each with the reason. */
  readonly missing: readonly string[];
}

export interface RosterOptions {
  readonly peers: readonly PeerName[];
  /** A Python with torch; default: the first on the path. */
  readonly python?: string;
  /** The adapter is software, so PyTorch also runs on the CPU. */
  readonly software: boolean;
  /** False: Daybreak chooses kernels by rule and ignores tuned files. */
  readonly tuned?: boolean;
  readonly say: (line: string) => void;
}

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const typeScript = (file: string, flags: readonly string[] = []): Launch['command'] => [
  process.execPath,
  ...flags,
  '--import',
  // Independent of the working directory.
  import.meta.resolve('tsx'),
  join(FOLDER, file),
];

/** Peers of the package in this folder. */
function packagedPeers(software: boolean) {
  // For minutes after its start, V8 optimizes onnxruntime's 25 MB of WebAssembly on background threads, which take cores
  // from a software adapter, even while others are measured. The baseline compiler's code is good enough there.
  const flags = software ? ['--liftoff-only'] : [];
  return {
    tfjs: { impl: 'tfjs', command: typeScript('tfjs.ts') },
    jax: { impl: 'jax-js', command: typeScript('jax.ts') },
    ort: { impl: 'onnxruntime-web', command: typeScript('ort.ts', flags) },
  } as const satisfies Partial<Record<PeerName, Launch>>;
}

export const DAYBREAK: Launch = { impl: 'daybreak', command: typeScript('daybreak.ts') };

/** Finds the requested peers, and installs their package if needed. */
export function findPeers({ peers, python, software, tuned = true, say }: RosterOptions): Roster {
  const launches: Launch[] = [tuned ? DAYBREAK : { ...DAYBREAK, command: [...DAYBREAK.command, '--no-tuned'] }];
  const missing: string[] = [];
  const packaged = Object.entries(packagedPeers(software)).flatMap(([name, launch]) =>
    peers.includes(name as PeerName) ? [launch] : [],
  );
  if (packaged.length > 0) {
    if (install(say)) launches.push(...packaged);
    else missing.push(`${packaged.map(({ impl }) => impl).join(', ')}: npm could not install bench/peers, see above`);
  }
  if (peers.includes('torch')) {
    const found = findTorch(python, software);
    if (typeof found === 'string') missing.push(found);
    else launches.push(...found);
  }
  return { launches, missing };
}

/** Installs the peers' package from its lock file, unless it is installed. Output goes to stderr. */
function install(say: (line: string) => void): boolean {
  if (packagesInstalled(FOLDER)) return true;
  say('peers: installing bench/peers (npm ci --ignore-scripts), about 460 MB');
  const npm = runNpm(['ci', '--ignore-scripts', '--loglevel=error'], { cwd: FOLDER, stdio: ['ignore', 2, 2] });
  return npm.status === 0;
}

/** PyTorch on the CPU, or with a GPU adapter on CUDA, in float32 and with autocast. Or the reason why it is missing. */
function findTorch(python: string | undefined, software: boolean): Launch[] | string {
  const candidates = python === undefined ? pythons() : [python];
  const program = candidates.find(candidate => succeeds(candidate, 'import torch'));
  if (program === undefined)
    return `pytorch: ${candidates.length === 0 ? 'no python3 on the path' : `${candidates.join(', ')}: no torch`} (--python FILE names another)`;
  const launch = (impl: string, ...options: string[]): Launch => ({
    impl,
    command: [program, join(FOLDER, 'torch_peer.py'), ...options],
  });
  if (software || !succeeds(program, 'import torch; assert torch.cuda.is_available()')) return [launch('pytorch')];
  return [launch('pytorch', '--cuda'), { ...launch('pytorch-autocast', '--cuda', '--autocast'), tolerance: 100 }];
}

function pythons(): string[] {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const names = process.platform === 'win32' ? ['python.exe'] : ['python3'];
  const files = folders.flatMap(folder => names.map(name => join(folder, name))).filter(file => existsSync(file));
  // /bin and /usr/bin are often the same folder.
  return files.filter((file, i) => files.findIndex(other => realpathSync(other) === realpathSync(file)) === i);
}

/** Runs in the project's folder, where version managers find their settings. */
const succeeds = (python: string, code: string): boolean =>
  spawnSync(python, ['-c', code], { cwd: ROOT, stdio: 'ignore' }).status === 0;
