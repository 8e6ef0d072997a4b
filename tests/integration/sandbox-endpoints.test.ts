import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../mocks/test-client.ts';

let attio: TestSandbox;

beforeAll(async () => {
  attio = await startTestSandbox({ people: 30, companies: 6, deals: 4 });
});
afterAll(() => attio.close());
beforeEach(() => attio.sandbox.reset());
afterEach(() => {
  expect(attio.problems.splice(0)).toEqual([]);
});

const get = async (path: string) => (await attio.api('GET', path)).body.data;
const post = async (path: string, data: unknown) => {
  const { status, body } = await attio.api('POST', path, { data });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.data;
};
const refusal = async (method: string, path: string, body?: unknown) => {
  const answer = await attio.api(method, path, body);
  return [answer.status, answer.body.code];
};
const firstPerson = async () =>
  (await attio.api('POST', '/objects/people/records/query', { limit: 1 })).body.data[0].id
    .record_id as string;
const slugs = (items: { api_slug: string }[]) => items.map((item) => item.api_slug);
const titles = (items: { title: string }[]) => items.map((item) => item.title);

describe('objects', () => {
  test('the standard ones are there, others can be made, renamed and filled', async () => {
    expect(slugs(await get('/objects'))).toEqual(['people', 'companies', 'deals']);
    const made = await post('/objects', { api_slug: 'ships', singular_noun: 'Ship', plural_noun: 'Ships' });
    expect(await get('/objects/ships')).toEqual(made);
    expect(await get(`/objects/${made.id.object_id}`)).toEqual(made);
    expect(
      await refusal('POST', '/objects', {
        data: { api_slug: 'ships', singular_noun: 'S', plural_noun: 'Ss' },
      }),
    ).toEqual([409, 'slug_conflict']);
    expect(await refusal('PATCH', '/objects/ships', { data: {} })).toEqual([400, 'validation_type']);
    expect(await refusal('PATCH', '/objects/ships', { data: { api_slug: 'people' } })).toEqual([
      409,
      'slug_conflict',
    ]);
    await attio.api('PATCH', '/objects/ships', { data: { plural_noun: 'Fleet' } });
    expect((await get('/objects/ships')).plural_noun).toBe('Fleet');
    const record = await post('/objects/ships/records', { values: {} });
    expect(record.web_url).toContain('/ships/record/');
    expect(await refusal('GET', '/objects/nonsense')).toEqual([404, 'not_found']);
  });
});

