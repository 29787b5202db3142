/**
 * Vector width of lavapipe, Mesa's software driver. By default it uses 8 lanes (256 bits) even on processors with 512,
 * because some processors slow down for those. AMD's do not: 16 lanes need half the instructions, and forward
 * convolutions are 1.4 times faster (bench/NOTES.md).
 */
import { readFileSync } from 'node:fs';

/** Read by the driver when it is loaded. A value set by the user takes precedence. */
export const VECTOR_WIDTH = 'LP_NATIVE_VECTOR_WIDTH';

const WIDE = /^flags\s*:.*\bavx512vl\b/m;

/** Content of /proc/cpuinfo; empty except on Linux. */
function cpuinfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}

/** Whether Linux reports 512-bit vectors (AVX-512) for this processor. */
export const hasWideVectors = (): boolean => WIDE.test(cpuinfo());

/** Whether 512 bits are faster on the processor that `cpuinfo` (Linux's /proc/cpuinfo) describes. */
export const prefersWideVectors = (cpuinfo: string): boolean =>
  /^vendor_id\s*:\s*AuthenticAMD$/m.test(cpuinfo) && WIDE.test(cpuinfo);

/** Makes lavapipe use 512 bits where they are faster. No effect on other drivers, or after lavapipe was loaded. */
export function useWideVectors(environment: NodeJS.ProcessEnv = process.env): void {
  if (environment[VECTOR_WIDTH] !== undefined) return;
  if (prefersWideVectors(cpuinfo())) environment[VECTOR_WIDTH] = '512';
}
