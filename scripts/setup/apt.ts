/** Installs Mesa's software Vulkan driver (lavapipe) with apt, on Debian and Ubuntu, as root. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1'];

/** A file with apt package sources: its name and text. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

/** What to install with apt. */
export interface AptPlan {
  /** Sources to add first: Debian 12's Mesa is too old for Dawn, but its backport works. */
  readonly added: SourceFile | undefined;
  /** The suite to install from, if not the default. */
  readonly suite: string | undefined;
}

/** The plan for a system with this /etc/os-release and these package sources. */
export function aptPlan(osRelease: string, sources: readonly SourceFile[]): AptPlan {
  const value = (key: string) => osRelease.match(new RegExp(`^${key}="?([^"\n]*)"?$`, 'm'))?.[1];
  if (value('ID') !== 'debian' || value('VERSION_CODENAME') !== 'bookworm')
    return { added: undefined, suite: undefined };
  const codename = 'bookworm';
  const suite = `${codename}-backports`;
  const configured = sources.some(({ text }) =>
    text.split('\n').some(line => !/^\s*#/.test(line) && line.split(/\s+/).includes(suite)),
  );
  return { added: configured ? undefined : backports(sources, codename, suite), suite };
}

/** The backports' sources: the release's mirror, components and key, with another suite. */
function backports(sources: readonly SourceFile[], codename: string, suite: string): SourceFile | undefined {
  for (const { name, text } of sources) {
    if (name.endsWith('.sources')) {
      const stanzas = text.split(/\n\s*\n/).map(stanza => stanza.split('\n').filter(line => !line.startsWith('#')));
      const stanza = stanzas.find(lines =>
        lines.some(line => /^Suites:/i.test(line) && line.split(/\s+/).includes(codename)),
      );
      if (!stanza || stanza.some(line => /^Enabled:\s*no/i.test(line))) continue;
      const lines = stanza.map(line => (/^Suites:/i.test(line) ? `Suites: ${suite}` : line));
      return { name: `${suite}.sources`, text: `${lines.join('\n').trim()}\n` };
    }
    // The older format: deb [options] URI suite components.
    const line = text.split('\n').find(each => /^deb\s/.test(each) && each.split(/\s+/).includes(codename));
    if (line) return { name: `${suite}.list`, text: `${line.replace(` ${codename} `, ` ${suite} `)}\n` };
  }
  return undefined;
}

/** Why apt cannot be used here, or undefined if it can. */
export function aptUnavailable(): string | undefined {
  if (process.platform !== 'linux') return 'not Linux';
  if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) return 'apt is not available';
  return process.getuid?.() === 0 ? undefined : 'not root';
}

/** Installs the driver. If that fails, removes the added sources and throws with apt's message. */
export function installWithApt(): void {
  const etc = '/etc/apt';
  const plan = aptPlan(readFileSync('/etc/os-release', 'utf8'), readSources(etc));
  const added = plan.added && join(etc, 'sources.list.d', plan.added.name);
  if (added) {
    console.log(`setup: adding ${added} for a Mesa that Dawn can use`);
    writeFileSync(added, plan.added.text);
  }
  // A failed update may be due to unrelated sources: only the installation has to succeed.
  const update = aptGet('update');
  const install = aptGet(
    'install',
    '-y',
    '--no-install-recommends',
    ...(plan.suite ? ['-t', plan.suite] : []),
    ...PACKAGES,
  );
  if (install.succeeded) return;
  if (added) rmSync(added, { force: true });
  throw new Error(`apt-get: ${update.complaints || install.complaints}`);
}

function readSources(etc: string): SourceFile[] {
  const read = (folder: string, name: string) => ({ name, text: readFileSync(join(folder, name), 'utf8') });
  const folder = join(etc, 'sources.list.d');
  const names = readdirSync(folder).filter(name => /\.(sources|list)$/.test(name));
  const rest = names.sort().map(name => read(folder, name));
  return readdirSync(etc).includes('sources.list') ? [read(etc, 'sources.list'), ...rest] : rest;
}

/** Runs apt-get without prompts and returns its error messages. */
function aptGet(...args: string[]): { succeeded: boolean; complaints: string } {
  const options = [
    '-qq',
    '-o',
    'DPkg::Lock::Timeout=120',
    '-o',
    'Acquire::http::Timeout=20',
    '-o',
    'Acquire::Retries=2',
  ];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = spawnSync('apt-get', [...options, ...args], { encoding: 'utf8', env });
  const lines = `${apt.stdout ?? ''}\n${apt.stderr ?? apt.error?.message}`.split('\n');
  const complaints = lines.filter(line => /^[EW]: /.test(line)).slice(0, 2);
  return { succeeded: apt.status === 0, complaints: complaints.join(' ') || lines.slice(-3).join(' ').trim() };
}
