import type { ItemScope } from '../../domain/items.ts';
import type { WebhookEventType } from '../../domain/webhook-events.ts';
import type { ItemRefresh } from '../../services/items/refresh.ts';
import type { WebhookHandler, WebhookRouter } from '../router.ts';
import { besideId, factsOf, idOf } from './members.ts';

type Expectation = 'present' | 'gone';

const NOTES = {
  'note.created': 'present',
  'note.updated': 'present',
  'note-content.updated': 'present',
  'note.deleted': 'gone',
} as const satisfies Partial<Record<WebhookEventType, Expectation>>;

const TASKS = {
  'task.created': 'present',
  'task.updated': 'present',
  'task.deleted': 'gone',
} as const satisfies Partial<Record<WebhookEventType, Expectation>>;

const COMMENTS = {
  'comment.created': 'present',
  'comment.resolved': 'present',
  'comment.unresolved': 'present',
  'comment.deleted': 'gone',
} as const satisfies Partial<Record<WebhookEventType, Expectation>>;

/** What is said in calls is not mirrored by this version: its events are kept for the one that does. */
const KEPT = [
  'call-recording.created',
  'activity-attribute.created',
] as const satisfies readonly WebhookEventType[];

interface ActivityEventsDeps {
  readonly refresh: Pick<ItemRefresh, 'refresh' | 'refreshThread'>;
  /** Whether notes and tasks are mirrored. */
  readonly activity: boolean;
}

/** Events of notes, tasks and comments are hints: each has the one it names looked at again. */
export function registerActivityEvents(
  router: WebhookRouter,
  { refresh, activity }: ActivityEventsDeps,
): void {
  const look =
    (kind: 'notes' | 'tasks', idName: string, expect: Expectation): WebhookHandler =>
    async (event, receivedAt) => {
      if (!activity) return 'ignored';
      const scope: ItemScope = { kind, listId: null };
      await refresh.refresh(scope, idOf(event, idName), { expect, event: factsOf(event, receivedAt) });
      return 'done';
    };
  const lookAtThread =
    (expect: Expectation): WebhookHandler =>
    async (event, receivedAt) => {
      const told = { expect, event: factsOf(event, receivedAt) };
      const threadId = besideId(event, 'thread_id');
      // A new comment changes none of the others.
      if (event.type === 'comment.created') {
        await refresh.refresh({ kind: 'comments', listId: null }, idOf(event, 'comment_id'), told);
      } else await refresh.refreshThread(idOf(event, 'comment_id'), threadId, told);
      return 'done';
    };
  for (const [type, expect] of typed(NOTES)) router.on(type, look('notes', 'note_id', expect));
  for (const [type, expect] of typed(TASKS)) router.on(type, look('tasks', 'task_id', expect));
  for (const [type, expect] of typed(COMMENTS)) router.on(type, lookAtThread(expect));
  for (const type of KEPT) router.on(type, async () => 'kept');
}

function typed(table: Partial<Record<WebhookEventType, Expectation>>): [WebhookEventType, Expectation][] {
  return Object.entries(table) as [WebhookEventType, Expectation][]; // entries lose the keys' type
}
