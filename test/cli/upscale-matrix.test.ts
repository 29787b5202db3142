/** Pictures of every kind through `daybreak upscale`: what goes in comes out enlarged, in its own format and depth. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { readProfile } from '../../image/colours/icc.ts';
import { openPicture } from '../../image/files.node.ts';
import type { Picture, Samples } from '../../image/picture.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { fixture } from '../image/fixture-pictures.ts';
import { ADOBE_RGB, srgbOf } from '../image/icc-profile.ts';
import { daybreak } from './daybreak.ts';
import { COPYRIGHT, makeMatrix } from './picture-matrix.ts';

/**
 * Where a picture is not another one with each pixel four by four; -1 where it is, everywhere. Colour counts where it can
 * be seen, alpha (enlarged smoothly, whatever enlarges the colour) away from its edges.
 */
function differs(large: Picture<Samples>, small: Picture<Samples>): number {
  const { channels } = large;
  const alpha = channels % 2 === 0 ? channels - 1 : -1;
  return large.data.findIndex((sample, at) => {
    const c = at % channels;
    const pixel = (at - c) / channels;
    const [x, y] = [(pixel % large.width) >> 2, Math.floor(pixel / large.width) >> 2];
    const from = (y * small.width + x) * channels;
    if (c === alpha) return (x < 2 || x > 14) && sample !== small.data[from + c];
    return sample !== small.data[from + c] && (alpha < 0 || small.data[from + alpha] > 0);
  });
}

test('in its own format, depth and channels, upright, with its metadata', async () => {
  const folder = temporaryFolder();
  const kinds = await makeMatrix(join(folder, 'in'));
  const args = ['upscale', 'in', '-o', 'out', '--format', 'same', '--name', '{name}', '--model', 'nearest'];
  const { code, stdout, stderr } = await daybreak(args, folder);
  expect([code, stdout]).toEqual([0, `${kinds.length} enlarged, 0 skipped, 0 failed\n`]);
  for (const { file, width, height, channels, sixteen, carries, icc, note, exact } of kinds) {
    const [before, after] = [join(folder, 'in', file), join(folder, 'out', file)];
    const { picture } = await openPicture(after);
    const shape = { width: picture.width, height: picture.height, channels: picture.channels };
    const expected = { width: 4 * width, height: 4 * height, channels };
    expect([file, shape, picture.data instanceof Uint16Array]).toEqual([file, expected, sixteen]);
    const [from, to] = await Promise.all([before, after].map(async path => await sharp(path).metadata()));
    expect([file, to.format, to.depth]).toEqual([file, from.format, sixteen ? 'ushort' : 'uchar']);
    expect([file, to.icc, to.orientation ?? 1]).toEqual([file, from.icc, 1]);
    if (icc) expect([file, Buffer.compare(to.icc!, icc)]).toEqual([file, 0]);
    for (const what of carries) expect([file, what, to[what] !== undefined]).toEqual([file, what, true]);
    if (carries.includes('exif')) expect([file, String(to.exif)]).toEqual([file, expect.stringContaining(COPYRIGHT)]);
    if (exact) expect([file, differs(picture, (await openPicture(before)).picture)]).toEqual([file, -1]);
    const told = stderr.split('\n').filter(line => line.includes(file) && !line.includes(' -> '));
    expect([file, told]).toEqual([file, note ? [expect.stringMatching(note)] : []]);
  }
});

test('numbers of Adobe RGB are enlarged as they are, in a JPEG nearly', async () => {
  const folder = temporaryFolder();
  await makeMatrix(join(folder, 'in'));
  const args = ['upscale', 'in/jpeg-adobe-rgb.jpg', '-o', 'out.jpg', '--model', 'nearest'];
  expect(await daybreak(args, folder)).toMatchObject({ code: 0 });
  const numbers = async (path: string, convert: boolean) => await sharp(path, { ignoreIcc: !convert }).raw().toBuffer();
  const [before, after] = [join(folder, 'in/jpeg-adobe-rgb.jpg'), join(folder, 'out.jpg')];
  const large = await numbers(after, false);
  /** Mean difference of a sample. */
  const apart = (small: Buffer) =>
    large.reduce((sum, sample, at) => {
      const [pixel, c] = [Math.floor(at / 3), at % 3];
      const [x, y] = [(pixel % 96) >> 2, Math.floor(pixel / 96) >> 2];
      return sum + Math.abs(sample - small[(24 * y + x) * 3 + c]) / large.length;
    }, 0);
  expect(apart(await numbers(before, false))).toBeLessThan(1);
  expect(apart(await numbers(before, true))).toBeGreaterThan(4);
});

