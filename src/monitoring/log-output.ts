import { type DestinationStream, pino } from 'pino';

/**
 * Standard output, which a process has one of. The lines of one turn of the event loop are written at its end, together:
 * a write for each would cost more than all else that a request does to its line. A process that exits, or dies of an
 * error, has written all; one that is killed may lose those of its last turn.
 */
export function standardOutput(): DestinationStream {
  output ??= open();
  return output;
}

let output: DestinationStream | null = null;

function open(): DestinationStream {
  const file = pino.destination({ fd: 1, sync: true });
  let waiting = '';
  const flush = () => {
    const text = waiting;
    waiting = '';
    if (text !== '') file.write(text);
  };
  process.once('exit', flush);
  return {
    write(line) {
      if (waiting === '') setImmediate(flush);
      waiting += line;
    },
  };
}

let stampedAt = Number.NaN;
let stamp = '';
let stampedSecond = Number.NaN;
let second = '';

/** The time of a line, made once per millisecond, and of that all but the milliseconds once per second. */
export function lineTime(): string {
  const now = Date.now();
  if (now === stampedAt) return stamp;
  const ms = now % 1_000;
  if (now - ms !== stampedSecond) {
    stampedSecond = now - ms;
    second = new Date(stampedSecond).toISOString().slice(0, -'000Z'.length);
  }
  stamp = `,"time":"${second}${String(ms).padStart(3, '0')}Z"`;
  stampedAt = now;
  return stamp;
}
