/** What variables that name a host or an address take. */
import { isIP } from 'node:net';

/** Whether only this machine can reach an address. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

export function isHost(host: string): boolean {
  return isIP(host) !== 0 || /^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(host);
}

/** A path that begins with `//` or `:` is a slip of the pen, not a file. */
export function isSqliteUrl(url: string): boolean {
  return url === 'sqlite::memory:' || /^sqlite:(?!:|\/\/)\S/.test(url);
}

/** With a database by name. A password that is not percent-encoded shows as a name with `@` or `/` in it. */
export function isPostgresUrl(text: string): boolean {
  const url = /^postgres(ql)?:\/\//.test(text) ? URL.parse(text) : null;
  return url !== null && /^\/[^/@]+$/.test(url.pathname) && !/\s/.test(text);
}

/** User, password, port and the number of a database may be left out. */
export function isRedisUrl(text: string): boolean {
  const url = /^rediss?:\/\//.test(text) ? URL.parse(text) : null;
  if (url === null || url.hostname === '' || !isPercentEncoded(url.username + url.password)) return false;
  return /^\/?\d{0,5}$/.test(url.pathname) && !/[?#\s]/.test(text);
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

export function isHttpsAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:') return false;
  return url.username === '' && url.password === '' && !/[?#\s]/.test(text);
}
