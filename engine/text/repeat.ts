/** Repeated text. */

/** The numbers 0 to n − 1. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** One statement per line for each number from 0 to n − 1. */
export const lines = (n: number, line: (i: number) => string): string => range(n).map(line).join('\n    ');
