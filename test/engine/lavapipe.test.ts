import { expect, test } from 'vitest';
import { prefersWideVectors, useWideVectors, VECTOR_WIDTH } from '../../engine/device/lavapipe.node.ts';

const cpuinfo = (vendor: string, flags: string) =>
  `processor\t: 0\nvendor_id\t: ${vendor}\nflags\t\t: fpu ${flags} sse\n`;

test.each([
  ['AuthenticAMD', 'avx2 avx512f avx512vl', true],
  ['AuthenticAMD', 'avx2', false],
  ['GenuineIntel', 'avx2 avx512f avx512vl', false],
])('%s with %s: 512 bits are asked for: %s', (vendor, flags, wanted) => {
  expect(prefersWideVectors(cpuinfo(vendor, flags))).toBe(wanted);
});

test('a width that the user chose stays', () => {
  const environment = { [VECTOR_WIDTH]: '128' };
  useWideVectors(environment);
  expect(environment).toEqual({ [VECTOR_WIDTH]: '128' });
});
