import type { Attribute } from '../../attio/types.ts';
import type { Attributes } from './fields.ts';

/**
 * Attio has no natural key for deals: they are found again by a unique attribute of the workspace's own.
 * @returns why the one that is configured cannot serve, and how to mend that; null when it can
 */
export function faultOfDealKey(attributes: Attributes, slug: string): string | null {
  const fault = faultOf(attributes.get(slug));
  if (fault === null) return null;
  return `deals are found again by the attribute "${slug}" of the deals object, which ${fault} in this workspace. Run: npm run cli -- doctor --fix`;
}

function faultOf(attribute: Attribute | undefined): string | null {
  if (attribute === undefined) return 'does not exist';
  if (attribute.is_archived) return 'is archived';
  if (!attribute.is_unique) return 'is not unique';
  return attribute.type === 'text' && !attribute.is_multiselect ? null : 'is not a single text';
}
