/** Numbers on a command line. */

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

/** 1, 2, 3 … @throws InvalidArgumentError, which commander prints with the option's name. */
export const positiveInteger = (text: string): number => wholeNumber(text, 1);

/** 0, 1, 2 … @throws InvalidArgumentError, which commander prints with the option's name. */
export const naturalNumber = (text: string): number => wholeNumber(text, 0);

/** 1 to 100. @throws InvalidArgumentError, which commander prints with the option's name. */
export const percent = (text: string): number => wholeNumber(text, 1, 100);

/** More than 0, up to 4, not necessarily whole. @throws InvalidArgumentError, which commander prints with the option's name. */
export function scaleNumber(text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || !(value > 0 && value <= MOST_SCALE))
    throw new InvalidArgumentError(`expected a number above 0, up to ${MOST_SCALE}.`);
  return value;
}
