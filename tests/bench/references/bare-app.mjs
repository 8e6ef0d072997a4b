/** What a start costs at least: Fastify and one route, no types to strip. Argument: port. */
import { fastify } from 'fastify';

const [port = ''] = process.argv.slice(2);
const app = fastify();
app.get('/health/ready', async () => ({ status: 'ok' }));
await app.listen({ host: '127.0.0.1', port: Number(port) });
process.once('SIGTERM', () => void app.close());
