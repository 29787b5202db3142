/** Ablations: their cases, their figure, and the command from outside. */
import { existsSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodePngFile } from '../../image/png.node.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { ablationFigure } from '../../train/ablation/figure.ts';
import { ablationCases, identityOf } from '../../train/ablation/plan.ts';
import { ConfigError } from '../../train/errors.ts';
import { daybreak } from '../cli/daybreak.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { SMALL_FLAGS } from './small-training.ts';

const OPTIONS = { data: ['synthetic'], eval: ['set'] };
const casesOf = (blocks: readonly number[], more = {}) =>
  ablationCases(blocks, { ...OPTIONS, ...more }, run => join('out', run));

test('cases: both skips of each number of blocks, ascending, equal in all else', () => {
  const cases = casesOf([8, 2, 8], { steps: '30', seed: '4' });
  expect(cases.map(({ config }) => config.out)).toEqual(
    ['blocks-2', 'blocks-2-no-skip', 'blocks-8', 'blocks-8-no-skip'].map(run => join('out', run)),
  );
  const rest = cases.map(({ config: { out, blocks, longSkip, ...all } }) => all);
  expect(new Set(rest.map(all => JSON.stringify(all))).size).toBe(1);
  expect(rest[0]).toMatchObject({ steps: 30, seed: 4, channels: 16, init: 'none' });
  expect(() => casesOf([2], { crop: 7 })).toThrow(ConfigError);
});

test('a result depends on what is learned and scored, not on where it is written', () => {
  const [one] = casesOf([2]);
  const same = ablationCases([2], { ...OPTIONS, saveEvery: 7 }, run => join('elsewhere', run))[0];
  expect(identityOf(same)).toBe(identityOf(one));
  for (const change of [{ steps: 9 }, { seed: 1 }, { eval: ['other'] }, { lr: 1e-5 }])
    expect(identityOf(casesOf([2], change)[0])).not.toBe(identityOf(one));
});

const row = (blocks: number, longSkip: 'add' | 'none', psnr: number, seconds: number) => ({
  ...{ blocks, longSkip, psnr, seconds, ssim: 0.8, bicubic: 28, parameters: 1000, model: '', identity: '' },
});

test('the figure: a point per row, higher is better, one line per skip', () => {
  const rows = [row(1, 'add', 29, 0.1), row(4, 'add', 30, 0.2), row(1, 'none', 28.5, 0.1), row(4, 'none', 29, 0.2)];
  const svg = ablationFigure(rows, '<Set5>', 64);
  expect(svg).toContain('PSNR on &lt;Set5&gt;, dB');
  const circles = [...svg.matchAll(/<circle class="(\w+)" cx="([\d.]+)" cy="([\d.]+)"/g)];
  const points = circles.map(([, kind, x, y]) => ({ kind, x: Number(x), y: Number(y) }));
  expect(points.map(({ kind }) => kind).join()).toBe('add,add,none,none,add,add,none,none');
  const [first, last, plain, deep] = points;
  expect(last.y).toBeLessThan(first.y);
  expect(first.y).toBeLessThan(plain.y);
  expect(deep.y).toBe(first.y);
  expect([last.x, deep.x]).toEqual([deep.x, last.x]);
  // Twice the time is twice as far from 0, which is the lower edge.
  const zero = Number(/<line class="grid" [^>]*y1="([\d.]+)"[^>]*\/><text x="4\d\d" [^>]*>0</.exec(svg)![1]);
  expect(zero - points[5].y).toBeCloseTo(2 * (zero - points[4].y), 0);
  expect(svg).not.toContain('NaN');
  expect(ablationFigure(rows.slice(0, 1), 'a', 8)).not.toContain('NaN');
});

test('the command trains, keeps what is finished, and goes on with the rest', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a.png'), encodePngFile(syntheticPicture(3, 0, 24)));
  const out = join(folder, 'out');
  const flags = SMALL_FLAGS.join(' ').replace('--blocks 1 ', '').split(' ');
  const command = ['ablate', 'blocks', '--blocks', '1', '--data', 'synthetic', '--eval', folder, '--steps', '2'];
  const ablate = () =>
    daybreak([...command, ...flags, '--data-budget', '0', '--runs', '1', '--timed', '4', '--out', out]);
  const first = await ablate();
  expect(first.code, first.stderr).toBe(0);
  // Options of training reach both runs: each streams the pictures that it trains on and those that it is scored on.
  expect(first.stderr.match(/the pictures exceed --data-budget 0 MiB/g)).toHaveLength(4);
  expect(first.stdout).toMatch(/1 │ +yes │/);
  expect(first.stdout).toMatch(/1 │ +no │/);
  expect(readdirSync(out).sort()).toEqual(
    ['md', 'csv', 'svg', 'json']
      .map(end => `ablation.${end}`)
      .concat('blocks-1', 'blocks-1-no-skip')
      .sort(),
  );
  const { rows } = JSON.parse(readFileSync(join(out, 'ablation.json'), 'utf8'));
  expect(rows).toHaveLength(2);
  expect(rows[0].psnr).not.toBe(rows[1].psnr);
  expect(rows[0].parameters).toBe(rows[1].parameters);
  for (const { seconds } of rows) expect(seconds).toBeGreaterThan(0);

  // As if it had been killed after training the second network, before its row was written.
  writeFileSync(join(out, 'ablation.json'), JSON.stringify({ rows: rows.slice(0, 1) }));
  unlinkSync(join(out, 'ablation.svg'));
  const manifest = join(out, 'blocks-1', 'checkpoints', 'last', 'manifest.json');
  const before = statSync(manifest).mtimeMs;
  const second = await ablate();
  expect(second.code, second.stderr).toBe(0);
  expect(second.stderr).not.toContain('1/2 blocks-1');
  expect(second.stderr).toContain('2/2 blocks-1-no-skip');
  expect(statSync(manifest).mtimeMs).toBe(before);
  expect(existsSync(join(out, 'ablation.svg'))).toBe(true);
  const again = JSON.parse(readFileSync(join(out, 'ablation.json'), 'utf8')).rows;
  expect(again[1]).toMatchObject({ psnr: rows[1].psnr, ssim: rows[1].ssim, identity: rows[1].identity });
}, 120_000);

test('the command refuses what it cannot use', async () => {
  const refused = async (...args: string[]) => {
    const { code, stderr } = await daybreak(['ablate', 'blocks', '--data', 'synthetic', ...args]);
    expect(code).toBe(2);
    return stderr;
  };
  const out = join(temporaryFolder(), 'out');
  expect(await refused('--eval', 'x')).toContain('--out: missing');
  expect(await refused('--out', out)).toContain('--eval: missing');
  expect(await refused('--out', out, '--eval', 'x', '--blocks', '1,a')).toContain('expected numbers with commas');
  expect(await refused('--out', out, '--eval', 'x', '--blocks', '0')).toContain('--blocks: expected an integer from 1');
  expect(await refused('--out', out, '--eval', 'x', '--optimizer', 'sgd', '--beta1', '0.5')).toContain(
    '--beta1: needs --optimizer adam',
  );
  expect(existsSync(out)).toBe(false);
});