describe('attributes', () => {
  const draft = {
    description: null,
    is_required: false,
    is_unique: false,
    is_multiselect: false,
    config: {},
  };

  test('every standard attribute reads as Attio describes it', async () => {
    const attributes = await get('/objects/people/attributes');
    const email = attributes.find((one: { api_slug: string }) => one.api_slug === 'email_addresses');
    expect(email).toMatchObject({
      type: 'email-address',
      is_unique: true,
      is_multiselect: true,
      is_writable: true,
    });
    expect(email.config.currency).toEqual({ default_currency_code: null, display_type: null });
    const company = await get('/objects/people/attributes/company');
    expect(company.relationship).toMatchObject({
      object_slug: 'companies',
      api_slug: 'team',
      is_multiselect: true,
    });
    expect(await get('/objects/people/attributes?limit=2&offset=1')).toEqual(attributes.slice(1, 3));
    expect(await refusal('GET', '/objects/people/attributes/nonsense')).toEqual([404, 'not_found']);
  });

  test('a unique one can be added to deals and is what an upsert matches by', async () => {
    const unique = { ...draft, title: 'External id', api_slug: 'external_id', type: 'text', is_unique: true };
    const made = await post('/objects/deals/attributes', unique);
    expect(made).toMatchObject({ is_unique: true, is_system_attribute: false, api_slug: 'external_id' });
    expect(await refusal('POST', '/objects/deals/attributes', { data: unique })).toEqual([
      409,
      'slug_conflict',
    ]);
    const upsert = (name: string) =>
      attio.api('PUT', '/objects/deals/records?matching_attribute=external_id', {
        data: { values: { external_id: ['x-1'], name: [name], stage: ['Lead'] } },
      });
    const [one, two] = [await upsert('One'), await upsert('Two')];
    expect(two.body.data.id).toEqual(one.body.data.id);
    expect(two.body.data.values.name[0].value).toBe('Two');
  });

  test('people and companies take no custom unique attributes', async () => {
    const unique = { ...draft, title: 'Id', api_slug: 'ext', type: 'text', is_unique: true };
    expect(await refusal('POST', '/objects/people/attributes', { data: unique })).toEqual([
      400,
      'validation_type',
    ]);
    await post('/objects/people/attributes', { ...unique, is_unique: false });
    expect(await refusal('PATCH', '/objects/people/attributes/ext', { data: { is_unique: true } })).toEqual([
      400,
      'validation_type',
    ]);
  });

  test('custom ones can be changed and archived, system ones cannot', async () => {
    const patch = { title: 'Grade', is_archived: true, default_value: null };
    const changed = await attio.api('PATCH', '/objects/people/attributes/satisfaction', { data: patch });
    expect(changed.body.data).toMatchObject({ title: 'Grade', is_archived: true });
    expect(slugs(await get('/objects/people/attributes'))).not.toContain('satisfaction');
    expect(slugs(await get('/objects/people/attributes?show_archived=true'))).toContain('satisfaction');
    expect(await refusal('PATCH', '/objects/people/attributes/name', { data: { title: 'x' } })).toEqual([
      400,
      'system_edit_unauthorized',
    ]);
  });

  test('a relationship is made with both its ends', async () => {
    await post('/objects/people/attributes', {
      ...draft,
      title: 'Manager',
      api_slug: 'manager',
      type: 'record-reference',
      relationship: { object: 'people', title: 'Reports', api_slug: 'reports', is_multiselect: true },
    });
    const boss = await firstPerson();
    const report = await post('/objects/people/records', {
      values: { manager: [{ target_object: 'people', target_record_id: boss }] },
    });
    const read = await get(`/objects/people/records/${boss}`);
    expect(read.values.reports[0].target_record_id).toBe(report.id.record_id);
  });

  test('defaults fill what a create leaves out', async () => {
    await post('/objects/people/attributes', {
      ...draft,
      title: 'Follow up',
      api_slug: 'follow_up',
      type: 'date',
      default_value: { type: 'dynamic', template: 'P1M' },
    });
    await attio.api('PATCH', '/objects/people/attributes/lead_score', {
      data: { default_value: { type: 'static', template: [{ value: 7 }] } },
    });
    const { values, created_at } = await post('/objects/people/records', { values: {} });
    expect(values.lead_score[0].value).toBe(7);
    expect(values.follow_up[0].value > created_at.slice(0, 10)).toBe(true);
  });

  test('options: listed, added, renamed, archived; only on selects', async () => {
    const path = '/objects/people/attributes/lead_source/options';
    expect(titles(await get(path))).toEqual(['Website', 'Referral', 'Event', 'Outbound']);
    const made = await post(path, { title: 'Podcast' });
    expect(await refusal('POST', path, { data: { title: 'Podcast' } })).toEqual([409, 'slug_conflict']);
    await attio.api('PATCH', `${path}/${made.id.option_id}`, { data: { title: 'Radio' } });
    await attio.api('PATCH', `${path}/Event`, { data: { is_archived: true } });
    expect(titles(await get(path))).toEqual(['Website', 'Referral', 'Outbound', 'Radio']);
    expect(titles(await get(`${path}?show_archived=true`))).toContain('Event');
    expect(await refusal('PATCH', `${path}/Nothing`, { data: { title: 'x' } })).toEqual([
      400,
      'value_not_found',
    ]);
    expect(
      await refusal('POST', '/objects/people/attributes/name/options', { data: { title: 'x' } }),
    ).toEqual([400, 'validation_type']);
    expect(
      await refusal('POST', '/objects/people/records', { data: { values: { lead_source: ['Event'] } } }),
    ).toEqual([400, 'value_not_found']);
  });

  test('statuses: listed, added, changed; of objects and of lists', async () => {
    expect(titles(await get('/objects/deals/attributes/stage/statuses'))).toEqual([
      'Lead',
      'In Progress',
      'Won 🎉',
      'Lost',
    ]);
    const path = '/lists/recruiting/attributes/stage/statuses';
    const made = await post(path, {
      title: 'Parked',
      celebration_enabled: true,
      target_time_in_status: 'P7D',
    });
    expect(made).toMatchObject({ celebration_enabled: true, target_time_in_status: 'P7D' });
    const changed = await attio.api('PATCH', `${path}/${made.id.status_id}`, { data: { title: 'On hold' } });
    expect(changed.body.data.title).toBe('On hold');
    expect(await refusal('POST', path, { data: { title: 'Applied' } })).toEqual([409, 'slug_conflict']);
    expect(await refusal('GET', '/lists/nonsense/attributes')).toEqual([404, 'not_found']);
  });
});

