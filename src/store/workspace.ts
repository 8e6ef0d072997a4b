import type { Handle } from './database.ts';

/** Which Attio workspace this database mirrors: one deployment, one workspace. */
export class WorkspaceStore {
  readonly #db: Handle;

  constructor(db: Handle) {
    this.#db = db;
  }

  async get(): Promise<string | null> {
    const row = await this.#db.selectFrom('workspace').select('workspace_id').executeTakeFirst();
    return row?.workspace_id ?? null;
  }

  /** Stores the first one learnt, for good. @returns the one that stands */
  async learn(workspaceId: string, at: string): Promise<string> {
    const known = await this.get();
    if (known !== null) return known;
    await this.#db
      .insertInto('workspace')
      .values({ id: 1, workspace_id: workspaceId, learnt_at: at })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return (await this.get()) ?? workspaceId;
  }
}
