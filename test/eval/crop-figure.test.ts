import { expect, test } from 'vitest';
import { cropFigure } from '../../eval/crop-figure.ts';
import { createPicture, type Picture } from '../../image/picture.ts';
import { resize, shrink } from '../../image/resize.ts';
import { formulaPicture } from '../image/fixtures.ts';

const hr = formulaPicture([48, 40, 3, 1]);
const results = ['one', 'two', 'three'].map((label, i) => ({ label, picture: formulaPicture([48, 40, 3, i + 2]) }));
const row = { name: 'a', hr, lr: shrink(hr), results };
const crop = { x: 8, y: 4, width: 12, height: 10 };

/** Positions where `part`, enlarged `times`, stands in `whole`. */
function placesOf(part: Picture, whole: Picture, times: number): string[] {
  const found: string[] = [];
  const matches = (x: number, y: number) => {
    for (let j = 0; j < part.height * times; j++)
      for (let i = 0; i < part.width * times; i++)
        for (let c = 0; c < 3; c++) {
          const from = (Math.floor(j / times) * part.width + Math.floor(i / times)) * 3 + c;
          if (whole.data[((y + j) * whole.width + x + i) * 3 + c] !== part.data[from]) return false;
        }
    return true;
  };
  for (let y = 0; y + part.height * times <= whole.height; y++)
    for (let x = 0; x + part.width * times <= whole.width; x++) if (matches(x, y)) found.push(`${x},${y}`);
  return found;
}

const cropOf = ({ width, data }: Picture): Picture => {
  const out = createPicture(crop.width, crop.height, 3);
  for (let y = 0; y < crop.height; y++)
    out.data.set(data.subarray(((crop.y + y) * width + crop.x) * 3).subarray(0, crop.width * 3), y * crop.width * 3);
  return out;
};

test('the crops of all methods and of the original stand enlarged beside the whole, in two rows', () => {
  const figure = cropFigure(row, { crop, zoom: 3 });
  const places = [...results.map(({ picture }) => picture), hr].map(picture => placesOf(cropOf(picture), figure, 3));
  expect(places.map(({ length }) => length)).toEqual([1, 1, 1, 1]);
  const [[one], [two], [three], [original]] = places.map(([place]) => [place.split(',').map(Number)]);
  expect([one[1], three[1]]).toEqual([two[1], original[1]]);
  expect([one[0], two[0]]).toEqual([three[0], original[0]]);
  expect(three[1]).toBeGreaterThan(one[1] + 30);
  // The mark hides a frame of the whole, so only its first row is compared.
  const top: Picture = { ...hr, height: 1, data: hr.data.subarray(0, 48 * 3) };
  expect(placesOf(top, figure, 1)).toEqual(['24,24']);
  expect(cropFigure(row, { crop, zoom: 3 })).toEqual(figure);
});

test('a large original is shrunk, and the mark with it', () => {
  const figure = cropFigure(row, { crop, longest: 24 });
  const small = resize(hr, { width: 24, height: 20 });
  const top: Picture = { ...small, height: 1, data: small.data.subarray(0, 24 * 3) };
  // The mark begins two pixels above and left of the crop, at (26, 24).
  expect(placesOf({ ...top, width: 2, data: top.data.subarray(0, 6) }, figure, 1)).toContain('24,24');
  const at = ((24 + 2 - 1) * figure.width + 24 + 4) * 3;
  expect([...figure.data.subarray(at, at + 3)]).toEqual([255, 128, 0]);
});

test('a crop outside the original is an error', () => {
  for (const wrong of [
    { ...crop, x: 37 },
    { ...crop, y: -1 },
    { ...crop, width: 0 },
    { ...crop, x: 0.5 },
  ])
    expect(() => cropFigure(row, { crop: wrong })).toThrow('a: --crop: expected a rectangle inside 48x40 pixels, got');
});
