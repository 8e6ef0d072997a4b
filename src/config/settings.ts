import { z } from 'zod';
import { attioSettings } from '../attio/config.ts';
import { CONFLICT_POLICIES } from '../domain/conflict-policies.ts';
import { keySlugs } from '../domain/mapping.ts';
import { type MappingFault, resolveMapping } from '../domain/mapping-rules.ts';
import { changeWebhookSettings } from './change-webhooks.ts';
import { mappingSettings, readableMapping } from './mapping.ts';

const count = z.int().min(1);
const policy = z.enum(CONFLICT_POLICIES, `is none of ${CONFLICT_POLICIES.join(', ')}`);

/** What `config/attio.{environment}.json` holds: tuning, no secrets. Unknown members are errors. */
const settingsSchema = z.strictObject({
  attio: attioSettings,
  cache: z.strictObject({ schemaTtlSeconds: count, recordTtlSeconds: count }),
  /** PostgreSQL; SQLite is one file and one connection. */
  database: z.strictObject({
    /** Connections of this process at once. */
    maxConnections: count.min(2),
    /** How long a request waits for a connection: a new one, or one that others use. */
    connectTimeoutMs: count,
    /** A connection that nothing has used for this long is closed. */
    idleTimeoutMs: count,
    statementTimeoutMs: count,
    lockTimeoutMs: count,
    /** The server ends a transaction that asks nothing for this long. Below `lockTimeoutMs`: others wait for it. */
    idleInTransactionTimeoutMs: count,
    /** Silence after which TCP asks whether the other side is still there. */
    keepAliveDelayMs: count,
  }),
  /** Of several instances on one PostgreSQL database. */
  instances: z
    .strictObject({
      /** How long an instance may say nothing before the others take over what it has in hand. */
      leaseMs: count.min(1_000),
      /** How often it says that it is there. */
      heartbeatMs: count,
    })
    .refine(({ leaseMs, heartbeatMs }) => 2 * heartbeatMs < leaseMs, {
      path: ['heartbeatMs'],
      error: 'must be below half of leaseMs',
    }),
  sync: z
    .strictObject({
      /** Records per page of a full sync; Attio gives at most 500. */
      pageSize: count.max(500),
      /** Pages read at once. */
      width: count.max(20),
      /** Records that neighbouring pages share, so that a shift between two reads shows. */
      overlap: z.int().min(0),
      /** How long an outage may hold up a run before it fails. */
      outagePatienceSeconds: count,
      /** Whether notes and tasks are mirrored: events of theirs are taken in, and a sync of all reads them. */
      activity: z.boolean(),
    })
    .refine((sync) => sync.overlap < sync.pageSize, { path: ['overlap'], error: 'must be below pageSize' }),
  inbox: z.strictObject({
    /** Events in hand at once. */
    window: count,
    maxAttempts: count,
    maxPending: count,
    /** Events about one record that come within this time share one read. */
    coalesceMs: z.int().min(0),
    batchSize: count.max(500),
    giveUpAfterHours: count,
  }),
  outbox: z.strictObject({
    /** How long a caller waits for Attio before it is told that its write is pending. */
    writeWaitMs: count,
    /** Writes in hand at once. */
    window: count.max(1000),
    /** Of a write that fails in a way of its own. */
    maxAttempts: count,
    maxPending: count,
    giveUpAfterHours: count,
  }),
  /** Beside SYNC_CONFLICT_POLICY, which holds where nothing is said here. */
  conflicts: z.strictObject({
    /** Changes of both sides that are no further apart are simultaneous. */
    toleranceMs: z.int().min(0).max(60_000),
    /** By slug of an object, `lists/<slug>` for the entries of a list, or `tasks`. */
    objects: z.record(
      z.string().regex(/^(lists\/)?[a-z0-9_-]{1,100}$/, 'is neither the slug of an object nor lists/<slug>'),
      z.strictObject({
        policy: policy.optional(),
        /** By slug of an attribute; of tasks by member. */
        fields: z.record(z.string().min(1), policy).optional(),
      }),
    ),
  }),
  echoes: z.strictObject({
    /** How long a webhook that may be of our own write waits for the others of that write, to share their read. */
    gatherMs: z.int().min(0).max(10_000),
    /** How long after a write its webhooks are expected. */
    expectedSeconds: count,
    /** Attributes of things, as last written, that are remembered. */
    maxLines: count,
  }),
  deals: z.strictObject({
    /** Slug of the unique text attribute of the deals object that holds our id: deals are found again by it. */
    externalIdAttribute: z.string().regex(/^[a-z0-9_-]{1,100}$/, 'is no attribute slug'),
  }),
  automations: z.strictObject({
    /** Runs of one automation at once. */
    window: count.max(100),
    /** Of one run. */
    timeoutMs: count,
    /** Runs that may fail before a dead letter is made of what was to be done. */
    maxAttempts: count,
    /** Runs of one automation that may wait. */
    maxPending: count,
    giveUpAfterHours: count,
    /** The example of `src/automations.ts`. */
    taskOnStage: z.strictObject({
      enabled: z.boolean(),
      list: z.string().regex(/^[a-z0-9_-]+$/, 'must be the slug of a list'),
      stage: z.string().trim().min(1),
      content: z.string().trim().min(1).max(2_000),
      /** Null: no deadline. */
      dueInDays: z.number().min(0).max(3_650).nullable(),
    }),
  }),
  changeWebhooks: changeWebhookSettings,
  /** How long after its deletion a contact or company can be restored; its values are purged then. */
  deletes: z.strictObject({ undoDays: count }),
  retention: z.strictObject({
    deliveryDays: count,
    changeDays: count,
    settledEventDays: count,
    runDays: count,
    writeDays: count,
    conflictDays: count,
  }),
  health: z.strictObject({ probeEverySeconds: count }),
  mapping: mappingSettings.optional(),
});
export type Settings = z.infer<typeof settingsSchema>;

/** What is wrong with the file, and where: a dotted path, empty for the file as a whole. */
export interface SettingsFault {
  readonly at: string;
  readonly problem: string;
  readonly mend?: string;
}

/** @param read gives the file's text */
export function readSettings(read: () => string): {
  settings: Settings | null;
  faults: readonly SettingsFault[];
} {
  let content: unknown;
  try {
    content = JSON.parse(read());
  } catch {
    return { settings: null, faults: [{ at: '', problem: 'cannot be read as JSON' }] };
  }
  const parsed = settingsSchema.safeParse(content);
  const faults = (parsed.error?.issues ?? []).map((issue) => ({
    at: issue.path.join('.'),
    problem: `is wrong: ${issue.message}`,
    ...(issue.path[0] === 'mapping' ? { mend: MAPPING_MEND } : {}),
  }));
  return { settings: parsed.data ?? null, faults: [...faults, ...mappingFaults(content)] };
}

const MAPPING_MEND = 'What can be said there is in README.md under "Mapping".';

/** What is wrong with the mapping as a whole, where each of its fields is right in itself. */
function mappingFaults(content: unknown): SettingsFault[] {
  const { mapping, deals } = partial.safeParse(content).data ?? {};
  const keys = keySlugs(deals?.externalIdAttribute ?? '');
  return resolveMapping(readableMapping(mapping), keys).faults.map(({ at, problem }: MappingFault) => ({
    at: ['mapping', ...at].join('.'),
    problem: `is wrong: ${problem}`,
    mend: MAPPING_MEND,
  }));
}

const partial = z.object({
  mapping: z.unknown().optional(),
  deals: z.object({ externalIdAttribute: z.string() }).optional().catch(undefined),
});
