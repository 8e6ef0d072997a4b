import type { AttioClient } from '../../attio/client.ts';
import type { RequestOptions } from '../../attio/transport.ts';
import type { Attribute, Self } from '../../attio/types.ts';
import type { Clock } from '../../domain/clock.ts';
import { ENTITY_KINDS, type EntityKind } from '../../domain/entities.ts';
import type { Mappings } from '../../domain/mapping.ts';
import { attioTroubleOf } from '../attio-trouble.ts';
import type { AwaitedStage } from '../automations/automation.ts';
import type { AwaitedStages } from '../automations/awaited.ts';
import type { ChoicesService } from '../choices.ts';
import { configuredRules } from '../mapping/judge.ts';
import { judgeMapping } from '../mapping/watch.ts';
import { all, type Check, failed, ok, warning } from './check.ts';
import { lackingScopes } from './scopes.ts';

export interface AttioSubject {
  readonly client: Pick<AttioClient, 'self' | 'objects' | 'lists' | 'attributes' | 'attioTime'>;
  readonly clock: Clock;
  /** Slugs. */
  readonly objects: readonly string[];
  /** Slugs that must be there; none: whichever there are. */
  readonly lists: readonly string[];
  /** What automations wait for. */
  readonly awaited: readonly (AwaitedStage & { readonly automation: string })[];
  readonly stages: Pick<AwaitedStages, 'fault'>;
  readonly mappings: Mappings;
  readonly choices: Pick<ChoicesService, 'known'>;
  /** Slug of the attribute of deals that holds `externalId`; null: no deals are mirrored. */
  readonly externalIdAttribute: string | null;
}

const CLOCK_WARNING_MS = 5_000;
const CLOCK_FAILURE_MS = 60_000;

/** Once, and soon: an operator waits. */
const ASK: RequestOptions = { retry: false, timeoutMs: 5_000, priority: 1 };

/** @returns whose token it is, when Attio takes it */
export async function checkToken({ client }: AttioSubject): Promise<{ check: Check; self: Self | null }> {
  try {
    const { data } = await client.self(ASK);
    const isUser = data.token_level === 'user';
    return {
      self: data,
      check: isUser
        ? warning(
            'attio-token',
            'Attio takes the token, but it is that of a person',
            'Make a token of the workspace: webhooks cannot be managed with a token of a person.',
          )
        : ok('attio-token', 'Attio takes the token'),
    };
  } catch (error) {
    return { self: null, check: troubled('attio-token', error) };
  }
}

/** One check per scope that is lacking, or one for all. */
export function checkScopes(self: Self): Check[] {
  const lacking = lackingScopes(self.scope);
  if (lacking.length === 0) return [ok('attio-scopes', 'the token has every scope that is needed')];
  return lacking.map(({ scope, without, optional }) => {
    const make = optional === true ? warning : failed;
    return make(
      'attio-scopes',
      `the token lacks the scope ${scope}: ${without}`,
      `Add ${scope} to the token in Attio (Workspace settings > Developers).`,
    );
  });
}

/** @param mirrored the workspace that the database belongs to; null: none yet, or unknown */
export function checkWorkspace(self: Self, mirrored: string | null): Check {
  const name = `${self.workspace_name ?? self.workspace_slug ?? 'without a name'} (${self.workspace_id})`;
  if (mirrored === null || mirrored === self.workspace_id) return ok('workspace', `the workspace is ${name}`);
  return failed(
    'workspace',
    `the token belongs to the workspace ${name}, but the database mirrors ${mirrored}: syncing stops`,
    'Put a token of the mirrored workspace into ATTIO_API_KEY, or name a new database in DATABASE_URL.',
  );
}

/** To be asked once Attio has answered. */
export function checkClock({ client, clock }: AttioSubject): Check {
  const now = clock.now();
  return judgeClock(now - client.attioTime(now));
}

/** @param aheadMs our clock less Attio's */
export function judgeClock(aheadMs: number): Check {
  const off = Math.abs(aheadMs);
  const words = `${(off / 1000).toFixed(1)} s ${aheadMs < 0 ? 'behind' : 'ahead of'} Attio's`;
  const mend = 'Set the clock of this machine by NTP (systemd-timesyncd, chrony).';
  if (off > CLOCK_FAILURE_MS) return failed('clock', `the clock is ${words}`, mend);
  if (off > CLOCK_WARNING_MS) return warning('clock', `the clock is ${words}`, mend);
  return ok('clock', `the clock is ${off < 1_000 ? "less than 1 s off Attio's" : words}`);
}

export async function checkObjects({ client, objects }: AttioSubject): Promise<Check> {
  try {
    const there = slugsOf((await client.objects.list(ASK)).data);
    const missing = objects.filter((slug) => !there.includes(slug));
    if (missing.length === 0) return ok('objects', `the workspace has ${all(objects)}`);
    return failed(
      'objects',
      `the workspace has no object ${all(missing)}; it has ${all(there)}`,
      `Take ${all(missing)} out of SYNC_OBJECTS, or switch it on in Attio (Workspace settings > Objects).`,
    );
  } catch (error) {
    return troubled('objects', error);
  }
}

