import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import type { TestService } from '../support/service.ts';
import {
  attio,
  contact,
  created,
  delivered,
  kindsOf,
  person,
  put,
  putCompany,
  size,
  startWriting,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const EMAILS = ['ada@home.example', 'ada@work.example', 'ada@old.example'];
const PHONES = ['+15550100001', '+15550100002'];

function ada(service: TestService): string {
  return person(service, {
    name: [{ first_name: 'Ada', last_name: 'Lovelace', full_name: 'Ada Lovelace' }],
    email_addresses: EMAILS,
    phone_numbers: PHONES.map((number) => ({ original_phone_number: number })),
    job_title: 'Countess',
  });
}

describe('a value for a list is added', () => {
  test.each(['never read', 'mirrored', 'mirrored long ago'])('to a person that is %s', async (state) => {
    await using service = await startWriting({ subscribe: false });
    const { sandbox } = service.sandbox;
    const recordId = ada(service);
    if (state !== 'never read') await service.sync('people');
    const phones = state === 'mirrored long ago' ? [...PHONES, '+15550100003'] : PHONES;
    if (state === 'mirrored long ago') {
      const values = { phone_numbers: phones.map((number) => ({ original_phone_number: number })) };
      sandbox.edit({ object: 'people', recordId, values });
    }
    const answer = await put(service, { email: 'ADA@work.Example', phone: '+1 555 010 0009' });
    expect([answer.status, answer.body.sync]).toEqual([200, { status: 'synced', recordId }]);
    expect(attio(service, recordId)).toMatchObject({
      email_addresses: EMAILS,
      phone_numbers: ['+15550100009', ...phones],
      job_title: ['Countess'],
    });
    expect(answer.body.data).toMatchObject({
      emails: EMAILS,
      phone: '+15550100009',
      attributes: { phone_numbers: ['+15550100009', ...phones] },
    });
    expect(kindsOf(writes(service))).toEqual(['PATCH people']);
  });

  test('of choices, and one that is there already is not', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: EMAILS, interests: ['Analytics', 'Reporting'] });
    await put(service, { email: EMAILS[0], attributes: { interests: ['Automation', 'Analytics'] } });
    expect(attio(service, recordId)['interests']).toEqual(['Automation', 'Analytics', 'Reporting']);
    await put(service, { email: EMAILS[0], attributes: { interests: 'Reporting' } });
    expect(attio(service, recordId)['interests']).toEqual(['Automation', 'Analytics', 'Reporting']);
    expect(kindsOf(writes(service))).toEqual(['PATCH people']);
  });

  test('unless it replaces: then these are all', async () => {
    await using service = await startWriting();
    const recordId = ada(service);
    const phone = { replace: ['+15550100002', '+1 555 010 0007'] };
    const answer = await put(service, { email: EMAILS[2], phone, attributes: { interests: ['Reporting'] } });
    expect(attio(service, recordId)).toMatchObject({
      email_addresses: EMAILS,
      phone_numbers: ['+15550100002', '+15550100007'],
      interests: ['Reporting'],
    });
    expect(answer.body.data.phone).toBe('+15550100002');
  });

  test('and an empty list adds nothing', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: EMAILS, interests: ['Analytics'] });
    const attributes = { interests: [], phone_numbers: [] };
    const { body } = await put(service, { email: EMAILS[0], jobTitle: 'Analyst', attributes });
    expect(attio(service, recordId)).toMatchObject({ interests: ['Analytics'], job_title: ['Analyst'] });
    expect(body.data.attributes['interests']).toMatchObject([{ title: 'Analytics' }]);
  });

  test('and what a record is found by cannot be taken away', async () => {
    await using service = await startWriting();
    const recordId = ada(service);
    await put(service, { email: EMAILS[0] });
    const attributes = { email_addresses: { replace: [] } };
    expect((await put(service, { email: EMAILS[0], attributes })).status).toBe(400);
    expect(attio(service, recordId)['email_addresses']).toEqual(EMAILS);
  });

  test('and a changed address replaces the one it is found by', async () => {
    await using service = await startWriting();
    const recordId = ada(service);
    const attributes = { email_addresses: { replace: ['ada@new.example'] } };
    const { body } = await put(service, { email: EMAILS[0], attributes });
    expect(attio(service, recordId)['email_addresses']).toEqual(['ada@new.example']);
    expect(body.data.emails).toEqual(['ada@new.example']);
    expect((await service.get<{ data: unknown[] }>(`/v1/contacts?email=${EMAILS[0]}`)).body.data).toEqual([]);
  });
});

