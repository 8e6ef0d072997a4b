import { expect } from 'vitest';
import type { AppConfig } from '../../src/config.ts';
import { type Receiver, SECRET } from './receiver.ts';
import { type Change, type ServiceOptions, startService, type TestService, until } from './service.ts';

type Settings = AppConfig['changeWebhooks'];

/** Webhooks of Attio are not gathered, so that each edit is a change at once. */
export function pushing(changes: Partial<Settings> = {}): (config: AppConfig) => AppConfig {
  return (config) => ({
    ...config,
    changeWebhooks: { ...config.changeWebhooks, ...changes },
    inbox: { ...config.inbox, coalesceMs: 0 },
  });
}

/** The variables: production takes neither http nor this machine. */
export function pushEnv(...urls: readonly string[]): Record<string, string> {
  return { NODE_ENV: 'development', CHANGE_WEBHOOK_URLS: urls.join(','), CHANGE_WEBHOOK_SECRET: SECRET };
}

export interface WebhookJson {
  readonly id: string;
  readonly host: string;
  readonly number: number | null;
  readonly status: 'active' | 'disabled';
  readonly cursor: string | null;
  readonly pending: number;
  readonly dead: number;
  readonly missed: number;
  readonly lastSuccessAt: string | null;
  readonly lastError: string | null;
  readonly failingSince: string | null;
  readonly disabledReason: string | null;
}

export interface PushLetter {
  readonly id: string;
  readonly kind: string;
  readonly reason: string;
  readonly detail: string;
  readonly deliveryId: number | null;
  readonly eventType: string | null;
  readonly attempts: number;
}

/** A service that pushes, with people who were synced before. */
export async function startPushing(
  urls: readonly string[],
  { settings = {}, env = {}, sandbox = {}, ...more }: ServiceOptions & { settings?: Partial<Settings> } = {},
): Promise<TestService> {
  const service = await startService({
    sandbox: { people: 20, companies: 0, deals: 0, ...sandbox },
    env: { ...pushEnv(...urls), ...env },
    configure: pushing(settings),
    ...more,
  });
  await service.sync('people');
  return service;
}

export async function webhooks(service: TestService): Promise<WebhookJson[]> {
  return (await service.get<{ data: WebhookJson[] }>('/v1/change-webhooks')).body.data;
}

export async function webhook(service: TestService, index = 0): Promise<WebhookJson> {
  const found = (await webhooks(service))[index];
  if (found === undefined) throw new Error('there is no such webhook');
  return found;
}

export async function pushLetters(service: TestService): Promise<PushLetter[]> {
  return (await service.get<{ data: PushLetter[] }>('/v1/dead-letters?kind=notify')).body.data;
}

/** Resolves when nothing is left to be pushed. */
export async function pushed(service: TestService): Promise<void> {
  await until(async () => {
    await service.settled();
    return (await webhooks(service)).every(({ pending }) => pending === 0);
  });
}

/** Each thing's changes as they were told, against the feed. */
export function expectFollowed(receiver: Receiver, feed: readonly Change[]): void {
  const told = receiver.messages.map(({ body }) => body.data);
  expect(told.map(({ cursor }) => cursor).toSorted()).toEqual(feed.map(({ cursor }) => cursor).toSorted());
  for (const id of new Set(feed.map((change) => change.id))) {
    expect(told.filter((change) => change.id === id)).toEqual(feed.filter((change) => change.id === id));
  }
}
