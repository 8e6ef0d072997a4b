import type { Handle } from './database.ts';

/** The id that the first migration to know it has given this database. */
export async function deploymentId(db: Handle): Promise<string> {
  const row = await db.selectFrom('deployment').select('deployment_id').executeTakeFirstOrThrow();
  return row.deployment_id;
}