describe('half a name', () => {
  test('keeps the other half, also when somebody changed that meanwhile', async () => {
    await using service = await startWriting({ subscribe: false });
    const recordId = ada(service);
    await put(service, { email: EMAILS[0], firstName: 'Augusta' });
    expect(attio(service, recordId)['name']).toEqual([['Augusta', 'Lovelace']]);
    const name = [{ first_name: 'Augusta', last_name: 'King', full_name: 'Augusta King' }];
    service.sandbox.sandbox.edit({ object: 'people', recordId, values: { name } });
    const { body } = await put(service, { email: EMAILS[0], firstName: 'Ada' });
    expect(attio(service, recordId)['name']).toEqual([['Ada', 'King']]);
    expect(body.data).toMatchObject({ firstName: 'Ada', lastName: 'King' });
  });

  test('is cleared alone, and both halves together', async () => {
    await using service = await startWriting();
    const recordId = ada(service);
    const one = await put(service, { email: EMAILS[0], firstName: null });
    expect(attio(service, recordId)['name']).toEqual([['', 'Lovelace']]);
    expect(one.body.data).toMatchObject({ firstName: null, lastName: 'Lovelace' });
    const both = await put(service, { email: EMAILS[0], firstName: null, lastName: null });
    expect(attio(service, recordId)['name']).toEqual([]);
    expect(both.body.data).toMatchObject({ firstName: null, lastName: null });
  });
});

describe('null clears', () => {
  test('a single value, a list and a reference, and leaves the rest', async () => {
    await using service = await startWriting();
    const recordId = ada(service);
    await put(service, { email: EMAILS[0], company: { domain: 'home.example' } });
    const { body } = await put(service, {
      email: EMAILS[0],
      jobTitle: null,
      phone: null,
      company: null,
      attributes: { interests: null },
    });
    expect(attio(service, recordId)).toMatchObject({
      email_addresses: EMAILS,
      name: [['Ada', 'Lovelace']],
      job_title: [],
      phone_numbers: [],
      company: [],
      interests: [],
    });
    expect(body.data).toMatchObject({ jobTitle: null, phone: null, companyRecordId: null });
  });

  test('what is written beside it is written', async () => {
    await using service = await startWriting();
    const recordId = ada(service);
    await put(service, { email: EMAILS[0], jobTitle: null, lastName: 'King', phone: '+15550100009' });
    expect(attio(service, recordId)).toMatchObject({
      job_title: [],
      name: [['Ada', 'King']],
      phone_numbers: ['+15550100009', ...PHONES],
    });
  });
});

