/** What a compiled function refuses, with nothing left behind. */
import { describe, expect, test } from 'vitest';
import { DaybreakError, DisposedError, TraceError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { Device } from '../../engine/device/device.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { add, neg } from '../../kernels/index.ts';
import { sharedDevice, takeOne } from '../device.ts';

const device = sharedDevice();
const live = () => device().memory.figures().live;
const once = async (result: Tensor) => [...(await takeOne(result))];

describe('refused, with nothing left behind', () => {
  test('reading a tensor while tracing', async () => {
    const read: Promise<unknown>[] = [];
    using f = compile((x: Tensor) => {
      read.push(
        neg(x)
          .data()
          .catch((error: unknown) => error),
      );
      read.push(x.item().catch((error: unknown) => error));
      expect(() => x.storage).toThrow(TraceError);
      return x;
    });
    tidy(() => f(tensor([1]))).dispose();
    for (const error of await Promise.all(read)) expect(error).toBeInstanceOf(TraceError);
  });

  test('a tensor that escaped from its trace', () => {
    let escaped: Tensor | undefined;
    using f = compile((x: Tensor) => {
      escaped = neg(x);
      return escaped;
    });
    tidy(() => f(tensor([1]))).dispose();
    expect(() => neg(escaped!)).toThrow(TraceError);
    using g = compile((x: Tensor) => add(x, escaped!));
    expect(() => tidy(() => g(tensor([1])))).toThrow(TraceError);
    expect(() => tidy(() => f(escaped!))).toThrow(TraceError);
  });

  test('an error in the body', async () => {
    const v = variable([1], [1]);
    let broken = true;
    using f = compile((x: Tensor) => {
      const y = add(x, tensor([1]));
      v.assign(y);
      if (broken) throw new RangeError('mine');
      return y;
    });
    using x = tensor([1]);
    const before = live();
    expect(() => f(x)).toThrow('mine');
    expect(live()).toBe(before);
    expect([...(await v.data())]).toEqual([1]);
    // And the trace has ended.
    expect(await once(neg(x))).toEqual([-1]);
    broken = false;
    expect(await once(f(x))).toEqual([2]);
    v.dispose();
  });

  test('disposed arguments', () => {
    using f = compile((x: Tensor) => neg(x));
    const x = tensor([1]);
    x.dispose();
    expect(() => f(x)).toThrow(DisposedError);
  });

  test('another device', async () => {
    using other = await Device.create();
    using f = compile((x: Tensor, y: Tensor) => add(x, y));
    tidy(() => f(tensor([1]), tensor([2])).dispose());
    using far = tensor([1], [1], { device: other });
    using near = tensor([1]);
    expect(() => f(far, far)).toThrow(DaybreakError);
    expect(() => f(near, far)).toThrow(/device/);
    expect(() => add(near, far)).toThrow(/different devices/);
    await other.finished();
  });
});
