import fc from 'fast-check';
import { expect, test } from 'vitest';
import { drawText, fitText, type Lettering, textWidth, wrapText } from '../../eval/lettering.ts';
import { createPicture, type Picture } from '../../image/picture.ts';

function paper(width: number, height: number): Picture {
  const picture = createPicture(width, height, 3);
  picture.data.fill(255);
  return picture;
}

function written(text: string, lettering: Lettering = {}, width = 60): Picture {
  const picture = paper(width, 60);
  drawText(picture, text, 10, 8, lettering);
  return picture;
}

/** First and last column with ink, darker than `level`. */
function inked({ width, data }: Picture, level = 200): { first: number; last: number } {
  let [first, last] = [width, -1];
  for (let i = 0; i < data.length; i += 3) {
    if (data[i] > level) continue;
    const x = (i / 3) % width;
    [first, last] = [Math.min(first, x), Math.max(last, x)];
  }
  return { first, last };
}

const PRINTABLE = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
const OTHERS = [...'×·–—±…→°∞ß'];

test('every printable character has a form of its own, regular and bold', () => {
  for (const bold of [false, true]) {
    const forms = new Map<string, string>();
    for (const character of [...PRINTABLE, ...OTHERS, '日']) {
      const picture = written(character, { bold });
      expect(inked(picture).last, character).toBeGreaterThan(9);
      const form = Buffer.from(picture.data).toString('base64');
      expect(forms.get(form), `${character} looks like ${forms.get(form)}`).toBeUndefined();
      forms.set(form, character);
    }
  }
});

test('a line is as wide as textWidth says, within the pen', () => {
  for (const scale of [1, 1.5, 2, 3]) {
    for (const bold of [false, true]) {
      for (const text of ['H', 'Hamburgefonts 0123', 'LR | bicubic (80×60)', 'jpgqy,;']) {
        const lettering = { scale, bold };
        const { first, last } = inked(written(text, lettering, 800), 240);
        expect(Math.abs(first - 10), `${text} begins`).toBeLessThanOrEqual(scale);
        expect(Math.abs(last + 1 - 10 - textWidth(text, lettering)), `${text} ends`).toBeLessThanOrEqual(2 * scale);
      }
    }
  }
});

test('stems are full pixels at whole scales, capitals ten units high', () => {
  const { width, data } = written('I');
  const dark = Array.from({ length: 60 }, (_, y) => data[(y * width + 10) * 3]);
  expect(dark.slice(9, 18)).toEqual(Array(9).fill(26));
  expect(dark.slice(0, 7).concat(dark.slice(20))).toEqual(Array(47).fill(255));
});

test('figures stand in columns, accents are left out, and the ink is what was asked for', () => {
  const widths = [...'0123456789'].map(digit => textWidth(digit.repeat(5)));
  expect(new Set(widths).size).toBe(1);
  expect(written('é').data).toEqual(written('e').data);
  const red = written('I', { ink: [255, 0, 0] });
  expect([...red.data.subarray((12 * 60 + 10) * 3, (12 * 60 + 10) * 3 + 3)]).toEqual([255, 0, 0]);
});

test('text beyond the edges is cut, and nothing wraps round', () => {
  fc.assert(
    fc.property(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -30, max: 40 }), (x, y) => {
      const small = paper(24, 16);
      drawText(small, 'Wg@', x, y);
      const large = paper(24 + 200, 16 + 200);
      drawText(large, 'Wg@', x + 100, y + 100);
      for (let row = 0; row < 16; row++) {
        const start = ((row + 100) * 224 + 100) * 3;
        expect(small.data.slice(row * 72, row * 72 + 72)).toEqual(large.data.slice(start, start + 72));
      }
    }),
    { numRuns: 60 },
  );
});

test('what is too long is shortened or broken so that it fits', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z0-9 ]{0,40}$/), fc.integer({ min: 12, max: 300 }), (text, width) => {
      const fitted = fitText(text, width);
      expect(textWidth(fitted)).toBeLessThanOrEqual(width);
      if (textWidth(text) <= width) expect(fitted).toBe(text);
      else expect(text.startsWith(fitted.slice(0, -1)) && fitted.endsWith('…')).toBe(true);
      const lines = wrapText(text, width);
      expect(lines.join(' ')).toBe(text);
      for (const line of lines) expect(textWidth(line) <= width || !line.includes(' ')).toBe(true);
    }),
  );
});
