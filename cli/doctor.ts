/** `daybreak doctor`: reports the environment that Daybreak runs in, and how to fix problems. */
import { byteSize, count, jsonText } from '../common/text.ts';
import { adapterName } from '../engine/device/adapter.ts';
import { type Diagnosis, diagnose } from './doctor/diagnosis.ts';

/**
 * Checks the machine, runs a self-test kernel and prints the result.
 * @returns the exit code: 0 if a GPU adapter works, otherwise 1.
 */
export async function doctor(options: { json: boolean }): Promise<number> {
  const diagnosis = await diagnose();
  process.stdout.write(options.json ? jsonText(diagnosis) : `${format(diagnosis)}\n`);
  return diagnosis.ok ? 0 : 1;
}

/** Features that kernels can use; `--json` lists all features. */
const FEATURES = ['subgroups', 'shader-f16', 'timestamp-query', 'chromium-experimental-subgroup-matrix'];

/** Limits on the size of tensors and kernels; `--json` lists all limits. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
];

function format(diagnosis: Diagnosis): string {
  const { adapter, selfTest, problem, notes } = diagnosis;
  const lines: [label: string, text: string][] = [
    ['daybreak', diagnosis.daybreak],
    ['node', diagnosis.node],
    ['system', systemOf(diagnosis)],
    ['processor', `${diagnosis.processor}, ${diagnosis.cores} cores, ${byteSize(diagnosis.memory)} memory`],
    [
      'packages',
      list(Object.entries(diagnosis.packages).map(([name, version]) => `${name} ${version ?? '(missing)'}`)),
    ],
  ];
  if (adapter) {
    const { vendor, architecture, software, subgroupSizes: subgroups } = adapter;
    const width = subgroups && [...new Set(subgroups)].join(' to ');
    lines.push(
      ['adapter', `${adapterName(adapter)}${software ? ' (software: computes on the CPU)' : ''}`],
      ['', `vendor ${vendor}, architecture ${architecture}${width ? `, subgroups of ${width}` : ''}`],
      ['driver', `${ORIGINS[adapter.driver.origin]}: ${adapter.driver.from}`],
      ['features', list(FEATURES.map(name => `${name} ${adapter.features.includes(name) ? 'yes' : 'no'}`))],
      ['limits', list(LIMITS.map(name => `${name} ${limit(name, adapter.limits[name])}`))],
    );
  } else lines.push(['adapter', 'none']);
  if (diagnosis.tuned) lines.push(['tuned', diagnosis.tuned.text]);
  if (selfTest?.passed) {
    const [first, again] = [selfTest.firstMs, selfTest.againMs].map(ms => ms.toFixed(1));
    lines.push(['self-test', `passed: ${count(selfTest.elements)} elements correct, in ${first} ms, then ${again} ms`]);
  } else if (selfTest) lines.push(['self-test', `failed: ${selfTest.problem}`]);
  for (const note of notes) lines.push(['note', note]);
  if (problem) lines.push(['problem', problem]);
  return lines.map(([label, text]) => `${label.padEnd(10)} ${text}`).join('\n');
}

const ORIGINS = {
  system: 'installed on the system',
  environment: 'chosen by a variable',
  fetched: 'fetched by npm run setup',
} as const;

function systemOf({ system, platform, arch, glibc }: Diagnosis): string {
  const library = platform === 'linux' ? `, ${glibc ? `glibc ${glibc}` : 'no glibc'}` : '';
  return `${system} (${platform} ${arch}${library})`;
}

const list = (items: readonly string[]): string => items.join(', ');

const limit = (name: string, value: number | undefined): string =>
  value === undefined ? 'unknown' : /Size$/.test(name) ? byteSize(value) : count(value);
