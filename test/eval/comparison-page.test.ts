/** The page of a comparison: what is written. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ComparisonRow } from '../../eval/comparison.ts';
import { ComparisonPage, type ComparisonPageOptions } from '../../eval/comparison-page/page.node.ts';
import { quality } from '../../eval/protocols.ts';
import { decode } from '../../image/codec.node.ts';
import { createPicture } from '../../image/picture.ts';
import { resize, shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { temporaryFolder } from './temporary.ts';

const LABELS = ['bicubic', '<b>"mine"</b>'];
const OPTIONS: ComparisonPageOptions = { title: 'A & B', labels: LABELS };

function rowOf(name: string, seed: number): ComparisonRow {
  const hr = syntheticPicture(seed, 0, 48);
  const lr = shrink(hr);
  const results = LABELS.map((label, i) => ({ label, picture: i === 0 ? resize(lr, 4) : hr }));
  return { name, hr, lr, results };
}

async function written(path: string, rows: readonly ComparisonRow[], options = OPTIONS): Promise<string> {
  await using page = await ComparisonPage.create(path, options);
  for (const row of rows) await page.add(row);
  expect(page.pictures).toBe(rows.length);
  await page.finish();
  return readFileSync(path, 'utf8');
}

/** What the script of a page finds of each picture. */
const contentsOf = (html: string) =>
  [...html.matchAll(/<script type="application\/json" data-name="([^"]*)">([^<]*)<\/script>/g)].map(
    ([, name, json]) => ({
      name,
      content: JSON.parse(json),
    }),
  );

test('holds every version of every picture losslessly, and their scores by the protocol', async () => {
  const rows = [rowOf('one', 1), rowOf('</script>', 2)];
  const html = await written(join(temporaryFolder(), 'page.html'), rows, { ...OPTIONS, protocol: 'paper' });
  const found = contentsOf(html);
  expect(found.map(({ name }) => name)).toEqual(['one', '&lt;/script&gt;']);
  for (const [i, { name, hr, lr, results }] of rows.entries()) {
    const { content } = found[i];
    expect(content).toMatchObject({ name, width: 48, height: 48 });
    const { psnr, ssim } = quality(results[0].picture, hr, 'paper');
    expect(content.versions.map(({ label, figures }: Record<string, string>) => [label, figures])).toEqual([
      ['LR', '12×12 pixels'],
      ['bicubic', `${psnr.toFixed(2)} dB / ${ssim.toFixed(4)}`],
      [LABELS[1], '∞ dB / 1.0000'],
      ['original', '48×48 pixels'],
    ]);
    for (const [j, picture] of [lr, results[0].picture, hr, hr].entries()) {
      const [, data] = /^data:image\/png;base64,([\w+/]+=*)$/.exec(content.versions[j].source)!;
      expect(await decode(Buffer.from(data, 'base64'), 'embedded')).toEqual(picture);
    }
  }
  // The mean is of finite values, and the best is bold.
  const means = rows.map(({ results, hr }) => quality(results[0].picture, hr, 'paper').psnr);
  expect(html).toContain(`mean</th><td class="n">${((means[0] + means[1]) / 2).toFixed(2)} / 0.`);
  expect(html).toContain('<td class="n best">∞ / 1.0000</td></tr>');
  expect(html).toContain('2 pictures: PSNR in dB / SSIM');
});

test('runs its own script only, loads nothing, and shows names as text', async () => {
  const html = await written(join(temporaryFolder(), 'page.html'), [rowOf('one', 1)]);
  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)!;
  const [, script] = /<script type="module">(.*?)<\/script>/s.exec(html)!;
  const hash = createHash('sha256').update(script).digest('base64');
  expect(policy.split('; ').sort()).toEqual([
    "base-uri 'none'",
    "default-src 'none'",
    "form-action 'none'",
    'img-src data:',
    `script-src 'sha256-${hash}'`,
    "style-src 'unsafe-inline'",
  ]);
  expect(html).not.toMatch(/\b(src|href)=|https?:|\son\w+=|\bstyle="/);
  expect(html).not.toContain('<b>"mine"');
  expect(html).toContain('2 · bicubic</option>');
  expect(html).toContain('<h1>A &amp; B</h1>');
  expect(html).not.toContain('class="mean"');
});

test('begins with two methods, or a method and the original', async () => {
  const chosen = async (labels: readonly string[]) => {
    const path = join(temporaryFolder(), 'page.html');
    await using page = await ComparisonPage.create(path, { title: 'x', labels });
    const row = rowOf('one', 1);
    await page.add({ ...row, results: labels.map(label => ({ label, picture: row.hr })) });
    await page.finish();
    return [...readFileSync(path, 'utf8').matchAll(/<option selected>\d+ · ([^<]+)</g)].map(([, label]) => label);
  };
  expect(await chosen(['a'])).toEqual(['a', 'original']);
  expect(await chosen(['a', 'b', 'c'])).toEqual(['a', 'c']);
});

test('replaces a file only if asked, and then at its end', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'page.html');
  const first = await written(path, [rowOf('one', 1)]);
  await expect(ComparisonPage.create(path, OPTIONS)).rejects.toThrow(
    `${path}: already exists: use --overwrite to replace it`,
  );
  const replacing = { ...OPTIONS, overwrite: true };
  {
    await using page = await ComparisonPage.create(path, replacing);
    await page.add(rowOf('two', 2));
  }
  expect([readdirSync(folder), readFileSync(path, 'utf8')]).toEqual([['page.html'], first]);
  expect(contentsOf(await written(path, [rowOf('two', 2)], replacing)).map(({ name }) => name)).toEqual(['two']);
  mkdirSync(join(folder, 'taken'));
  await expect(ComparisonPage.create(join(folder, 'taken'), replacing)).rejects.toThrow('taken: cannot be written: ');
  await expect(ComparisonPage.create('/dev/null', replacing)).rejects.toThrow(
    '/dev/null: cannot be written: not a file',
  );
});

test('a result of another size is an error', async () => {
  await using page = await ComparisonPage.create(join(temporaryFolder(), 'page.html'), OPTIONS);
  const row = rowOf('one', 1);
  const results = [row.results[0], { label: 'small', picture: createPicture(44, 48, 3) }];
  await expect(page.add({ ...row, results })).rejects.toThrow('one: small: expected ');
});