export async function checkLists({ client, lists }: AttioSubject): Promise<Check> {
  try {
    const there = slugsOf((await client.lists.list(ASK)).data);
    const missing = lists.filter((slug) => !there.includes(slug));
    if (missing.length === 0) return ok('lists', `the workspace has the lists ${all(lists)}`);
    return failed(
      'lists',
      `the workspace has no list ${all(missing)}; it has ${all(there) || 'none'}`,
      `Take ${all(missing)} out of SYNC_LISTS, or make it in Attio; a list has to be shared with the workspace to be seen.`,
    );
  } catch (error) {
    return troubled('lists', error);
  }
}

/** One check per stage that automations wait for, and that does not exist; or one for all. */
export async function checkAwaited({ awaited, stages }: AttioSubject): Promise<Check[]> {
  const id = 'automations';
  const mend =
    'Correct it under "automations" in config/attio.*.json, or in src/automations.ts; or make it in Attio.';
  try {
    const faults: Check[] = [];
    for (const { automation, ...stage } of awaited) {
      const fault = await stages.fault(stage);
      if (fault !== null) {
        faults.push(failed(id, `the automation ${automation} waits in vain: ${fault}`, mend));
      }
    }
    return faults.length > 0 ? faults : [ok(id, 'the stages that automations wait for exist')];
  } catch (error) {
    return [troubled(id, error)];
  }
}

/** One check for each thing that the mapping has and the workspace has not; or one for all. */
export async function checkMapping(subject: AttioSubject, kinds: readonly EntityKind[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const kind of kinds) checks.push(...(await checkFields(subject, kind)));
  return checks.length > 0 ? checks : [ok(MAPPING, 'the mapping fits the workspace')];
}

const MAPPING = 'mapping';

async function checkFields(subject: AttioSubject, kind: EntityKind): Promise<Check[]> {
  try {
    const of = { target: 'objects', identifier: kind } as const;
    const attributes = await subject.client.attributes.all(of, { ...ASK, showArchived: true });
    const troubles = await judgeMapping(subject, kind, attributes);
    return troubles.map(({ field, problem, mend, isFault }) =>
      (isFault ? failed : warning)(MAPPING, `mapping.${field}: ${problem}`, mend),
    );
  } catch (error) {
    return [troubled(MAPPING, error)];
  }
}

/** Objects that the configuration has a mapping for. */
export function mappedKinds({ mappings }: AttioSubject): EntityKind[] {
  return ENTITY_KINDS.filter((kind) => configuredRules(kind, mappings[kind]).length > 0);
}

function slugsOf(things: readonly { readonly api_slug: string | null }[]): string[] {
  return things.flatMap(({ api_slug: slug }) => (slug === null ? [] : [slug]));
}

const DEALS = { target: 'objects', identifier: 'deals' } as const;
const EXTERNAL_ID = 'deals-external-id';

/** @param slug of the attribute by which deals are found again */
export async function checkExternalId(
  { client }: AttioSubject,
  slug: string,
  options: { fix: boolean },
): Promise<Check> {
  try {
    const attributes = await client.attributes.all(DEALS, { ...ASK, showArchived: true });
    const found = attributes.find((attribute) => attribute.api_slug === slug);
    const check = judgeExternalId(found, slug);
    if (found !== undefined || !options.fix) return check;
    await client.attributes.create(DEALS, newExternalId(slug), { ...ASK, retry: false });
    return ok(EXTERNAL_ID, `deals have the unique attribute ${slug} now: it was made`);
  } catch (error) {
    return troubled(EXTERNAL_ID, error);
  }
}

type Found = Pick<Attribute, 'is_unique' | 'is_archived' | 'type'>;

export function judgeExternalId(found: Found | undefined, slug: string): Check {
  const setting = 'deals.externalIdAttribute in config/attio.*.json';
  if (found === undefined) {
    return failed(
      EXTERNAL_ID,
      `deals have no attribute ${slug}, by which they are found again by externalId`,
      'Run doctor --fix, which makes it; the token needs object_configuration:read-write for that.',
    );
  }
  const fault = found.is_archived
    ? 'is archived'
    : found.is_unique
      ? found.type === 'text'
        ? null
        : `is of type ${found.type}, not text`
      : 'is not unique';
  if (fault === null) return ok(EXTERNAL_ID, `deals have the unique attribute ${slug}`);
  return failed(
    EXTERNAL_ID,
    `the attribute ${slug} of deals ${fault}, so deals cannot be found again by externalId`,
    `Mend the attribute in Attio (Workspace settings > Objects > Deals), or name another one in ${setting}.`,
  );
}

function newExternalId(slug: string) {
  return {
    title: 'External ID',
    api_slug: slug,
    type: 'text',
    description: 'The id of this deal in the system that it comes from.',
    is_required: false,
    is_unique: true,
    is_multiselect: false,
    config: {},
  };
}

/** What a request that failed says of the thing that was to be checked. @throws what is no error of Attio's */
export function troubled(id: string, error: unknown): Check {
  const trouble = attioTroubleOf(error);
  if (trouble === null) throw error;
  return failed(id, trouble.problem, trouble.mend);
}
