/**
 * A lean HTTP client for load: requests are bytes that were made before the clock started, connections are bare sockets,
 * and of an answer only status and length are read. What it costs is measured with every load, because a generator that
 * is busy all the time measures itself.
 */
import { connect, type Socket } from 'node:net';

const ANSWER_LIMIT_MS = 120_000;
const HEAD_END = Buffer.from('\r\n\r\n');

export interface Answered {
  readonly status: number;
  /** Body included. */
  readonly bytes: Buffer;
}

interface Head {
  readonly status: number;
  readonly size: number;
}

/** One request after the other on one socket. */
export class Connection {
  readonly #socket: Socket;
  #waiting: PromiseWithResolvers<Answered> | null = null;
  #received: Buffer = Buffer.alloc(0);
  #head: Head | null = null;
  #failure: Error | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy(new Error('a request was not answered in time')));
    socket.on('data', (chunk: Buffer) => this.#read(chunk)); // without an encoding they are
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Connection(socket));
      });
    });
  }

  get isUsable(): boolean {
    return this.#failure === null;
  }

  send(request: Buffer): Promise<Answered> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    this.#waiting = Promise.withResolvers<Answered>();
    this.#socket.write(request);
    return this.#waiting.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    this.#head ??= headOf(this.#received);
    if (this.#head === null || this.#received.length < this.#head.size) return;
    const answered = { status: this.#head.status, bytes: this.#received };
    this.#head = null;
    this.#received = Buffer.alloc(0);
    this.#waiting?.resolve(answered);
    this.#waiting = null;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = null;
  }
}

function headOf(received: Buffer): Head | null {
  const end = received.indexOf(HEAD_END);
  if (end === -1) return null;
  const text = received.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  if (length === undefined) throw new Error(`an answer without a length: ${text}`);
  return { status: Number(text.slice(9, 12)), size: end + HEAD_END.length + Number(length) };
}

/** A request as bytes. */
export function requestBytes(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Buffer {
  const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const length = method === 'GET' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}${length}\r\n${body}`);
}

export interface Loaded {
  readonly seconds: number;
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Of each request, in their order. @unit ms */
  readonly latenciesMs: readonly number[];
  /** Of one core, by the generator itself. */
  readonly generatorShare: number;
  /** Of an open load: how late the latest request left. @unit ms */
  readonly latestMs: number;
}

class Tally {
  readonly #startedAt = performance.now();
  readonly #cpu = process.cpuUsage();
  readonly #statuses: Record<number, number> = {};
  readonly latenciesMs: number[];
  latestMs = 0;

  constructor(requests: number) {
    this.latenciesMs = new Array<number>(requests).fill(0);
  }

  note(index: number, sinceMs: number, { status }: Answered): void {
    this.latenciesMs[index] = performance.now() - sinceMs;
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
  }

  end(): Loaded {
    const ms = performance.now() - this.#startedAt;
    const { user, system } = process.cpuUsage(this.#cpu);
    return {
      seconds: ms / 1000,
      statuses: this.#statuses,
      latenciesMs: this.latenciesMs,
      generatorShare: (user + system) / 1000 / ms,
      latestMs: this.latestMs,
    };
  }
}

/** Each connection sends its next request when the last one is answered: how much can be done. */
export async function closedLoad(
  port: number,
  requests: readonly Buffer[],
  connections: number,
): Promise<Loaded> {
  const opened = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)));
  const tally = new Tally(requests.length);
  const queue = requests.entries();
  const work = async (connection: Connection) => {
    for (const [index, request] of queue) {
      const sentAt = performance.now();
      tally.note(index, sentAt, await connection.send(request));
    }
  };
  try {
    await Promise.all(opened.map(work));
    return tally.end();
  } finally {
    for (const connection of opened) connection.close();
  }
}

/**
 * Requests leave when they are due, whatever became of those before: a service that falls behind shows it. Latencies
 * count from when a request was due.
 */
export async function openLoad(
  port: number,
  requests: readonly Buffer[],
  perSecond: number,
): Promise<Loaded> {
  const idle: Connection[] = [];
  const all = new Set<Connection>();
  const take = async () => {
    for (let known = idle.pop(); known !== undefined; known = idle.pop()) if (known.isUsable) return known;
    const opened = await Connection.open(port);
    all.add(opened);
    return opened;
  };
  const tally = new Tally(requests.length);
  const startedAt = performance.now();
  const send = async (index: number, request: Buffer, dueAt: number) => {
    const connection = await take();
    tally.latestMs = Math.max(tally.latestMs, performance.now() - dueAt);
    tally.note(index, dueAt, await connection.send(request));
    idle.push(connection);
  };
  try {
    const sent: Promise<void>[] = [];
    for (const [index, request] of requests.entries()) {
      const dueAt = startedAt + (index * 1000) / perSecond;
      const waitMs = dueAt - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      sent.push(send(index, request, dueAt));
    }
    await Promise.all(sent);
    return tally.end();
  } finally {
    for (const connection of all) connection.close();
  }
}

export function bodyOf({ bytes }: Answered): Buffer {
  return bytes.subarray(bytes.indexOf(HEAD_END) + HEAD_END.length);
}
