/**
 * What Attio answers, as schemas: the shapes of its OpenAPI document, corrected by what was seen live.
 *
 * Tolerant on purpose: unknown members are kept, and codes, types and states are open sets. Required is only what
 * we cannot do without, because a schema that is too strict turns a harmless addition of Attio's into an outage.
 */
import { z } from 'zod';
import { isWholeEntry, isWholeRecord } from './whole-record.ts';

/** ISO 8601 UTC. Attio sends nine fractional digits where its OpenAPI says `date`. */
const instant = z.iso.datetime({ offset: true });

const text = z.string();
const nullableText = z.string().nullish().default(null);

export const errorBody = z
  .looseObject({
    code: z.string().nullish(),
    message: z.string().nullish(),
    validation_errors: z
      .array(
        z.looseObject({
          code: z.string().nullish(),
          path: z.array(z.union([z.string(), z.number()])).nullish(),
          message: z.string().nullish(),
        }),
      )
      .nullish()
      .catch(null),
  })
  .partial();
export type ErrorBody = z.infer<typeof errorBody>;

/** Who did something. Both members are null for some of Attio's own doings. */
export const actor = z.looseObject({ type: nullableText, id: nullableText });
export type Actor = z.infer<typeof actor>;

/** The token as Attio sees it. There is no `data` wrapper. A refused token is `active: false`, with status 200. */
export const self = z.union([
  z.looseObject({ active: z.literal(false) }),
  z.looseObject({
    active: z.literal(true),
    /** Space separated. */
    scope: z.string().default(''),
    workspace_id: text,
    workspace_name: nullableText,
    workspace_slug: nullableText,
    authorized_by_workspace_member_id: nullableText,
    client_id: nullableText,
    token_level: nullableText,
    /** Seconds since the epoch; null: never. */
    exp: z.number().nullish().default(null),
  }),
]);
export type Self = Extract<z.infer<typeof self>, { active: true }>;

export const object = z.looseObject({
  id: z.looseObject({ workspace_id: text, object_id: text }),
  api_slug: nullableText,
  singular_noun: nullableText,
  plural_noun: nullableText,
  created_at: instant,
});
export type AttioObject = z.infer<typeof object>;

const attributeConfig = z.looseObject({
  currency: z
    .looseObject({ default_currency_code: nullableText, display_type: nullableText })
    .nullish()
    .default(null),
  record_reference: z
    .looseObject({ allowed_object_ids: z.array(text).nullish().default(null) })
    .nullish()
    .default(null),
});

export const attribute = z.looseObject({
  id: z.looseObject({ workspace_id: text, object_id: text, attribute_id: text }),
  title: z.string().default(''),
  description: nullableText,
  api_slug: text,
  /** An open set: see `values/` for those we know. */
  type: text,
  is_system_attribute: z.boolean().default(false),
  is_writable: z.boolean().default(true),
  is_required: z.boolean().default(false),
  is_unique: z.boolean().default(false),
  is_multiselect: z.boolean().default(false),
  is_archived: z.boolean().default(false),
  relationship: z
    .looseObject({ object_slug: nullableText, api_slug: nullableText, is_multiselect: z.boolean().nullish() })
    .nullish()
    .default(null),
  config: attributeConfig.nullish().default(null),
});
export type Attribute = z.infer<typeof attribute>;

/** A value keeps all its members: which ones there are depends on `attribute_type`. */
export const attributeValue = z.looseObject({
  active_from: z.string().nullish(),
  active_until: z.string().nullish(),
  created_by_actor: actor.nullish(),
  attribute_type: z.string().nullish(),
});
export type AttributeValue = z.infer<typeof attributeValue>;

/** Values by slug; always lists, empty when unset, newest first. */
export const valuesBySlug = z.record(z.string(), z.array(attributeValue));
export type ValuesBySlug = z.infer<typeof valuesBySlug>;

const recordShape = z.looseObject({
  id: z.looseObject({ workspace_id: text, object_id: text, record_id: z.string().min(1) }),
  created_at: instant,
  web_url: nullableText,
  values: valuesBySlug,
});
export type AttioRecord = z.infer<typeof recordShape>;

export const record = quick(recordShape, isWholeRecord);

export const list = z.looseObject({
  id: z.looseObject({ workspace_id: text, list_id: text }),
  api_slug: nullableText,
  name: z.string().default(''),
  /** Object slugs. */
  parent_object: z.array(text),
  created_at: instant,
});
export type AttioList = z.infer<typeof list>;

