import { z } from 'zod';
import { route } from '../route.ts';
import type { AttioResponse, RequestOptions } from '../transport.ts';
import { type AttioList, list } from '../types.ts';
import { read, type Sender } from './sender.ts';

const lists = z.array(list);

export class ListsResource {
  readonly #sender: Sender;

  constructor(deps: { sender: Sender }) {
    this.#sender = deps.sender;
  }

  /** All lists that the token may see. Unpaged. */
  async list(options?: RequestOptions): Promise<AttioResponse<AttioList[]>> {
    return read(this.#sender, { route: route('GET /lists', {}), schema: lists, options });
  }

  async get(slugOrId: string, options?: RequestOptions): Promise<AttioResponse<AttioList>> {
    const to = route('GET /lists/{list}', { list: slugOrId });
    return read(this.#sender, { route: to, schema: list, options });
  }
}
