import { z } from 'zod';
import { route } from '../route.ts';
import type { AttioResponse, RequestOptions } from '../transport.ts';
import { type AttioObject, object } from '../types.ts';
import { read, type Sender } from './sender.ts';

const objects = z.array(object);

export class ObjectsResource {
  readonly #sender: Sender;

  constructor(deps: { sender: Sender }) {
    this.#sender = deps.sender;
  }

  async list(options?: RequestOptions): Promise<AttioResponse<AttioObject[]>> {
    return read(this.#sender, { route: route('GET /objects', {}), schema: objects, options });
  }

  /** @param slugOrId such as `people` */
  async get(slugOrId: string, options?: RequestOptions): Promise<AttioResponse<AttioObject>> {
    return read(this.#sender, {
      route: route('GET /objects/{object}', { object: slugOrId }),
      schema: object,
      options,
    });
  }
}
