/**
 * What was in hand here is another instance's now, because this one gave no sign of life for too long. Nothing that it
 * has come to may be stored: whoever has it now does it again.
 */
export class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError';

  constructor() {
    super('this work is no longer ours: another instance has taken it over');
  }
}
