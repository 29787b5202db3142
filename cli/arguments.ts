/** Parses numbers on a command line. All throw InvalidArgumentError, which commander prints with the option's name. */

import { InvalidArgumentError } from 'commander';
import { MOST_SCALE } from '../eval/result-size.ts';

function wholeNumber(text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    const range = most < Number.MAX_SAFE_INTEGER ? `${least} to ${most}` : `${least} or more`;
    throw new InvalidArgumentError(`expected a whole number, ${range}.`);
  }
  return value;
}

/** 1, 2, 3 … */
export const positiveInteger = (text: string): number => wholeNumber(text, 1);

/** 0, 1, 2 … */
export const naturalNumber = (text: string): number => wholeNumber(text, 0);

/** 1 to 100. */
export const percent = (text: string): number => wholeNumber(text, 1, 100);

/** More than 0, up to MOST_SCALE, not necessarily whole. */
export function scaleNumber(text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || !(value > 0 && value <= MOST_SCALE))
    throw new InvalidArgumentError(`expected a number above 0, up to ${MOST_SCALE}.`);
  return value;
}

/** Collects the values of an option that can be repeated. */
export const collect = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];
