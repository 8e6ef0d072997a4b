/** What is wrong with one item of a batch; paths are JSON pointers into the item. */
export interface BatchRejection {
  readonly index: number;
  readonly errors: readonly { readonly path: string; readonly message: string }[];
}

export interface NewBatch {
  readonly id: string;
  readonly total: number;
  readonly rejected: readonly BatchRejection[];
  readonly createdAt: string;
}

/** A batch as it stands now: `total` is `synced`, `pending` and `failed` added up. */
export interface BatchView {
  readonly id: string;
  readonly createdAt: string;
  readonly total: number;
  readonly synced: number;
  readonly pending: number;
  readonly failed: number;
  readonly errors: readonly { readonly index: number; readonly code: string; readonly message: string }[];
}
