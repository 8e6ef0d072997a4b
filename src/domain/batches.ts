/** How the writes of one batch have fared so far. */
export interface BatchView {
  readonly id: string;
  readonly createdAt: string;
  /** Items that were accepted: `synced + pending + failed`. */
  readonly total: number;
  readonly synced: number;
  readonly pending: number;
  readonly failed: number;
  /** One per failed item; `index` is its place in the request. */
  readonly errors: readonly { readonly index: number; readonly code: string; readonly message: string }[];
}
