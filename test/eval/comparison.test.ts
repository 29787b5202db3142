import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ComparisonRow, comparisonPicture } from '../../eval/comparison.ts';
import { mostTellingRegion, regionSize } from '../../eval/comparison-region.ts';
import { drawText, LINE_HEIGHT, textWidth } from '../../eval/lettering.ts';
import { quality } from '../../eval/protocols.ts';
import { luma, toGrey } from '../../image/colour.ts';
import { createPicture, crop, type Picture, toRgb } from '../../image/picture.ts';
import { resize, shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';

function row(name: string, hr: Picture): ComparisonRow {
  const lr = shrink(hr);
  const bicubic = resize(lr, 4);
  const better = { ...bicubic, data: bicubic.data.map((value, i) => (value + hr.data[i]) >> 1) };
  return {
    name,
    lr,
    hr,
    results: [
      { label: 'bicubic', picture: bicubic },
      { label: 'half way', picture: better },
    ],
  };
}

/** Where `part` lies in `whole`, pixel for pixel; every place. */
function placesOf(whole: Picture, part: Picture): { x: number; y: number }[] {
  const line = (picture: Picture, pixel: number) => Buffer.from(picture.data.buffer, pixel * 3, part.width * 3);
  const places: { x: number; y: number }[] = [];
  const all = Buffer.from(whole.data.buffer);
  for (let at = all.indexOf(line(part, 0)); at >= 0; at = all.indexOf(line(part, 0), at + 1)) {
    const [x, y] = [(at / 3) % whole.width, Math.floor(at / 3 / whole.width)];
    if (at % 3 !== 0 || x + part.width > whole.width || y + part.height > whole.height) continue;
    const rows = Array.from({ length: part.height }, (_, k) => k);
    if (rows.every(k => line(whole, at / 3 + k * whole.width).equals(line(part, k * part.width))))
      places.push({ x, y });
  }
  return places;
}

const original = syntheticPicture(4, 2, 96, 64);

test('LR as squares, the results and the original stand in a row, each once', () => {
  const one = row('p', original);
  const picture = comparisonPicture([one], { longest: 96 });
  const shown = [
    resize(one.lr, 4, { method: 'nearest' }),
    one.results[0].picture,
    one.results[1].picture,
    original,
  ].map(part => placesOf(picture, part));
  expect(shown.map(places => places.length)).toEqual([1, 1, 1, 1]);
  const at = shown.map(([place]) => place);
  expect(new Set(at.map(({ y }) => y)).size).toBe(1);
  for (let i = 1; i < 4; i++) expect(at[i].x).toBeGreaterThan(at[i - 1].x + 96);
});

test("under each result stand its label and its scores by the protocol asked for, the best one's in bold", () => {
  const one = row('p', original);
  for (const protocol of ['matlab', 'paper'] as const) {
    const picture = comparisonPicture([one], { longest: 96, protocol });
    one.results.forEach(({ label, picture: result }, i) => {
      const [{ x, y }] = placesOf(picture, result);
      const { psnr, ssim } = quality(result, original, protocol);
      const figures = `${psnr.toFixed(2)} dB / ${ssim.toFixed(4)}`;
      const bold = i === 1;
      const caption = createPicture(Math.max(textWidth(label, { bold: true }), textWidth(figures, { bold })), 36, 3);
      caption.data.fill(255);
      drawText(caption, label, 0, 0, { bold: true });
      drawText(caption, figures, 0, LINE_HEIGHT, { bold });
      expect(crop(picture, x, y + 64 + 10, caption.width, 36).data).toEqual(caption.data);
    });
  }
});

test('of a large picture the part is shown where the results differ most; a small one is enlarged', () => {
  const hr = syntheticPicture(4, 1, 256, 128);
  const one = row('large', hr);
  const changed = { ...hr, data: hr.data.slice() };
  for (let y = 40; y < 50; y++) for (let x = 180; x < 190; x++) changed.data[(y * 256 + x) * 3] ^= 128;
  const results = [
    { label: 'as it is', picture: hr },
    { label: 'changed', picture: changed },
  ];
  const picture = comparisonPicture([{ ...one, results }], { longest: 64 });
  const { x, y, width, height } = mostTellingRegion(hr, changed, 64, 32, 4);
  expect(x <= 180 && y <= 40 && x + width >= 190 && y + height >= 50).toBe(true);
  // The first result and the original are the same.
  expect(placesOf(picture, crop(hr, x, y, 64, 32))).toHaveLength(2);
  expect(placesOf(picture, crop(changed, x, y, 64, 32))).toHaveLength(1);

  const twice = comparisonPicture([row('small', original)], { longest: 200 });
  expect(placesOf(twice, resize(original, 2, { method: 'nearest' }))).toHaveLength(1);
});

test('zoom adds the most telling part so many times as large, framed', () => {
  const one = row('p', original);
  const plain = comparisonPicture([one], { longest: 96 });
  const zoomed = comparisonPicture([one], { longest: 96, zoom: 3 });
  const region = mostTellingRegion(one.results[0].picture, one.results[1].picture, 32, 20, 4);
  const detail = resize(crop(original, region.x, region.y, 32, 20), 3, { method: 'nearest' });
  expect(placesOf(plain, detail)).toHaveLength(0);
  const [{ x, y }] = placesOf(zoomed, detail);
  expect([...zoomed.data.subarray(((y - 1) * zoomed.width + x) * 3, ((y - 1) * zoomed.width + x) * 3 + 3)]).toEqual([
    255, 128, 0,
  ]);
  expect(zoomed.height - plain.height).toBe(60 + 12);
});

test('rows, heading and note add up; the same input gives the same bytes', () => {
  const rows = [row('first', original), row('second', syntheticPicture(4, 3, 64, 96))];
  const options = { longest: 96, heading: 'Comparison', note: 'after 10 steps' };
  const picture = comparisonPicture(rows, options);
  expect(Buffer.from(comparisonPicture(rows, options).data).equals(picture.data)).toBe(true);
  const single = comparisonPicture(rows.slice(0, 1), { longest: 96 });
  const other = comparisonPicture(rows.slice(1), { longest: 96 });
  expect(picture.width).toBe(Math.max(single.width, other.width));
  expect(picture.height).toBeGreaterThan(single.height + 96 + 2 * LINE_HEIGHT);
  expect(placesOf(picture, rows[1].hr)).toHaveLength(1);
});

test('grey pictures are shown as grey', () => {
  const grey = toGrey(original);
  const picture = comparisonPicture([row('grey', grey)], { longest: 96 });
  expect(placesOf(picture, toRgb(grey))).toHaveLength(1);
});

test('rows that do not fit together are refused by name', () => {
  const one = row('p', original);
  expect(() => comparisonPicture([])).toThrow('comparison: no pictures to compare');
  expect(() => comparisonPicture([{ ...one, lr: createPicture(23, 16, 3) }])).toThrow(
    /^p: expected an original that is a whole multiple/,
  );
  const results = [{ label: 'odd', picture: createPicture(95, 64, 3) }];
  expect(() => comparisonPicture([{ ...one, results }])).toThrow(/^p: odd: expected .*, got 95x64, 3 channels/);
  expect(() => comparisonPicture([one], { zoom: 1.5 })).toThrow('longest (from 16) and zoom (from 1), got 320 and 1.5');
});

test('the most telling region is the best of all, found by trying them', () => {
  const bytes = fc.uint8Array({ minLength: 20 * 14, maxLength: 20 * 14 });
  const side = (max: number) => fc.integer({ min: 1, max });
  fc.assert(
    fc.property(bytes, bytes, side(20), side(14), side(4), (one, other, width, height, step) => {
      const [a, b] = [createPicture(20, 14, 1, one), createPicture(20, 14, 1, other)];
      const [ya, yb] = [luma(a).data, luma(b).data];
      const sum = (x: number, y: number) => {
        let total = 0;
        for (let i = y; i < y + height; i++) {
          for (let j = x; j < x + width; j++) total += (ya[i * 20 + j] - yb[i * 20 + j]) ** 2;
        }
        return total;
      };
      const found = mostTellingRegion(a, b, width, height, step);
      for (let y = 0; y + height <= 14; y += step) {
        for (let x = 0; x + width <= 20; x += step) expect(sum(x, y)).toBeLessThanOrEqual(sum(found.x, found.y));
      }
    }),
  );
});

test('the size shown keeps proportions and whole low-resolution pixels', () => {
  expect(regionSize(createPicture(1024, 484, 1), 320, 4)).toEqual({ width: 320, height: 148 });
  expect(regionSize(createPicture(228, 344, 1), 320, 4)).toEqual({ width: 212, height: 320 });
  expect(regionSize(createPicture(320, 200, 1), 320, 4)).toEqual({ width: 320, height: 200 });
  expect(regionSize(createPicture(4000, 40, 1), 320, 4)).toEqual({ width: 320, height: 4 });
});
