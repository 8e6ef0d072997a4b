import { z } from 'zod';
import { route } from '../route.ts';
import type { AttioResponse, RequestOptions } from '../transport.ts';
import { type Comment, comment, type Thread, thread } from '../types.ts';
import { type PageOptions, read, remove, type Sender, write } from './sender.ts';

/** What a comment is on: a thread (an answer), a record or a list entry (a new thread). */
export type CommentTarget =
  | { readonly thread_id: string }
  | { readonly record: { readonly object: string; readonly record_id: string } }
  | { readonly entry: { readonly list: string; readonly entry_id: string } };

export type NewComment = CommentTarget & {
  readonly format: 'plaintext';
  readonly content: string;
  readonly author: { readonly type: 'workspace-member'; readonly id: string };
  /** ISO 8601 */
  readonly created_at?: string;
};

/** Attio lists threads of one record or one entry only. */
export type ThreadFilter =
  | { readonly object: string; readonly recordId: string }
  | { readonly list: string; readonly entryId: string };

/** Attio's maximum; its default is 10. */
export const MAX_THREADS_PER_PAGE = 50;

const threads = z.array(thread);

/** Comments cannot be changed, and are listed by thread. */
export class CommentsResource {
  readonly #sender: Sender;

  constructor(deps: { sender: Sender }) {
    this.#sender = deps.sender;
  }

  async get(commentId: string, options?: RequestOptions): Promise<AttioResponse<Comment>> {
    const to = route('GET /comments/{comment_id}', { comment_id: commentId });
    return read(this.#sender, { route: to, schema: comment, options });
  }

  /** Not repeatable. */
  async create(data: NewComment, options?: RequestOptions): Promise<AttioResponse<Comment>> {
    return write(this.#sender, { route: route('POST /comments', {}), data, schema: comment, options });
  }

  /** Deleting the first comment of a thread deletes the thread. */
  async delete(commentId: string, options?: RequestOptions): Promise<{ readonly alreadyGone: boolean }> {
    return remove(this.#sender, route('DELETE /comments/{comment_id}', { comment_id: commentId }), options);
  }
}

export class ThreadsResource {
  readonly #sender: Sender;

  constructor(deps: { sender: Sender }) {
    this.#sender = deps.sender;
  }

  /** One page. */
  async list(filter: ThreadFilter, page: PageOptions = {}): Promise<AttioResponse<Thread[]>> {
    const { limit, offset, ...options } = page;
    const of =
      'recordId' in filter
        ? { object: filter.object, record_id: filter.recordId }
        : { list: filter.list, entry_id: filter.entryId };
    const query = { ...of, limit, offset };
    return read(this.#sender, { route: route('GET /threads', {}), query, schema: threads, options });
  }

  async get(threadId: string, options?: RequestOptions): Promise<AttioResponse<Thread>> {
    const to = route('GET /threads/{thread_id}', { thread_id: threadId });
    return read(this.#sender, { route: to, schema: thread, options });
  }
}
