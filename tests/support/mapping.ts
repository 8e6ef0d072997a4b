import { expect } from 'vitest';
import { mappingSettings } from '../../src/config/mapping.ts';
import type { AppConfig } from '../../src/config.ts';
import { keySlugs } from '../../src/domain/mapping.ts';
import { resolveMapping } from '../../src/domain/mapping-rules.ts';
import type { TestService } from './service.ts';
import { impatient, startWriting } from './writes.ts';

/** Written by tests of the mapping: a configuration of it, and the attributes that it needs. */

/** As the member `mapping` of `config/attio.*.json`. */
export type MappingJson = Readonly<Record<string, Readonly<Record<string, object>>>>;

/** A configuration with a mapping, read as the service reads its file. */
export function mapped(mapping: MappingJson): (config: AppConfig) => AppConfig {
  const keys = keySlugs('external_id');
  const { mappings, faults } = resolveMapping(mappingSettings.parse(mapping), keys);
  expect(faults).toEqual([]);
  return (config) => {
    const { attio, ...rest } = impatient(config);
    return { ...rest, attio: { ...attio, attemptTimeoutMs: 5_000 }, mapping: mappings };
  };
}

/** The service with a mapping, in front of a workspace that has what it names. */
export async function startMapped(
  mapping: MappingJson,
  options: Parameters<typeof startWriting>[0] = {},
): Promise<TestService> {
  const service = await startWriting({ configure: mapped(mapping), ...options });
  await service.confirmed();
  addMapped(service);
  await service.sandbox.sandbox.settled();
  await service.settled();
  return service;
}

/** The attributes that mappings of tests are about: of people `role`, `customer_tier` and `erp_id`, of companies `erp_id`. */
export function addMapped(service: TestService): void {
  attribute(service, 'people', 'role', 'text');
  attribute(service, 'people', 'erp_id', 'text');
  attribute(service, 'companies', 'erp_id', 'text');
  attribute(service, 'people', 'customer_tier', 'select');
  for (const title of ['Gold customer', 'Silver customer', 'Lead']) option(service, 'customer_tier', title);
}

export function attribute(service: TestService, object: string, slug: string, type: string): void {
  const currency = { default_currency_code: 'EUR', display_type: 'code' };
  const config = type === 'currency' ? { currency } : {};
  const of = { title: slug, api_slug: slug, type, description: null, config };
  const not = { is_required: false, is_unique: false, is_multiselect: false };
  const body = { data: { ...of, ...not } };
  service.sandbox.sandbox.act({ method: 'POST', path: `/objects/${object}/attributes`, body });
}

export function option(service: TestService, slug: string, title: string): void {
  const path = `/objects/people/attributes/${slug}/options`;
  service.sandbox.sandbox.act({ method: 'POST', path, body: { data: { title } } });
}
