/** Verdicts and files of tuning. Needs no GPU. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Node } from '../../engine/graph/value.ts';
import type { CandidateTime } from '../../tune/measure.ts';
import { choicesOf, merged, type TunedFile, type TunedProblem, verdict } from '../../tune/tuned.ts';
import { findTuned, readTunedFile, tunedPath, writeTunedFile } from '../../tune/tuned-file.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';

const ADAPTER = { vendor: 'maker', architecture: 'kind', device: 'card', description: 'Card 9000: Driver 1.2' };
const DATE = '2026-01-02T03:04:05.000Z';

const node = new Node({ name: 'any', infer: () => [], lower: () => ({ steps: [], scratch: [] }) }, [], [], {});
const problem = { family: 'product', key: '2x2', candidates: ['ruled', 'other', 'third'], node, baked: true };
const time = (variant: string, ms: number, runs = 5): CandidateTime => ({ variant, ms, wallMs: 2 * ms, runs });

describe('the verdict', () => {
  test.each([
    ['the fastest', [10, 8, 9], 'other'],
    ['the rule’s, where another is hardly faster', [10, 9.8, 12], 'ruled'],
    ['the rule’s, where it is the fastest', [10, 11, 12], 'ruled'],
  ])('is %s', (_, ms, variant) => {
    const times = ms.map((x, i) => time(problem.candidates[i], x));
    expect(verdict(problem, times, DATE)).toMatchObject({ family: 'product', problem: '2x2', variant, rule: 'ruled' });
  });

  test('is never one that was given up after its first run, whatever that took', () => {
    const times = [time('ruled', 10), time('other', 1, 0), time('third', 9)];
    expect(verdict(problem, times, DATE)!.variant).toBe('third');
    expect(verdict(problem, [time('ruled', 1, 0), time('other', 10), time('third', 11)], DATE)!.variant).toBe('other');
  });

  test('is none where nothing could be measured', () => {
    expect(verdict(problem, [time('ruled', 1, 0), time('other', 1, 0)], DATE)).toBeUndefined();
  });
});

const tuned = (problem: string, variant: string, date = DATE): TunedProblem => ({
  family: 'product',
  problem,
  variant,
  rule: 'ruled',
  date,
  times: [{ variant, ms: 1, wallMs: 1, runs: 5 }],
});

const file = (...problems: TunedProblem[]): TunedFile => merged(undefined, ADAPTER, 'cpu', DATE, problems);

describe('a file', () => {
  test('keeps what is not measured again, of the same adapter and measure', () => {
    const old = file(tuned('b', 'old'), tuned('a', 'old'));
    const added = [tuned('b', 'new'), tuned('c', 'new')];
    const variants = ({ problems }: TunedFile) => problems.map(({ problem, variant }) => `${problem} ${variant}`);
    expect(variants(merged(old, ADAPTER, 'cpu', DATE, added))).toEqual(['a old', 'b new', 'c new']);
    expect(variants(merged(old, ADAPTER, 'gpu', DATE, added))).toEqual(['b new', 'c new']);
    const newer = { ...ADAPTER, description: 'Card 9000: Driver 1.3' };
    expect(variants(merged(old, newer, 'cpu', DATE, added))).toEqual(['b new', 'c new']);
  });

  test('makes the choices that it names, and no other', () => {
    const choices = choicesOf(file(tuned('a', 'other')));
    expect(choices.find('product', 'a')).toBe('other');
    expect(choices.find('product', 'b')).toBeUndefined();
    expect(choices.find('sum', 'a')).toBeUndefined();
  });

  test('is read as it was written', async () => {
    const path = join(temporaryFolder(), 'deep', 'tuned.json');
    expect(await readTunedFile(path)).toBeUndefined();
    const written = file(tuned('a', 'other'), tuned('b', 'ruled'));
    await writeTunedFile(path, written);
    expect(await readTunedFile(path)).toEqual(written);
    // Nothing is left beside it, and people can read it.
    expect(readdirSync(dirname(path))).toEqual(['tuned.json']);
    expect(readFileSync(path, 'utf8')).toContain('\n  "adapter": {\n    "vendor": "maker"');
  });
});

describe('the file of an adapter', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('is named by a variable, or lies in the cache folder under the adapter’s name', () => {
    vi.stubEnv('DAYBREAK_TUNED', undefined);
    vi.stubEnv('XDG_CACHE_HOME', '/cache');
    if (process.platform === 'linux')
      expect(tunedPath(ADAPTER)).toBe('/cache/daybreak/tuned-card-card-9000-driver-1-2.json');
    expect(tunedPath(ADAPTER)).not.toBe(tunedPath({ ...ADAPTER, description: 'Card 9000: Driver 1.3' }));
    expect(tunedPath(ADAPTER)).not.toBe(tunedPath({ ...ADAPTER, device: 'larger card' }));
    expect(tunedPath({ ...ADAPTER, description: '' })).toContain('tuned-maker-card.json');
    vi.stubEnv('DAYBREAK_TUNED', '/some/file.json');
    expect(tunedPath(ADAPTER)).toBe('/some/file.json');
    vi.stubEnv('DAYBREAK_TUNED', '');
    expect(tunedPath(ADAPTER)).toBeUndefined();
  });

  test('is in use where it was measured on this very adapter and driver', async () => {
    const path = join(temporaryFolder(), 'tuned.json');
    vi.stubEnv('DAYBREAK_TUNED', '');
    expect(await findTuned(ADAPTER)).toEqual({ state: 'none', path: undefined });
    vi.stubEnv('DAYBREAK_TUNED', path);
    expect(await findTuned(ADAPTER)).toEqual({ state: 'none', path });
    await writeTunedFile(path, file(tuned('a', 'other')));
    const found = await findTuned(ADAPTER);
    expect(found).toMatchObject({ state: 'in use', path, date: DATE });
    expect(found.state === 'in use' && found.choices.find('product', 'a')).toBe('other');
    for (const key of ['vendor', 'architecture', 'device', 'description'] as const)
      expect(await findTuned({ ...ADAPTER, [key]: 'another' })).toMatchObject({
        state: 'other adapter',
        problem: expect.stringMatching(
          /tuned\.json: was measured on Card 9000: Driver 1\.2, card; run daybreak tune here$/,
        ),
      });
  });

  test.each([
    ['no JSON', '{"format":', /is not JSON; remove it/],
    ['another format', '{"format":2}', /is not a tuned file \(format: .*\); remove it/],
    ['a missing entry', JSON.stringify({ ...file(), adapter: { vendor: 'x' } }), /adapter\.architecture/],
  ])('that is damaged (%s) is not in use, and says why', async (_, content, message) => {
    const path = join(temporaryFolder(), 'tuned.json');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    vi.stubEnv('DAYBREAK_TUNED', path);
    expect(await findTuned(ADAPTER)).toMatchObject({ state: 'damaged', problem: expect.stringMatching(message) });
    await expect(readTunedFile(path)).rejects.toThrow(`${path}: `);
  });
});
