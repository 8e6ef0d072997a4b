import { z } from 'zod';
import { route } from '../route.ts';
import type { AttioResponse, RequestOptions } from '../transport.ts';
import { type Member, member } from '../types.ts';
import { read, type Sender } from './sender.ts';

const members = z.array(member);

export class MembersResource {
  readonly #sender: Sender;

  constructor(deps: { sender: Sender }) {
    this.#sender = deps.sender;
  }

  /** All of them, the suspended included. Unpaged. */
  async list(options?: RequestOptions): Promise<AttioResponse<Member[]>> {
    return read(this.#sender, { route: route('GET /workspace_members', {}), schema: members, options });
  }

  async get(memberId: string, options?: RequestOptions): Promise<AttioResponse<Member>> {
    const to = route('GET /workspace_members/{workspace_member_id}', { workspace_member_id: memberId });
    return read(this.#sender, { route: to, schema: member, options });
  }
}
