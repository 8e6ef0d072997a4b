import type { Attribute } from '../../src/attio/types.ts';
import { readValues } from '../../src/attio/values/read.ts';
import type { Json } from '../../src/domain/json.ts';
import { ENGINE } from './engines.ts';
import { type TestService, until } from './service.ts';

type Row = Record<string, unknown>;

export interface AttioRecord {
  readonly id: { readonly record_id: string };
  readonly created_at: string;
  readonly web_url: string;
  readonly values: Readonly<Record<string, readonly Record<string, unknown>[]>>;
}

export const SQL_TYPES: Readonly<Record<string, { postgres: string; sqlite: string }>> = {
  text: { postgres: 'text', sqlite: 'TEXT' },
  number: { postgres: 'numeric', sqlite: 'NUM' },
  rating: { postgres: 'numeric', sqlite: 'NUM' },
  currency: { postgres: 'numeric', sqlite: 'NUM' },
  checkbox: { postgres: 'boolean', sqlite: 'INT' },
  date: { postgres: 'date', sqlite: 'TEXT' },
  timestamp: { postgres: 'timestamp with time zone', sqlite: 'TEXT' },
  interaction: { postgres: 'timestamp with time zone', sqlite: 'TEXT' },
  location: { postgres: 'jsonb', sqlite: 'TEXT' },
  list: { postgres: 'jsonb', sqlite: 'TEXT' },
};

export function ofAttio<T>(service: TestService, method: string, path: string, body?: unknown): T {
  return service.sandbox.sandbox.act({ method, path, body }) as T;
}

export function recordsOf(service: TestService, object: string): AttioRecord[] {
  return ofAttio(service, 'POST', `/objects/${object}/records/query`, { limit: 10_000 });
}

export function attributesOf(service: TestService, object: string): Attribute[] {
  return ofAttio(service, 'GET', `/objects/${object}/attributes`);
}

/** The columns of a view with their types, in order. */
export async function columnsOf(service: TestService, view: string): Promise<[string, string][]> {
  const rows = await service.database.rows(
    ENGINE === 'sqlite'
      ? `select name, type from pragma_table_xinfo('${view}') order by cid`
      : `select column_name as name, data_type as type from information_schema.columns
         where table_schema = 'public' and table_name = '${view}' order by ordinal_position`,
  );
  return rows.map(({ name, type }) => [String(name), String(type)]);
}

export async function namesOf(service: TestService, view: string): Promise<string[]> {
  return (await columnsOf(service, view)).map(([name]) => name);
}

export function typeOf(attribute: Attribute): string | undefined {
  const known = SQL_TYPES[attribute.is_multiselect ? 'list' : attribute.type] ?? SQL_TYPES['text'];
  return known?.[ENGINE];
}

/** What a column is to hold, of what `/v1` shows for the same attribute. */
function plainOf(type: string, value: Json): unknown {
  const simple = (one: Json): unknown => {
    const members = one as Record<string, Json>; // of the types below, as readValues has them
    switch (one === null ? '' : type) {
      case 'currency':
        return members['amount'];
      case 'personal-name':
        return members['fullName'];
      case 'select':
      case 'status':
        return members['title'];
      case 'record-reference':
        return members['recordId'];
      case 'actor-reference':
        return members['id'];
      case 'interaction':
        return Date.parse(String(members['at']));
      case 'timestamp':
        return Date.parse(String(one));
      default:
        return one;
    }
  };
  return Array.isArray(value) ? value.map(simple) : simple(value);
}

/** A column's value, whichever driver gave it. */
function readColumn(attribute: Attribute, value: unknown): unknown {
  if (attribute.is_multiselect) return typeof value === 'string' ? JSON.parse(value) : value;
  if (value === null) return null;
  switch (attribute.type) {
    case 'number':
    case 'rating':
    case 'currency':
      return Number(value);
    case 'checkbox':
      return Boolean(value);
    case 'date':
      return value instanceof Date ? dayOf(value) : value;
    case 'timestamp':
    case 'interaction':
      return value instanceof Date ? value.getTime() : Date.parse(String(value));
    default:
      return value;
  }
}

/** What a row has of an attribute, and what Attio has: named, and comparable. Places are looked at by themselves. */
export function viewHas(attribute: Attribute, row: Row): unknown {
  const { api_slug: slug, type } = attribute;
  return type === 'location' ? slug : [slug, readColumn(attribute, row[slug])];
}

export function attioHas(attribute: Attribute, record: AttioRecord): unknown {
  const { api_slug: slug, type } = attribute;
  if (type === 'location') return slug;
  return [slug, plainOf(type, readValues(attribute, record.values[slug] ?? []))];
}

/** The driver of PostgreSQL gives a day as its midnight here. */
function dayOf(date: Date): string {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
}

export function stageOf(deal: AttioRecord): string {
  const { title } = (deal.values['stage']?.[0]?.['status'] ?? {}) as { title?: string }; // as Attio documents it
  return title ?? '';
}

export function byId(rows: readonly Row[]): Map<unknown, Row> {
  return new Map(rows.map((row) => [row['record_id'], row]));
}

/** Adds an attribute as a person does in Attio's settings. */
export function addAttribute(service: TestService, object: string, slug: string, type: string): void {
  ofAttio(service, 'POST', `/objects/${object}/attributes`, {
    data: {
      title: slug,
      description: null,
      api_slug: slug,
      type,
      is_required: false,
      is_unique: false,
      is_multiselect: false,
      config: {},
    },
  });
}

/** Resolves when as many events of this type have had their effect. */
export async function eventsDone(service: TestService, type: string, count = 1): Promise<void> {
  await until(async () => {
    const rows = await service.database.rows(
      `select id from inbox where event_type = '${type}' and status = 'done'`,
    );
    return rows.length >= count;
  });
}

/** Somebody of whom everything is known. */
export function createRich(service: TestService): string {
  const { sandbox } = service.sandbox;
  const { id } = recordsOf(service, 'companies')[0] ?? { id: { record_id: '' } };
  const record = sandbox.createRecord({
    object: 'people',
    values: {
      name: [{ first_name: 'Renée', last_name: "O'Neill", full_name: "Renée O'Neill" }],
      email_addresses: ['renee@example.org', 'r.oneill@example.com'],
      phone_numbers: ['+14155552671'],
      company: [{ target_object: 'companies', target_record_id: id.record_id }],
      job_title: ['He said "no" \\ 🎉'],
      primary_location: ['Berlin'],
      lead_source: ['Referral'],
      interests: ['Analytics', 'Reporting'],
      satisfaction: [4],
      vip: [true],
      lead_score: [12.75],
      birthday: ['1988-02-29'],
      last_contacted_at: ['2026-01-31T10:20:30.123456789Z'],
      account_manager: [
        { referenced_actor_type: 'workspace-member', referenced_actor_id: sandbox.world.members[0]?.id },
      ],
    },
  });
  return (record['id'] as { record_id: string }).record_id;
}