describe('lists and entries', () => {
  test('lists can be read, made and changed', async () => {
    const lists = await get('/lists');
    expect(slugs(lists)).toEqual(['recruiting', 'partnerships']);
    expect(lists[0].parent_object).toEqual(['people']);
    const made = await post('/lists', {
      name: 'Friends',
      api_slug: 'friends',
      parent_object: 'people',
      workspace_access: 'full-access',
      workspace_member_access: [],
    });
    expect(await get(`/lists/${made.id.list_id}`)).toEqual(made);
    await attio.api('PATCH', '/lists/friends', { data: { name: 'Foes' } });
    expect((await get('/lists/friends')).name).toBe('Foes');
    expect(await refusal('GET', '/lists/nonsense')).toEqual([404, 'not_found']);
    const clash = {
      name: 'x',
      api_slug: 'friends',
      parent_object: 'people',
      workspace_access: 'full-access',
    };
    expect(await refusal('POST', '/lists', { data: { ...clash, workspace_member_access: [] } })).toEqual([
      409,
      'slug_conflict',
    ]);
    expect(
      await refusal('POST', '/lists', {
        data: { ...clash, parent_object: 'nonsense', workspace_member_access: [] },
      }),
    ).toEqual([404, 'not_found']);
  });

  test('an entry is made, read, changed both ways and deleted', async () => {
    const parent = await firstPerson();
    const path = '/lists/recruiting/entries';
    const made = await post(path, {
      parent_record_id: parent,
      parent_object: 'people',
      entry_values: { stage: 'Applied', tags: ['Remote'], value: [{ currency_value: 10 }] },
    });
    const one = `${path}/${made.id.entry_id}`;
    expect(made).toMatchObject({ parent_record_id: parent, parent_object: 'people' });
    expect(made.entry_values.stage[0].status.title).toBe('Applied');
    expect(made.entry_values.stage[0].status.id.object_id).toBe(made.id.list_id);
    const patched = await attio.api('PATCH', one, {
      data: { entry_values: { stage: ['Offer'], tags: ['Senior'] } },
    });
    const tags = (answer: { body: { data: { entry_values: { tags: { option: { title: string } }[] } } } }) =>
      titles(answer.body.data.entry_values.tags.map((value) => value.option));
    expect(tags(patched)).toEqual(['Senior', 'Remote']);
    const put = await attio.api('PUT', one, { data: { entry_values: { tags: ['Referred'] } } });
    expect(tags(put)).toEqual(['Referred']);
    const history = await get(`${one}/attributes/stage/values?show_historic=true`);
    expect(history.map((value: { status: { title: string } }) => value.status.title)).toEqual([
      'Applied',
      'Offer',
    ]);
    const entries = await get(`/objects/people/records/${parent}/entries`);
    expect(entries).toContainEqual({
      list_id: made.id.list_id,
      list_api_slug: 'recruiting',
      entry_id: made.id.entry_id,
      created_at: made.created_at,
    });
    expect((await attio.api('DELETE', one)).body).toEqual({});
    expect(await refusal('GET', one)).toEqual([404, 'not_found']);
  });

  test('an upsert by parent makes one, changes it, and refuses when there are two', async () => {
    const { id } = await post('/objects/people/records', { values: {} });
    const body = (stage: string) => ({
      data: { parent_record_id: id.record_id, parent_object: 'people', entry_values: { stage: [stage] } },
    });
    const made = await attio.api('PUT', '/lists/recruiting/entries', body('Applied'));
    const again = await attio.api('PUT', '/lists/recruiting/entries', body('Offer'));
    expect(again.body.data.id).toEqual(made.body.data.id);
    await attio.api('POST', '/lists/recruiting/entries', body('Applied'));
    expect(await refusal('PUT', '/lists/recruiting/entries', body('Hired'))).toEqual([
      400,
      'multiple_match_results',
    ]);
  });

  test('the parent must exist, fit and stay', async () => {
    const path = '/lists/recruiting/entries';
    const parent = { parent_record_id: await firstPerson(), parent_object: 'people' };
    const wrongKey = { data: { ...parent, values: {} } };
    const answer = await attio.api('POST', path, wrongKey);
    expect(answer.body.validation_errors[0].path).toEqual(['data', 'entry_values']);
    const unknown = { data: { ...parent, parent_record_id: crypto.randomUUID(), entry_values: {} } };
    expect(await refusal('POST', path, unknown)).toEqual([400, 'value_not_found']);
    expect(
      await refusal('POST', path, { data: { ...parent, parent_object: 'companies', entry_values: {} } }),
    ).toEqual([400, 'validation_type']);
    const made = await post(path, { ...parent, entry_values: {} });
    expect(
      await refusal('PATCH', `${path}/${made.id.entry_id}`, { data: { ...parent, entry_values: {} } }),
    ).toEqual([400, 'immutable_value']);
    expect(await refusal('GET', path)).toEqual([404, 'not_found']);
  });
});

