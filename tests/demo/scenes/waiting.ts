import { setTimeout as sleep } from 'node:timers/promises';
import type { Batch, Contact, Health } from '../service-api.ts';
import { PATIENCE_MS, type Play } from './telling.ts';

const POLL_MS = 200;

/** @returns the last health seen, whether it fits or not */
export function healthThat({ stage }: Play, fits: (health: Health) => boolean): Promise<Health> {
  return lastOf(() => stage.api.health(), fits);
}

/** @returns the contact as last seen, whether it fits or not */
export function contactThat({ stage }: Play, id: string, fits: (contact: Contact) => boolean) {
  return lastOf(
    () => stage.api.contact(id),
    (contact) => contact !== null && fits(contact),
  );
}

/** Waits until nothing of a batch is pending. */
export function batchEnds({ stage }: Play, id: string, onProgress?: (done: number) => void): Promise<Batch> {
  return lastOf(
    () => stage.api.batch(id),
    ({ total, pending }) => {
      onProgress?.(total - pending);
      return pending === 0;
    },
  );
}

/** Waits until every webhook is delivered and settled, and every write too. */
export async function quiet(play: Play): Promise<void> {
  await play.stage.sandbox.sandbox.settled();
  await healthThat(play, ({ checks: { inbox, outbox } }) => inbox.pending + outbox.pending === 0);
}

async function lastOf<T>(look: () => Promise<T>, fits: (seen: T) => boolean): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (fits(seen) || performance.now() > deadline) return seen;
    await sleep(POLL_MS);
  }
}
