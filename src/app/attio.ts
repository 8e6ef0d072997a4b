import type { CircuitName } from '../attio/breaker.ts';
import { CachedRecords } from '../attio/cached-records.ts';
import { CachedSchema, type KeptDefinitions } from '../attio/cached-schema.ts';
import { AttioClient } from '../attio/client.ts';
import type { FetchLike } from '../attio/transport.ts';
import { QueryCache, RecordCache } from '../cache/record-cache.ts';
import { SchemaCache } from '../cache/schema-cache.ts';
import { StorageUnavailableError } from '../domain/storage.ts';
import type { Events } from '../monitoring/events.ts';
import { ChoicesService } from '../services/choices.ts';
import { ListsService } from '../services/lists.ts';
import { MappingWatch } from '../services/mapping/watch.ts';
import { MembersService } from '../services/members.ts';
import { SchemaService } from '../services/schema.ts';
import { ViewsService } from '../services/views.ts';
import { DefinitionsStore } from '../store/definitions.ts';
import { ViewsStore } from '../store/views.ts';
import type { Base } from './base.ts';

/** The gateway, and what is read through its caches. */
export function buildAttio(
  { config, clock, shared: tier, budget, random, events, database, instances }: Base,
  fetch: FetchLike,
  { onCircuitClosed, stopped }: { onCircuitClosed: (circuit: CircuitName) => void; stopped: AbortSignal },
) {
  let readForbiddenAt = Number.NEGATIVE_INFINITY;
  const client = new AttioClient({
    fetch,
    clock,
    random,
    observer: {
      requestFinished(request) {
        events.requestFinished(request);
        if (request.status === 403 && isRead(request.endpoint)) readForbiddenAt = clock.now();
      },
      retried: (retry) => events.retried(retry),
      laneWaited: (wait) => events.laneWaited(wait),
      circuitChanged(change) {
        events.circuitChanged(change);
        if (change.state === 'closed') onCircuitClosed(change.lane);
      },
    },
    mayWrite: () => instances.isHeld(),
    budget,
    settings: config.attio,
  });
  const cache = { now: () => clock.now(), random, onRead: events.cacheRead.bind(events) };
  const recordCache = { ...cache, ttlMs: config.cache.recordTtlSeconds * 1000 };
  const records = new CachedRecords({
    records: client.records,
    cache: new RecordCache({ ...recordCache, tier }),
    queries: new QueryCache(recordCache),
  });
  const schemaCache = new SchemaCache({ ...cache, tier, ttlMs: config.cache.schemaTtlSeconds * 1000 });
  const { objects, lists, members, attributes } = client;
  const definitions = {
    schema: new CachedSchema({
      objects,
      lists,
      members,
      attributes,
      cache: schemaCache,
      kept: keptIn(new DefinitionsStore(database), events, stopped),
      now: () => clock.now(),
      onAttributes(of, read) {
        if (of.target === 'objects') {
          views.attributesRead(of.identifier, read);
          void mappingWatch.attributesRead(of.identifier, read);
        } else views.listAttributesRead(of.identifier, read);
      },
    }),
    clock,
  };
  const listsService = new ListsService({ ...definitions, mirrored: config.sync.lists });
  const views = new ViewsService({
    objects: config.sync.objects,
    lists: listsService,
    store: new ViewsStore(database),
    events,
  });
  const choices = new ChoicesService(definitions);
  const mappingWatch = new MappingWatch({ mappings: config.mapping, choices, events });
  return {
    client,
    records,
    schema: new SchemaService(definitions),
    lists: listsService,
    choices,
    mappingWatch,
    members: new MembersService(definitions),
    views,
    readForbiddenAt: () => readForbiddenAt,
  };
}

/** What cannot be kept, or found again, is told and done without; once we have stopped there is nothing to tell. */
function keptIn(store: DefinitionsStore, events: Events, stopped: AbortSignal): KeptDefinitions {
  const tell = (error: unknown) => {
    if (!stopped.aborted && !(error instanceof StorageUnavailableError))
      events.unexpected('definitions', error);
  };
  return {
    remember: (key, items) => store.remember(key, items).catch(tell),
    recall: (key) =>
      store.recall(key).catch((error) => {
        tell(error);
        return null;
      }),
  };
}

export type AttioParts = ReturnType<typeof buildAttio>;

function isRead(endpoint: string): boolean {
  return endpoint.startsWith('GET ') || endpoint.endsWith('/query');
}
