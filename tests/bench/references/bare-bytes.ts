/** What it costs at least to serve these bytes. Arguments: port, and the file that holds them. */
import { readFileSync } from 'node:fs';
import { fastify } from 'fastify';

const [port = '', path = ''] = process.argv.slice(2);
const bytes = readFileSync(path);
const app = fastify();
app.get('/health/ready', async () => ({ status: 'ok' }));
app.get('/v1/records/people/:id', (_request, reply) =>
  reply.header('content-type', 'application/json; charset=utf-8').send(bytes),
);
await app.listen({ host: '127.0.0.1', port: Number(port) });
process.once('SIGTERM', () => void app.close());
