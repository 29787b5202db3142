/** A campaign of damaged files: a process at work on them, watched for crashes, hangs and memory. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Kind } from './seeds.ts';

export interface Campaign {
  readonly kind: Kind;
  readonly seed: number;
  readonly count: number;
  /** Seconds that a file may take. Default: 5. */
  readonly patience?: number;
  /** MiB that the process may grow by over what well-formed files take. Default: 512. */
  readonly memory?: number;
  readonly onCase?: (done: number) => void;
}

export interface Finding {
  readonly index: number;
  readonly problem: string;
}

export interface CampaignResult {
  readonly accepted: number;
  readonly refused: number;
  readonly findings: readonly Finding[];
  /** Of the slowest file. */
  readonly slowestSeconds: number;
  /** MiB over what well-formed files take. */
  readonly grownBy: number;
}

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));

/** Gives `count` damaged files to their reader. The same seed gives the same files. */
export async function campaign(options: Campaign): Promise<CampaignResult> {
  const total = { accepted: 0, refused: 0, findings: [] as Finding[], slowestSeconds: 0, grownBy: 0 };
  for (let next = 0; next < options.count; ) next = await watched(options, next, total);
  return total;
}

type Total = { -readonly [K in keyof CampaignResult]: CampaignResult[K] } & { findings: Finding[] };

/** Runs one process from case `first` to its end or death; the case to go on with. */
async function watched(options: Campaign, first: number, total: Total): Promise<number> {
  const { kind, seed, count, patience = 5, memory = 512, onCase } = options;
  const args = ['--import', 'tsx', CHILD, kind, String(seed), String(first), String(count)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const died = new Promise<string>(resolve => {
    child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  let complaint = '';
  child.stderr.on('data', (bytes: Buffer) => {
    complaint = `${complaint}${bytes}`.slice(-2000);
  });
  let [next, current, began, base] = [first, -1, 0, 0];
  let hung = false;
  let timer: NodeJS.Timeout | undefined;
  for await (const line of createInterface(child.stdout)) {
    const [word, a = '', b = '', ...rest] = line.split(' ');
    if (word === 'ready') base = Number(a);
    else if (word === 'begin') {
      [current, began] = [Number(a), performance.now()];
      timer = setTimeout(() => {
        hung = true;
        child.kill('SIGKILL');
      }, patience * 1000);
    } else if (word === 'end') {
      clearTimeout(timer);
      next = current + 1;
      current = -1;
      total.slowestSeconds = Math.max(total.slowestSeconds, (performance.now() - began) / 1000);
      const grown = Number(b) - base;
      if (grown > memory && total.grownBy <= memory)
        total.findings.push({ index: Number(a), problem: `memory grew by ${grown} MiB` });
      total.grownBy = Math.max(total.grownBy, grown);
      const answer = rest.join(' ');
      if (answer === 'accepted' || answer === 'refused') total[answer]++;
      else total.findings.push({ index: Number(a), problem: answer });
      onCase?.(next);
    } else total.findings.push({ index: -1, problem: line });
  }
  clearTimeout(timer);
  const end = await died;
  if (current >= 0) {
    const problem = hung ? `hung for ${patience} s` : `crashed (${end}): ${complaint.trim().split('\n').at(-1)}`;
    total.findings.push({ index: current, problem });
    return current + 1;
  }
  if (next < count) throw new Error(`fuzzing ${kind} ended before its time (${end}): ${complaint}`);
  return next;
}
