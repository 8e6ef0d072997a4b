/**
 * Who a vanished record became.
 *
 * Attio's merge either keeps one original's id or mints a new one and kills both; the webhook that says so can
 * be lost. The e-mail addresses (people) or domains (companies) are unique in a workspace, so a record that is
 * gone while every one of its keys lives on in one and the same other record was merged into that record.
 * A record without keys, or whose keys are scattered or gone, was deleted.
 *
 * @param keys the vanished record's unique keys
 * @param ownerOf the record ids of the live records that hold a key now
 */
export function survivorOf(
  recordId: string,
  keys: readonly string[],
  ownerOf: (key: string) => readonly string[],
): string | null {
  const [first, ...rest] = keys;
  if (first === undefined) return null;
  const candidates = ownerOf(first).filter((owner) => owner !== recordId);
  const survivors = candidates.filter((owner) => rest.every((key) => ownerOf(key).includes(owner)));
  return survivors.length === 1 ? (survivors[0] ?? null) : null;
}
