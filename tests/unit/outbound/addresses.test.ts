import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { AllowedHosts, bytesOf, readRange, refusalOf } from '../../../src/outbound/addresses.ts';

describe('an address', () => {
  it.each([
    ['0.0.0.0', 'loopback'],
    ['0.1.2.3', 'loopback'],
    ['10.0.0.1', 'private'],
    ['10.255.255.255', 'private'],
    ['100.64.0.1', 'private'],
    ['100.127.255.255', 'private'],
    ['100.100.100.200', 'metadata'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['168.63.129.16', 'metadata'],
    ['169.254.0.1', 'link-local'],
    ['169.254.169.254', 'metadata'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.0.0.192', 'metadata'],
    ['192.0.2.1', 'reserved'],
    ['192.88.99.1', 'reserved'],
    ['192.168.0.1', 'private'],
    ['198.18.0.1', 'private'],
    ['198.51.100.1', 'reserved'],
    ['203.0.113.1', 'reserved'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['::', 'loopback'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['0:0:0:0:0:ffff:a9fe:a9fe', 'metadata'],
    ['::ffff:10.0.0.1', 'private'],
    ['::7f00:1', 'reserved'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['64:ff9b::a9fe:a9fe', 'metadata'],
    ['64:ff9b:1::1', 'private'],
    ['100::1', 'reserved'],
    ['2001::1', 'reserved'],
    ['2001:db8::1', 'reserved'],
    ['2002:7f00:1::', 'reserved'],
    ['3fff::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['5f00::1', 'reserved'],
    ['fc00::1', 'private'],
    ['fd12:3456::1', 'private'],
    ['fd00:ec2::254', 'metadata'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['fec0::1', 'private'],
    ['ff02::1', 'multicast'],
    ['', 'reserved'],
    ['example.com', 'reserved'],
    ['1.2.3', 'reserved'],
    ['01.2.3.4', 'reserved'],
    ['1:2:3', 'reserved'],
    ['1::2::3', 'reserved'],
    ['::ffff:1.2.3.4.5', 'reserved'],
  ])('%s is refused as %s', (address, refusal) => {
    expect(refusalOf(address)).toBe(refusal);
  });

  it.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '223.255.255.255',
    '::ffff:1.1.1.1',
    '64:ff9b::101:101',
    '2606:4700:4700::1111',
    '2a00:1450:4001:81b::200e',
    '2003::1',
  ])('%s is of the internet', (address) => {
    expect(refusalOf(address)).toBeNull();
  });

  test.each([
    ['ipv4', fc.ipV4(), '10.0.0.0', 32],
    ['ipv6', fc.ipV6(), '2001:db8::', 128],
  ] as const)('of %s is in a range as the system has it', (family, addresses, start, most) => {
    // The system takes IPv4 in the clothes of IPv6 for IPv4, which is another test's business.
    const isPlain = (address: string) =>
      !bytesOf(address)
        ?.slice(0, 10)
        .every((byte) => byte === 0);
    fc.assert(
      fc.property(addresses, fc.integer({ min: 0, max: most }), (address, bits) => {
        fc.pre(family === 'ipv4' || isPlain(address));
        const theirs = new BlockList();
        theirs.addSubnet(start, bits, family);
        const ours = new AllowedHosts([`${start}/${bits}`]);
        expect(ours.hasAddress(address)).toBe(theirs.check(address, family));
      }),
      { numRuns: 1_000 },
    );
  });

  test('refused in IPv4 is refused in every IPv6 that holds it', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(refusalOf(`::ffff:${address}`)).toBe(refusalOf(address));
        expect(refusalOf(`64:ff9b::${address}`)).toBe(refusalOf(address));
      }),
    );
  });
});

describe('what is allowed', () => {
  const allowed = new AllowedHosts(['ERP.internal', '10.1.0.0/16', '::1', '192.168.5.5']);

  it.each(['erp.internal', 'ERP.INTERNAL.'])('has the name %s', (name) => {
    expect(allowed.hasName(name)).toBe(true);
  });

  it.each(['x.erp.internal', 'internal', '10.1.0.1', ''])('has no name %s', (name) => {
    expect(allowed.hasName(name)).toBe(false);
  });

  it.each(['10.1.255.255', '::ffff:10.1.2.3', '::1', '192.168.5.5'])('has the address %s', (address) => {
    expect(allowed.hasAddress(address)).toBe(true);
  });

  it.each(['10.2.0.1', '::2', '192.168.5.6', 'erp.internal', ''])('has no address %s', (address) => {
    expect(allowed.hasAddress(address)).toBe(false);
  });
});

test.each(['10.0.0.0/33', '::/129', '10.0.0/8', 'example.com/8', '10.0.0.0/'])('%s is no range', (text) => {
  expect(readRange(text)).toBeNull();
});
