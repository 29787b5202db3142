/** Advice when an update is too large for the adapter. */
import { LimitError, OutOfMemoryError } from '../../engine/basics/errors.ts';
import type { Planned } from '../../engine/compile.ts';
import type { Device } from '../../engine/device/device.ts';
import type { TrainConfig } from '../config/config.ts';
import { UpdateSizeError } from '../errors.ts';

/** @throws LimitError with the largest binding of an update, if it exceeds the adapter's limit. */
export function checkPlan({ lowered }: Planned, { traits: { maxBindingBytes } }: Device): void {
  let largest: { readonly operation: string; readonly bytes: number } | undefined;
  for (const { operation, buffers } of lowered.calls)
    for (const { bytes } of buffers) if (bytes > (largest?.bytes ?? 0)) largest = { operation, bytes };
  if (largest && largest.bytes > maxBindingBytes)
    throw new LimitError(largest.operation, 'maxStorageBufferBindingSize', largest.bytes, maxBindingBytes);
}

/** Adds to a LimitError or OutOfMemoryError the options that make an update smaller. Returns other errors unchanged. */
export function withLimitAdvice(error: unknown, { batch, accumulate, crop }: TrainConfig): unknown {
  if (!(error instanceof LimitError || error instanceof OutOfMemoryError)) return error;
  const smaller =
    batch % 2 === 0
      ? `--batch ${batch / 2} --accumulate ${2 * accumulate} (the same crops in an update), `
      : 'a smaller --batch, ';
  const problem = error.message.replace(/\.$/, '');
  return new UpdateSizeError(
    `an update of ${batch} crops of ${crop}x${crop} at a time is too large for this adapter: ${problem}; try ` +
      `${batch > 1 ? smaller : ''}a smaller --crop, or a smaller network`,
    { cause: error },
  );
}
