import { expect, test } from 'vitest';
import { startService, until } from '../support/service.ts';

test('tables that grow are counted soon, and not again for little', async () => {
  await using service = await startService({ sandbox: { people: 900, companies: 2, deals: 0 } });
  const { rows } = service.database;
  // By hand: PostgreSQL's own count is another column.
  const counts = async () => {
    const tables = await rows(
      "select relname, analyze_count from pg_stat_user_tables where relname in ('record', 'entity', 'sync_run')",
    );
    return Object.fromEntries(tables.map((row) => [row['relname'], Number(row['analyze_count'])]));
  };
  await service.sync('people');
  const [person] = await rows("select record_id from record where object = 'people' limit 1");
  const recordId = String(person?.['record_id']);
  const edit = async (title: string) => {
    const after = await service.latest();
    service.sandbox.sandbox.edit({ object: 'people', recordId, values: { job_title: title } });
    await service.change(after, ({ data }) => JSON.stringify(data).includes(title));
  };
  await until(async () => {
    await edit(`Edit ${Date.now()}`);
    return (await counts())['record'] === 1;
  });
  await edit('Last');
  expect(await counts()).toEqual({ record: 1, entity: 1, sync_run: 0 });
});
