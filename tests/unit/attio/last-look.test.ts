import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { AttioClient } from '../../../src/attio/client.ts';
import { fakeClock, recorder, settings } from './support.ts';

/** An Attio that can be reached over the network, and counts what is written. */
async function attio() {
  let written = 0;
  const server = createServer((request, response) => {
    written += 1;
    request.resume();
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, written: () => written };
}

test('a write whose turn has come, and that is another instance’s when its connection is ready, is not sent', async () => {
  const { baseUrl, written } = await attio();
  const answers = [true, false];
  const client = new AttioClient({
    fetch: (url, init) => fetch(url, init),
    clock: fakeClock,
    random: () => 0,
    observer: recorder().observer,
    mayWrite: () => answers.shift() ?? true,
    settings: { ...settings(), baseUrl },
  });
  await expect(
    client.notes.delete('00000000-0000-4000-8000-000000000001', { retry: false }),
  ).rejects.toMatchObject({ kind: 'not_in_charge' });
  expect([answers, written()]).toEqual([[], 0]);
  await client.notes.delete('00000000-0000-4000-8000-000000000001');
  expect(written()).toBe(1);
});
