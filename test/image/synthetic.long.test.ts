import { expect, test } from 'vitest';
import { readPicture } from '../../image/files.node.ts';
import { crop, toRgb } from '../../image/picture.ts';
import { picturePaths } from './fixture-pictures.ts';
import { DATA } from './fixtures.ts';
import { meanStatistics, PHOTOGRAPHS, type Statistics, statisticsOf } from './picture-statistics.ts';

test('the photographs measure as written down', async context => {
  if (DATA === undefined) return context.skip('DAYBREAK_DATA is not set: no photographs');
  const all: Statistics[] = [];
  for (const path of picturePaths(`${DATA}/train`)) {
    all.push(statisticsOf(toRgb(crop(await readPicture(path), 128, 128, 256, 256))));
  }
  const mean = meanStatistics(all);
  for (const key of Object.keys(PHOTOGRAPHS) as (keyof Statistics)[]) {
    expect(Math.abs(mean[key] / PHOTOGRAPHS[key][0] - 1), `${key}: ${mean[key]}`).toBeLessThan(0.03);
  }
});
