/**
 * The gateway against Attio itself: reads only, nothing is written. What the sandbox cannot prove is that Attio still
 * answers in the shapes that our schemas expect.
 */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { AttioClient } from '../../../src/attio/client.ts';
import { silentObserver } from '../../../src/attio/observer.ts';
import { readValues } from '../../../src/attio/values/read.ts';
import { loadConfig } from '../../../src/config.ts';
import { systemClock } from '../../../src/queue/clock.ts';

const apiKey = process.env['ATTIO_LIVE_API_KEY'];
const baseUrl = process.env['ATTIO_LIVE_BASE_URL'];

const HOW = 'set ATTIO_LIVE_API_KEY to a token of a workspace to run these';
if (!apiKey) process.stderr.write(`Live Attio is skipped: ${HOW}.\n`);

const PAGE = 50;
const NINE_DIGITS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;

describe('live Attio', () => {
  const { attio: settings } = loadConfig({ ATTIO_API_KEY: apiKey ?? 'none', ATTIO_BASE_URL: baseUrl });
  const attio = new AttioClient({
    fetch: (url, init) => fetch(url, init),
    clock: systemClock(),
    random: Math.random,
    observer: silentObserver,
    settings,
  });
  beforeEach(({ skip }) => skip(!apiKey, HOW));
  afterAll(() => attio.close());

  it('knows the token, its workspace and its scopes', async () => {
    const { data } = await attio.self();
    expect(data.active).toBe(true);
    expect(data.workspace_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(data.scope).toMatch(/\bobject_configuration:read/);
    expect(data.scope).toMatch(/\brecord_permission:read/);
  });

  it('lists the objects', async () => {
    const { data } = await attio.objects.list();
    expect(data.map((object) => object.api_slug)).toEqual(expect.arrayContaining(['people', 'companies']));
  });

  it('describes the attributes of people', async () => {
    const attributes = await attio.attributes.all({ target: 'objects', identifier: 'people' });
    const emails = attributes.find((attribute) => attribute.api_slug === 'email_addresses');
    expect(emails).toMatchObject({ type: 'email-address', is_unique: true, is_multiselect: true });
  });

  it('reads a page of people, every one of them, and says of when the answer is', async () => {
    const attributes = await attio.attributes.all({ target: 'objects', identifier: 'people' });
    const page = await attio.records.query('people', {
      sorts: [{ direction: 'asc', attribute: 'created_at' }],
      limit: PAGE,
    });
    expect(page.invalid).toEqual([]);
    expect(page.records.length).toBeLessThanOrEqual(PAGE);
    expect(page.meta.accurateAt).toMatch(NINE_DIGITS);
    for (const record of page.records) {
      for (const attribute of attributes) {
        expect(() => readValues(attribute, record.values[attribute.api_slug] ?? [])).not.toThrow();
      }
    }
  });

  it('finds records by their ids, which is how a webhook is followed up', async () => {
    const { records } = await attio.records.query('people', { limit: 3 });
    const ids = records.map((record) => record.id.record_id);
    if (ids.length === 0) return; // an empty workspace
    const found = await attio.records.query('people', { filter: { record_id: { $in: ids } }, limit: PAGE });
    expect(found.records.map((record) => record.id.record_id).sort()).toEqual(ids.toSorted());
  });
});
