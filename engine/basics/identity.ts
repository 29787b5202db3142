/** Unique numbers for objects, for use in cache keys. */
const identities = new WeakMap<object, number>();
let nextIdentity = 1;

/** The number of an object. It never changes. */
export function identityOf(object: object): number {
  let known = identities.get(object);
  if (known === undefined) {
    known = nextIdentity++;
    identities.set(object, known);
  }
  return known;
}
