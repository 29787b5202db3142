/**
 * `bench/RESULTS.md`: one section per benchmark and adapter. A run replaces only its own section, so that results from
 * different adapters can be compared.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { figure } from '../eval/markdown-table.ts';
import { writeAtomically } from '../image/files.node.ts';
import { describeEnvironment } from '../train/run-folder/environment.node.ts';
import type { Ceiling } from './ceiling.ts';
import type { Report } from './rows.ts';

export const RESULTS_FILE: string = fileURLToPath(new URL('./RESULTS.md', import.meta.url));

/** One run of a benchmark in the file. */
export interface Section {
  /** The benchmark: `kernels`, `train`, `peers` … With the adapter it identifies the section. */
  readonly benchmark: string;
  readonly adapter: string;
  /** Markdown below the section's heading. */
  readonly body: string;
}

const TITLE = `# Results

Written by \`npm run bench -- kernels\`, \`train\` and \`peers\`: each run replaces its own section, those of other adapters
stay. What was predicted, tried and dropped is in [NOTES.md](NOTES.md). Medians; ms is wall time, CPU ms the time of all
threads; GFLOP counts a convolution as if it were done directly.
`;

/** Marks the start of a section, so that the next run finds it. */
const mark = ({ benchmark, adapter }: Pick<Section, 'benchmark' | 'adapter'>) =>
  `<!-- ${benchmark} on ${adapter.replaceAll('--', '- -')} -->`;
const MARKED = /^<!-- (.+?) on (.+) -->\n/m;

/** The document with `section` inserted: sorted by benchmark, then by adapter. */
export function withSection(document: string, section: Section): string {
  const parts = document.split(/^(?=<!-- .+? on .+ -->$)/m).slice(1);
  const sections = new Map(parts.map(part => [part.match(MARKED)![0].trim(), part.trim()] as const));
  const key = mark(section);
  sections.set(key, `${key}\n## ${section.benchmark}: ${section.adapter}\n\n${section.body.trim()}`);
  const sorted = [...sections].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  return `${[TITLE.trim(), ...sorted].join('\n\n')}\n`;
}

/** Writes `section` to the file, which is created if needed. */
export async function writeSection(file: string, section: Section): Promise<void> {
  const document = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  await writeAtomically(file, Buffer.from(withSection(document, section)));
}

/** An adapter's name: the driver's and the device's own names (lavapipe's device name includes its vector width). */
export const adapterName = ({ description, device, vendor, architecture }: Report['adapter']): string =>
  [description.replace(/\s+0\.0\.1$/, ''), device].filter(Boolean).join(', ') || `${vendor} ${architecture}`;

/** The lines below each section's heading: date, machine, command and peak. */
export async function preamble(
  command: string,
  { adapter, ceiling }: Pick<Report, 'adapter' | 'ceiling'>,
): Promise<string> {
  const { cpu, node, webgpu, os, commit, date } = await describeEnvironment();
  const changed = commit?.changed && (await changedBesidesResults());
  const source = commit ? `, commit ${commit.hash.slice(0, 7)}${changed ? ' with changes' : ''}` : '';
  return [
    `\`${command}\``,
    `- ${date.slice(0, 10)}${source}; ${adapter.vendor} ${adapter.architecture}, driver ${adapter.description}; kernels chosen ${adapter.tuned ? 'as tuned here' : 'by rule'}`,
    `- ${cpu.model}, ${cpu.cores} cores, load ${loadavg()[0].toFixed(1)} at the end; Node ${node.slice(1)}, webgpu ${webgpu}, ${os}`,
    `- ceiling: ${ceilingLine(ceiling, adapter.software)}`,
  ]
    .join('\n')
    .replace('\n', '\n\n');
}

/** Whether the clone has uncommitted changes, except those of an earlier benchmark. */
async function changedBesidesResults(): Promise<boolean> {
  const cwd = dirname(RESULTS_FILE);
  const { stdout } = await promisify(execFile)('git', ['status', '--porcelain', '--', ':/', ':!RESULTS.md'], { cwd });
  return stdout.trim() !== '';
}

function ceilingLine(
  { gflops, gbps, gflops_cpu, gbps_cpu, unknown_turns: unknown }: Ceiling,
  software: boolean,
): string {
  const line = `${figure(gflops)} GFLOP/s (multiply-add loop), ${figure(gbps)} GB/s (copy, read and written)`;
  const argument = (rate: number) => `${figure(rate)} with the trip count as an argument`;
  if (!software) return `${line}; ${argument(unknown.gflops)}`;
  return `${line}; per CPU second, by which shares are counted, ${figure(gflops_cpu)} GFLOP (${argument(unknown.gflops_cpu)}) and ${figure(gbps_cpu)} GB`;
}
