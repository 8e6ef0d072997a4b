import { parseArgs } from 'node:util';
import type { SandboxServerOptions } from './http-server.ts';
import { startSandboxServer } from './http-server.ts';

const HELP = `A stateful Attio in memory, for development and tests.

npm run sandbox -- [flags]
  --port <n>            0 picks one (4010)
  --host <address>      (127.0.0.1)
  --people <n>          seeded people (1000)
  --companies <n>       seeded companies (200)
  --deals <n>           seeded deals (100)
  --latency-ms <n>      every answer is this late (0)
  --seed <n>            the same seed gives the same workspace (1)
  --rate-limits on|off  100 reads/s and 25 writes/s, as Attio (on)
  --deliver-to <url>    all webhook deliveries go here, http allowed
  --deal-owner optional|required   a fresh Attio workspace requires one (optional)
  --deal-external-id on|off        whether deals have the unique attribute external_id (on)
`;

const NUMBERS = {
  port: 65_535,
  people: 10_000_000,
  companies: 10_000_000,
  deals: 10_000_000,
  'latency-ms': 3_600_000,
  seed: 1e9,
};
const DEFAULTS = { port: 4010, people: 1000, companies: 200, deals: 100, 'latency-ms': 0, seed: 1 };

type NumberFlag = keyof typeof NUMBERS;

class BadFlags extends Error {
  override readonly name = 'BadFlags';
}

const STRINGS = [
  'host',
  'rate-limits',
  'deliver-to',
  'deal-owner',
  'deal-external-id',
  ...(Object.keys(NUMBERS) as NumberFlag[]),
] as const;

type Flags = Partial<Record<(typeof STRINGS)[number], string>> & { readonly help?: boolean };

/** Collects every flag that is unknown or lacks its value instead of stopping at the first. */
function parse(argv: readonly string[], problems: string[]): Flags {
  const strings = Object.fromEntries(STRINGS.map((name) => [name, { type: 'string' } as const]));
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: { ...strings, help: { type: 'boolean', short: 'h' } },
  });
  const flags: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`"${token.value}" is not a flag`);
    if (token.kind !== 'option') continue;
    const known = STRINGS.some((name) => name === token.name);
    if (token.name === 'help') flags['help'] = true;
    else if (!known) problems.push(`${token.rawName} is not a flag`);
    else if (token.value === undefined) problems.push(`${token.rawName} needs a value`);
    else flags[token.name] = token.value;
  }
  return flags as Flags;
}

/** Reads the flags, or throws one error that names every bad one. */
export function readFlags(argv: readonly string[]): SandboxServerOptions | 'help' {
  const problems: string[] = [];
  const flags = parse(argv, problems);
  if (flags.help === true) return 'help';
  const number = (name: NumberFlag): number => {
    const given = flags[name];
    if (given === undefined) return DEFAULTS[name];
    const value = Number(given);
    if (/^\d+$/.test(given) && value <= NUMBERS[name]) return value;
    problems.push(`--${name} must be a whole number from 0 to ${NUMBERS[name]}, not "${given}"`);
    return 0;
  };
  const oneOf = (
    name: 'rate-limits' | 'deal-owner' | 'deal-external-id',
    allowed: readonly [string, string],
  ): string => {
    const given = flags[name] ?? allowed[0];
    if (!allowed.includes(given)) problems.push(`--${name} must be ${allowed.join(' or ')}, not "${given}"`);
    return given;
  };
  const deliverTo = flags['deliver-to'];
  if (deliverTo !== undefined && !/^https?:$/.test(URL.parse(deliverTo)?.protocol ?? '')) {
    problems.push(`--deliver-to must be an http or https URL, not "${deliverTo}"`);
  }
  const options: SandboxServerOptions = {
    port: number('port'),
    host: flags.host ?? '127.0.0.1',
    people: number('people'),
    companies: number('companies'),
    deals: number('deals'),
    latencyMs: number('latency-ms'),
    seed: number('seed'),
    rateLimits: oneOf('rate-limits', ['on', 'off']) === 'on',
    dealOwnerRequired: oneOf('deal-owner', ['optional', 'required']) === 'required',
    dealExternalId: oneOf('deal-external-id', ['on', 'off']) === 'on',
    deliverTo: deliverTo ?? null,
  };
  if (problems.length > 0) throw new BadFlags(problems.join('; '));
  return options;
}

function usage(url: string): string {
  return [
    `Attio sandbox listening on ${url}/v2`,
    'Any bearer token works, except "revoked". Try:',
    `  curl -s -H 'Authorization: Bearer test' ${url}/v2/self`,
    `  curl -s -H 'Authorization: Bearer test' -H 'Content-Type: application/json' -d '{"limit":1}' ${url}/v2/objects/people/records/query`,
    `  curl -s ${url}/_sandbox/state     (what there is; the controls are in tests/mocks/README.md)`,
    '',
  ].join('\n');
}

async function main(argv: readonly string[]): Promise<void> {
  const options = readFlags(argv);
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const server = await startSandboxServer(options);
  process.stdout.write(usage(server.url));
  // Late answers may still be waiting on timers: leave them.
  const stop = () => void server.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(
      `sandbox: ${error instanceof Error ? error.message : String(error)} (--help lists the flags)\n`,
    );
    process.exitCode = 1;
  });
}
