import type { Asked } from '../history.ts';
import type { Simulation } from '../simulation.ts';

/** How long before a removal a write may have been sent, and still be worked on after it. @unit ms */
const UNDER_WAY_MS = 60_000;

/** A contact that was removed stays away until somebody writes it anew. */
export function removalProblems({ history, stored }: Simulation): string[] {
  const living = new Set(
    stored
      .all<{ id: string }>(`select id from entity where kind = 'people' and deleted_at is null`)
      .map(({ id }) => id),
  );
  return history.asked.flatMap((asked) => {
    if (asked.method !== 'DELETE' || !isDone(asked)) return [];
    const { id, emails } = (asked.answer as { data: { id: string; emails: string[] } }).data;
    const isWrittenAnew = history.asked.some(
      (other) => other.sentAt > asked.sentAt - UNDER_WAY_MS && emails.some((email) => mentions(other, email)),
    );
    return living.has(id) && !isWrittenAnew ? [`contact ${id} was removed by w${asked.n}, and is back`] : [];
  });
}

function isDone({ status }: Asked): boolean {
  return status === 200 || status === 202;
}

function mentions({ method, body }: Asked, email: string): boolean {
  return method !== 'DELETE' && JSON.stringify(body).includes(email);
}
