/**
 * What becomes of a write, in every case. Read it as: we are asked to do `op`; both sides last agreed on `base`; Attio
 * shows `theirs`, which came to be at `time`, seen from the acceptance of the write; the write was `held` back or not.
 *
 *   op      set o, replace by [o], clear, add o
 *   base    none: nothing is known to be agreed on; empty; x; o
 *   theirs  empty; x; y; o
 *   time    before, within (the tolerance), after, unknown
 *
 * and by policy:
 *
 *   -       nothing is sent, nothing is put on record
 *   send    sent; only we have changed it
 *   ours!   sent, and a conflict is on record with both values
 *   theirs! not sent, and a conflict is on record with both values
 *   tie!    the same, since nobody can tell which was later
 *   open    not sent; a person decides
 *
 * `|` means either, `*` any. Every case is in exactly one row: a test counts them.
 */
export const TRUTH_TABLE = `
op           base          theirs     time            held  last-write-wins attio-wins local-wins manual

# Attio has it already.
set|replace  *             o          *               *     -               -          -          -
clear        *             empty      *               *     -               -          -          -
add          *             o          *               *     -               -          -          -

# Nothing was agreed on: what stood there before the write is overwritten as it would be by any write.
set|replace  none          empty      *               *     send            send       send       send
set|replace  none          x|y        before|unknown  *     send            send       send       send
set|replace  none          x|y        within          *     tie!            theirs!    ours!      open
set|replace  none          x|y        after           *     theirs!         theirs!    ours!      open
clear        none          x|y|o      before|unknown  *     send            send       send       send
clear        none          x|y|o      within          *     tie!            theirs!    ours!      open
clear        none          x|y|o      after           *     theirs!         theirs!    ours!      open

# Only we have changed it, whenever Attio's value was written.
set|replace  empty         empty      *               *     send            send       send       send
set|replace  x             x          *               *     send            send       send       send
clear        x             x          *               *     send            send       send       send
clear        o             o          *               *     send            send       send       send

# Both have changed it: a value stands there now.
set|replace  empty|o       x|y        before          *     ours!           theirs!    ours!      open
set|replace  empty|o       x|y        within          *     tie!            theirs!    ours!      open
set|replace  empty|o       x|y        after           *     theirs!         theirs!    ours!      open
set|replace  empty|o       x|y        unknown         no    ours!           theirs!    ours!      open
set|replace  empty|o       x|y        unknown         yes   tie!            theirs!    ours!      open
set|replace  x             y          before          *     ours!           theirs!    ours!      open
set|replace  x             y          within          *     tie!            theirs!    ours!      open
set|replace  x             y          after           *     theirs!         theirs!    ours!      open
set|replace  x             y          unknown         no    ours!           theirs!    ours!      open
set|replace  x             y          unknown         yes   tie!            theirs!    ours!      open
clear        empty         x|y|o      before          *     ours!           theirs!    ours!      open
clear        empty         x|y|o      within          *     tie!            theirs!    ours!      open
clear        empty         x|y|o      after           *     theirs!         theirs!    ours!      open
clear        empty         x|y|o      unknown         no    ours!           theirs!    ours!      open
clear        empty         x|y|o      unknown         yes   tie!            theirs!    ours!      open
clear        x             y|o        before          *     ours!           theirs!    ours!      open
clear        x             y|o        within          *     tie!            theirs!    ours!      open
clear        x             y|o        after           *     theirs!         theirs!    ours!      open
clear        x             y|o        unknown         no    ours!           theirs!    ours!      open
clear        x             y|o        unknown         yes   tie!            theirs!    ours!      open
clear        o             x|y        before          *     ours!           theirs!    ours!      open
clear        o             x|y        within          *     tie!            theirs!    ours!      open
clear        o             x|y        after           *     theirs!         theirs!    ours!      open
clear        o             x|y        unknown         no    ours!           theirs!    ours!      open
clear        o             x|y        unknown         yes   tie!            theirs!    ours!      open

# Both have changed it: Attio's is cleared, at a time that its hint or its history tells, or nobody.
set|replace  x|o           empty      before          *     ours!           theirs!    ours!      open
set|replace  x|o           empty      within          *     tie!            theirs!    ours!      open
set|replace  x|o           empty      after           *     theirs!         theirs!    ours!      open
set|replace  x|o           empty      unknown         no    ours!           theirs!    ours!      open
set|replace  x|o           empty      unknown         yes   tie!            theirs!    ours!      open

# A set that is added to is merged: what others have put there, or taken away, is nobody's conflict with it.
add          none|empty|x  empty|x|y  *               *     send            send       send       send
# But for a value that was agreed on, and that somebody has taken away.
add          o             empty|x|y  before          *     ours!           theirs!    ours!      open
add          o             empty|x|y  within          *     tie!            theirs!    ours!      open
add          o             empty|x|y  after           *     theirs!         theirs!    ours!      open
add          o             empty|x|y  unknown         no    ours!           theirs!    ours!      open
add          o             empty|x|y  unknown         yes   tie!            theirs!    ours!      open
`;

export const CASES = {
  op: ['set', 'replace', 'clear', 'add'],
  base: ['none', 'empty', 'x', 'o'],
  theirs: ['empty', 'x', 'y', 'o'],
  time: ['before', 'within', 'after', 'unknown'],
  held: ['no', 'yes'],
} as const;

export type Column = keyof typeof CASES;
export const COLUMNS = Object.keys(CASES) as Column[]; // keys lose their type

export type Outcome = '-' | 'send' | 'ours!' | 'theirs!' | 'tie!' | 'open';

export interface TableRow {
  readonly text: string;
  readonly when: Readonly<Record<Column, readonly string[]>>;
  /** In the order of the policies. */
  readonly outcomes: readonly Outcome[];
}

/** The rows of the table; `*` spelt out. */
export function rowsOf(table: string): TableRow[] {
  const lines = table.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.slice(1).map((text) => {
    const cells = text.trim().split(/\s+/);
    const values = (column: Column): readonly string[] => {
      const cell = cells[COLUMNS.indexOf(column)] ?? '';
      return cell === '*' ? CASES[column] : cell.split('|');
    };
    return {
      text,
      when: {
        op: values('op'),
        base: values('base'),
        theirs: values('theirs'),
        time: values('time'),
        held: values('held'),
      },
      outcomes: cells.slice(COLUMNS.length) as Outcome[], // a test compares each
    };
  });
}