test('without metadata colours become sRGB, and the line says from what', async () => {
  const folder = temporaryFolder();
  await makeMatrix(join(folder, 'in'));
  const files = ['jpeg-adobe-rgb.jpg', 'png-adobe-rgb-16.png', 'png-rgb-16.png'];
  const inputs = files.map(file => join('in', file));
  const args = ['upscale', ...inputs, '-o', 'out', '--format', 'same', '--name', '{name}', '--model', 'nearest'];
  const { code, stderr } = await daybreak([...args, '--metadata', 'strip'], folder);
  const told = (file: string, colours: string) =>
    expect.stringMatching(new RegExp(`^in/${file} 24x20 -> out/${file} 96x80${colours}, [\\d.]+ s$`));
  const from = ', colours of "Like Adobe RGB \\(1998\\)" to sRGB';
  const lines = [told(files[0], from), told(files[1], from), told(files[2], ''), ''];
  expect([code, stderr.split('\n')]).toEqual([0, lines]);
  const { picture, metadata } = await openPicture(join(folder, 'out', files[1]));
  expect(metadata.icc).toBeUndefined();
  const { picture: small } = await openPicture(join(folder, 'in', files[1]));
  for (let at = 0; at < picture.data.length; at += 3) {
    const pixel = at / 3;
    const [x, y] = [(pixel % 96) >> 2, Math.floor(pixel / 96) >> 2];
    const start = (24 * y + x) * 3;
    const [r, g, b] = srgbOf(ADOBE_RGB, [0, 1, 2].map(c => small.data[start + c] / 65535) as [number, number, number]);
    const off = [r, g, b].map((value, c) => Math.abs(picture.data[at + c] / 65535 - value) * 255);
    expect(Math.max(...off)).toBeLessThan(0.05);
  }
  // Any reader sees the colours that it saw before: sharp converts by the profile, where there is one.
  const seen = async (path: string) => await sharp(path).resize(24, 20, { kernel: 'nearest' }).raw().toBuffer();
  const [before, after] = [await seen(join(folder, inputs[0])), await seen(join(folder, 'out', files[0]))];
  const mean = before.reduce((sum, sample, at) => sum + Math.abs(sample - after[at]) / before.length, 0);
  expect(mean).toBeLessThan(1.5);
});

test('colours told otherwise than by a profile: one line, a profile in the result, sRGB where metadata go', async () => {
  const folder = temporaryFolder();
  const input = fileURLToPath(new URL('../fixtures/pictures/jpeg-adobe-rgb-by-exif-r03.jpg', import.meta.url));
  const kept = await daybreak(['upscale', input, '-o', 'kept.tiff', '--model', 'nearest'], folder);
  expect(kept.code).toBe(0);
  expect(kept.stderr.split('\n').filter(line => line.startsWith('warning: '))).toEqual([
    expect.stringMatching(
      /: its colours \(Adobe RGB \(1998\) from its EXIF\) are not sRGB: samples are used unconverted$/,
    ),
  ]);
  const { metadata } = await openPicture(join(folder, 'kept.tiff'));
  expect(readProfile(metadata.icc!)).toMatchObject({ name: 'Adobe RGB (1998)', isSrgb: false });
  const strip = ['upscale', input, '-o', 'strip.png', '--model', 'nearest', '--metadata', 'strip'];
  const stripped = await daybreak(strip, folder);
  expect(stripped.stderr).toMatch(/ 160x96, colours of "Adobe RGB \(1998\)" to sRGB, [\d.]+ s\n$/);
  const { picture } = await openPicture(join(folder, 'strip.png'));
  const pixel = [...picture.data.subarray((40 * 160 + 16) * 3, (40 * 160 + 17) * 3)];
  for (const [c, value] of [229, 75, 77].entries()) expect(Math.abs(pixel[c] - value)).toBeLessThanOrEqual(2);
});

test('what a format cannot hold is told of', async () => {
  const folder = temporaryFolder();
  await makeMatrix(join(folder, 'in'));
  const inputs = ['png-rgba-16.png', 'png-rgb-8.png'].map(file => join('in', file));
  const args = ['upscale', ...inputs, '-o', 'out', '--format', 'jpg', '--model', 'nearest'];
  const { code, stderr } = await daybreak(args, folder);
  expect(code).toBe(0);
  expect(stderr.split('\n').filter(line => line.startsWith('warning: '))).toEqual([
    expect.stringMatching(/png-rgba-16\.png: JPEG holds 8 bits per sample: 16-bit samples are rounded/),
    expect.stringMatching(/png-rgba-16\.png: JPEG has no alpha: the picture is blended with white/),
  ]);
});

test('JPEG by other names, GIF, files with faults: told in a line each, and what stays behind as well', async () => {
  const folder = temporaryFolder();
  const names: Readonly<Record<string, string>> = {
    'a.jfif': 'jpeg-plain.jpg',
    'b.jpe': 'jpeg-no-eoi.jpg',
    'c.jpg': 'jpeg-ultra-hdr-gain-map.jpg',
    'd.png': 'png-ios-optimised.png',
    'e.tif': 'tiff-ascii-without-end.tif',
  };
  mkdirSync(join(folder, 'in'));
  for (const [name, from] of Object.entries(names)) writeFileSync(join(folder, 'in', name), fixture(from));
  await sharp(fixture('jpeg-plain.jpg')).gif().toFile(join(folder, 'in/f.gif'));
  const args = ['upscale', 'in', '-o', 'out', '--format', 'same', '--name', '{name}', '--model', 'nearest'];
  const { code, stdout, stderr } = await daybreak(args, folder);
  expect([code, stdout]).toEqual([1, '5 enlarged, 0 skipped, 1 failed\n']);
  // Pictures are read ahead, so lines of two may change places.
  const lines = stderr.split('\n').filter(line => /^(warning|failed)/.test(line));
  expect(lines.sort((a, b) => (a.slice(a.indexOf('in/')) < b.slice(b.indexOf('in/')) ? -1 : 1))).toEqual([
    'warning: in/b.jpe: repaired a harmless fault: no end-of-image marker (EOI)',
    'warning: in/c.jpg: its gain map (HDR) is not carried over',
    expect.stringMatching(/^failed: in\/d\.png: Apple's PNG variant/),
    expect.stringMatching(/^warning: in\/e\.tif: repaired a harmless fault: its tags \(ASCII/),
  ]);
  for (const name of ['a.jfif', 'b.jpe', 'c.jpg', 'e.tif', 'f.png']) {
    expect((await openPicture(join(folder, 'out', name))).picture).toMatchObject({ width: 160, height: 96 });
  }
});
