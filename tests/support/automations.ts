import type { AppConfig } from '../../src/config.ts';
import type { TestService } from './service.ts';

/** What tests of automations share. */
type Settings = AppConfig['automations'];

/** @param changes of the settings of automations */
export function automated(changes: Partial<Settings>): (config: AppConfig) => AppConfig {
  return (config) => ({ ...config, automations: { ...config.automations, ...changes } });
}

export interface AutomationLetter {
  readonly id: string;
  readonly kind: string;
  readonly automation: string | null;
  readonly reason: string;
  readonly detail: string;
  readonly eventType: string | null;
  readonly attempts: number;
}

export async function automationLetters(service: TestService): Promise<AutomationLetter[]> {
  const { body } = await service.get<{ data: AutomationLetter[] }>('/v1/dead-letters?kind=automation');
  return body.data;
}

/** A sample of the metrics; 0 when it is not there. */
export async function metric(service: TestService, sample: string): Promise<number> {
  const { body } = await service.get<string>('/metrics');
  const line = body.split('\n').find((text) => text.startsWith(`${sample} `));
  return Number(line?.slice(sample.length) ?? 0);
}

/** Ids of records of the sandbox, in order. */
export function recordIds(service: TestService, object = 'people'): string[] {
  return [...service.sandbox.sandbox.world.object(object).table.inOrder()].map((row) => row.id);
}

export function retitle(service: TestService, recordId: string, title: string): void {
  service.sandbox.sandbox.edit({ object: 'people', recordId, values: { job_title: title } });
}
