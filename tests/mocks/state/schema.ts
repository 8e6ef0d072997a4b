import type { Attribute, AttributeType } from '../core/types.ts';

export interface SchemaIdentity {
  readonly kind: 'objects' | 'lists';
  readonly id: string;
}

/** The attributes of one object or list, found by slug or id, in their order. */
export class Schema implements SchemaIdentity {
  readonly kind: 'objects' | 'lists';
  readonly id: string;
  readonly attributes: Attribute[] = [];
  readonly #bySlug = new Map<string, Attribute>();
  readonly #byId = new Map<string, Attribute>();

  constructor(identity: SchemaIdentity) {
    this.kind = identity.kind;
    this.id = identity.id;
  }

  add(attribute: Attribute): Attribute {
    this.attributes.push(attribute);
    this.#bySlug.set(attribute.slug, attribute);
    this.#byId.set(attribute.id, attribute);
    return attribute;
  }

  find(slugOrId: string): Attribute | undefined {
    return this.#bySlug.get(slugOrId) ?? this.#byId.get(slugOrId);
  }

  hasSlug(slug: string): boolean {
    return this.#bySlug.has(slug);
  }

  rename(attribute: Attribute, slug: string): void {
    this.#bySlug.delete(attribute.slug);
    attribute.slug = slug;
    this.#bySlug.set(slug, attribute);
  }
}

export interface AttributeDraft {
  readonly slug: string;
  readonly type: AttributeType;
  readonly title?: string;
  readonly description?: string | null;
  readonly system?: boolean;
  readonly writable?: boolean;
  readonly required?: boolean;
  readonly unique?: boolean;
  readonly multi?: boolean;
  readonly enriched?: boolean;
  readonly defaultValue?: Attribute['defaultValue'];
  readonly currencyCode?: string | null;
  readonly currencyDisplay?: string | null;
  readonly allowedObjectIds?: readonly string[] | null;
}

function titleOf(slug: string): string {
  const words = slug.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function newAttribute(id: string, createdAt: string, draft: AttributeDraft): Attribute {
  const defaults = {
    title: titleOf(draft.slug),
    description: null,
    system: false,
    writable: true,
    required: false,
    unique: false,
    multi: false,
    enriched: false,
    defaultValue: null,
    currencyCode: null,
    currencyDisplay: null,
    allowedObjectIds: null,
  };
  return { ...defaults, ...draft, id, createdAt, archived: false, relationship: null, choices: [] };
}
