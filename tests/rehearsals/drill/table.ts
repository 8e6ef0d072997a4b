/** A row for each thing and a column for each run. */
export function tableOf(runs: readonly Readonly<Record<string, string | number>>[]): string {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run)))];
  const lines = names.map((name) => [name, ...runs.map((run) => String(run[name] ?? ''))]);
  const widths = ['', ...runs].map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const padded = (line: readonly string[]) =>
    line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
  return lines.map((line) => padded(line).join('  ')).join('\n');
}