describe('notes', () => {
  test('a note is made in markdown, read both ways, changed and deleted', async () => {
    const parent = await firstPerson();
    const made = await post('/notes', {
      parent_object: 'people',
      parent_record_id: parent,
      title: 'Call',
      format: 'markdown',
      content: '# Plan\n**Buy** [this](https://example.com)',
    });
    expect(made.content_plaintext).toBe('Plan\nBuy this');
    const path = `/notes/${made.id.note_id}`;
    expect(await get(path)).toEqual(made);
    const patched = await attio.api('PATCH', path, { data: { title: 'Second call', content: 'Other' } });
    expect(patched.body.data).toMatchObject({
      title: 'Second call',
      content_markdown: 'Other',
      parent_record_id: parent,
    });
    expect(await get(`/notes?parent_object=people&parent_record_id=${parent}`)).toHaveLength(1);
    expect(await get(`/notes?parent_object=companies`)).toEqual([]);
    expect(await refusal('GET', '/notes?limit=51')).toEqual([400, 'validation_type']);
    await attio.api('DELETE', path);
    expect(await refusal('GET', path)).toEqual([404, 'not_found']);
    expect(await refusal('POST', '/notes', { parent_object: 'people', title: 'flat' })).toEqual([
      400,
      'validation_type',
    ]);
  });

  test('ten are listed unless more are asked for', async () => {
    const parent = await firstPerson();
    const note = { parent_object: 'people', parent_record_id: parent, format: 'plaintext', content: '' };
    for (let index = 0; index < 12; index += 1) await post('/notes', { ...note, title: `n${index}` });
    expect(await get('/notes')).toHaveLength(10);
    expect(titles(await get('/notes?limit=50&offset=11'))).toEqual(['n11']);
  });
});

