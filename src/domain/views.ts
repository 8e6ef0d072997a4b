/** What a column holds; with `multi`, a JSON list of such values. */
export type ViewColumnType = 'text' | 'number' | 'boolean' | 'date' | 'timestamp' | 'json';

/** One attribute as a column. */
export interface ViewColumn {
  /** Names the column, and the member of the JSON that holds the list of raw values, newest first. */
  readonly slug: string;
  readonly type: ViewColumnType;
  readonly multi: boolean;
  /** Where in a raw value the plain one is: the first path that leads to one of the type. Empty for `json`: the whole value. */
  readonly paths: readonly (readonly string[])[];
  /** For `json`: members of a raw value that tell about it and are not part of it. */
  readonly without: readonly string[];
}

/** Whose rows: the living records of an object, or the living entries of a list. */
export type ViewRows = { readonly object: string } | { readonly list: string; readonly listId: string };

/** A view for people: one column per attribute, beside those that every such view has. */
export interface View {
  readonly rows: ViewRows;
  /** In the order of Attio; those that the view has anyway (`record_id`, `created_at`, …) may be among them. */
  readonly columns: readonly ViewColumn[];
}

/** `unchanged`: it is there already. `kept`: the one that is there stays, and why in words. */
export type ViewOutcome =
  | { readonly is: 'unchanged' | 'built'; readonly name: string }
  | { readonly is: 'kept'; readonly name: string; readonly why: string };
