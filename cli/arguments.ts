/** Numbers on a command line. */

import { InvalidArgumentError } from 'commander';

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
