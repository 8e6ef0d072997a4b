import { freePort } from '../../support/service.ts';
import { MeasuredProcess, type Usage } from './measured-process.ts';

export interface AttioOptions {
  readonly people: number;
  /** Every answer is this late. @default 0 */
  readonly latencyMs?: number;
  /** Attio's own: 100 reads and 25 writes a second. @default false */
  readonly hasLimits?: boolean;
}

export interface Asked {
  /** @unit ms */
  readonly at: number;
  readonly route: string;
  readonly status: number;
}

const SCRIPT = new URL('./attio-server.ts', import.meta.url);
const PEOPLE_QUERY = '/v2/objects/people/records/query';
const MOST_PER_PAGE = 500;

/** A made-up Attio in a process of its own. */
export class Attio {
  readonly #process: MeasuredProcess;
  readonly url: string;
  workspaceId = '';
  #peopleId = '';

  private constructor(process: MeasuredProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  static async start(options: AttioOptions): Promise<Attio> {
    const port = await freePort();
    const process = new MeasuredProcess({
      script: SCRIPT,
      args: [JSON.stringify({ ...options, port })],
      nodeArgs: ['--max-old-space-size=12000'],
    });
    const attio = new Attio(process, `http://127.0.0.1:${port}`);
    await process.answers(`${attio.url}/_bench/asked`);
    const state = await attio.#control<{ workspaceId: string }>('/_bench/state', {});
    attio.workspaceId = state.workspaceId;
    return attio;
  }

  usage(): Promise<Usage> {
    return this.#process.usage();
  }

  /** The ids of people, oldest first. */
  async people(count: number): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < count) {
      const page = await this.#ask<{ data: { id: { record_id: string; object_id: string } }[] }>(
        PEOPLE_QUERY,
        {
          limit: Math.min(MOST_PER_PAGE, count - ids.length),
          offset: ids.length,
          sorts: [{ direction: 'asc', attribute: 'created_at' }],
        },
      );
      if (page.data.length === 0) throw new Error(`there are ${ids.length} people, not ${count}`);
      ids.push(...page.data.map(({ id }) => id.record_id));
      this.#peopleId = page.data[0]?.id.object_id ?? '';
    }
    return ids;
  }

  /** Of the object `people`, once people were read. */
  get peopleId(): string {
    return this.#peopleId;
  }

  async countPeople(): Promise<number> {
    return (await this.#control<{ objects: { people: number } }>('/_bench/state', {})).objects.people;
  }

  /** A person in Attio changes a record; nobody is told. */
  async edit(recordId: string, values: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#control('/_sandbox/edit', { object: 'people', recordId, values });
  }

  /** Renders the pages that will be asked for. */
  async keepPages(count: number, step: number): Promise<void> {
    for (let offset = 0; offset <= count; offset += step) {
      const sorts = [{ direction: 'asc', attribute: 'created_at' }];
      await this.#control('/_bench/keep', {
        path: PEOPLE_QUERY,
        query: { sorts, limit: MOST_PER_PAGE, offset },
      });
    }
  }

  /** From now on it answers 503. */
  async leaves(): Promise<void> {
    await this.#control('/_bench/away', true);
  }

  async comesBack(): Promise<void> {
    await this.#control('/_bench/away', false);
  }

  /** What was asked since it was last forgotten. */
  async asked(): Promise<Asked[]> {
    return this.#control<Asked[]>('/_bench/asked', {});
  }

  async forget(): Promise<void> {
    await this.#control('/_bench/forget', {});
  }

  async #ask<T>(path: string, body: unknown): Promise<T> {
    const response = await fetch(this.url + path, {
      method: 'POST',
      headers: { authorization: 'Bearer bench', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T; // by the sandbox
  }

  #control<T>(path: string, body: unknown): Promise<T> {
    return this.#ask<T>(path, body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
  }
}
