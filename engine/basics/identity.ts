/** Numbers for objects, for keys. */
const identities = new WeakMap<object, number>();
let nextIdentity = 1;

/** A number for an object, always the same one. */
export function identityOf(object: object): number {
  let known = identities.get(object);
  if (known === undefined) {
    known = nextIdentity++;
    identities.set(object, known);
  }
  return known;
}
