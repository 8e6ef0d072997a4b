import { z } from 'zod';
import { pagesByOffset } from '../pagination.ts';
import { route } from '../route.ts';
import type { AttioResponse, RequestOptions } from '../transport.ts';
import { type Attribute, attribute, type Option, option, type Status, status } from '../types.ts';
import { type PageOptions, read, type Sender, write } from './sender.ts';

/** Whose attributes: an object's or a list's, by slug or id. */
export interface AttributeTarget {
  readonly target: 'objects' | 'lists';
  readonly identifier: string;
}

export interface NewAttribute {
  readonly title: string;
  readonly api_slug: string;
  readonly type: string;
  readonly description: string | null;
  readonly is_required: boolean;
  readonly is_unique: boolean;
  readonly is_multiselect: boolean;
  readonly config: Readonly<Record<string, unknown>>;
}

const attributes = z.array(attribute);
const options = z.array(option);
const statuses = z.array(status);

/** How many to ask for at once; Attio documents no maximum for attributes. */
const PAGE_SIZE = 500;

export class AttributesResource {
  readonly #sender: Sender;

  constructor(deps: { sender: Sender }) {
    this.#sender = deps.sender;
  }

  /** One page. @param page.showArchived @default false */
  async list(
    { target, identifier }: AttributeTarget,
    page: PageOptions & { readonly showArchived?: boolean } = {},
  ): Promise<AttioResponse<Attribute[]>> {
    const { limit, offset, showArchived, ...rest } = page;
    return read(this.#sender, {
      route: route('GET /{target}/{identifier}/attributes', { target, identifier }),
      query: { limit, offset, show_archived: showArchived },
      schema: attributes,
      options: rest,
    });
  }

  /** All of them, over as many pages as it takes. */
  async all(
    target: AttributeTarget,
    request: RequestOptions & { readonly showArchived?: boolean } = {},
  ): Promise<Attribute[]> {
    const found: Attribute[] = [];
    const load = (position: { offset: number; limit: number }) =>
      this.list(target, { ...request, ...position });
    const paging = { offset: 0, limit: PAGE_SIZE, signal: request.signal, load };
    for await (const { data } of pagesByOffset({ ...paging, count: (page) => page.data.length })) {
      found.push(...data);
    }
    return found;
  }

  async get(
    target: AttributeTarget,
    slugOrId: string,
    request?: RequestOptions,
  ): Promise<AttioResponse<Attribute>> {
    return read(this.#sender, {
      route: route('GET /{target}/{identifier}/attributes/{attribute}', { ...target, attribute: slugOrId }),
      schema: attribute,
      options: request,
    });
  }

  async create(
    target: AttributeTarget,
    data: NewAttribute,
    request?: RequestOptions,
  ): Promise<AttioResponse<Attribute>> {
    const to = route('POST /{target}/{identifier}/attributes', { ...target });
    return write(this.#sender, { route: to, data, schema: attribute, options: request });
  }

  /** The options of a select attribute. Unpaged. @param request.showArchived @default false */
  async options(
    target: AttributeTarget,
    slugOrId: string,
    request: RequestOptions & { readonly showArchived?: boolean } = {},
  ): Promise<AttioResponse<Option[]>> {
    const { showArchived, ...rest } = request;
    return read(this.#sender, {
      route: route('GET /{target}/{identifier}/attributes/{attribute}/options', {
        ...target,
        attribute: slugOrId,
      }),
      query: { show_archived: showArchived },
      schema: options,
      options: rest,
    });
  }

  /** The stages of a status attribute, in their order. Unpaged. @param request.showArchived @default false */
  async statuses(
    target: AttributeTarget,
    slugOrId: string,
    request: RequestOptions & { readonly showArchived?: boolean } = {},
  ): Promise<AttioResponse<Status[]>> {
    const { showArchived, ...rest } = request;
    return read(this.#sender, {
      route: route('GET /{target}/{identifier}/attributes/{attribute}/statuses', {
        ...target,
        attribute: slugOrId,
      }),
      query: { show_archived: showArchived },
      schema: statuses,
      options: rest,
    });
  }
}
