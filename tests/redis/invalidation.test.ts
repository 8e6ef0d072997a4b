import { expect, test } from 'vitest';
import { Instances } from '../support/instances.ts';
import { until } from '../support/service.ts';

/** Waits until an instance serves a title, and sees that it never goes back to another one. */
async function serves(instances: Instances, service: Instances['second'], id: string, title: string) {
  await until(async () => (await instances.read(service, id)).title === title);
  for (let again = 0; again < 5; again += 1) {
    expect((await instances.read(service, id)).title).toBe(title);
  }
}

test('a thousand concurrent cold reads of a record are one request to Attio', async () => {
  await using instances = await Instances.start();
  const [id = ''] = await instances.people(1);
  const reads = await Promise.all(Array.from({ length: 1_000 }, () => instances.read(instances.second, id)));
  expect(new Set(reads.map((read) => read.status))).toEqual(new Set([200]));
  expect(instances.readsOf(id)).toBe(1);
});

test('a webhook that one instance has answered makes the other forget', async () => {
  await using instances = await Instances.start();
  const { second } = instances;
  const [id = ''] = await instances.people(1);
  await instances.read(second, id);
  instances.editQuietly(id, 'New');
  expect((await instances.read(second, id)).cache).toBe('HIT');
  await instances.tell(id);
  await serves(instances, second, id, 'New');
});

test('that Attio has no company of an id is not taken for a person of it', async () => {
  await using instances = await Instances.start();
  const { second } = instances;
  const [id = ''] = await instances.people(1);
  expect((await second.get(`/v1/records/companies/${id}`)).status).toBe(404);
  expect((await second.get(`/v1/records/people/${id}`)).status).toBe(200);
});

test('a read in flight in the other instance is given the value from after the webhook', async () => {
  const gate = holdable();
  await using instances = await Instances.start({ second: { fetch: gate.fetch } });
  const { second } = instances;
  const [id = '', other = ''] = await instances.people(2);
  await instances.read(second, other);
  gate.hold(id);
  const inFlight = instances.read(second, id);
  await gate.held;
  await instances.edit(id, 'New');
  // Messages come in their order: when this one has been heard, so has the one before.
  await instances.edit(other, 'Heard');
  await serves(instances, second, other, 'Heard');
  gate.release();
  expect((await inFlight).title).toBe('New');
  await serves(instances, second, id, 'New');
});

test('an attribute that one instance learns of is known to the other', async () => {
  await using instances = await Instances.start();
  const { first, second } = instances;
  const path = '/v1/objects/people/attributes';
  const slugs = async () =>
    (await second.get<{ data: { api_slug: string }[] }>(path)).body.data.map(({ api_slug }) => api_slug);
  expect(await slugs()).not.toContain('shoe_size');
  const made = await fetch(`${first.sandbox.url}/v2/objects/people/attributes`, {
    method: 'POST',
    headers: { authorization: 'Bearer somebody', 'content-type': 'application/json' },
    body: JSON.stringify({
      data: {
        title: 'Shoe size',
        description: null,
        api_slug: 'shoe_size',
        type: 'number',
        is_required: false,
        is_unique: false,
        is_multiselect: false,
        config: {},
      },
    }),
  });
  expect(made.status).toBe(200);
  await first.deliver(first.event('object-attribute.created', 'people', crypto.randomUUID()));
  await until(async () => (await slugs()).includes('shoe_size'));
});

test('a stage that was renamed is known to the other instance', async () => {
  await using instances = await Instances.start();
  const { first, second } = instances;
  const titles = async () => {
    const { body } = await second.get<{ data: { stages: { title: string }[] } }>('/v1/pipelines/recruiting');
    return body.data.stages.map(({ title }) => title);
  };
  expect(await titles()).toContain('Offer');
  const { sandbox } = first.sandbox;
  sandbox.act({
    method: 'PATCH',
    path: '/lists/recruiting/attributes/stage/statuses/Offer',
    body: { data: { title: 'Offered' } },
  });
  const id = {
    workspace_id: sandbox.world.workspace.id,
    list_id: sandbox.world.list('recruiting').id,
    attribute_id: crypto.randomUUID(),
  };
  await first.deliver({
    webhook_id: crypto.randomUUID(),
    events: [{ event_type: 'list-attribute.updated', id, actor: { type: 'system', id: null } }],
  });
  await until(async () => (await titles()).includes('Offered'));
});

/** Lets the answer for one record come from Attio, and holds it back once. */
function holdable() {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let part: string | null = null;
  return {
    held: held.promise,
    hold(id: string) {
      part = id;
    },
    release: () => released.resolve(),
    async fetch(url: string, init: RequestInit): Promise<Response> {
      const response = await fetch(url, init);
      if (part === null || !url.includes(part)) return response;
      part = null;
      held.resolve();
      await released.promise;
      return response;
    },
  };
}
