import { isJsonObject, type Json } from '../../domain/json.ts';
import { type AttributeShape, fail } from './codec.ts';
import { codecFor } from './codecs.ts';

/**
 * An attribute's values as Attio takes them: always a list, `[]` to clear.
 *
 * Takes what `readValues` gives, and the shorter forms that the codecs name; null clears; a list for a multi-value
 * attribute, where a single value stands for a list of one. Values of a type that is not known here are passed on.
 * @throws AttributeValueError naming the attribute and what is wrong
 */
export function writeValues(attribute: AttributeShape, input: Json): readonly Json[] {
  if (!attribute.is_writable) fail(attribute, 'cannot be written');
  const inputs = listOf(input);
  if (inputs.length > 1 && !attribute.is_multiselect) fail(attribute, 'takes one value');
  if (inputs.includes(null)) fail(attribute, 'must not have null in its list');
  const codec = codecFor(attribute.type);
  if (codec === undefined) return inputs;
  const { write } = codec;
  if (write === null) return fail(attribute, 'cannot be written');
  return inputs.map((each) => write(each, attribute));
}

function listOf(input: Json): readonly Json[] {
  if (input === null) return [];
  return isJsonObject(input) || typeof input !== 'object' ? [input] : input;
}
