import { expect, test } from 'vitest';
import { LruCache } from '../../engine/basics/lru-cache.ts';

test('evicts the least recently used entry, by reading or writing', () => {
  const forgotten: number[] = [];
  const map = new LruCache<string, number>(2, value => forgotten.push(value));
  map.set('a', 1);
  map.set('b', 2);
  expect(map.get('a')).toBe(1);
  map.set('c', 3);
  expect([...map.values()]).toEqual([1, 3]);
  map.set('a', 4);
  map.set('d', 5);
  expect([map.get('c'), map.get('a'), map.size, forgotten]).toEqual([undefined, 4, 2, [2, 3]]);
  map.delete('a');
  expect([[...map.values()], forgotten]).toEqual([[5], [2, 3]]);
});
