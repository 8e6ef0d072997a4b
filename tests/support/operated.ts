import { expect } from 'vitest';
import { cli, cliJson } from './cli.ts';
import { prepareService, type ServiceOptions, type TestService } from './service.ts';

/** What doctor says, for machines. */
export interface Report {
  readonly code: number;
  readonly ok: boolean;
  readonly checks: readonly { id: string; status: string; message: string; mend: string | null }[];
}

const EXTERNAL_ID = '/objects/deals/attributes/external_id';

/** A workspace with a token and nothing else, the variables for it, and operators' commands on both. */
export class Operated {
  readonly service: TestService;

  constructor(service: TestService) {
    this.service = service;
  }

  static async bare(options: ServiceOptions = {}): Promise<Operated> {
    const operated = new Operated(await prepareService({ subscribe: false, ...options }));
    operated.env['PUBLIC_URL'] = 'https://bridge.example.com';
    if (operated.externalId() !== undefined) operated.changeExternalId({ api_slug: 'another_external_id' });
    return operated;
  }

  /** With all that the commands set up. */
  static async ready(options: ServiceOptions = {}): Promise<Operated> {
    const operated = await Operated.bare(options);
    const { body } = await cliJson<{ secret: string }>(operated.env, ['webhooks', 'register']);
    operated.env['ATTIO_WEBHOOK_SECRET'] = body.secret;
    await cli(operated.env, ['doctor', '--fix']);
    return operated;
  }

  get env(): Record<string, string> {
    return this.service.env;
  }

  get sandbox() {
    return this.service.sandbox.sandbox;
  }

  async doctor(...flags: string[]): Promise<Report> {
    const { code, body } = await cliJson<Omit<Report, 'code'>>(this.env, ['doctor', ...flags]);
    return { code, ...body };
  }

  /** The attribute by which deals are found again; undefined: there is none. */
  externalId(): { is_unique: boolean; type: string } | undefined {
    const all = this.sandbox.act({ method: 'GET', path: '/objects/deals/attributes' }) as {
      api_slug: string;
      is_unique: boolean;
      type: string;
    }[]; // as Attio's reference has it
    return all.find(({ api_slug: slug }) => slug === 'external_id');
  }

  changeExternalId(data: Record<string, unknown>): void {
    this.sandbox.act({ method: 'PATCH', path: EXTERNAL_ID, body: { data } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service[Symbol.asyncDispose]();
  }
}

/** What is not as it should be, one line each. */
export function faults({ checks }: Report): string[] {
  return checks
    .filter(({ status }) => status !== 'ok')
    .map(({ id, status, message }) => `${status} ${id}: ${message}`);
}

/** The one failure of a report. */
export function failure(report: Report): { id: string; message: string; mend: string } {
  const failed = report.checks.filter(({ status }) => status === 'failed');
  expect(failed.map(({ message }) => message)).toHaveLength(1);
  expect(report).toMatchObject({ code: 1, ok: false });
  expect(failed[0]?.mend).toMatch(/\S/);
  return { id: failed[0]?.id ?? '', message: failed[0]?.message ?? '', mend: failed[0]?.mend ?? '' };
}
