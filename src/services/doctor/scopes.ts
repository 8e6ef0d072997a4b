/** What a token needs, and what does not work without it. */
interface Need {
  readonly scope: string;
  readonly without: string;
  /** The same where not even reading is allowed. @default without */
  readonly withoutRead?: string;
  /** Not needed by the service itself. */
  readonly optional?: true;
}

const NEEDS: readonly Need[] = [
  { scope: 'object_configuration:read', without: 'nothing works: objects and attributes cannot be read' },
  {
    scope: 'record_permission:read-write',
    without: 'records cannot be written: what is sent to /v1 stays pending',
    withoutRead: 'records can neither be read nor written',
  },
  { scope: 'list_configuration:read', without: 'lists and their stages cannot be read' },
  {
    scope: 'list_entry:read-write',
    without: 'records cannot be put on lists, or moved there',
    withoutRead: 'records can neither be put on lists nor found there',
  },
  {
    scope: 'note:read-write',
    without: 'notes cannot be written',
    withoutRead: 'notes can neither be read nor written',
  },
  {
    scope: 'task:read-write',
    without: 'tasks cannot be written',
    withoutRead: 'tasks can neither be read nor written',
  },
  {
    scope: 'comment:read-write',
    without: 'comments cannot be written',
    withoutRead: 'comments can neither be read nor written',
  },
  {
    scope: 'user_management:read',
    without: 'members cannot be found by their e-mail address, nor tasks be read',
  },
  {
    scope: 'webhook:read-write',
    without: 'doctor cannot look at the webhook, and the webhooks commands do not work',
    optional: true,
  },
];

/** @param granted as `/self` tells them, separated by spaces. `x:read-write` includes `x:read`. */
export function lackingScopes(granted: string): readonly Need[] {
  const has = new Set(granted.split(/\s+/));
  const lacking = NEEDS.filter(
    ({ scope }) => !has.has(scope) && !has.has(scope.replace(/:read$/, ':read-write')),
  );
  return lacking.map((need) => {
    const mayRead = has.has(need.scope.replace(/:read-write$/, ':read'));
    return mayRead || need.withoutRead === undefined ? need : { ...need, without: need.withoutRead };
  });
}
