/** Where a run that was stopped and resumed is not the unbroken one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEvents } from '../train/event-reader.ts';

/** What tells of times and machines; the report embeds both, and its pictures are compared as the files they come from. */
const UNLIKE = ['env.json', 'report.html'];
const TIMES = ['imagesPerSecond', 'seconds', 'waitedForDataSeconds'];

/** A file in the form in which two runs must agree: all its bytes, but for times and the folders. */
function comparable(run: string, name: string): string {
  const path = join(run, name);
  if (name.startsWith('events.out.tfevents')) {
    const events = readEvents(path).map(({ step, version, scalars }) => {
      const kept = Object.entries(scalars).filter(([tag]) => tag !== 'run/imagesPerSecond');
      return [step, version, ...kept];
    });
    return JSON.stringify(events);
  }
  if (name === 'metrics.jsonl') return withoutKeys(readFileSync(path, 'utf8').split('\n'), TIMES).join('\n');
  if (name === 'config.json') return withoutKeys([readFileSync(path, 'utf8')], ['out', 'paths']).join('');
  return readFileSync(path).toString('base64');
}

const withoutKeys = (lines: readonly string[], keys: readonly string[]): string[] =>
  lines.map(line => line && JSON.stringify(JSON.parse(line, (key, value) => (keys.includes(key) ? undefined : value))));

const filesOf = (run: string): string[] =>
  readdirSync(run, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(run.length + 1));

/** Names of files that one run has and the other has not, or that differ; all that a run writes is looked at. */
export function differences(run: string, unbroken: string): string[] {
  const names = new Set([...filesOf(run), ...filesOf(unbroken)]);
  return [...names]
    .filter(name => {
      const [here, there] = [run, unbroken].map(folder => existsSync(join(folder, name)));
      if (!here || !there) return true;
      return !UNLIKE.includes(name) && comparable(run, name) !== comparable(unbroken, name);
    })
    .sort();
}
