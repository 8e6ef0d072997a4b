import { AttioApiError, isAttioError } from '../errors.ts';
import { route } from '../route.ts';
import type { AttioResponse, RequestOptions } from '../transport.ts';
import { type Self, self } from '../types.ts';
import type { Sender } from './sender.ts';

const ROUTE = route('GET /self', {});

/**
 * Whose token it is and what it may do.
 *
 * Attio answers a refused token with 200 `{active: false}`, and one that is no token at all with 400
 * `missing_value`; both are `token_inactive` here.
 * @throws AttioApiError
 */
export async function readSelf(sender: Sender, options: RequestOptions = {}): Promise<AttioResponse<Self>> {
  try {
    const { data, meta } = await sender.send({
      ...ROUTE,
      ...options,
      idempotent: true,
      lane: 'read',
      schema: self,
    });
    if (data.active) return { data, meta };
    throw new AttioApiError('token_inactive', { endpoint: ROUTE.endpoint, executionId: meta.executionId });
  } catch (error) {
    if (!isAttioError(error, 'missing_value', 'validation')) throw error;
    throw new AttioApiError('token_inactive', {
      ...ROUTE,
      status: error.status,
      code: error.code,
      cause: error,
    });
  }
}
