import type { Change } from '../../support/service.ts';
import type { Attio } from './attio.ts';
import type { BenchService, Subject } from './bench-service.ts';
import { deliveryBytes } from './bench-service.ts';
import { closedLoad } from './http-load.ts';

const EDITS = 5;

/** Records that are edited several times while older events about them wait: does what is read stay in order? */
export class EditsMeanwhile {
  readonly #attio: Attio;
  readonly #subjects: readonly Subject[];

  constructor(attio: Attio, subjects: readonly Subject[]) {
    this.#attio = attio;
    this.#subjects = subjects;
  }

  get count(): number {
    return EDITS * this.#subjects.length;
  }

  async make(service: BenchService): Promise<void> {
    for (let edit = 1; edit <= EDITS; edit += 1) {
      for (const { recordId } of this.#subjects) {
        await this.#attio.edit(recordId, { job_title: `Edit ${edit}` });
      }
      await closedLoad(service.port, this.#subjects.map(deliveryBytes), 1);
    }
  }

  /** @returns what is wrong with the feed: an older title after a newer one, or the last one missing */
  async faults(service: BenchService): Promise<string[]> {
    const titles = new Map(this.#subjects.map(({ recordId }) => [recordId, [0]]));
    for (let after = ''; ; ) {
      const page = await service.call<{ data: Change[]; nextCursor: string }>(
        'GET',
        `/v1/changes?limit=1000${after === '' ? '' : `&after=${after}`}`,
      );
      for (const change of page.data) titles.get(recordIdOf(change))?.push(editOf(change));
      if (page.data.length === 0) break;
      after = page.nextCursor;
    }
    return [...titles].flatMap(([recordId, edits]) => {
      const isOrdered = edits.every((edit, index) => index === 0 || edit >= (edits[index - 1] ?? 0));
      if (isOrdered && edits.at(-1) === EDITS) return [];
      return [`record ${recordId} went through its edits as ${edits.join(', ')}`];
    });
  }
}

function recordIdOf({ data }: Change): string {
  return String((data as { recordId?: unknown }).recordId);
}

function editOf({ data }: Change): number {
  return Number(/Edit (\d+)/.exec(JSON.stringify(data.values['job_title'] ?? null))?.[1] ?? 0);
}