describe('tasks', () => {
  const task = {
    content: 'Call',
    format: 'plaintext',
    deadline_at: null,
    is_completed: false,
    linked_records: [],
    assignees: [],
  };

  test('a task is made, found, completed and deleted', async () => {
    const [member] = await get('/workspace_members');
    const person = await firstPerson();
    const made = await post('/tasks', {
      ...task,
      deadline_at: '2026-12-24',
      linked_records: [{ target_object: 'people', target_record_id: person }],
      assignees: [{ workspace_member_email_address: member.email_address }],
    });
    expect(made).toMatchObject({
      content_plaintext: 'Call',
      deadline_at: '2026-12-24T00:00:00.000000000Z',
      completed_at: null,
    });
    const path = `/tasks/${made.id.task_id}`;
    expect(await get(path)).toEqual(made);
    await post('/tasks', { ...task, content: 'Other' });
    expect(await get(`/tasks?linked_object=people&linked_record_id=${person}`)).toEqual([made]);
    expect(await get(`/tasks?assignee=${member.email_address}`)).toEqual([made]);
    expect(await get('/tasks?assignee=null&sort=created_at:desc')).toHaveLength(1);
    const done = await attio.api('PATCH', path, { data: { is_completed: true, assignees: [] } });
    expect(done.body.data).toMatchObject({ is_completed: true, assignees: [] });
    expect(done.body.data.completed_at).not.toBeNull();
    expect(await get('/tasks?is_completed=true')).toHaveLength(1);
    await attio.api('DELETE', path);
    expect(await refusal('GET', path)).toEqual([404, 'not_found']);
  });

  test('every field must be there, content cannot be changed', async () => {
    const { linked_records: _, ...missing } = task;
    expect(await refusal('POST', '/tasks', { data: missing })).toEqual([400, 'validation_type']);
    expect(await refusal('POST', '/tasks', { data: { ...task, content: 'x'.repeat(2001) } })).toEqual([
      400,
      'validation_type',
    ]);
    const made = await post('/tasks', task);
    expect(await refusal('PATCH', `/tasks/${made.id.task_id}`, { data: { content: 'x' } })).toEqual([
      400,
      'validation_type',
    ]);
  });
});

describe('comments and threads', () => {
  test('a thread begins on a record, is answered, and dies with its first comment', async () => {
    const person = await firstPerson();
    const [member] = await get('/workspace_members');
    const author = { type: 'workspace-member', id: member.id.workspace_member_id };
    const comment = { format: 'plaintext', content: 'Hi', author };
    const head = await post('/comments', { ...comment, record: { object: 'people', record_id: person } });
    expect(head.thread_id).toBe(head.id.comment_id);
    expect(head).toMatchObject({
      entry: null,
      resolved_at: null,
      resolved_by: null,
      record: { record_id: person },
    });
    const reply = await post('/comments', { ...comment, thread_id: head.thread_id });
    const thread = await get(`/threads/${head.thread_id}`);
    expect(thread.comments).toEqual([head, reply]);
    expect(await get(`/threads?object=people&record_id=${person}`)).toEqual([thread]);
    expect(await get(`/comments/${reply.id.comment_id}`)).toEqual(reply);
    attio.sandbox.resolveThread(head.thread_id, true);
    expect((await get(`/comments/${head.id.comment_id}`)).resolved_at).not.toBeNull();
    await attio.api('DELETE', `/comments/${head.id.comment_id}`);
    expect(await refusal('GET', `/comments/${reply.id.comment_id}`)).toEqual([404, 'not_found']);
    expect(await refusal('GET', `/threads/${head.thread_id}`)).toEqual([404, 'not_found']);
    expect(await refusal('POST', '/comments', { data: { ...comment, thread_id: head.thread_id } })).toEqual([
      400,
      'value_not_found',
    ]);
  });

  test('a thread can begin on an entry', async () => {
    const [entry] = (await attio.api('POST', '/lists/recruiting/entries/query', { limit: 1 })).body.data;
    const [member] = await get('/workspace_members');
    const place = { list: 'recruiting', entry_id: entry.id.entry_id };
    const author = { type: 'workspace-member', id: member.id.workspace_member_id };
    const made = await post('/comments', { format: 'plaintext', content: 'Hi', author, entry: place });
    expect(made.entry).toEqual({ entry_id: entry.id.entry_id, list_id: entry.id.list_id });
    expect(made.record.record_id).toBe(entry.parent_record_id);
    expect(await get(`/threads?list=recruiting&entry_id=${entry.id.entry_id}`)).toHaveLength(1);
  });
});