describe('every type of attribute', () => {
  const sent = (service: TestService, friend: string) => ({
    lead_source: 'Event',
    interests: ['Analytics', 'Reporting'],
    satisfaction: 4,
    vip: true,
    lead_score: 12.5,
    birthday: '1815-12-10',
    last_contacted_at: '2026-03-04T05:06:07.089Z',
    internal_comment: 'Zażółć 🎉',
    account_manager: { type: 'workspace-member', id: service.sandbox.sandbox.world.members[1]?.id },
    referred_by: { object: 'people', recordId: friend },
    primary_location: { locality: 'Turin', countryCode: 'IT', latitude: '45.07', longitude: '7.69' },
  });

  test('is written, shown as Attio has it, and not written a second time', async () => {
    await using service = await startWriting();
    const friend = person(service, { email_addresses: ['friend@home.example'] });
    const attributes = sent(service, friend);
    const first = await put(service, { email: 'all@home.example', attributes });
    expect(first.body.sync.status).toBe('synced');
    const { recordId, id } = first.body.data;
    expect(attio(service, recordId)).toMatchObject({
      lead_source: ['Event'],
      interests: ['Analytics', 'Reporting'],
      satisfaction: [4],
      vip: [true],
      lead_score: [12.5],
      birthday: ['1815-12-10'],
      last_contacted_at: ['2026-03-04T05:06:07.089000000Z'],
      internal_comment: ['Zażółć 🎉'],
      account_manager: [attributes.account_manager.id],
      referred_by: [friend],
      primary_location: ['Turin'],
    });
    const shown = (await contact(service, id)).attributes;
    const { interests, lead_source, last_contacted_at: _, primary_location, ...same } = attributes;
    expect(shown).toMatchObject({ ...same, primary_location, lead_source: { title: lead_source } });
    expect(shown['interests']).toMatchObject(interests.map((title) => ({ title })));
    service.sandbox.sandbox.clearRequests();
    const second = await put(service, { email: 'all@home.example', attributes });
    expect([second.status, second.body.data.attributes]).toEqual([200, shown]);
    const again = Object.fromEntries(Object.keys(attributes).map((slug) => [slug, shown[slug]]));
    expect((await put(service, { email: 'all@home.example', attributes: again })).status).toBe(200);
    expect(writes(service)).toEqual([]);
  });

  test('a choice by its id and a member by the address are taken', async () => {
    await using service = await startWriting();
    const first = await put(service, { email: 'a@home.example', attributes: { lead_source: 'Event' } });
    const chosen = first.body.data.attributes['lead_source'] as { id: string };
    const attributes = { lead_source: { id: chosen.id }, account_manager: 'sam@example.com' };
    const second = await put(service, { email: 'b@home.example', attributes });
    expect(attio(service, second.body.data.recordId)).toMatchObject({
      lead_source: ['Event'],
      account_manager: [service.sandbox.sandbox.world.member('sam@example.com')?.id],
    });
  });

  test('a company takes its own, and an amount in its currency', async () => {
    await using service = await startWriting();
    const attributes = { annual_budget: 1_250.5, tier: 'Gold', categories: ['B2B'] };
    const { body } = await putCompany(service, { domain: 'New.example', name: 'New', attributes });
    expect(body.sync.status).toBe('synced');
    const budget = { amount: 1_250.5, currencyCode: 'EUR' };
    expect(body.data).toMatchObject({
      name: 'New',
      domains: ['new.example'],
      attributes: { annual_budget: budget },
    });
    const more = { annual_budget: budget, categories: 'SAAS' };
    await putCompany(service, { domain: 'new.example', attributes: more });
    expect(attio(service, body.data.recordId, 'companies')).toMatchObject({
      annual_budget: [1_250.5],
      tier: ['Gold'],
      categories: ['SAAS', 'B2B'],
    });
    const other = { annual_budget: { amount: 1, currencyCode: 'USD' } };
    expect((await putCompany(service, { domain: 'new.example', attributes: other })).status).toBe(400);
  });
});

describe('the company of a contact', () => {
  test('is made first when its domain is unknown, and linked', async () => {
    await using service = await startWriting();
    const { body } = await put(service, { email: 'a@new.example', company: { domain: 'New.Example' } });
    expect(body.sync.status).toBe('synced');
    expect(kindsOf(writes(service))).toEqual(['POST companies', 'POST people']);
    const companyId = body.data.companyRecordId ?? '';
    expect(attio(service, companyId, 'companies')).toMatchObject({
      domains: ['new.example'],
      team: [body.data.recordId],
    });
  });

  test.each(['in Attio only', 'here'])('is linked and not written when it is known %s', async (place) => {
    await using service = await startWriting({ subscribe: false });
    const recordId = created(service, 'companies', { domains: ['known.example'], name: 'Known' });
    if (place === 'here') await service.sync('companies');
    const { body } = await put(service, { email: 'a@known.example', company: { domain: 'known.example' } });
    expect(body.data.companyRecordId).toBe(recordId);
    expect(kindsOf(writes(service))).toEqual(['POST people']);
    await put(service, { email: 'a@known.example', company: { domain: 'known.example' } });
    expect(kindsOf(writes(service))).toEqual(['POST people']);
  });

  test('is one, however many contacts name it at once', async () => {
    await using service = await startWriting();
    const before = size(service, 'companies');
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        put(service, { email: `c${index}@new.example`, company: { domain: 'new.example' } }, '?wait=false'),
      ),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
    await delivered(service);
    expect(size(service)).toBe(56);
    expect(size(service, 'companies')).toBe(before + 1);
    expect(kindsOf(writes(service)).filter((kind) => kind.endsWith('companies'))).toEqual(['POST companies']);
  });
});
