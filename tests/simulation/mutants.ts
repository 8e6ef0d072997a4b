/** A bug that somebody could have written: one change to one file of the product. */
export interface Mutant {
  readonly name: string;
  readonly what: string;
  readonly file: string;
  /** Text that is there exactly once. */
  readonly find: string;
  readonly put: string;
}

/** What the simulation must be able to see. `npm run simulate -- --mutants` plants each of them. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'settled-before-effect',
    what: 'an event is settled before its effect is stored',
    file: 'src/webhooks/worker.ts',
    find: 'const { outcome, failures } = await router.dispatch(event, Date.parse(row.receivedAt));',
    put: "await settled.add({ id: row.id, outcome: 'done' }); const { outcome, failures } = await router.dispatch(event, Date.parse(row.receivedAt));",
  },
  {
    name: 'dedup-before-effect',
    what: 'a delivery counts as known before its events are stored',
    file: 'src/store/inbox.ts',
    find: 'const store = async (tx: Handle) => {\n      const isNew = await claimKeys(tx, deliveries, dedupeSince);',
    put: 'const isNew = await transaction(this.#db, (tx) => claimKeys(tx, deliveries, dedupeSince));\n    const store = async (tx: Handle) => {',
  },
  {
    name: 'stale-read-wins',
    what: 'an older answer overwrites a newer one',
    file: 'src/domain/decide.ts',
    find: "if (incoming.readAt < current.readAt) return 'stale';",
    put: '',
  },
  {
    name: 'removed-comes-back',
    what: 'a contact that was removed here is taken in again',
    file: 'src/domain/decide.ts',
    find: "if (current.hidden) return 'hidden';",
    put: '',
  },
  {
    name: 'repeat-without-look',
    what: 'a note or task is made again without looking whether it was made',
    file: 'src/services/items/courier.ts',
    find: 'const made = row.sentAt === null && item.attioId === null ? null : await this.#find(row, making, signal);',
    put: 'const made = null;',
  },
  {
    name: 'post-is-repeatable',
    what: 'a POST is sent again by itself after a lost answer',
    file: 'src/attio/resources/sender.ts',
    find: "options?.resend ?? call.idempotent ?? route.method !== 'POST'",
    put: 'options?.resend ?? call.idempotent ?? true',
  },
  {
    name: 'sending-not-noted',
    what: 'that a request is about to be sent is not stored',
    file: 'src/services/items/courier.ts',
    find: '    await markSent();\n',
    put: '',
  },
  {
    name: 'lost-rebase',
    what: 'what waits behind a write of ours takes it for somebody else’s',
    file: 'src/services/outbox/agreement.ts',
    find: 'for (const later of waiting) await stores.outbox.rebase(',
    put: 'for (const later of waiting.slice(0, 0)) await stores.outbox.rebase(',
  },
  {
    name: 'earlier-write-wins',
    what: 'times are compared the wrong way round',
    file: 'src/domain/decide-write.ts',
    find: "return by(since > acceptedAt ? 'attio' : 'local');",
    put: "return by(since < acceptedAt ? 'attio' : 'local');",
  },
  {
    name: 'no-look-before-write',
    what: 'a record is looked at once, and not again before each write',
    file: 'src/services/outbox/look.ts',
    find: "return this.#ask(kind, 'id', recordId, (ids, signal) => this.#readIds(kind, ids, signal));",
    put: "return (this.looks ??= new Map()).get(recordId) ?? this.#ask(kind, 'id', recordId, (ids, signal) => this.#readIds(kind, ids, signal)).then((look) => { this.looks.set(recordId, look); return look; });",
  },
  {
    name: 'conflict-not-kept',
    what: 'a write that yields leaves no conflict row',
    file: 'src/services/outbox/settler.ts',
    find: 'held = await recordConflicts(stores, subject, plan, at);',
    put: '',
  },
  {
    name: 'order-per-record',
    what: 'writes of one record are sent side by side',
    file: 'src/store/sendable.ts',
    find: ".where('earlier.status', '=', 'pending')",
    put: ".where('earlier.status', '=', 'never')",
  },
  {
    name: 'settled-before-sent',
    what: 'a write is settled before it is sent',
    file: 'src/services/outbox/worker.ts',
    find: 'await this.#deps.courierOf(row.kind).deliver(row, signal);',
    put: "await this.#deps.outbox.settle(row.id, 'done', row.acceptedAt, null); await this.#deps.courierOf(row.kind).deliver(row, signal);",
  },
  {
    name: 'merged-not-followed',
    what: 'the id of a merged record does not lead to the survivor',
    file: 'src/services/living.ts',
    find: 'step < MAX_MERGE_STEPS',
    put: 'step < 0 * MAX_MERGE_STEPS',
  },
  {
    name: 'pages-not-linked',
    what: 'pages of a full sync that share nothing are not read again',
    file: 'src/services/sync/page-links.ts',
    find: 'return after.some((id) => ids.has(id));',
    put: 'return ids.size >= 0;',
  },
  {
    name: 'echo-not-read',
    what: 'an event about what we have written lately is taken for our own, and not read',
    file: 'src/domain/echoes.ts',
    find: "return isExpected || own.isPending ? 'gather' : 'read';",
    put: "return isExpected ? 'no-news' : own.isPending ? 'gather' : 'read';",
  },
  {
    name: 'removal-not-told',
    what: 'followers are not told that a contact was removed',
    file: 'src/services/outbox/removal.ts',
    find: 'if (entity.deletedAt === null) await appendDeletion(stores, entity, at);',
    put: '',
  },
  {
    name: 'dependents-forgotten',
    what: 'what hangs on a deleted record is not looked at again',
    file: 'src/services/sync/gone.ts',
    find: 'this.#onGone(settled.map((row) => row.survivorId ?? row.absence.recordId));',
    put: '',
  },
];
