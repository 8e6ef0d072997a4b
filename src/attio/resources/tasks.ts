import { z } from 'zod';
import { route } from '../route.ts';
import type { AttioResponse, RequestOptions } from '../transport.ts';
import { type Task, task } from '../types.ts';
import { type PageOptions, read, remove, type Sender, write } from './sender.ts';

export interface LinkedRecord {
  /** Object slug or id. */
  readonly target_object: string;
  readonly target_record_id: string;
}

export type Assignee =
  | { readonly workspace_member_email_address: string }
  | { readonly referenced_actor_type: 'workspace-member'; readonly referenced_actor_id: string };

/** All members are required by Attio; `content` is at most 2,000 characters. */
export interface NewTask {
  readonly content: string;
  readonly format: 'plaintext';
  /** ISO 8601 */
  readonly deadline_at: string | null;
  readonly is_completed: boolean;
  readonly linked_records: readonly LinkedRecord[];
  readonly assignees: readonly Assignee[];
}

/** The content cannot be changed. Lists replace what is there. */
export type TaskChanges = Partial<Omit<NewTask, 'content' | 'format'>>;

export interface TaskFilter {
  /** Object slug or id; goes with `linkedRecordId`. */
  readonly linkedObject?: string;
  readonly linkedRecordId?: string;
  /** A member's id or e-mail address. */
  readonly assignee?: string;
  readonly isCompleted?: boolean;
  /** @default created_at:asc */
  readonly sort?: 'created_at:asc' | 'created_at:desc' | 'completed_at:asc' | 'completed_at:desc';
}

/** Attio's default; no maximum is documented. */
export const TASKS_PER_PAGE = 500;

const tasks = z.array(task);

export class TasksResource {
  readonly #sender: Sender;

  constructor(deps: { sender: Sender }) {
    this.#sender = deps.sender;
  }

  /** One page. */
  async list(filter: TaskFilter = {}, page: PageOptions = {}): Promise<AttioResponse<Task[]>> {
    const { limit, offset, ...options } = page;
    const query = {
      limit,
      offset,
      sort: filter.sort,
      linked_object: filter.linkedObject,
      linked_record_id: filter.linkedRecordId,
      assignee: filter.assignee,
      is_completed: filter.isCompleted,
    };
    return read(this.#sender, { route: route('GET /tasks', {}), query, schema: tasks, options });
  }

  async get(taskId: string, options?: RequestOptions): Promise<AttioResponse<Task>> {
    const to = route('GET /tasks/{task_id}', { task_id: taskId });
    return read(this.#sender, { route: to, schema: task, options });
  }

  /** Not repeatable. */
  async create(data: NewTask, options?: RequestOptions): Promise<AttioResponse<Task>> {
    return write(this.#sender, { route: route('POST /tasks', {}), data, schema: task, options });
  }

  async update(taskId: string, data: TaskChanges, options?: RequestOptions): Promise<AttioResponse<Task>> {
    const to = route('PATCH /tasks/{task_id}', { task_id: taskId });
    return write(this.#sender, { route: to, data, schema: task, options });
  }

  async delete(taskId: string, options?: RequestOptions): Promise<{ readonly alreadyGone: boolean }> {
    return remove(this.#sender, route('DELETE /tasks/{task_id}', { task_id: taskId }), options);
  }
}
