/** Members of bodies: what is an address, a domain, a line of text. */
import { z } from 'zod';
import { decimalPlaces, MAX_DECIMALS } from '../domain/decimals.ts';

/** A label of a host name; the last one of a name begins with a letter, so that no IP address is taken for one. */
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const HOST = `(?:${LABEL}\\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]`;

const MISSING = 'is missing: it is what the record is found by';
const EMAIL_MESSAGE = 'is not one e-mail address such as ada@example.com';
const DOMAIN_MESSAGE =
  'is not a plain domain such as example.com: send it without scheme, path or port, an international one as xn--…';

/** One address, lower-cased. @param missing what to say when it is left out */
export function emailThat(missing: string) {
  return z
    .string({ error: ({ input }) => (input === undefined ? missing : EMAIL_MESSAGE) })
    .toLowerCase()
    .max(320, 'is longer than the 320 characters of an e-mail address')
    .regex(new RegExp(`^[^\\s\\p{Cc}@"<>()[\\],;:\\\\]{1,64}@(?=.{1,253}$)${HOST}$`, 'u'), EMAIL_MESSAGE)
    .meta({ examples: ['ada@example.com'] });
}

export const emailField = emailThat(MISSING);

/** A host name, lower-cased; an international one in its `xn--` form. */
export const domainField = z
  .string({ error: ({ input }) => (input === undefined ? MISSING : DOMAIN_MESSAGE) })
  .toLowerCase()
  .max(253, 'is longer than the 253 characters of a domain')
  .regex(new RegExp(`^${HOST}$`), DOMAIN_MESSAGE)
  .meta({ examples: ['example.com'] });

const ONE_LINE = /^[^\p{Cc}\u2028\u2029]*$/u;

/** Text that ends up in headers, logs and exports of others: one line, and something on it. */
function line(max: number, maxMessage: string) {
  return z
    .string('must be text, or null to clear it')
    .max(max, maxMessage)
    .regex(ONE_LINE, 'has a control character, such as a line break: take it out')
    .refine((text) => text.trim() !== '', 'is blank: send null to clear it')
    .nullable()
    .exactOptional();
}

export const lineField = line(1000, 'is longer than 1000 characters');

export const externalIdField = line(200, 'is longer than 200 characters').meta({
  description: "The caller's own id: unique, and unknown to Attio",
});

/** Like `line`, and there must be one. @param missing what to say when it is left out */
function requiredLine(max: number, missing: string) {
  return z
    .string({ error: ({ input }) => (input === undefined ? missing : 'must be text') })
    .max(max, `is longer than ${max} characters`)
    .regex(ONE_LINE, 'has a control character, such as a line break: take it out')
    .refine((text) => text.trim() !== '', 'is blank');
}

/** What finds a deal: compared as it is. */
export const dealKeyField = requiredLine(200, MISSING).refine(
  (id) => id === id.trim(),
  'begins or ends with a blank: take it out',
);
export const nameField = requiredLine(1000, 'is missing: Attio wants a name for every deal');
export const stageField = requiredLine(1000, 'is missing: Attio wants a stage for every deal').meta({
  description: 'Title in any case, or id',
});

const AMOUNT_MESSAGE = 'must be a number, such as 1250.5';
const NUMERAL = /^-?\d+(\.\d+)?$/;

/** Beyond this, numbers stop being what their sender wrote. */
const MAX_AMOUNT = 1e15;
const RANGE = `from -${grouped(MAX_AMOUNT)} to ${grouped(MAX_AMOUNT)}`;

/** Not `toLocaleString`, which reads all that is known of languages: a twentieth of a start. */
function grouped(whole: number): string {
  return String(whole).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** To be refined by `amountCheck`. */
export function amountError({ input }: { readonly input?: unknown }): string {
  return input === undefined ? 'is missing' : AMOUNT_MESSAGE;
}

export function amountCheck({ value, issues }: z.core.ParsePayload<number | string>): void {
  const message = faultOfAmount(value);
  if (message !== null) issues.push({ code: 'custom', input: value, message });
}

function faultOfAmount(given: number | string): string | null {
  if (typeof given === 'string' && !NUMERAL.test(given)) return AMOUNT_MESSAGE;
  const amount = Number(given);
  if (Math.abs(amount) > MAX_AMOUNT) return `must be ${RANGE}`;
  if (decimalPlaces(amount) > MAX_DECIMALS) return `must have at most ${MAX_DECIMALS} decimal places`;
  return null;
}

const amountNumber = z.number().meta({ minimum: -MAX_AMOUNT, maximum: MAX_AMOUNT });
const amountText = z.string().meta({ pattern: NUMERAL.source });

/** The currency is the attribute's own: a code is taken when it is that one. */
export const moneyField = z
  .strictObject(
    {
      amount: z.union([amountNumber, amountText], { error: amountError }).check(amountCheck),
      currencyCode: z.string().max(10, 'is no currency code').exactOptional(),
    },
    'must be {"amount":…} with a number such as 1250.5, or null',
  )
  .nullable()
  .exactOptional();

const PHONE_MESSAGE = 'is not a phone number such as +44 20 7123 4567 (digits, spaces, + ( ) - . / and ext)';

const MAX_PHONES = 50;

const phoneText = z
  .string(PHONE_MESSAGE)
  .max(50, 'is longer than the 50 characters of a phone number')
  .regex(/^(?=(?:\D*\d){3})[+\d ()./-]+(?:(?:[Ee][Xx][Tt]\.?|[Xx]) ?\d{1,6})?$/, PHONE_MESSAGE);

export const phoneField = z
  .union(
    [phoneText, z.null(), z.strictObject({ replace: z.array(phoneText).max(MAX_PHONES) })],
    `must be a phone number, {"replace":[…]} with at most ${MAX_PHONES} of them, or null`,
  )
  .exactOptional()
  .meta({ description: 'A number is added to those there are; {"replace":[…]} sets exactly these' });