describe('members, search and webhooks', () => {
  test('members are listed and read', async () => {
    const members = await get('/workspace_members');
    expect(members[0]).toMatchObject({ email_address: 'robin@example.com', access_level: 'admin' });
    expect(await get(`/workspace_members/${members[1].id.workspace_member_id}`)).toEqual(members[1]);
    expect(await refusal('GET', `/workspace_members/${crypto.randomUUID()}`)).toEqual([404, 'not_found']);
  });

  test('search finds by name, address and domain', async () => {
    const person = await post('/objects/people/records', {
      values: { name: ['Searchable, Zed'], email_addresses: ['zed@example.org'] },
    });
    const search = (query: string, more = {}) =>
      attio.api('POST', '/objects/records/search', {
        query,
        objects: ['people', 'companies'],
        request_as: { type: 'workspace' },
        ...more,
      });
    for (const query of ['zed search', 'ZED@example']) {
      const { body } = await search(query);
      expect(body.data).toMatchObject([
        { id: person.id, record_text: 'Zed Searchable', email_addresses: ['zed@example.org'] },
      ]);
    }
    expect((await search('', { limit: 3 })).body.data).toHaveLength(3);
    expect((await search('x', { objects: ['nonsense'] })).body.code).toBe('value_not_found');
    expect((await search('x', { request_as: undefined })).body.validation_errors[0].path).toEqual([
      'request_as',
    ]);
  });

  test('a webhook shows its secret once, can be changed, and is not made twice', async () => {
    const webhook = {
      target_url: 'https://example.com/hook',
      subscriptions: [{ event_type: 'record.created', filter: null }],
    };
    const made = await post('/webhooks', webhook);
    expect(made).toMatchObject({ ...webhook, status: 'active' });
    expect(made.secret).toMatch(/^[0-9a-f]{64}$/);
    const path = `/webhooks/${made.id.webhook_id}`;
    expect(await get(path)).not.toHaveProperty('secret');
    expect(await get('/webhooks')).toHaveLength(1);
    expect(await refusal('POST', '/webhooks', { data: webhook })).toEqual([409, 'uniqueness_conflict']);
    const changed = await attio.api('PATCH', path, { data: { target_url: 'https://example.com/other' } });
    expect(changed.body.data.target_url).toBe('https://example.com/other');
    expect((await attio.api('DELETE', path)).body).toEqual({});
    expect(await refusal('GET', path)).toEqual([404, 'not_found']);
    expect(await refusal('DELETE', path)).toEqual([404, 'not_found']);
  });

  test.each([
    [{ target_url: 'http://example.com', subscriptions: [] }, ['data', 'target_url']],
    [
      { target_url: 'https://example.com', subscriptions: [{ event_type: 'record.created' }] },
      ['data', 'subscriptions', 0, 'filter'],
    ],
    [
      { target_url: 'https://example.com', subscriptions: [{ event_type: 'nope', filter: null }] },
      ['data', 'subscriptions', 0, 'event_type'],
    ],
  ])('a bad webhook is refused: %j', async (data, path) => {
    const { status, body } = await attio.api('POST', '/webhooks', { data });
    expect([status, body.code]).toEqual([400, 'validation_type']);
    expect(body.validation_errors[0].path).toEqual(path);
  });
});

test('every operation of the document but meetings, recordings and SCIM was used', async () => {
  if (attio.validator === null) return;
  await attio.api('GET', '/self');
  await attio.api('GET', '/objects/people/records/x');
  const expected = /meetings|scim/;
  const left = attio.validator.unused().filter((name) => !expected.test(name));
  expect(left.filter((name) => !/records/.test(name))).toEqual([]);
});
