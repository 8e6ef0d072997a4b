/**
 * What a webhook route costs at least: Fastify, the body as bytes, its signature. With a file, what arrives together is
 * appended to it and synced to the disk once before it is answered: the least that "durable" can mean.
 * Arguments: port, secret, and the file if any.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { fastify } from 'fastify';

const [port = '', secret = '', path] = process.argv.slice(2);

class SyncedFile {
  readonly #file: FileHandle;
  #waiting: { body: Buffer; written: PromiseWithResolvers<void> }[] = [];
  #isWriting = false;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  add(body: Buffer): Promise<void> {
    const written = Promise.withResolvers<void>();
    this.#waiting.push({ body, written });
    if (!this.#isWriting) void this.#writeAll();
    return written.promise;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#file.appendFile(Buffer.concat(batch.map(({ body }) => body)));
      await this.#file.datasync();
      for (const { written } of batch) written.resolve();
    }
    this.#isWriting = false;
  }
}

const file = path === undefined ? null : new SyncedFile(await open(path, 'a'));
const app = fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser(
  'application/json',
  { parseAs: 'buffer' },
  async (_request: unknown, body: Buffer) => body,
);
app.get('/health/ready', async () => ({ status: 'ok' }));
app.post<{ Body: Buffer }>('/webhooks', async ({ headers, body }, reply) => {
  const expected = createHmac('sha256', secret).update(body).digest();
  const given = Buffer.from(String(headers['attio-signature']), 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return reply.code(401).send();
  await file?.add(body);
  return reply.code(202).send({ accepted: 1, duplicates: 0 });
});
await app.listen({ host: '127.0.0.1', port: Number(port) });
process.once('SIGTERM', () => void app.close());
