/**
 * TO BE DELETED: stands in for the services that write contacts and companies until they are merged. Reads come from
 * the services there are; writes are 503.
 */
import type { BatchesApi, CompaniesApi, ConflictsApi, ContactsApi } from '../api/deps.ts';
import type { CompaniesService, ContactsService } from '../services/contacts.ts';
import { ServiceError } from '../services/errors.ts';
import type { Synced } from '../services/inputs.ts';

const pending = (): Promise<never> =>
  Promise.reject(new ServiceError('unavailable', 'this version does not write yet'));

function synced<T extends { readonly recordId: string | null }>(thing: T): Synced<T> {
  return { thing, sync: { status: 'synced', recordId: thing.recordId } };
}

export function pendingContacts(contacts: ContactsService): ContactsApi {
  return {
    async get(id) {
      const { thing, mergedFrom } = await contacts.get(id);
      return { ...synced(thing), mergedFrom };
    },
    async list(query) {
      const { rows, next } = await contacts.list(query);
      return { rows: rows.map(synced), next };
    },
    upsert: pending,
    batch: pending,
    remove: pending,
  };
}

export function pendingCompanies(companies: CompaniesService): CompaniesApi {
  return {
    async get(id) {
      const { thing, mergedFrom } = await companies.get(id);
      return { ...synced(thing), mergedFrom };
    },
    async list(query) {
      const { rows, next } = await companies.list(query);
      return { rows: rows.map(synced), next };
    },
    upsert: pending,
  };
}

export const pendingBatches: BatchesApi = { get: pending };
export const pendingConflicts: ConflictsApi = { list: pending };
