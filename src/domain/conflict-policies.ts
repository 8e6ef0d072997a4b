/** Who is right when both sides have changed a field since they last agreed on it. */
export const CONFLICT_POLICIES = ['last-write-wins', 'attio-wins', 'local-wins', 'manual'] as const;
export type ConflictPolicy = (typeof CONFLICT_POLICIES)[number];

/** What holds for the fields of one object, beside what holds for all. */
export interface ObjectRules {
  readonly policy?: ConflictPolicy | undefined;
  readonly fields?: Readonly<Record<string, ConflictPolicy>> | undefined;
}

export interface ConflictRules {
  /** Where nothing else is said. */
  readonly policy: ConflictPolicy;
  /** Two changes that are no further apart are simultaneous: clocks cannot be trusted to tell which came first. @unit ms */
  readonly toleranceMs: number;
  /** By the slug of an object, `lists/<slug>` for the entries of a list, or `tasks`. */
  readonly objects: Readonly<Record<string, ObjectRules>>;
}

/** The rules of the entries of a list go by this name. */
export function listScope(slug: string): string {
  return `lists/${slug}`;
}

/** The rule of the field, else of the attribute that it is a half of, else of the object, else the common one. */
export function policyFor(rules: ConflictRules, object: string, field: string): ConflictPolicy {
  const own = Object.hasOwn(rules.objects, object) ? rules.objects[object] : undefined;
  const [attribute = field] = field.split('.');
  return ownField(own, field) ?? ownField(own, attribute) ?? own?.policy ?? rules.policy;
}

function ownField(rules: ObjectRules | undefined, field: string): ConflictPolicy | undefined {
  const fields = rules?.fields ?? {};
  return Object.hasOwn(fields, field) ? fields[field] : undefined;
}
