import type { Handle } from './database.ts';

/** What is known of the secrets that Attio signs its deliveries with. Never a secret itself. */
export class WebhookTrustStore {
  readonly #db: Handle;

  constructor(db: Handle) {
    this.#db = db;
  }

  /** Hashes (SHA-256, hex) of the secrets that were told at registration, by webhook. */
  async secretHashes(): Promise<Map<string, string>> {
    const rows = await this.#db.selectFrom('webhook_secret').selectAll().execute();
    return new Map(rows.map((row) => [row.webhook_id, row.secret_sha256]));
  }

  async noteSecretHash(webhookId: string, hash: string, at: string): Promise<void> {
    await this.#db
      .insertInto('webhook_secret')
      .values({ webhook_id: webhookId, secret_sha256: hash, noted_at: at })
      .onConflict((conflict) =>
        conflict.column('webhook_id').doUpdateSet({ secret_sha256: hash, noted_at: at }),
      )
      .execute();
  }

  async forgetSecret(webhookId: string): Promise<void> {
    await this.#db.deleteFrom('webhook_secret').where('webhook_id', '=', webhookId).execute();
  }

  /** When a signature was last found right, and when last wrong; null: never. */
  async signatures(): Promise<{ acceptedAt: string | null; refusedAt: string | null }> {
    const row = await this.#db.selectFrom('webhook_signature').selectAll().executeTakeFirst();
    return { acceptedAt: row?.accepted_at ?? null, refusedAt: row?.refused_at ?? null };
  }

  /** @param seen a member that is null leaves what is there */
  async noteSignatures(seen: { acceptedAt: string | null; refusedAt: string | null }): Promise<void> {
    const changed = {
      ...(seen.acceptedAt === null ? {} : { accepted_at: seen.acceptedAt }),
      ...(seen.refusedAt === null ? {} : { refused_at: seen.refusedAt }),
    };
    await this.#db
      .insertInto('webhook_signature')
      .values({ id: 1, accepted_at: seen.acceptedAt, refused_at: seen.refusedAt })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ id: 1, ...changed }))
      .execute();
  }
}
