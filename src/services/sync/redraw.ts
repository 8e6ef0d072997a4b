import { createHash } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { ENTITY_KINDS, type EntityKind, type EntityRow } from '../../domain/entities.ts';
import { canonicalJson, type Json, type JsonObject } from '../../domain/json.ts';
import { DEFAULT_MAPPINGS, type FieldRule } from '../../domain/mapping.ts';
import { openIntents } from '../conflicts/open.ts';
import { ServiceError } from '../errors.ts';
import type { Stores, UnitOfWork } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import type { Mapping } from './mapping.ts';
import { agreedFacts, drawnAnew, type PlainOf } from './project.ts';
import type { Repairs } from './repairs.ts';

/** Where it is noted which mapping things were last drawn with. */
export interface NotedMappings {
  recall(key: string): Promise<readonly JsonObject[] | null>;
  remember(key: string, items: readonly JsonObject[]): Promise<void>;
}

const AT_ONCE = 50;

/**
 * Things are stored as the mapping shows them. When the configuration has another one, all are drawn anew from what is
 * mirrored of their records, once, behind the start; Attio is asked for nothing but the schema.
 */
export class Redraw {
  readonly #store: UnitOfWork;
  readonly #mapping: Mapping;
  readonly #schema: Pick<SchemaService, 'plainValues'>;
  readonly #repairs: Repairs;
  readonly #noted: NotedMappings;
  readonly #clock: Clock;

  constructor(deps: {
    store: UnitOfWork;
    mapping: Mapping;
    schema: Pick<SchemaService, 'plainValues'>;
    repairs: Repairs;
    noted: NotedMappings;
    clock: Clock;
  }) {
    this.#store = deps.store;
    this.#mapping = deps.mapping;
    this.#schema = deps.schema;
    this.#repairs = deps.repairs;
    this.#noted = deps.noted;
    this.#clock = deps.clock;
  }

  /** One kind after the other. Objects that the workspace lacks have no things. */
  async all(signal: AbortSignal): Promise<void> {
    for (const kind of ENTITY_KINDS) await this.run(kind, signal);
  }

  /** Begins anew where it was cut off. @throws ServiceError `unavailable` while the schema cannot be had */
  async run(kind: EntityKind, signal: AbortSignal): Promise<void> {
    const key = `mapping/${kind}`;
    const hash = hashOf(this.#mapping.rules(kind));
    const [noted] = (await this.#noted.recall(key)) ?? [{ hash: hashOf(DEFAULT_MAPPINGS[kind]) }];
    if (noted?.['hash'] === hash) return;
    const plainOf = await this.#plainOf(kind);
    for (let after: string | null = ''; after !== null; after = await this.#some(kind, after, plainOf)) {
      if (signal.aborted) return;
    }
    this.#repairs.committed();
    await this.#noted.remember(key, [{ hash }]);
  }

  async #plainOf(kind: EntityKind): Promise<PlainOf> {
    try {
      return await this.#schema.plainValues(kind);
    } catch (error) {
      if (error instanceof ServiceError && error.kind === 'not_found') return () => ({});
      throw error;
    }
  }

  /** @returns where to go on; null at the end */
  async #some(kind: EntityKind, after: string, plainOf: PlainOf): Promise<string | null> {
    return this.#store.transaction(async (stores) => {
      const rows = await stores.entities.list(kind, after, AT_ONCE);
      await this.#draw(stores, kind, rows, plainOf);
      return rows.length < AT_ONCE ? null : (rows.at(-1)?.id ?? null);
    });
  }

  async #draw(stores: Stores, kind: EntityKind, rows: readonly EntityRow[], plainOf: PlainOf): Promise<void> {
    const at = new Date(this.#clock.now()).toISOString();
    const recordIds = rows.flatMap(({ recordId }) => recordId ?? []);
    const records = await stores.records.load(kind, recordIds);
    const ids = rows.map(({ id }) => id);
    const pending = await stores.outbox.pendingOf(kind, ids);
    const open = await openIntents(stores, kind, ids);
    const drawn: EntityRow[] = [];
    for (const row of rows) {
      const { values } = records.get(row.recordId ?? '') ?? {};
      const agreed = agreedFacts(this.#mapping, row, values ?? null, plainOf);
      const sent = (pending.get(row.id) ?? []).map(({ intent }) => intent);
      const anew = drawnAnew(this.#mapping, row, agreed, [...(open.get(row.id) ?? []), ...sent], at);
      if (anew !== null) drawn.push(anew);
      if (values !== undefined) await this.#repairs.store(stores, row, values, at);
    }
    await stores.entities.put(drawn);
  }
}

function hashOf(rules: readonly FieldRule[]): string {
  const ordered = rules.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const json = ordered as unknown as Json; // rules are plain JSON
  return createHash('sha256').update(canonicalJson(json)).digest('hex');
}
