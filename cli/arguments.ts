/** Numbers on a command line. */

import { InvalidArgumentError } from 'commander';

function wholeNumber(text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
    throw new InvalidArgumentError(`expected a whole number, ${least} or more.`);
  }
  return value;
}

/** 1, 2, 3 … @throws InvalidArgumentError, which commander prints with the option's name. */
export const positiveInteger = (text: string): number => wholeNumber(text, 1);

/** 0, 1, 2 … @throws InvalidArgumentError, which commander prints with the option's name. */
export const naturalNumber = (text: string): number => wholeNumber(text, 0);
