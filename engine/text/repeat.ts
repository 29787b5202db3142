/** Texts that say the same for several numbers. */

/** 0 to before `n`. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** A statement for each number from 0 to before `n`, a line each. */
export const lines = (n: number, line: (i: number) => string): string => range(n).map(line).join('\n    ');
