import type { TestDatabase } from '../../support/engines.ts';
import type { Attio } from './attio.ts';
import { BenchService, deliveryBytes, type Subject } from './bench-service.ts';
import { closedLoad } from './http-load.ts';

const CONNECTIONS = 64;

export function subjectsOf(attio: Attio, ids: readonly string[]): Subject[] {
  return ids.map((recordId) => ({ workspaceId: attio.workspaceId, objectId: attio.peopleId, recordId }));
}

/** Deliveries about these records in turn, until there are so many. */
export function deliveriesAbout(subjects: readonly Subject[], count: number): Buffer[] {
  const deliveries: Buffer[] = [];
  while (deliveries.length < count) {
    deliveries.push(...subjects.slice(0, count - deliveries.length).map((subject) => deliveryBytes(subject)));
  }
  return deliveries;
}

/** Has a database hold so many events that nobody has worked on, as when Attio cannot be asked. It is left unused. */
export async function fillInbox(
  database: TestDatabase,
  attio: Attio,
  subjects: readonly Subject[],
  count: number,
): Promise<void> {
  await using service = await BenchService.start({ databaseUrl: database.url, attioUrl: attio.url });
  const { statuses } = await closedLoad(service.port, deliveriesAbout(subjects, count), CONNECTIONS);
  if (statuses[202] !== count)
    throw new Error(`of ${count} deliveries not all were accepted: ${JSON.stringify(statuses)}`);
}

/** When the last event was settled. @unit ms */
export async function lastSettledAt(database: TestDatabase): Promise<number> {
  const [row] = await database.rows('select max(settled_at) as at from inbox');
  return Date.parse(String(row?.['at']));
}

/** What was settled before an event of the same record that had come, and was stored, earlier. Where the two differ, either order will do. */
export async function settledOutOfOrder(database: TestDatabase): Promise<number> {
  // A copy, of which SQLite makes itself an index by subject: by those that the table has it would compare all with all.
  const [row] = await database.rows(
    `with event as materialized (select id, subject_id, received_at, settled_at from inbox)
     select count(distinct late.id) as n from event as late join event as earlier
       on earlier.subject_id = late.subject_id and +earlier.id < late.id and earlier.received_at <= late.received_at
       where late.settled_at < earlier.settled_at`,
  );
  return Number(row?.['n']);
}
