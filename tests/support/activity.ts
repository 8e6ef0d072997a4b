/** Written by tests of notes, tasks and comments: what they send, what they see, and what Attio has. */
import type { Answer, TestService } from './service.ts';
import { type SyncJson, startWriting } from './writes.ts';

export interface ItemJson {
  readonly id: string;
  readonly noteId?: string | null;
  readonly taskId?: string | null;
  readonly commentId?: string | null;
  readonly threadId?: string | null;
  readonly recordId?: string | null;
  readonly title?: string;
  readonly content: string;
  readonly isCompleted?: boolean;
  readonly deadlineAt?: string | null;
  readonly linkedRecords?: readonly { readonly object: string; readonly recordId: string | null }[];
  readonly assignees?: readonly { readonly email: string | null }[];
  readonly createdAt: string;
  readonly sync: SyncJson;
}

export interface WrittenItem {
  readonly data: ItemJson;
  readonly sync: SyncJson;
  readonly detail?: string;
}

export type Kind = 'notes' | 'tasks' | 'comments';

export function post(
  service: TestService,
  kind: Kind,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<WrittenItem>> {
  return service.call<WrittenItem>('POST', `/v1/${kind}`, { body, headers });
}

export async function list(service: TestService, kind: Kind, query = ''): Promise<ItemJson[]> {
  return (await service.get<{ data: ItemJson[] }>(`/v1/${kind}${query}`)).body.data;
}

/** What Attio has of a kind, but for what it was seeded with. */
export function inAttio(service: TestService, kind: Kind): number {
  return service.sandbox.sandbox.world[kind].size - (seeded.get(service)?.[kind] ?? 0);
}

const seeded = new WeakMap<TestService, Record<Kind, number>>();

export async function startCounting(options: Parameters<typeof startWriting>[0] = {}): Promise<TestService> {
  const service = await startWriting(options);
  const { notes, tasks, comments } = service.sandbox.sandbox.world;
  seeded.set(service, { notes: notes.size, tasks: tasks.size, comments: comments.size });
  return service;
}