const entryShape = z.looseObject({
  id: z.looseObject({ workspace_id: text, list_id: text, entry_id: z.string().min(1) }),
  parent_record_id: text,
  parent_object: text,
  created_at: instant,
  entry_values: valuesBySlug,
});
export type Entry = z.infer<typeof entryShape>;
export const entry = quick(entryShape, isWholeEntry);

/** In which list a record has an entry. */
export const recordEntry = z.looseObject({
  list_id: text,
  list_api_slug: nullableText,
  entry_id: text,
  created_at: instant,
});
export type RecordEntry = z.infer<typeof recordEntry>;

export const option = z.looseObject({
  id: z.looseObject({ attribute_id: text, option_id: text }),
  title: text,
  is_archived: z.boolean().default(false),
});
export type Option = z.infer<typeof option>;

/** In a list, `id.object_id` holds the list's id. */
export const status = z.looseObject({
  id: z.looseObject({ attribute_id: text, status_id: text }),
  title: text,
  is_archived: z.boolean().default(false),
  celebration_enabled: z.boolean().default(false),
  target_time_in_status: nullableText,
});
export type Status = z.infer<typeof status>;

export const note = z.looseObject({
  id: z.looseObject({ workspace_id: text, note_id: text }),
  parent_object: text,
  parent_record_id: text,
  title: z.string().default(''),
  content_plaintext: z.string().default(''),
  content_markdown: nullableText,
  created_by_actor: actor.nullish().default(null),
  created_at: instant,
});
export type Note = z.infer<typeof note>;

export const task = z.looseObject({
  id: z.looseObject({ workspace_id: text, task_id: text }),
  content_plaintext: z.string().default(''),
  deadline_at: nullableText,
  is_completed: z.boolean(),
  /** Since 2026-08; null until done. */
  completed_at: nullableText,
  linked_records: z
    .array(z.looseObject({ target_object_id: z.string().nullish(), target_record_id: text }))
    .default([]),
  assignees: z
    .array(z.looseObject({ referenced_actor_type: text, referenced_actor_id: nullableText }))
    .default([]),
  created_by_actor: actor.nullish().default(null),
  created_at: instant,
});
export type Task = z.infer<typeof task>;

export const comment = z.looseObject({
  id: z.looseObject({ workspace_id: text, comment_id: text }),
  thread_id: text,
  content_plaintext: z.string().default(''),
  entry: z.looseObject({ entry_id: text, list_id: text }).nullish().default(null),
  record: z.looseObject({ record_id: text, object_id: text }).nullish().default(null),
  resolved_at: nullableText,
  resolved_by: actor.nullish().default(null),
  author: actor.nullish().default(null),
  created_at: instant,
});
export type Comment = z.infer<typeof comment>;

export const thread = z.looseObject({
  id: z.looseObject({ workspace_id: text, thread_id: text }),
  comments: z.array(comment).default([]),
  created_at: instant,
});
export type Thread = z.infer<typeof thread>;

export const member = z.looseObject({
  id: z.looseObject({ workspace_id: text, workspace_member_id: text }),
  first_name: nullableText,
  last_name: nullableText,
  avatar_url: nullableText,
  email_address: text,
  access_level: z.string().default('member'),
  created_at: instant,
});
export type Member = z.infer<typeof member>;

export const webhook = z.looseObject({
  id: z.looseObject({ workspace_id: text, webhook_id: text }),
  target_url: text,
  subscriptions: z.array(z.looseObject({ event_type: text, filter: z.unknown() })).default([]),
  /** `active`, `degraded` (still delivered to) or `inactive`. */
  status: text,
  /** Only in the answer to its creation. */
  secret: z.string().optional(),
  created_at: instant,
});
export type Webhook = z.infer<typeof webhook>;

/** Reads what is as documented as it is, and only all else by its schema, which takes far longer. */
function quick<T, Whole extends T & { created_at: string }>(
  schema: z.ZodType<T>,
  isWhole: (item: unknown) => item is Whole,
): z.ZodType<T> {
  return z.unknown().transform((item, context): T => {
    if (isWhole(item) && instant.safeParse(item.created_at).success) return item;
    const parsed = schema.safeParse(item);
    if (parsed.success) return parsed.data;
    // What zod has found, in the form in which it takes it back.
    for (const issue of parsed.error.issues)
      context.issues.push({ ...issue, input: item } as z.core.$ZodRawIssue);
    return z.NEVER;
  });
}

/** `{data: …}`, the wrapper of every answer but `self`. */
export function dataOf<T extends z.ZodType>(schema: T) {
  return z.looseObject({ data: schema });
}
