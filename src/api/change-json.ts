import type { Change } from '../domain/changes.ts';
import { encodeCursor } from './cursor.ts';

/** The name of the feed in its cursors. */
export const CHANGES_LIST = 'changes';

/** A change as the feed shows it, and as it is pushed. */
export function changeJson(change: Change) {
  const { seq, changed, object, ...rest } = change;
  return {
    ...rest,
    ...(object === '' ? {} : { object }),
    cursor: encodeCursor(CHANGES_LIST, seq),
    changed: [...changed],
  };
}
