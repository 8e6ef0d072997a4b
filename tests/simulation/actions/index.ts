import type { Action } from './action.ts';
import { OURS } from './ours.ts';
import { PEOPLE } from './people.ts';
import { TROUBLE } from './trouble.ts';

export type { Side } from './action.ts';

export const ACTIONS = { ...PEOPLE, ...OURS, ...TROUBLE } satisfies Record<string, Action>;
export type ActionName = keyof typeof ACTIONS;
