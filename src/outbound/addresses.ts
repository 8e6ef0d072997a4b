/**
 * Which addresses a request may go to: the internet, and what the configuration allows. Ranges are those of the IANA
 * registries of special-purpose addresses (RFC 6890 and its updates).
 */

/** Why an address is none of the internet's. */
export type AddressRefusal = 'loopback' | 'private' | 'link-local' | 'multicast' | 'metadata' | 'reserved';

const V4: readonly (readonly [range: string, refusal: AddressRefusal])[] = [
  // Metadata services are named before the ranges that they are in; Azure's is in none.
  ['169.254.169.254/32', 'metadata'],
  ['169.254.170.2/32', 'metadata'],
  ['168.63.129.16/32', 'metadata'],
  ['100.100.100.200/32', 'metadata'],
  ['192.0.0.192/32', 'metadata'],
  ['0.0.0.0/8', 'loopback'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'private'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'reserved'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'private'],
  ['198.51.100.0/24', 'reserved'],
  ['203.0.113.0/24', 'reserved'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
];

const V6: readonly (readonly [range: string, refusal: AddressRefusal])[] = [
  ['fd00:ec2::254/128', 'metadata'],
  ['fd20:ce::254/128', 'metadata'],
  ['::1/128', 'loopback'],
  ['::/128', 'loopback'],
  ['fc00::/7', 'private'],
  ['fec0::/10', 'private'],
  ['64:ff9b:1::/48', 'private'],
  ['fe80::/10', 'link-local'],
  ['ff00::/8', 'multicast'],
  ['2001::/23', 'reserved'],
  ['2001:db8::/32', 'reserved'],
  ['2002::/16', 'reserved'],
  ['3fff::/20', 'reserved'],
];

/** All that is handed out on the internet so far. */
const GLOBAL_V6 = rangeOf('2000::/3');
/** IPv4 in the clothes of IPv6: what is inside counts. */
const MAPPED_V4 = rangeOf('::ffff:0:0/96');
const NAT64 = rangeOf('64:ff9b::/96');

const REFUSED_V4 = V4.map(([range, refusal]) => ({ range: rangeOf(range), refusal }));
const REFUSED_V6 = V6.map(([range, refusal]) => ({ range: rangeOf(range), refusal }));

interface Range {
  readonly bytes: readonly number[];
  readonly bits: number;
}

/** @returns null when the address is one of the internet's; what is no address is refused */
export function refusalOf(address: string): AddressRefusal | null {
  const bytes = bytesOf(address);
  return bytes === null ? 'reserved' : refusalOfBytes(bytes);
}

function refusalOfBytes(bytes: readonly number[]): AddressRefusal | null {
  if (bytes.length === 4) return REFUSED_V4.find(({ range }) => isIn(bytes, range))?.refusal ?? null;
  if (isIn(bytes, MAPPED_V4) || isIn(bytes, NAT64)) return refusalOfBytes(bytes.slice(12));
  const found = REFUSED_V6.find(({ range }) => isIn(bytes, range));
  if (found !== undefined) return found.refusal;
  return isIn(bytes, GLOBAL_V6) ? null : 'reserved';
}

/** What the configuration allows beside the internet: names of hosts, addresses, and ranges such as `10.1.0.0/16`. */
export class AllowedHosts {
  readonly #names: ReadonlySet<string>;
  readonly #ranges: readonly Range[];

  constructor(entries: readonly string[]) {
    const ranges = entries.map(readRange);
    this.#names = new Set(entries.filter((_, index) => ranges[index] === null).map(plainHost));
    this.#ranges = ranges.filter((range) => range !== null);
  }

  /** A name that is allowed may lead anywhere. @param host as in an URL */
  hasName(host: string): boolean {
    return this.#names.has(plainHost(host));
  }

  hasAddress(address: string): boolean {
    const bytes = bytesOf(address);
    if (bytes === null) return false;
    const inner = isIn(bytes, MAPPED_V4) ? bytes.slice(12) : bytes;
    return this.#ranges.some((range) => isIn(inner, range));
  }
}

/** Without what an URL puts around it. */
export function plainHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

export function isAddress(text: string): boolean {
  return bytesOf(text) !== null;
}

/** @returns null for what is neither an address nor a range of them */
export function readRange(text: string): Range | null {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(plainHost(text)) ?? [];
  const bytes = bytesOf(address);
  if (bytes === null) return null;
  const bits = length === undefined ? bytes.length * 8 : Number(length);
  return bits <= bytes.length * 8 ? { bytes, bits } : null;
}

/** Of the tables above. */
function rangeOf(text: string): Range {
  const range = readRange(text);
  if (range === null) throw new Error(`${text} is no range`);
  return range;
}

function isIn(bytes: readonly number[], range: Range): boolean {
  if (bytes.length !== range.bytes.length) return false;
  return range.bytes.every((byte, index) => {
    const bits = Math.min(Math.max(range.bits - index * 8, 0), 8);
    const mask = (0xff << (8 - bits)) & 0xff;
    return ((bytes[index] ?? 0) & mask) === (byte & mask);
  });
}

/** 4 or 16 bytes; null for what is no address. A zone (`%eth0`) is not looked at. */
export function bytesOf(address: string): readonly number[] | null {
  const text = address.replace(/%.*$/s, '');
  return text.includes(':') ? bytesOfV6(text) : bytesOfV4(text);
}

function bytesOfV4(text: string): number[] | null {
  const parts = text.split('.');
  const bytes = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return bytes.length === 4 && bytes.every((byte) => byte <= 255) ? bytes : null;
}

function bytesOfV6(text: string): number[] | null {
  const [head = '', tail, ...more] = text.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  if (before === null || after === null || more.length > 0) return null;
  const missing = 16 - before.length - after.length;
  // `::` stands for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 2) return null;
  return [...before, ...Array<number>(missing).fill(0), ...after];
}

/** Two bytes a group, or four for an IPv4 address at the end. */
function groupsOf(text: string): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (/^[\da-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const last = index === groups.length - 1 ? bytesOfV4(group) : null;
    if (last === null) return null;
    bytes.push(...last);
  }
  return bytes;
}
