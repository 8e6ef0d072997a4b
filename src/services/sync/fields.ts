/** Values of fields, between what Attio shows in plain form and what we show. */
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { FieldRule } from '../../domain/mapping.ts';
import { type Converted, fromAttio, toAttio } from '../../domain/transforms.ts';

/** What a field shows of one value in plain form: of a choice its title, of money its amount. */
export function shownValue({ transform }: Pick<FieldRule, 'transform'>, plain: Json): Json {
  const simple = simpleOf(plain);
  return transform === null || simple === null ? simple : fromAttio(transform, simple);
}

function simpleOf(plain: Json): Json {
  if (!isJsonObject(plain)) return plain;
  if ('title' in plain) return plain['title'] ?? plain['id'] ?? null;
  return 'amount' in plain ? (plain['amount'] ?? null) : plain;
}

/** The same of all values of an attribute. */
export function shownValues(rule: Pick<FieldRule, 'transform'>, plain: Json): Json {
  return Array.isArray(plain) ? plain.map((value) => shownValue(rule, value)) : shownValue(rule, plain);
}

/** The same of what is to be written, in whatever form it is given. */
export function shownInput(rule: Pick<FieldRule, 'transform'>, input: Json): Json {
  return overValues(input, (value) => shownValue(rule, value));
}

/** What a caller gives, as it is given to Attio; or why not. */
export function inputFor({ transform }: Pick<FieldRule, 'transform'>, input: Json): Converted {
  if (transform === null) return { value: input };
  const problems: string[] = [];
  const value = overValues(input, (each) => {
    const converted = toAttio(transform, each);
    if ('value' in converted) return converted.value;
    problems.push(converted.problem);
    return each;
  });
  const [problem] = problems;
  return problem === undefined ? { value } : { problem };
}

/** Null clears, a list and `{replace: […]}` are of several values, all else is one. */
function overValues(input: Json, change: (value: Json) => Json): Json {
  if (input === null) return null;
  if (Array.isArray(input)) return input.map(change);
  if (isJsonObject(input) && Array.isArray(input['replace']))
    return { replace: input['replace'].map(change) };
  return change(input);
}
