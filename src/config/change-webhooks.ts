/** Pushing changes: its variables, its section of `config/attio.{environment}.json`, and what both must agree on. */
import { z } from 'zod';
import { AllowedHosts, isAddress, plainHost, readRange, refusalOf } from '../outbound/addresses.ts';

const MAX_URLS = 20;
/** Bytes of a secret (Standard Webhooks specification, "symmetric"). */
const MIN_SECRET = 24;
const MAX_SECRET = 64;
const DAY_SECONDS = 24 * 60 * 60;

export const changeWebhookEnvironment = z.object({
  CHANGE_WEBHOOK_URLS: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine((urls) => !urls.includes(''), 'has an empty part between commas')
    .superRefine((urls, context) => {
      for (const [index, url] of urls.entries()) {
        const fault = faultOfUrl(url);
        if (fault !== null) context.addIssue(`has ${fault} (number ${index + 1})`);
      }
    })
    .transform((urls): readonly string[] => [...new Set(urls.map((url) => URL.parse(url)?.href ?? url))])
    .refine((urls) => urls.length <= MAX_URLS, `has more than ${MAX_URLS} addresses`)
    .optional(),
  CHANGE_WEBHOOK_SECRET: z
    .string()
    .transform((text): readonly string[] => text.split(/[\s,]+/).filter((part) => part !== ''))
    .refine(
      (secrets) => secrets.length > 0 && secrets.every(isSecret),
      `has a part that is not whsec_ with ${MIN_SECRET} to ${MAX_SECRET} bytes in base64 behind it`,
    )
    .optional(),
});

export const changeWebhookMends = {
  CHANGE_WEBHOOK_URLS:
    'Set it to addresses such as https://hooks.example.com/attio, separated by commas, or leave it unset; what else may be pushed to is changeWebhooks.allowHttp and .allowedHosts in config/*.json.',
  CHANGE_WEBHOOK_SECRET:
    'Set it to whsec_ and the output of: openssl rand -base64 32; several, separated by commas, while it is being rotated.',
} as const;

const count = z.int().min(1);

export const changeWebhookSettings = z.strictObject({
  /** Deliveries to one address at once. */
  window: count.max(100),
  /** How long an answer may take. */
  timeoutMs: count.max(60_000),
  /** Waits between the attempts at one delivery; after the last attempt it is a dead letter. */
  retrySeconds: z
    .array(count.max(7 * DAY_SECONDS))
    .min(1)
    .max(50),
  /** An address that has failed for this long, without one success, is disabled. */
  disableAfterHours: count,
  /** Deliveries to one address that may be laid out; what is behind them waits in the feed. */
  maxPending: count,
  /** Push also what comes before the end of the first full sync of an object, and what that finds. */
  firstSyncs: z.boolean(),
  /** Whether addresses may be `http`. */
  allowHttp: z.boolean(),
  /** Hosts, addresses and ranges (`10.1.0.0/16`) that may be pushed to though they are not on the internet. */
  allowedHosts: z.array(z.string().refine(isHostOrRange, 'is no host, address or range')),
});

/** What is wrong with the variables in the light of the settings. */
export function changeWebhookFaults(
  env: z.infer<typeof changeWebhookEnvironment>,
  settings: z.infer<typeof changeWebhookSettings>,
): { name: string; problem: string }[] {
  const urls = env.CHANGE_WEBHOOK_URLS ?? [];
  const allowed = new AllowedHosts(settings.allowedHosts);
  const faults = urls.flatMap((text, index) => {
    const url = new URL(text);
    const fault =
      url.protocol === 'http:' && !settings.allowHttp ? 'is not https' : faultOfHost(url, allowed);
    return fault === null ? [] : [`has an address that ${fault} (number ${index + 1})`];
  });
  const problems = faults.slice(0, 1).map((problem) => ({ name: 'CHANGE_WEBHOOK_URLS', problem }));
  if (urls.length > 0 && env.CHANGE_WEBHOOK_SECRET === undefined) {
    problems.push({ name: 'CHANGE_WEBHOOK_SECRET', problem: 'is required where CHANGE_WEBHOOK_URLS is set' });
  }
  return problems;
}

function faultOfUrl(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || /\s/.test(text)) {
    return 'a part that is no http or https address';
  }
  if (url.username !== '' || url.password !== '') return 'an address with a user name or password in it';
  return url.hash === '' ? null : 'an address with a # in it';
}

/** What can be seen before a name is looked up; the rest is seen when it is connected to. */
function faultOfHost(url: URL, allowed: AllowedHosts): string | null {
  const host = plainHost(url.hostname);
  if (allowed.hasName(host) || allowed.hasAddress(host)) return null;
  if (host === 'localhost' || host.endsWith('.localhost')) return 'leads to this machine';
  const refusal = isAddress(host) ? refusalOf(host) : null;
  return refusal === null ? null : `is of a ${refusal} network`;
}

function isSecret(text: string): boolean {
  const [, base64 = ''] = /^whsec_([A-Za-z\d+/]+={0,2})$/.exec(text) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  return bytes.toString('base64') === base64 && bytes.length >= MIN_SECRET && bytes.length <= MAX_SECRET;
}

function isHostOrRange(text: string): boolean {
  return readRange(text) !== null || /^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(text);
}
