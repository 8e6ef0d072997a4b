type Tuple<T, N extends 1 | 2 | 3> = N extends 1 ? [T] : N extends 2 ? [T, T] : [T, T, T];

/** The first ones. @throws when there are fewer */
export function firstOf<T, N extends 1 | 2 | 3>(all: readonly T[], count: N): Tuple<T, N> {
  const found = all.slice(0, count);
  if (found.length < count) throw new Error(`the workspace has only ${found.length} of these`);
  return found as Tuple<T, N>; // its length was just looked at
}
