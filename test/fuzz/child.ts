/**
 * Gives damaged files to their reader, one after the other, and says so before and after each: a process that may die
 * or hang. Arguments: kind, seed, first case, case after the last, [a file to write the first case to].
 */
import { writeFileSync, writeSync } from 'node:fs';
import fc from 'fast-check';
import { avifwise, bytewise, configwise, type Mutation, pngwise, safetensorswise } from './mutations.ts';
import { type Kind, seedsOf } from './seeds.ts';
import { answerOf } from './targets.ts';

const MUTATIONS: Readonly<Partial<Record<Kind, fc.Arbitrary<Mutation>>>> = {
  png: pngwise,
  avif: avifwise,
  safetensors: safetensorswise,
  config: configwise,
};

/** Lines for the parent, written at once: what follows may hang. */
const say = (...words: readonly (string | number)[]) => writeSync(1, `${words.join(' ')}\n`);
const resident = () => Math.round(process.resourceUsage().maxRSS / 1024);

const [kind, seed, first, end, file] = process.argv.slice(2) as [Kind, string, string, string, string?];
const seeds = await seedsOf(kind);
const cases = fc.tuple(fc.nat(seeds.length - 1), fc.array(MUTATIONS[kind] ?? bytewise, { minLength: 1, maxLength: 3 }));

/** Case `index` follows from the seed and its number alone. */
function damaged(index: number): Uint8Array {
  const [[which, mutations]] = fc.sample(cases, { seed: Number(seed) * 1_000_003 + index, numRuns: 1 }) as [
    [number, Mutation[]],
  ];
  return mutations.reduce((bytes, mutate) => mutate(bytes), seeds[which]);
}

for (const [i, bytes] of seeds.entries())
  if ((await answerOf(kind, bytes)) !== 'accepted') say('well-formed file', i, 'refused');
say('ready', resident());
for (let index = Number(first); index < Number(end); index++) {
  const bytes = damaged(index);
  if (file !== undefined && index === Number(first)) writeFileSync(file, bytes);
  say('begin', index);
  let answer: string;
  try {
    answer = await answerOf(kind, bytes);
  } catch (error) {
    answer = `unexpected ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
  }
  say('end', index, resident(), answer.replace(/\s+/g, ' ').slice(0, 300));
}
