/** The list sorted by a number, lowest first, equals as they stand; the list itself when it is in that order, as most are. */
export function inOrder<T>(list: readonly T[], numberOf: (each: T) => number): readonly T[] {
  let last = Number.NEGATIVE_INFINITY;
  for (const each of list) {
    const number = numberOf(each);
    if (number < last) return list.toSorted((a, b) => numberOf(a) - numberOf(b));
    last = number;
  }
  return list;
}
