import { z } from 'zod';
import { invalid } from '../core/errors.ts';
import type { World } from '../state/world.ts';
import { EVENT_TYPES } from '../webhooks/events.ts';
import { type SubscriptionFilter, subscriptionFilter } from '../webhooks/filter.ts';
import type { Subscription, Webhook } from '../webhooks/registry.ts';
import { type Call, param, route } from './router.ts';
import { data, page, slice } from './schemas.ts';

const targetUrl = z.url().regex(/^https:\/\/.*/, 'Target URLs must be https.');

/** The `filter` key must be there, even if null. */
const subscriptions = z.array(z.object({ event_type: z.enum(EVENT_TYPES), filter: subscriptionFilter }));

function render(world: World, webhook: Webhook): Record<string, unknown> {
  return {
    id: { workspace_id: world.workspace.id, webhook_id: webhook.id },
    target_url: webhook.targetUrl,
    status: webhook.status,
    subscriptions: webhook.subscriptions,
    created_at: webhook.createdAt,
  };
}

function conditions(filter: SubscriptionFilter) {
  if (filter === null) return [];
  return '$or' in filter ? filter.$or : filter.$and;
}

function checkLists(world: World, given: readonly Subscription[]): void {
  for (const { filter } of given) {
    for (const { field, value } of conditions(filter)) {
      if (field === 'id.list_id' && world.findList(value) === undefined)
        throw invalid('Related list not found');
    }
  }
}

const found = (call: Call) => call.webhooks.get(param(call, 'webhook_id'));

export const webhookRoutes = [
  route({
    method: 'GET',
    path: '/webhooks',
    query: z.object(page(10, 100, 10)),
    handle: ({ world, webhooks, query }) => ({
      data: slice(webhooks.list(), query).map((webhook) => render(world, webhook)),
    }),
  }),
  route({
    method: 'POST',
    path: '/webhooks',
    body: data(z.object({ target_url: targetUrl, subscriptions })),
    handle({ world, webhooks, body, stamp }) {
      checkLists(world, body.data.subscriptions);
      const webhook: Webhook = {
        id: world.newId(),
        targetUrl: body.data.target_url,
        subscriptions: body.data.subscriptions,
        status: 'active',
        secret: world.newSecret(),
        createdAt: stamp().at,
      };
      webhooks.add(webhook);
      return { data: { ...render(world, webhook), secret: webhook.secret } };
    },
  }),
  route({
    method: 'GET',
    path: '/webhooks/{webhook_id}',
    handle: (call) => ({ data: render(call.world, found(call)) }),
  }),
  route({
    method: 'PATCH',
    path: '/webhooks/{webhook_id}',
    body: data(z.object({ target_url: targetUrl.optional(), subscriptions: subscriptions.optional() })),
    handle(call) {
      const webhook = found(call);
      const target = call.body.data.target_url ?? webhook.targetUrl;
      const wanted = call.body.data.subscriptions ?? webhook.subscriptions;
      checkLists(call.world, wanted);
      call.webhooks.checkFree(target, wanted, webhook);
      webhook.targetUrl = target;
      webhook.subscriptions = wanted;
      return { data: render(call.world, webhook) };
    },
  }),
  route({
    method: 'DELETE',
    path: '/webhooks/{webhook_id}',
    handle(call) {
      call.webhooks.delete(param(call, 'webhook_id'));
      return {};
    },
  }),
];
