/** Decimal places that Attio keeps of a number, and of an amount of money. */
export const MAX_DECIMALS = 4;

/** How many a number has, written in full. */
export function decimalPlaces(value: number): number {
  const [digits = '', exponent = '0'] = String(value).split('e');
  return Math.max(0, (digits.split('.')[1] ?? '').length - Number(exponent));
}
